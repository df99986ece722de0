"""What the trials of a running local stack have in common: its tenants, its programs, and whether all agree at rest."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Speaks to this machine without any proxy."""

NO_ANSWER = "no answer"
"""In place of a status: the connection was refused or cut."""


@dataclass
class Tenant:
    """An organization, what it was told that it has, and where that is billed."""

    org: str
    key: str
    subscription: str
    acknowledged: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Answer:
    """What came back to a request, if anything did."""

    status: str
    body: Any

    @property
    def is_final(self) -> bool:
        """Whether sending the request again could change nothing."""
        return self.status[0] in "234" and self.status != "429"


class Stack:
    """A local stack that is up, as its stack.json describes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.folder = file.resolve().parent
        described = json.loads(file.read_text())
        self.api: str = described["api"]
        self.table: str = described["table"]
        self._stripe: str = described["stripe"]
        self._billing_dlq: str = described["billing_dlq"]
        self._aws = {
            "endpoint_url": described["aws_endpoint"],
            "region_name": described["aws"]["region"],
            "aws_access_key_id": described["aws"]["access_key_id"],
            "aws_secret_access_key": described["aws"]["secret_access_key"],
        }

    def headcount(self, *arguments: str) -> dict[str, Any]:
        """Runs one command of the operator's command line."""
        program = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "headcount"
        command = [str(program), "--output", "json", "--stack-file", str(self._file), *arguments]
        return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    def tenant(self, name: str) -> Tenant:
        """Makes an organization that is billed."""
        made = self.headcount("org", "create", "--name", name, "--with-billing", "--seat-limit", "1000000", "--spending-limit", "none")
        key = self.headcount("api-key", "create", "--org", made["org"], "--permission", "accounts:create")
        return Tenant(made["org"], key["credential"], made["subscription"])

    def stripe(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Calls the Stripe stand-in, its API or its control plane."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": "Bearer sk_test_trial", "Content-Type": "application/json"}
        request = urllib.request.Request(self._stripe + path, data, headers, method=method)
        with DIRECTLY.open(request, timeout=30) as answer:
            return json.load(answer)

    def aws(self, service: str) -> Any:
        """A client of the local AWS, as its administrator."""
        return boto3.client(service, **self._aws)

    def post(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        """Sends one request to the API."""
        headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.api + path, json.dumps(body).encode(), headers)
        try:
            with DIRECTLY.open(request, timeout=60) as answer:
                return Answer(str(answer.status), json.load(answer))
        except urllib.error.HTTPError as error:
            return Answer(str(error.code), error.read().decode(errors="replace"))
        except (OSError, ValueError):
            return Answer(NO_ANSWER, None)

    # ------------------------------------------------------------------ At rest

    def seats(self, tenant: Tenant) -> tuple[Counter[str], set[str]]:
        """The organization's seats in the table: how many of each tier, and their ids."""
        pages = self.aws("dynamodb").get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"ORG#{tenant.org}"}, ":sk": {"S": "SEAT#"}},
        )
        items = [item for page in pages for item in page["Items"]]
        return Counter(item["tier"]["S"] for item in items), {item["id"]["S"] for item in items}

    def difference(self, tenant: Tenant) -> str | None:
        """Where table, billing record, Stripe and what the callers were told differ; `None` when they agree."""
        tiers, ids = self.seats(tenant)
        table = (tiers["basic"], tiers["premium"])
        billing = self.headcount("org", "show", tenant.org)["billing"]
        ledger = (billing["seats"]["basic"], billing["seats"]["premium"])
        items = self.stripe("GET", f"/v1/subscriptions/{tenant.subscription}")["items"]["data"]
        billed = {item["price"]["lookup_key"]: item["quantity"] for item in items}
        stripe = (billed.get("headcount_basic", 0), billed.get("headcount_premium", 0))
        behind = billing["version"] - billing["applied_version"]
        if table == ledger == stripe and behind == 0 and ids == tenant.acknowledged:
            return None
        lost, extra = len(tenant.acknowledged - ids), len(ids - tenant.acknowledged)
        return (
            f"{tenant.org}: table {table}, record {ledger}, Stripe {stripe}, behind {behind}, "
            f"acknowledged and lost {lost}, never acknowledged {extra}"
        )

    def dead_letters(self) -> int:
        """How many billing messages were given up."""
        name = "ApproximateNumberOfMessages"
        queues = self.aws("sqs")
        counted = queues.get_queue_attributes(QueueUrl=self._billing_dlq, AttributeNames=[name])
        return int(counted["Attributes"][name])

    def settle(self, tenants: list[Tenant], patience: int) -> tuple[float, list[str]]:
        """Waits until all agree, reconciling as the schedule would; returns how long and what still differs."""
        began = time.monotonic()
        functions = self.aws("lambda")
        while True:
            differences = [text for text in map(self.difference, tenants) if text]
            waited = time.monotonic() - began
            print(f"  {waited:4.0f} s after the faults: {len(differences)} organization(s) differ", flush=True)
            if not differences or waited > patience:
                return waited, differences
            time.sleep(10)
            functions.invoke(FunctionName="headcount-reconcile-billing", Payload=b"{}")


def processes_of(functions: set[str]) -> list[int]:
    """The processes on this machine of some functions of local stacks."""
    wanted = {f"AWS_LAMBDA_FUNCTION_NAME=headcount-{name}".encode() for name in functions}
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = set((folder / "environ").read_bytes().split(b"\0"))
            program = os.readlink(folder / "exe")
        except OSError:
            continue
        if environment & wanted and program.endswith("bootstrap"):
            found.append(int(folder.name))
    return found
