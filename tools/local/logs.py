"""Follows the functions' logs, which the local AWS keeps as CloudWatch does."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws import client
from console import Failure, say
from processes import Processes
from settings import STACK_NAME, Settings

PREFIX = f"/aws/lambda/{STACK_NAME}-"
PLATFORM_LINES = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
"""What Lambda says around each invocation: three lines that drown the function's own."""

POLL_SECONDS = 1.0
OVERLAP_MS = 10_000
"""How far back each look goes: events arrive a little out of order."""


def follow(settings: Settings, processes: Processes, servers: tuple[str, ...]) -> None:
    """Prints new events until it is interrupted; raises `Failure` when one of the servers ends."""
    logs = client(settings, "logs")
    since = int(time.time() * 1000)
    seen: set[tuple[int, str]] = set()
    while True:
        if gone := set(servers) - set(processes.running()):
            raise Failure(f"{', '.join(sorted(gone))} ended; see {settings.logs}")
        recent = _events(logs, max(since, int(time.time() * 1000) - OVERLAP_MS))
        for event in recent:
            if event not in seen:
                say(event[1])
        seen = set(recent)
        time.sleep(POLL_SECONDS)


def _events(logs: Any, since: int) -> list[tuple[int, str]]:
    """Time and printed form of every event since then, oldest first."""
    found = []
    try:
        for group in logs.describe_log_groups(logGroupNamePrefix=PREFIX)["logGroups"]:
            name = group["logGroupName"]
            for event in logs.filter_log_events(logGroupName=name, startTime=since)["events"]:
                if not event["message"].startswith(PLATFORM_LINES):
                    found.append((event["timestamp"], f"[{name.removeprefix(PREFIX)}] {event['message'].rstrip()}"))
    except (BotoCoreError, ClientError):
        pass  # Busy or about to end; the next look finds what this one missed.
    return sorted(found, key=lambda event: event[0])
