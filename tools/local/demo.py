"""The demo tenants: made once through the operator's command line, kept in demo.json for later runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from aws import client
from console import Failure, say
from files import write_private
from settings import STRIPE_API_KEY, Settings


class CommandLine:
    """The `headcount` program, pointed at the local AWS and the Stripe stand-in."""

    def __init__(self, settings: Settings, program: Path) -> None:
        self._program = program
        self._environment = {
            **settings.aws_environment,
            "STRIPE_API_BASE": settings.stripe_url,
            "STRIPE_API_KEY": STRIPE_API_KEY,
        }

    def knowing(self, **variables: str) -> CommandLine:
        """The same program with more environment variables."""
        self._environment.update(variables)
        return self

    def run(self, *arguments: str) -> dict[str, Any]:
        """Runs one command; returns the JSON that it prints."""
        ran = subprocess.run(
            [str(self._program), "--output", "json", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
        )
        try:
            ran.check_returncode()
            return json.loads(ran.stdout)
        except (subprocess.CalledProcessError, json.JSONDecodeError):
            said = ran.stderr.strip() or ran.stdout.strip() or "it said nothing"
            raise Failure(f"headcount {' '.join(arguments)} failed: {said}") from None


def tenants(settings: Settings, headcount: CommandLine, table: str) -> dict[str, Any]:
    """The demo tenants of an earlier run, or new ones when the table does not know those."""
    try:
        kept = json.loads(settings.demo_file.read_text())
    except FileNotFoundError:
        kept = None
    if kept and _known(settings, table, kept["seats"]["org"]):
        return kept
    demo = _create(headcount)
    write_private(settings.demo_file, demo)
    say("  new demo tenants")
    return demo


def _known(settings: Settings, table: str, org: str) -> bool:
    """Whether the table has the organization, which is the last tenant to be made."""
    key = {"pk": {"S": f"ORG#{org}"}, "sk": {"S": "ORG"}}
    return "Item" in client(settings, "dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)


def _create(headcount: CommandLine) -> dict[str, Any]:
    return {
        "identity": {
            "admin_token": headcount.run("admin-token", "create", "--permission", "accounts:create")["credential"],
        },
        "agency": _agency(headcount),
        "seats_no_billing": _organization(headcount, "Demo Studio without billing"),
        "seats": _organization(headcount, "Demo Studio", "--with-billing"),
    }


def _organization(headcount: CommandLine, name: str, *options: str) -> dict[str, str]:
    org = headcount.run("org", "create", "--name", name, *options)["org"]
    key = headcount.run("api-key", "create", "--org", org, "--permission", "accounts:create")
    return {"org": org, "api_key": key["credential"]}


def _agency(headcount: CommandLine) -> dict[str, str]:
    agency = headcount.run("agency", "create", "--name", "Demo Agency")["agency_lcuid"]
    app = headcount.run("app", "create", "--agency", agency, "--name", "Demo App")["app_id"]
    token = ("token", "create", "--app", app, "--agency", agency)
    account = ("agency-account", "create", "--agency", agency)
    return {
        "agency_lcuid": agency,
        "app_id": app,
        "token": headcount.run(*token, "--permission", "agency.createAccounts")["credential"],
        "token_without_permission": headcount.run(*token)["credential"],
        "parent_account_lcuid": headcount.run(*account, "--name", "Demo Parent", "--parent")["lcuid"],
        "plain_account_lcuid": headcount.run(*account, "--name", "Demo Account")["lcuid"],
    }
