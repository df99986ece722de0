"""Seats API: gives a seat another tag, makes it premium, and prints its id.

Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID and HEADCOUNT_TAG, and
`pip install requests`.
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
    f"{os.environ['HEADCOUNT_API']}/accounts/update-info",
    headers={
        "Authorization": f"Bearer {os.environ['HEADCOUNT_SEATS_API_KEY']}",
        # One key per intent: however often the request is sent, it has one answer.
        "Idempotency-Key": str(uuid.uuid4()),
    },
    json={
        "updates": [
            {
                "accountId": os.environ["HEADCOUNT_ACCOUNT_ID"],
                "tag": os.environ["HEADCOUNT_TAG"],
                "tier": "premium",
            }
        ]
    },
    timeout=30,
)
body = response.json()
if response.status_code != 200:
    print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
    for fault in body.get("errors", []):
        print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
    sys.exit(1)
# Each update is done or refused by itself.
for result in body["data"]["results"]:
    if result["success"]:
        print(result["accountId"])
        continue
    print(f"{result['accountId']} {result['error']}", file=sys.stderr)
    for fault in result["errors"]:
        print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
sys.exit(1 if body["data"]["failed"] else 0)
