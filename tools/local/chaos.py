"""Seat billing under fire, on a running local stack (`make chaos`).

Twenty callers create seats for a minute, each request with an idempotency key and sent again until it is answered, while
Stripe fails half of its calls and sync-billing is killed again and again. Then the faults stop. At rest, seats, billing
record and Stripe have to agree for every organization, and every seat that was acknowledged has to exist exactly once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

from trial import ROOT, Stack, Tenant, processes_of

FAULTS = {"429": 150, "500": 100, "500_before": 50, "cut_after": 100, "cut_before": 100}
"""How many of a thousand calls each kind strikes: half of them in all."""


class Chaos:
    """One run."""

    def __init__(self, stack: Stack, seconds: int, callers: int, organizations: int) -> None:
        self.stack, self.seconds, self.callers = stack, seconds, callers
        self.statuses: Counter[str] = Counter()
        self.kills = 0
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.tenants = [stack.tenant(f"Chaos {number}") for number in range(organizations)]

    def create(self, tenant: Tenant, chance: random.Random) -> None:
        accounts = [{"tier": chance.choice(["basic", "premium"])} for _ in range(chance.randint(1, 5))]
        headers = {"Authorization": f"Bearer {tenant.key}", "Idempotency-Key": str(uuid.uuid4())}
        for _ in range(20):
            answer = self.stack.post("/accounts/create", headers, {"accounts": accounts})
            with self.lock:
                self.statuses[answer.status] += 1
            if answer.status == "200":
                ids = {account["id"] for account in answer.body["data"]["accounts"]}
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
            victims = processes_of({"sync-billing"})
            if victims:
                os.kill(chance.choice(victims), signal.SIGKILL)
                self.kills += 1

    def run(self, patience: int) -> int:
        for kind, per_mille in FAULTS.items():
            fault = {"kind": kind, "method": "POST", "path_prefix": "/v1/subscriptions/", "per_mille": per_mille}
            self.stack.stripe("POST", "/_stand-in/faults", fault | {"seed": per_mille})
        threads = [threading.Thread(target=self.call, args=(seed,)) for seed in range(self.callers)]
        threads.append(threading.Thread(target=self.kill))
        print(f"{self.callers} callers for {self.seconds} s; Stripe fails half; sync-billing is killed", flush=True)
        for thread in threads:
            thread.start()
        time.sleep(self.seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        log = self.stack.stripe("GET", "/_stand-in/requests")["requests"]
        updates = [call for call in log if call["method"] == "POST" and "/subscriptions/" in call["path"]]
        struck = sum(1 for call in updates if call["fault"])
        self.stack.stripe("DELETE", "/_stand-in/faults")
        acknowledged = sum(len(tenant.acknowledged) for tenant in self.tenants)
        print(f"answers {dict(self.statuses)}; seats acknowledged {acknowledged}; kills of sync-billing {self.kills}")
        print(f"updates of subscriptions {len(updates)} (of the last 1,000 calls), struck by a fault {struck}")
        waited, differences = self.stack.settle(self.tenants, patience)
        print("\n".join(differences))
        print(f"at rest after {waited:.0f} s: {len(differences)} difference(s)")
        return 1 if differences else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-file", type=Path, default=ROOT / ".local" / "stack.json")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--organizations", type=int, default=8)
    parser.add_argument("--patience", type=int, default=900, help="seconds to wait for agreement")
    arguments = parser.parse_args()
    stack = Stack(arguments.stack_file)
    return Chaos(stack, arguments.seconds, arguments.callers, arguments.organizations).run(arguments.patience)


if __name__ == "__main__":
    sys.exit(main())
