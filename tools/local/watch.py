"""Runs the functions of a running local stack from source: cargo-lambda rebuilds and restarts one when a file is saved.

Routes and environment are those of the deployed functions, asked of the local AWS, so that nothing is said twice. Table,
queues, Stripe and what happens behind a request stay the stack's.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import environment
import prerequisites
from aws import client
from console import Failure, fail, say
from settings import ROOT, STACK_NAME, VENV, Settings, add_arguments, from_arguments

PORT = 9000
"""Where `cargo lambda invoke` looks, too."""


def watch(settings: Settings, port: int) -> None:
    """Becomes cargo-lambda, with the stack's routes and environment."""
    environment.require_stack(settings)
    _check_port(port)
    config = settings.dir / "CargoLambda.toml"
    config.write_text(_router(settings))
    # This shell's environment, for cargo, without the credentials of the real AWS that may be in it.
    shell = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = environment.of_functions(settings)
    # cargo-lambda would heed it, too, and log every step that it takes, environments included. Theirs is info without it.
    variables.pop("RUST_LOG", None)
    say(_welcome(json.loads(settings.stack_file.read_text()), port))
    program = str(VENV / "bin" / "cargo-lambda")
    options = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port), "--global", str(config)]
    os.chdir(ROOT)
    os.execve(program, [program, "lambda", "watch", *options], {**shell, **variables})


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Failure(
                f"port {port} is in use by {prerequisites.listener(port)}. "
                f"Stop it, or choose another port: make watch ARGS='--port {port + 1000}'"
            ) from None


def _router(settings: Settings) -> str:
    """The API's routes in the words of cargo-lambda's configuration."""
    lines = []
    for method, path, function in sorted(_routes(settings)):
        lines += ["[[watch.router]]", f'path = "{path}"', f'methods = ["{method}"]', f'function = "{function}"', ""]
    return "\n".join(lines)


def _routes(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Method, path and function of every route that is deployed."""
    gateway = client(settings, "apigatewayv2")
    for api in gateway.get_apis()["Items"]:
        integrations = gateway.get_integrations(ApiId=api["ApiId"], MaxResults="500")["Items"]
        functions = {item["IntegrationId"]: _function(item["IntegrationUri"]) for item in integrations}
        for route in gateway.get_routes(ApiId=api["ApiId"], MaxResults="500")["Items"]:
            method, path = route["RouteKey"].split()
            yield method, path, functions[route["Target"].removeprefix("integrations/")]


def _function(arn: str) -> str:
    """The name of a function in the workspace: `create-seats` of `arn:…:function:headcount-create-seats:live`."""
    return arn.split(":function:")[1].split(":")[0].removeprefix(f"{STACK_NAME}-")


def _welcome(stack: dict[str, Any], port: int) -> str:
    key = stack["demo"]["seats"]["api_key"]
    return (
        f"The routes of {stack['api']} from source: http://127.0.0.1:{port}. Ctrl-C ends it.\n"
        "A function is built when it is first called, and again when a file was saved. For example:\n\n"
        f"curl -X POST http://127.0.0.1:{port}/accounts/create -H 'Content-Type: application/json' \\\n"
        f"  -H 'Authorization: Bearer {key}' -d '{{\"accounts\": [{{\"tier\": \"basic\"}}]}}'\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--port", type=int, default=PORT, help=f"where the functions answer (default: {PORT})")
    arguments = parser.parse_args()
    try:
        watch(from_arguments(arguments), arguments.port)
    except Failure as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
