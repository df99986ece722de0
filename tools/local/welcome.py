"""What `make run` prints when everything is up: a request for each API, ready to paste."""

from __future__ import annotations

import json
from typing import Any


def examples(stack: dict[str, Any]) -> str:
    """The curl example of each API's documentation, with this stack's address and credentials."""
    api, demo = stack["api"], stack["demo"]
    seats = _curl(
        f"{api}/accounts/create",
        [f"Authorization: Bearer {demo['seats']['api_key']}"],
        {
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
    )
    agency = _curl(
        f"{api}/api/v3/accounts",
        [
            f"Authorization: Bearer {demo['agency']['token']}",
            "Accept: application/json",
            f"AppIdV3: {demo['agency']['app_id']}",
        ],
        {
            "name": "My New Account",
            "description": "My New Account Description",
            "agency_lcuid": demo["agency"]["agency_lcuid"],
            "website": "https://www.mynewaccount.com",
            "parent_account_lcuid": demo["agency"]["parent_account_lcuid"],
        },
    )
    identity = _curl(
        f"{api}/v1/accounts",
        [f"Authorization: Bearer {demo['identity']['admin_token']}"],
        {
            "email": "owner@example.com",
            "name": "Acme Inc.",
            "type": "business",
            "password": "secure_password_here",
            "settings": {"currency": "USD", "timezone": "America/New_York", "language": "en"},
        },
    )
    return "\n".join(
        [
            "",
            "# Seats API: two seats, which the organization's subscription is billed for",
            seats,
            "",
            "# Agency API: an account under the demo parent",
            agency,
            "",
            "# Identity API: an account (without the Authorization header: self-signup)",
            identity,
            "",
            f"# Every endpoint, with a form to try it: {api}/reference/",
            "",
        ]
    )


def _curl(url: str, headers: list[str], body: dict[str, Any]) -> str:
    lines = [f"curl -i -X POST '{url}'", "-H 'Content-Type: application/json'"]
    lines += [f"-H '{header}'" for header in headers]
    lines.append(f"-d '{json.dumps(body, indent=2)}'")
    return " \\\n  ".join(lines)
