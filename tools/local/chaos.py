"""Seat billing under fire, on a running local stack (`make chaos`).

Twenty callers create seats for a minute, each request with an idempotency key and sent again until it is answered, while
Stripe fails half of its calls and sync-billing is killed again and again. Then the faults stop. At rest, seats, billing
record and Stripe have to agree for every organization, and every seat that was acknowledged has to exist exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

FAULTS = {"429": 150, "500": 100, "500_before": 50, "cut_after": 100, "cut_before": 100}
"""How many of a thousand calls each kind strikes: half of them in all."""


@dataclass
class Tenant:
    """An organization, what it was told that it has, and where that is billed."""

    org: str
    key: str
    subscription: str
    acknowledged: set[str] = field(default_factory=set)


class Chaos:
    def __init__(self, stack_file: Path, seconds: int, callers: int, organizations: int) -> None:
        self.file = stack_file
        self.stack = json.loads(stack_file.read_text())
        self.seconds, self.callers = seconds, callers
        self.statuses: Counter[str] = Counter()
        self.kills = 0
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.tenants = [self._tenant(number) for number in range(organizations)]

    # ------------------------------------------------------------------ The parts

    def headcount(self, *arguments: str) -> dict[str, Any]:
        program = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "headcount"
        command = [str(program), "--output", "json", "--stack-file", str(self.file), *arguments]
        return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    def _tenant(self, number: int) -> Tenant:
        made = self.headcount("org", "create", "--name", f"Chaos {number}", "--with-billing")
        key = self.headcount("api-key", "create", "--org", made["org"], "--permission", "accounts:create")
        return Tenant(made["org"], key["credential"], made["subscription"])

    def stripe(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": "Bearer sk_test_chaos", "Content-Type": "application/json"}
        request = urllib.request.Request(self.stack["stripe"] + path, data, headers, method=method)
        with DIRECTLY.open(request, timeout=30) as answer:
            return json.load(answer)

    def aws(self, service: str) -> Any:
        named = self.stack["aws"]
        return boto3.client(
            service,
            endpoint_url=self.stack["aws_endpoint"],
            region_name=named["region"],
            aws_access_key_id=named["access_key_id"],
            aws_secret_access_key=named["secret_access_key"],
        )

    def create(self, tenant: Tenant, chance: random.Random) -> None:
        accounts = [{"tier": chance.choice(["basic", "premium"])} for _ in range(chance.randint(1, 5))]
        headers = {
            "Authorization": f"Bearer {tenant.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        url, data = self.stack["api"] + "/accounts/create", json.dumps({"accounts": accounts}).encode()
        for _ in range(20):
            try:
                with DIRECTLY.open(urllib.request.Request(url, data, headers), timeout=60) as answer:
                    created = json.load(answer)["data"]
                    status = str(answer.status)
            except urllib.error.HTTPError as error:
                status = str(error.code)
            except OSError:
                status = "no answer"
            with self.lock:
                self.statuses[status] += 1
            if status == "200":
                ids = {account["id"] for account in created["accounts"]}
                with self.lock:
                    tenant.acknowledged |= ids
                return
            time.sleep(0.2)

    def call(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.stop.is_set():
            self.create(chance.choice(self.tenants), chance)

    def kill(self) -> None:
        chance = random.Random(0)
        while not self.stop.wait(chance.uniform(0.5, 2.5)):
            victims = sync_billing_processes()
            if victims:
                os.kill(chance.choice(victims), signal.SIGKILL)
                self.kills += 1

    # ------------------------------------------------------------------ At rest

    def seats(self, tenant: Tenant) -> tuple[Counter[str], set[str]]:
        pages = self.aws("dynamodb").get_paginator("query").paginate(
            TableName=self.stack["table"],
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"ORG#{tenant.org}"}, ":sk": {"S": "SEAT#"}},
        )
        items = [item for page in pages for item in page["Items"]]
        return Counter(item["tier"]["S"] for item in items), {item["id"]["S"] for item in items}

    def difference(self, tenant: Tenant) -> str | None:
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

    def settle(self, patience: int) -> tuple[float, list[str]]:
        """Waits until all agree, reconciling as the schedule would."""
        began = time.monotonic()
        functions = self.aws("lambda")
        while True:
            differences = [text for text in map(self.difference, self.tenants) if text]
            waited = time.monotonic() - began
            print(f"  {waited:4.0f} s after the faults: {len(differences)} organization(s) differ", flush=True)
            if not differences or waited > patience:
                return waited, differences
            time.sleep(10)
            functions.invoke(FunctionName="headcount-reconcile-billing", Payload=b"{}")

    def run(self, patience: int) -> int:
        for kind, per_mille in FAULTS.items():
            fault = {"kind": kind, "method": "POST", "path_prefix": "/v1/subscriptions/", "per_mille": per_mille}
            self.stripe("POST", "/_stand-in/faults", fault | {"seed": per_mille})
        threads = [threading.Thread(target=self.call, args=(seed,)) for seed in range(self.callers)]
        threads.append(threading.Thread(target=self.kill))
        print(f"{self.callers} callers for {self.seconds} s; Stripe fails half; sync-billing is killed", flush=True)
        for thread in threads:
            thread.start()
        time.sleep(self.seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        log = self.stripe("GET", "/_stand-in/requests")["requests"]
        updates = [call for call in log if call["method"] == "POST" and "/subscriptions/" in call["path"]]
        struck = sum(1 for call in updates if call["fault"])
        self.stripe("DELETE", "/_stand-in/faults")
        acknowledged = sum(len(tenant.acknowledged) for tenant in self.tenants)
        print(f"answers {dict(self.statuses)}; seats acknowledged {acknowledged}; kills of sync-billing {self.kills}")
        print(f"updates of subscriptions {len(updates)} (of the last 1,000 calls), struck by a fault {struck}")
        waited, differences = self.settle(patience)
        print("\n".join(differences))
        print(f"at rest after {waited:.0f} s: {len(differences)} difference(s)")
        return 1 if differences else 0


def sync_billing_processes() -> list[int]:
    """The processes of the function on this machine."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            program = os.readlink(folder / "exe")
        except OSError:
            continue
        if b"AWS_LAMBDA_FUNCTION_NAME=headcount-sync-billing" in environment and program.endswith("bootstrap"):
            found.append(int(folder.name))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-file", type=Path, default=ROOT / ".local" / "stack.json")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--organizations", type=int, default=8)
    parser.add_argument("--patience", type=int, default=900, help="seconds to wait for agreement")
    arguments = parser.parse_args()
    chaos = Chaos(arguments.stack_file, arguments.seconds, arguments.callers, arguments.organizations)
    return chaos.run(arguments.patience)


if __name__ == "__main__":
    sys.exit(main())
