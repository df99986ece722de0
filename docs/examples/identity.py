"""Identity API: an administrator creates an account; prints its id.

Needs HEADCOUNT_API (base address), HEADCOUNT_ADMIN_TOKEN and HEADCOUNT_EMAIL, an address that has no account yet, and
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
    f"{os.environ['HEADCOUNT_API']}/v1/accounts",
    headers={
        "Authorization": f"Bearer {os.environ['HEADCOUNT_ADMIN_TOKEN']}",
        # One key per intent: a request that is sent again finds its own account, not "email_exists".
        "Idempotency-Key": str(uuid.uuid4()),
    },
    json={
        "email": os.environ["HEADCOUNT_EMAIL"],
        "name": "Acme Inc.",
        "type": "business",
        "password": "secure_password_here",
        "settings": {"currency": "USD", "timezone": "America/New_York", "language": "en"},
    },
    timeout=30,
)
body = response.json()
if response.status_code != 201:
    print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
    for fault in body.get("details", []):
        print(f"  {fault['field']}: {fault['message']}", file=sys.stderr)
    sys.exit(1)
print(body["id"])
