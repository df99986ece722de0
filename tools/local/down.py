"""Ends a local stack. Standard library alone, so that `make stop` works whatever is installed."""

from __future__ import annotations

import os
import shutil
import signal

from console import say
from processes import Processes, wait_for_end
from settings import Settings, forget_ports

FRONT, EMULATOR, STRIPE = "front", "local-aws", "stripe-stand-in"

SERVERS = (FRONT, EMULATOR, STRIPE)
"""In the order in which they end: no request comes in any more, then nobody calls Stripe, then Stripe ends."""

OWNER = "make-run"
"""The command that is bringing the stack up, or follows its logs and ends the servers with itself."""


def down(settings: Settings) -> None:
    """Ends what belongs to this stack and nothing else. Its state stays."""
    # A second Ctrl-C must not leave half of the servers behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    processes = Processes(settings)
    settings.stack_file.unlink(missing_ok=True)
    owner = processes.running().get(OWNER, os.getpid())
    if not processes.running():
        say("Nothing is running.")
    if owner != os.getpid():
        say("› Ending the 'make run' of this stack …")
        os.kill(owner, signal.SIGTERM)  # It ends its servers itself.
        wait_for_end(owner)
    if any(server in processes.running() for server in SERVERS):
        say("› Stopping …")
    processes.stop(SERVERS)
    processes.forget(OWNER)


def forget(settings: Settings) -> None:
    """Deletes the state of a stack: table, secrets, demo tenants, Stripe's objects. Installed packages stay."""
    down(settings)
    folders = (settings.emulator_state, settings.packages, settings.functions, settings.logs, settings.scratch)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for file in (settings.demo_file, settings.stripe_state, settings.webhook_file):
        file.unlink(missing_ok=True)
    forget_ports(settings)
