"""What the person at the terminal sees."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Failure(Exception):
    """Something the person can mend; the message says what and how."""


def say(text: str = "") -> None:
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announces a step, and afterwards how long it took."""
    say(f"› {text} …")
    started = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - started:.1f} s")


def fail(error: Failure) -> int:
    """Shows why nothing came up; returns the exit status."""
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
    return 1
