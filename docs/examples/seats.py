"""Seats API: creates two seats and prints their ids.

Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, and `pip install requests`.
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
    f"{os.environ['HEADCOUNT_API']}/accounts/create",
    headers={
        "Authorization": f"Bearer {os.environ['HEADCOUNT_SEATS_API_KEY']}",
        # One key per intent: however often the request is sent, the seats are created and billed once.
        "Idempotency-Key": str(uuid.uuid4()),
    },
    json={
        "accounts": [
            {"tier": "basic"},
            {
                "tier": "premium",
                "platform": "tiktok",
                "username": "newcreator",
                "pfp_url": "https://example.com/avatar.jpg",
                "keywords": "fitness,health,workout",
                "nick_name": "New Creator",
                "tag": "influencer",
            },
        ]
    },
    timeout=30,
)
body = response.json()
if response.status_code != 200:
    print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
    for fault in body.get("errors", []):
        print(f"  seat {fault['index']}, {fault['field']}: {fault['message']}", file=sys.stderr)
    sys.exit(1)
for account in body["data"]["accounts"]:
    print(account["id"])
