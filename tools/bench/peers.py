#!/usr/bin/env python3
"""Makes the peers that the benchmark compares with, below target/bench/peers; what has not changed is not made again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent / "peers"
ROOT = HERE.parents[2]
MADE = ROOT / "target" / "bench" / "peers"


def fingerprint(folder: Path) -> str:
    """What a peer is made of."""
    whole = hashlib.sha256(sys.version.encode())
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not {"target", "node_modules", "__pycache__"} & set(parts):
            whole.update("/".join(parts).encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, env=os.environ | environment, check=True)


def python() -> None:
    """The packages and the handler in one folder, as they would be zipped."""
    interpreter, folder = MADE / "python-venv", MADE / "python"
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(interpreter, with_pip=True, clear=True)
    pip = [interpreter / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    run(*pip, "--target", folder, "--no-deps", "-r", HERE / "python" / "requirements.txt")
    for file in (HERE / "python").glob("*.py"):
        shutil.copy2(file, folder)
    run(interpreter / "bin" / "python", "-m", "compileall", "-q", folder)


def node() -> None:
    """One file, bundled and minified."""
    folder = MADE / "node"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    run("npm", "run", "--silent", "build", "--", "--outfile=bundle.mjs", "--log-level=warning", cwd=folder)


def rust_default() -> None:
    """Cargo's own release profile."""
    target = MADE / "rust-default"
    run("cargo", "build", "--release", "--locked", cwd=HERE / "rust-default", CARGO_TARGET_DIR=str(target))


PEERS: dict[str, tuple[Callable[[], None], str]] = {
    "python": (python, ""),
    "node": (node, "npm"),
    "rust-default": (rust_default, "cargo"),
}


def make(name: str) -> None:
    maker, needed = PEERS[name]
    if needed and not shutil.which(needed):
        print(f"peer {name} is left out: {needed} is not on the PATH")
        return
    stamp, wanted = MADE / f"{name}.made", fingerprint(HERE / name)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"› Making the peer {name} …", flush=True)
    MADE.mkdir(parents=True, exist_ok=True)
    maker()
    stamp.write_text(wanted)


def main() -> int:
    for name in sys.argv[1:] or PEERS:
        try:
            make(name)
        except subprocess.CalledProcessError as error:
            print(f"error: the peer {name} could not be made: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
