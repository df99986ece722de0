"""What the functions of a running local stack find in their environment, as lines for a shell.

For a function that runs outside the stack, under a debugger or AWS's Runtime Interface Emulator, against its table:

    eval "$(.local/venv/bin/python tools/local/environment.py)"
"""

from __future__ import annotations

import argparse
import shlex
import sys

from aws import client
from console import Failure, fail, say
from settings import Settings, add_arguments, from_arguments


def of_functions(settings: Settings) -> dict[str, str]:
    """The variables of all functions together, and how they reach the local AWS and the Stripe stand-in.

    They are asked of the local AWS, which knows what the template became. Two functions that mean different things by
    one name could not share an environment; there are none.
    """
    together: dict[str, str] = {}
    for page in client(settings, "lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            for name, value in function.get("Environment", {}).get("Variables", {}).items():
                if together.setdefault(name, value) != value:
                    raise Failure(f"{name} differs between functions, but here they share one environment.")
    access = {name: value for name, value in settings.aws_environment.items() if name.startswith("AWS_")}
    return {**together, **access, "STRIPE_API_BASE": settings.stripe_url}


def require_stack(settings: Settings) -> None:
    """Raises `Failure` unless the stack is up."""
    if not settings.stack_file.exists():
        raise Failure("there is no stack that is up. Start one: make run ARGS=--detach")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    settings = from_arguments(parser.parse_args())
    try:
        require_stack(settings)
        for name, value in sorted(of_functions(settings).items()):
            say(f"export {name}={shlex.quote(value)}")
    except Failure as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
