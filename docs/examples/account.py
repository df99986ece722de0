"""Identity API: an account logs in, gets new tokens, looks at itself and its sessions, and logs out; prints its id.

Needs HEADCOUNT_API (base address), HEADCOUNT_EMAIL and HEADCOUNT_PASSWORD, and `pip install requests`.
"""

import os
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

API = os.environ["HEADCOUNT_API"]
session = requests.Session()
again = Retry(3, backoff_factor=0.5, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
session.mount(API, HTTPAdapter(max_retries=again))


def call(method, path, **arguments):
    response = session.request(method, API + path, timeout=30, **arguments)
    body = response.json()
    if response.status_code != 200:
        print(f"{response.status_code} {body.get('error')}: {body['message']}", file=sys.stderr)
        sys.exit(1)
    return body


wish = {"email": os.environ["HEADCOUNT_EMAIL"], "password": os.environ["HEADCOUNT_PASSWORD"]}
tokens = call("POST", "/v1/auth/login", json=wish)
refresh = {"Authorization": f"Bearer {tokens['refresh_token']}"}
tokens = call("POST", "/v1/auth/refresh", headers=refresh)  # Within the hour: both tokens are new, and the old ones end.
own = {"Authorization": f"Bearer {tokens['access_token']}"}
account = call("GET", "/v1/account", headers=own)
sessions = call("GET", "/v1/auth/sessions", headers=own)["data"]
print(f"{len(sessions)} session(s)", file=sys.stderr)
call("DELETE", "/v1/auth/session", headers=own)
print(account["id"])
