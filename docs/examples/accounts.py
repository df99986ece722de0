"""Identity API: an administrator lists the active accounts, page by page; prints their ids.

Needs HEADCOUNT_API (base address) and HEADCOUNT_ADMIN_TOKEN, and `pip install requests`. HEADCOUNT_PAGE is how many a page
has, 100 otherwise.
"""

import os
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
again = Retry(3, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
session.mount(os.environ["HEADCOUNT_API"], HTTPAdapter(max_retries=again))

query = {"status": "active", "limit": os.environ.get("HEADCOUNT_PAGE", "100")}
while True:
    response = session.get(
        f"{os.environ['HEADCOUNT_API']}/v1/accounts",
        headers={"Authorization": f"Bearer {os.environ['HEADCOUNT_ADMIN_TOKEN']}"},
        params=query,
        timeout=30,
    )
    body = response.json()
    if response.status_code != 200:
        print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
        for fault in body.get("details", []):
            print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
        sys.exit(1)
    for account in body["data"]:
        print(account["id"])
    # A page may be empty, and not the last one.
    if not body["has_more"]:
        break
    query["cursor"] = body["next_cursor"]
