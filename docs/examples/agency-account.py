"""Agency API: renames an account, leaves everything else of it as it is, and prints its lcuid.

Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN (with account.update), HEADCOUNT_AGENCY_APP_ID (the app the token
belongs to), HEADCOUNT_ACCOUNT_LCUID and HEADCOUNT_ACCOUNT_NAME, and `pip install requests`.
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

response = session.put(
    f"{os.environ['HEADCOUNT_API']}/api/v3/accounts/{os.environ['HEADCOUNT_ACCOUNT_LCUID']}",
    headers={
        "Authorization": f"Bearer {os.environ['HEADCOUNT_AGENCY_TOKEN']}",
        "AppIdV3": os.environ["HEADCOUNT_AGENCY_APP_ID"],
        # One key per intent: however often the request is sent, the account is changed once.
        "Idempotency-Key": str(uuid.uuid4()),
    },
    json={"name": os.environ["HEADCOUNT_ACCOUNT_NAME"]},
    timeout=30,
)
body = response.json()
if response.status_code != 200:
    print(f"{response.status_code}: {body['message']}", file=sys.stderr)
    for field, messages in body.get("errors", {}).items():
        print(f"  {field}: {' '.join(messages)}", file=sys.stderr)
    sys.exit(1)
print(body["account"]["lcuid"])
