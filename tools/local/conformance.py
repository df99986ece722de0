"""schemathesis against a running local stack, from docs/openapi.json (`make conformance`).

It makes requests that the document allows and requests that it forbids, and holds every answer to the document: no 5xx,
no status and no body that is not in it, no endpoint that takes a request without its credential.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-file", type=Path, default=ROOT / ".local" / "stack.json")
    parser.add_argument("--examples", type=int, default=200, help="random requests for each operation")
    parser.add_argument("--seed", type=int, help="repeat an earlier run")
    arguments = parser.parse_args()
    stack = json.loads(arguments.stack_file.read_text())
    demo = stack["demo"]
    environment = {
        "SEATS_API_KEY": demo["seats"]["api_key"],
        "AGENCY_TOKEN": demo["agency"]["token"],
        "AGENCY_APP_ID": demo["agency"]["app_id"],
        "ADMIN_TOKEN": demo["identity"]["admin_token"],
    }
    program = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)]
    # One worker: Python 3.11 fails now and then when two threads parse Python at once, which hypothesis does
    # (https://github.com/python/cpython/issues/106905).
    options = ["--url", stack["api"], "--max-examples", str(arguments.examples), "--workers", "1"]
    if arguments.seed is not None:
        options += ["--seed", str(arguments.seed)]
    document = str(ROOT / "docs" / "openapi.json")
    ran = subprocess.run([*program, "run", document, *options], env=os.environ | environment, cwd=arguments.stack_file.parent)
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
