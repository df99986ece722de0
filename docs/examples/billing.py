"""Seats API: prints the address of a Stripe portal session in which the organization sees its invoices.

With HEADCOUNT_DO=cancel its subscription ends with the billing period, with HEADCOUNT_DO=resume it does not after all; then
that is printed in words. Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, and `pip install requests`.
"""

import os
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
# To cancel or to resume twice is to do it once.
again = Retry(3, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
session.mount(os.environ["HEADCOUNT_API"], HTTPAdapter(max_retries=again))

response = session.post(
    f"{os.environ['HEADCOUNT_API']}/billing/{os.environ.get('HEADCOUNT_DO', 'portal')}",
    headers={"Authorization": f"Bearer {os.environ['HEADCOUNT_SEATS_API_KEY']}"},
    timeout=30,
)
body = response.json()
if response.status_code != 200:
    print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
    sys.exit(1)
print(body["data"].get("url") or body["data"]["message"])
