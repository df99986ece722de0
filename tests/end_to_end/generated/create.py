"""Creates an account in each API through the client that was generated in Python, and prints the three ids as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import TypeVar

from headcount_client import AuthenticatedClient
from headcount_client.api.agency import create_agency_account
from headcount_client.api.identity import create_account
from headcount_client.api.seats import create_seats
from headcount_client.models import (
    Account,
    AccountType,
    CreateAccount,
    CreateAgencyAccount,
    CreatedAgencyAccount,
    CreatedSeats,
    CreateSeats,
    NewAccountSettings,
    Platform,
    Seat,
    Sex,
    Tier,
)

Answer = TypeVar("Answer")
API = os.environ["HEADCOUNT_API"]


def taken(answer: object, kind: type[Answer]) -> Answer:
    """The answer, if it is the one that says that it was done."""
    if not isinstance(answer, kind):
        sys.exit(f"answered with {answer}")
    return answer


def seats() -> list[str]:
    details = Seat(
        tier=Tier.PREMIUM,
        platform=Platform.TIKTOK,
        username="generated.python",
        pfp_url="https://example.com/avatar.jpg",
        keywords="fitness,health",
        sex=Sex.OTHER,
        tag=None,
    )
    body = CreateSeats(accounts=[Seat(tier=Tier.BASIC), details])
    client = AuthenticatedClient(API, os.environ["HEADCOUNT_SEATS_API_KEY"])
    answer = taken(create_seats.sync(client=client, body=body, idempotency_key=os.environ["RUN"]), CreatedSeats)
    created: int = answer.data.successful
    assert answer.ok and created == 2 and answer.data.failed == 0, answer
    assert [seat.tier for seat in answer.data.accounts] == [Tier.BASIC, Tier.PREMIUM], answer
    assert answer.data.accounts[0].username is None, answer
    return [seat.id for seat in answer.data.accounts]


def agency_account() -> str:
    body = CreateAgencyAccount(name="Generated in Python", agency_lcuid=os.environ["HEADCOUNT_AGENCY_LCUID"])
    client = AuthenticatedClient(API, os.environ["HEADCOUNT_AGENCY_TOKEN"])
    app = os.environ["HEADCOUNT_AGENCY_APP_ID"]
    account = taken(create_agency_account.sync(client=client, body=body, app_id_v3=app), CreatedAgencyAccount).account
    year: int = account.created_at.year
    assert account.name == body.name and account.website is None and year > 2000, account
    return account.lcuid


def account() -> str:
    body = CreateAccount(
        email=os.environ["HEADCOUNT_EMAIL"],
        name="Generated in Python",
        type_=AccountType.INDIVIDUAL,
        password="made by a generator, once",
        settings=NewAccountSettings(language="de"),
    )
    # Anyone may sign up without a token, but the client wants one wherever one can be given (findings/).
    client = AuthenticatedClient(API, os.environ["HEADCOUNT_ADMIN_TOKEN"])
    answer = taken(create_account.sync(client=client, body=body), Account)
    assert answer.type_ is AccountType.INDIVIDUAL and answer.settings.language == "de", answer
    return answer.id


print(json.dumps({"seats": seats(), "agency": agency_account(), "identity": account()}))
