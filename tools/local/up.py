"""Brings a local stack up and keeps it, step by step. Runs in the environment that `stack.py` prepares."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import urllib.error
from pathlib import Path
from typing import Any

import build
import demo
import deploy
import logs
import prerequisites
import routes
import webhook
import welcome
from console import Failure, fail, say, step
from down import EMULATOR, FRONT, OWNER, SERVERS, STRIPE, down
from files import write_private
from loopback import DIRECTLY
from processes import Processes
from settings import (
    ACCESS_KEY_ID,
    PLAIN_ENVIRONMENT,
    REGION,
    ROOT,
    SECRET_ACCESS_KEY,
    Settings,
    add_arguments,
    from_arguments,
    remember_ports,
)

TOOLS = Path(__file__).resolve().parent

def up(settings: Settings, detach: bool) -> None:
    """From whatever there is to a stack that answers; with `detach` it stays, else until Ctrl-C.

    Servers that are up already, detached or left by a crash, stay up, and what changed is deployed to them.
    """
    processes = Processes(settings)
    settings.dir.mkdir(parents=True, exist_ok=True)
    _become_owner(settings, processes)
    found = _found_up(settings, processes)
    try:
        stack = _bring_up(settings, processes, found)
        say(welcome.examples(stack))
        if detach:
            processes.forget(OWNER)
            say(f"Up: {stack['api']} (see {settings.stack_file}). 'make stop' ends it.")
        else:
            say(f"Up: {stack['api']} (see {settings.stack_file}). Ctrl-C ends it. The functions' logs:\n")
            logs.follow(settings, processes, SERVERS)
    except BaseException:
        if found and detach:
            processes.forget(OWNER)  # They were up before this command and stay so.
        else:
            down(settings)
        raise


def _become_owner(settings: Settings, processes: Processes) -> None:
    """Two commands at once must not both start servers."""
    with (settings.dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if OWNER in processes.running():
            raise Failure(f"another 'make run' has this stack ({settings.dir}). 'make stop' ends it.")
        processes.register(OWNER, os.getpid())


def _found_up(settings: Settings, processes: Processes) -> bool:
    """Whether the local AWS and the stand-in already answer; if not, clears away what is left of them."""
    running = processes.running()
    if {EMULATOR, STRIPE} <= running.keys() and _answers(_health(settings)) and _answers(settings.stripe_url):
        say("› The local AWS is up already; only what changed is deployed.")
        return True
    settings.stack_file.unlink(missing_ok=True)
    processes.stop(SERVERS)
    return False


def _bring_up(settings: Settings, processes: Processes, found_up: bool) -> dict[str, Any]:
    if not found_up:
        prerequisites.check_ports(settings)
        remember_ports(settings)
    binaries = build.build(settings)
    headcount = demo.CommandLine(settings, binaries / build.COMMAND_LINE)
    if not found_up:
        with step("Starting the Stripe stand-in and the local AWS"):
            _start_stripe(settings, processes, binaries / build.STRIPE_STAND_IN)
            _start_emulator(settings, processes)
    with step("Deploying template.yaml"):
        folders = build.lay_out(settings, binaries)
        template = (ROOT / "template.yaml").read_text()
        prices = headcount.run("stripe", "setup")
        deploy.put_stripe_secrets(settings, webhook.signing_secret(settings))
        outputs = deploy.deploy(
            settings,
            deploy.package(settings, template, folders),
            deploy.local_parameters(prices["price_basic"], prices["price_premium"], settings.allowed_origins),
        )
        api_id = routes.apply(settings, template)
    with step("Opening the front"):
        processes.stop([FRONT])
        _start_front(settings, processes, api_id)
    with step("Demo tenants"):
        headcount = headcount.knowing(
            TABLE_NAME=outputs["TableName"],
            STRIPE_PRICE_BASIC=prices["price_basic"],
            STRIPE_PRICE_PREMIUM=prices["price_premium"],
        )
        tenants = demo.tenants(settings, headcount)
    stack = _describe(settings, outputs, tenants)
    write_private(settings.stack_file, stack)
    return stack


def _start_stripe(settings: Settings, processes: Processes, program: Path) -> None:
    command = [str(program), "--port", str(settings.ports.stripe), "--state", str(settings.stripe_state)]
    processes.start(STRIPE, command, PLAIN_ENVIRONMENT)
    processes.wait_until(STRIPE, lambda: _answers(settings.stripe_url))


def _start_emulator(settings: Settings, processes: Processes) -> None:
    settings.scratch.mkdir(exist_ok=True)
    environment = {
        **settings.aws_environment,
        "HOME": str(settings.scratch),
        "TMPDIR": str(settings.scratch),
        # Loopback only: whoever reaches it can upload code and run it.
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.ports.emulator),
        "AUTH": "true",
        # Functions inherit this environment. On AWS, where it is not set, they speak to Stripe itself.
        "STRIPE_API_BASE": settings.stripe_url,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(settings.emulator_state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.packages),
        # A function that waits for its answer from the emulator holds a thread of it: there must be more of them than
        # functions at work.
        "MINISTACK_WORKER_THREADS": "512",
        # AWS's own limit of an account; the emulator would take one from the memory of this machine.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        # Listeners on ports of their own, which two stacks would fight for.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    processes.start(EMULATOR, [sys.executable, str(TOOLS / "emulator.py")], environment)
    processes.wait_until(EMULATOR, lambda: _answers(_health(settings)))


def _start_front(settings: Settings, processes: Processes, api_id: str) -> None:
    command = [
        *(sys.executable, str(TOOLS / "front.py"), "--port", str(settings.ports.api)),
        *("--target-port", str(settings.ports.emulator)),
        *("--target-host", f"{api_id}.execute-api.localhost:{settings.ports.emulator}"),
    ]
    processes.start(FRONT, command, PLAIN_ENVIRONMENT)
    processes.wait_until(FRONT, lambda: _answers(settings.api_url))


def _health(settings: Settings) -> str:
    return f"{settings.aws_url}/_ministack/health"


def _answers(url: str) -> bool:
    """Whether a server gives any answer that is not its own trouble."""
    try:
        DIRECTLY.open(url, timeout=2).close()
        return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _describe(settings: Settings, outputs: dict[str, str], tenants: dict[str, Any]) -> dict[str, Any]:
    return {
        "api": settings.api_url,
        "aws_endpoint": settings.aws_url,
        "aws": {"region": REGION, "access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY},
        "table": outputs["TableName"],
        "billing_queue": outputs["BillingQueueUrl"],
        "billing_dlq": outputs["BillingDlqUrl"],
        "setup_results_queue": outputs["SetupResultsQueueUrl"],
        "setup_results_dlq": outputs["SetupResultsDlqUrl"],
        "stripe": settings.stripe_url,
        "demo": tenants,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--detach", action="store_true", help="return when the stack is ready; 'down' ends it")
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # A profile or session of the real AWS has no place here.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    try:
        up(from_arguments(arguments), arguments.detach)
    except Failure as error:
        return fail(error)
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
