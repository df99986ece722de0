"""Seats API: gives a seat back and prints its id. Where seats end with the billing period, says when on stderr.

Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY and HEADCOUNT_ACCOUNT_ID, and `pip install requests`. With
HEADCOUNT_REVOKE=true the seat stays after all.
"""

import os
import sys
import uuid

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
again = Retry(3, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
session.mount(os.environ["HEADCOUNT_API"], HTTPAdapter(max_retries=again))

response = session.post(
    f"{os.environ['HEADCOUNT_API']}/billing/deactivate",
    headers={
        "Authorization": f"Bearer {os.environ['HEADCOUNT_SEATS_API_KEY']}",
        # One key per intent: however often the request is sent, it has one answer.
        "Idempotency-Key": str(uuid.uuid4()),
    },
    json={
        "account_id": os.environ["HEADCOUNT_ACCOUNT_ID"],
        "revoke": os.environ.get("HEADCOUNT_REVOKE") == "true",
    },
    timeout=30,
)
body = response.json()
if response.status_code != 200:
    print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
    for fault in body.get("errors", []):
        print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
    sys.exit(1)
print(body["data"]["account_id"])
if "ends_at" in body["data"]:
    print(f"ends at {body['data']['ends_at']}", file=sys.stderr)
