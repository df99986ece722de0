"""Mends three things about how ministack, the local AWS, keeps its state.

- It saves at a clean end only. Here it also saves every few seconds, so that kill -9 costs seconds and not everything.
- It forgets the records of table streams but not how far each was read, so that after a restart it would skip as many
  new records as it had read before. Here the records are kept too: what was committed is published.
- A queue's message that was being worked on stays hidden for its visibility timeout, minutes long, though its worker is
  gone. Here it is given out again at once.
"""

from __future__ import annotations

import copy
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.services import dynamodb, sqs
from ministack.services.cloudformation import _stacks

SAVE_SECONDS = 5.0
SHARE_OF_TIME = 0.02
"""The most of its time that the emulator spends on saving, when there is much to save."""

STREAMS = "headcount_streams"
"""Our own file beside those of ministack's services."""

_saving = threading.Lock()


@contextmanager
def _nobody_else() -> Iterator[None]:
    """Lets no other thread run: a dictionary that changes while it is copied would be no copy at all."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def save(services: Mapping[str, Callable[[], Any]]) -> None:
    """Saves every service, and the stream records: in place of ministack's own `save_all`.

    The order makes every moment a safe one to be killed at. The records are looked at last, so that they hold every
    change of the tables that are saved and everything that was read; and they are written first. At worst a record is
    delivered twice.
    """
    with _saving:
        try:
            states, streams = _copied(services)
        except RuntimeError:
            # Somebody wrote to what was being copied. A pause is better than nothing saved.
            with _nobody_else():
                states, streams = _copied(services)
        persistence.save_state(STREAMS, streams)
        for name, state in states.items():
            if state is not None:
                persistence.save_state(name, state)


def _copied(services: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    states = {name: get_state() for name, get_state in services.items()}
    streams = {
        "records": copy.deepcopy(dynamodb._stream_records),
        "trimmed": copy.deepcopy(dynamodb._stream_trimmed),
        "sequence": dynamodb._stream_seq_counter,
    }
    return states, streams


def restore_streams() -> None:
    """Brings the stream records back before any function asks for them."""
    saved = persistence.load_state(STREAMS)
    if saved:
        dynamodb._stream_records._data.update(saved["records"]._data)
        dynamodb._stream_trimmed._data.update(saved["trimmed"]._data)
        dynamodb._stream_seq_counter = saved["sequence"]


def _return_messages() -> None:
    """Makes the messages visible that nobody works on any more."""
    now = time.time()
    for queue in sqs._queues._data.values():
        for message in queue["messages"]:
            if message["receive_count"] > 0:
                message["visible_at"] = min(message["visible_at"], now)


def _deploying() -> bool:
    """Whether some stack is half way: a state that nothing could go on from."""
    return any(stack.get("StackStatus", "").endswith("_IN_PROGRESS") for stack in list(_stacks._data.values()))


def _answers() -> bool:
    """Whether the emulator listens, which it does once it has loaded what was saved."""
    try:
        socket.create_connection((os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))).close()
        return True
    except ConnectionRefusedError:
        return False


def save_now_and_then() -> None:
    """Saves as long as the process lives."""
    # Before that, a save would put nothing in the place of everything.
    while not _answers():
        time.sleep(0.1)
    _return_messages()
    took = 0.0
    while True:
        time.sleep(max(SAVE_SECONDS, took / SHARE_OF_TIME))
        started = time.monotonic()
        if not _deploying():
            save(app._build_persistence_save_dict())
        took = time.monotonic() - started
