"""The demo tenants: those of demo-tenants.json, made through the operator's command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from console import Failure
from files import write_private
from settings import ROOT, STRIPE_API_KEY, Settings

TENANTS = ROOT / "tools" / "local" / "demo-tenants.json"


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


def tenants(settings: Settings, headcount: CommandLine) -> dict[str, Any]:
    """The demo tenants, which exist afterwards. Their ids and credentials are the same on every machine: the sample
    events of tests/events name them."""
    headcount.run("demo", "seed", str(TENANTS))
    demo = json.loads(TENANTS.read_text())
    write_private(settings.demo_file, demo)
    return demo
