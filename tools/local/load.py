"""Load on a running local stack, with deaths in it (`make load`).

Twenty callers create accounts through all three APIs for five minutes, each request with an idempotency key and sent
again until it has a final answer. Processes of functions are killed with signal 9 all the while, and half-way the whole
stack is ended and started again. Afterwards every account that was acknowledged has to exist exactly once, no request
may have had its effect twice, and seats, billing record and Stripe have to agree.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from trial import NO_ANSWER, ROOT, Answer, Stack, Tenant, processes_of

FUNCTIONS = {"create-seats", "create-agency-account", "create-account", "publish-changes", "sync-billing"}
"""Those whose processes are killed."""

APIS = ("seats", "agency", "identity")
SUCCESS = {"seats": "200", "agency": "200", "identity": "201"}

BEGIN, END = "<!-- load: begin -->", "<!-- load: end -->"
"""Between these lines of a document, `--write` puts the figures."""


@dataclass(frozen=True)
class Wish:
    """A request, known by a mark that its accounts carry."""

    api: str
    mark: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    accounts: int
    tenant: Tenant | None = None


@dataclass
class Figures:
    """What the callers saw."""

    millis: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    made: list[Wish] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    restart_seconds: float = 0.0


class Load:
    """One run."""

    def __init__(self, stack: Stack, seconds: int, callers: int, organizations: int) -> None:
        self.stack, self.seconds, self.callers = stack, seconds, callers
        self.figures = Figures()
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.tenants = [stack.tenant(f"Load {number}") for number in range(organizations)]
        self.agency = stack.headcount("agency", "create", "--name", "Load Agency")["agency_lcuid"]
        self.app = stack.headcount("app", "create", "--agency", self.agency, "--name", "Load App")["app_id"]
        token = ("token", "create", "--app", self.app, "--agency", self.agency, "--permission", "agency.createAccounts")
        self.token = stack.headcount(*token)["credential"]

    # ------------------------------------------------------------------ Callers

    def wish(self, chance: random.Random) -> Wish:
        """A request of one of the three APIs; every second one asks for seats."""
        mark = f"load-{uuid.UUID(int=chance.getrandbits(128))}"
        key = {"Idempotency-Key": mark}
        match chance.choice(("seats", "seats", "agency", "identity")):
            case "seats":
                tenant = chance.choice(self.tenants)
                tiers = [chance.choice(["basic", "premium"]) for _ in range(chance.randint(1, 5))]
                body = {"accounts": [{"tier": tier, "tag": mark} for tier in tiers]}
                headers = key | {"Authorization": f"Bearer {tenant.key}"}
                return Wish("seats", mark, "/accounts/create", headers, body, len(tiers), tenant)
            case "agency":
                headers = key | {"Authorization": f"Bearer {self.token}", "AppIdV3": self.app}
                body = {"name": mark, "agency_lcuid": self.agency}
                return Wish("agency", mark, "/api/v3/accounts", headers, body, 1)
            case _:
                password = f"{chance.getrandbits(96):024x}"
                body = {"email": f"{mark}@example.com", "name": "Load", "type": "individual", "password": password}
                return Wish("identity", mark, "/v1/accounts", key, body, 1)

    def fulfil(self, wish: Wish) -> None:
        """Sends a request until it has a final answer."""
        for _ in range(200):
            began = time.perf_counter()
            answer = self.stack.post(wish.path, wish.headers, wish.body)
            millis = (time.perf_counter() - began) * 1000
            with self.lock:
                self.figures.statuses[wish.api][answer.status] += 1
                if answer.status != NO_ANSWER:
                    self.figures.millis[wish.api].append(millis)
                if answer.is_final:
                    self._note(wish, answer)
                    return
            time.sleep(0.2)
        with self.lock:
            self.figures.unanswered += 1

    def _note(self, wish: Wish, answer: Answer) -> None:
        if answer.status != SUCCESS[wish.api]:
            self.figures.refused.append(f"{wish.api} {answer.status} {str(answer.body)[:200]}")
            return
        self.figures.made.append(wish)
        if wish.tenant:
            wish.tenant.acknowledged |= {account["id"] for account in answer.body["data"]["accounts"]}

    def call(self, seed: int) -> None:
        chance = random.Random(f"{uuid.uuid4()}{seed}")
        while not self.stop.is_set():
            self.fulfil(self.wish(chance))

    # ------------------------------------------------------------------ Deaths

    def kill(self) -> None:
        chance = random.Random(0)
        while not self.stop.wait(chance.uniform(1, 4)):
            name = chance.choice(sorted(FUNCTIONS))
            if victims := processes_of({name}):
                try:
                    os.kill(chance.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.figures.kills[name] += 1

    def restart(self) -> None:
        """Ends the stack and starts it again, as `make stop` and `make run` do."""
        if self.stop.wait(self.seconds / 2):
            return
        began = time.monotonic()
        command = [sys.executable, str(ROOT / "tools" / "local" / "stack.py")]
        folder = ["--dir", str(self.stack.folder)]
        subprocess.run([*command, "down", *folder], check=True, capture_output=True)
        subprocess.run([*command, "up", *folder, "--detach"], check=True, capture_output=True)
        self.figures.restart_seconds = time.monotonic() - began

    # ------------------------------------------------------------------ At rest

    def found(self) -> tuple[Counter[str], Counter[str]]:
        """How many accounts carry each mark, and how many locks each e-mail address has."""
        accounts: Counter[str] = Counter()
        locks: Counter[str] = Counter()
        for page in self.stack.aws("dynamodb").get_paginator("scan").paginate(TableName=self.stack.table):
            for item in page["Items"]:
                kind = item["sk"]["S"].partition("#")[0]
                if kind == "SEAT":
                    accounts[item.get("tag", {}).get("S", "")] += 1
                elif kind == "ACCOUNT":
                    named = item.get("email") or item["name"]
                    accounts[named["S"].removesuffix("@example.com")] += 1
                elif kind == "EMAIL":
                    locks[item["pk"]["S"].removeprefix("EMAIL#").removesuffix("@example.com")] += 1
        return accounts, locks

    def run(self, patience: int) -> tuple[str, bool]:
        """Runs it; returns the figures and whether all is well."""
        threads = [threading.Thread(target=self.call, args=(seed,)) for seed in range(self.callers)]
        threads += [threading.Thread(target=self.kill), threading.Thread(target=self.restart)]
        print(f"{self.callers} callers for {self.seconds} s; functions are killed; one restart", flush=True)
        for thread in threads:
            thread.start()
        time.sleep(self.seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        waited, differences = self.stack.settle(self.tenants, patience)
        accounts, locks = self.found()
        made = self.figures.made
        lost = sum(max(wish.accounts - accounts[wish.mark], 0) for wish in made)
        twice = sum(max(accounts[wish.mark] - wish.accounts, 0) for wish in made)
        unlocked = sum(1 for wish in made if wish.api == "identity" and locks[wish.mark] != 1)
        dead = self.stack.dead_letters()
        bad = differences or lost or twice or unlocked or dead or self.figures.refused or self.figures.unanswered
        # Without deaths and without the restart it would prove nothing.
        good = not bad and bool(self.figures.kills) and self.figures.restart_seconds > 0
        lines = [
            self._table(),
            "",
            f"- {sum(wish.accounts for wish in made):,} accounts acknowledged; lost {lost}, duplicated {twice}, e-mail "
            f"addresses without their lock {unlocked}; requests refused {len(self.figures.refused)}, never answered "
            f"{self.figures.unanswered}.",
            f"- Killed with signal 9: {', '.join(f'{name} {count}' for name, count in sorted(self.figures.kills.items()))}. "
            f"One restart of the whole stack, {self.figures.restart_seconds:.0f} s.",
            f"- Seats, billing record and Stripe agreed for all {len(self.tenants)} organizations {waited:.0f} s after the "
            f"last request; {len(differences)} differences, {dead} dead-lettered billing messages.",
            *self.figures.refused[:5],
            *differences,
        ]
        return "\n".join(lines), good

    def _table(self) -> str:
        rows = ["| API | requests | p50 | p99 | answers |", "|---|---|---|---|---|"]
        for api in APIS:
            millis = self.figures.millis[api] or [0.0, 0.0]
            cuts = quantiles(millis, n=100)
            answers = self.figures.statuses[api]
            told = ", ".join(f"{status}: {count:,}" for status, count in sorted(answers.items()))
            rows.append(f"| {api} | {sum(answers.values()):,} | {cuts[49]:.0f} ms | {cuts[98]:.0f} ms | {told} |")
        return "\n".join(rows)


def write(document: Path, figures: str) -> None:
    """Puts the figures into a document, between its marks."""
    before, rest = document.read_text().split(BEGIN)
    _, after = rest.split(END)
    document.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-file", type=Path, default=ROOT / ".local" / "stack.json")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--organizations", type=int, default=8)
    parser.add_argument("--patience", type=int, default=900, help="seconds to wait for agreement")
    parser.add_argument("--write", type=Path, help="a document to put the figures into")
    arguments = parser.parse_args()
    load = Load(Stack(arguments.stack_file), arguments.seconds, arguments.callers, arguments.organizations)
    figures, good = load.run(arguments.patience)
    print(figures)
    if arguments.write and good:
        write(arguments.write, figures)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
