#!/usr/bin/env python3
"""The local stack: Headcount on a local AWS, with a stand-in for Stripe, all on loopback.

stack.py up        bring it up and follow the logs until Ctrl-C (--detach: return when it is ready)
stack.py down      end it; its state stays
stack.py forget    end it and delete its state
stack.py packages  install the Python packages of one requirements file
stack.py node-packages  install the Node.js packages of tools/local/clients, and Node.js
stack.py tool      install a cargo subcommand
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import down
import prerequisites
from console import Failure, fail
from settings import VENV, add_arguments, from_arguments

TOOLS = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", add_help=False)
    for name in ("down", "forget"):
        add_arguments(commands.add_parser(name))
    packages = commands.add_parser("packages")
    packages.add_argument("requirements")
    commands.add_parser("node-packages")
    tool = commands.add_parser("tool")
    tool.add_argument("name")
    tool.add_argument("version")
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command != "up":
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        run(arguments, rest)
    except Failure as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    return 0


def run(arguments: argparse.Namespace, rest: list[str]) -> None:
    if arguments.command == "up":
        prerequisites.check_machine(prerequisites.PROGRAMS)
        prerequisites.install_packages("requirements.txt")
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, str(TOOLS / "up.py"), *rest])
    elif arguments.command == "down":
        down.down(from_arguments(arguments))
    elif arguments.command == "forget":
        down.forget(from_arguments(arguments))
    elif arguments.command == "packages":
        prerequisites.check_machine({})
        prerequisites.install_packages(arguments.requirements)
    elif arguments.command == "node-packages":
        prerequisites.check_machine({})
        prerequisites.install_node_packages()
    elif arguments.command == "tool":
        prerequisites.check_machine(prerequisites.PROGRAMS)
        prerequisites.install_cargo_tool(arguments.name, arguments.version)


if __name__ == "__main__":
    sys.exit(main())
