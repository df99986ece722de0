"""Where a local stack keeps its files and which ports it listens on."""

from __future__ import annotations

import argparse
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from console import Failure

ROOT = Path(__file__).resolve().parents[2]
"""Top of the checkout."""

VENV = ROOT / ".local" / "venv"
"""The Python packages; every local stack of this checkout shares them."""

STACK_NAME = "headcount"
REGION = "us-east-1"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"
"""The emulator takes this pair for the root user of the local account."""

PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}

STRIPE_API_KEY = "sk_test_local"
"""The stand-in takes any test key."""

STRIPE_SECRET_NAME = "headcount/local/stripe-api-key"
STRIPE_WEBHOOK_SECRET_NAME = "headcount/local/stripe-webhook"


@dataclass(frozen=True)
class Ports:
    """Where the three servers of a stack listen, on loopback."""

    api: int = 8787
    emulator: int = 4566
    stripe: int = 12111


@dataclass(frozen=True)
class Settings:
    """One local stack: a directory of its own and three ports on loopback."""

    dir: Path
    ports: Ports
    binaries: Path | None
    """Take the binaries from here instead of building them."""
    allowed_origins: str
    """The template's parameter AllowedOrigins."""

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.emulator}"

    @property
    def stripe_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.stripe}"

    @property
    def stack_file(self) -> Path:
        """Addresses and demo credentials; exists only while the stack is up."""
        return self.dir / "stack.json"

    @property
    def demo_file(self) -> Path:
        return self.dir / "demo.json"

    @property
    def processes_file(self) -> Path:
        return self.dir / "processes.json"

    @property
    def logs(self) -> Path:
        return self.dir / "logs"

    @property
    def functions(self) -> Path:
        return self.dir / "functions"

    @property
    def emulator_state(self) -> Path:
        return self.dir / "aws"

    @property
    def packages(self) -> Path:
        """What is in the emulator's buckets."""
        return self.dir / "s3"

    @property
    def scratch(self) -> Path:
        """Home and temporary files of the emulator and the functions."""
        return self.dir / "tmp"

    @property
    def stripe_state(self) -> Path:
        return self.dir / "stripe.json"

    @property
    def webhook_file(self) -> Path:
        """The webhook endpoint at the stand-in, with its signing secret."""
        return self.dir / "webhook.json"

    @property
    def aws_environment(self) -> dict[str, str]:
        """All that a program needs to speak to the emulator as its administrator; nothing of this shell, which may hold
        credentials of the real AWS."""
        return {
            **PLAIN_ENVIRONMENT,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every command of the local stack takes."""
    parser.add_argument("--dir", type=Path, default=ROOT / ".local", help="directory of this stack (default: .local)")
    for name, port in asdict(Ports()).items():
        parser.add_argument(f"--{name}-port", type=int, help=f"default: the port of the last run, else {port}")
    parser.add_argument("--any-ports", action="store_true", help="take free ports if there was no run before")
    parser.add_argument("--allowed-origins", default="", help="origins whose pages may call the API, commas between")
    parser.add_argument("--binaries", type=Path, help="take the binaries from this directory instead of building them")


def from_arguments(arguments: argparse.Namespace) -> Settings:
    """The settings that the command line asks for; ports that it does not name are those of the last run."""
    directory = arguments.dir.resolve()
    file = _ports_file(directory)
    if file.exists():
        last = Ports(**json.loads(file.read_text()))
    else:
        last = _free_ports() if arguments.any_ports else Ports()
    asked = {name: getattr(arguments, f"{name}_port") for name in asdict(last)}
    ports = Ports(**{name: asked[name] or port for name, port in asdict(last).items()})
    if file.exists() and ports.emulator != last.emulator:
        # Addresses of queues hold the port, and what is saved knows a queue by its address.
        raise Failure(
            f"what {directory} keeps belongs to a local AWS on port {last.emulator}. "
            "Leave --emulator-port out, or forget the state first: make clean-local"
        )
    binaries = arguments.binaries and arguments.binaries.resolve()
    return Settings(directory, ports, binaries, arguments.allowed_origins)


def remember_ports(settings: Settings) -> None:
    """Keeps the ports for the next run."""
    _ports_file(settings.dir).write_text(json.dumps(asdict(settings.ports)))


def forget_ports(settings: Settings) -> None:
    _ports_file(settings.dir).unlink(missing_ok=True)


def _ports_file(directory: Path) -> Path:
    return directory / "ports.json"


def _free_ports() -> Ports:
    """Three ports that nobody listens on, all held until the last is known so that they differ."""
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        held = (first, second, third)
        for each in held:
            each.bind(("127.0.0.1", 0))
        return Ports(*(each.getsockname()[1] for each in held))
