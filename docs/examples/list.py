"""Seats API: lists the organization's seats, page by page, and prints their ids.

Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, and `pip install requests`. HEADCOUNT_PAGE is how many a
page has, 100 otherwise.
"""

import os
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
again = Retry(3, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
session.mount(os.environ["HEADCOUNT_API"], HTTPAdapter(max_retries=again))

cursor = None
while True:
    response = session.post(
        f"{os.environ['HEADCOUNT_API']}/accounts",
        headers={"Authorization": f"Bearer {os.environ['HEADCOUNT_SEATS_API_KEY']}"},
        json={"limit": int(os.environ.get("HEADCOUNT_PAGE", "100")), "cursor": cursor},
        timeout=30,
    )
    body = response.json()
    if response.status_code != 200:
        print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
        for fault in body.get("errors", []):
            print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
        sys.exit(1)
    for account in body["data"]:
        print(account["id"])
    # A page may be empty, and not the last one.
    cursor = body["next_cursor"]
    if cursor is None:
        break
