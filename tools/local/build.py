"""Builds what the stack runs: the functions, the operator's command line and the Stripe stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from console import Failure, step
from settings import ROOT, Settings

COMMAND_LINE = "headcount"
STRIPE_STAND_IN = "stripe-stand-in"


def function_names() -> list[str]:
    """Every function: folder, package and binary share this name."""
    return sorted(manifest.parent.name for manifest in (ROOT / "functions").glob("*/Cargo.toml"))


def build(settings: Settings) -> Path:
    """Builds with the dev profile; returns the directory of the binaries."""
    if settings.binaries:
        return settings.binaries
    names = [*function_names(), COMMAND_LINE, STRIPE_STAND_IN]
    with step("Building the functions and tools (the first time takes minutes)"):
        # Named as binaries and not as packages: features are then those of the whole workspace, as `make watch` has
        # them, and neither compiles the other's dependencies again.
        built = subprocess.run(["cargo", "build", "--locked", *(f"--bin={name}" for name in names)], cwd=ROOT)
    if built.returncode != 0:
        raise Failure("the build failed; the compiler's message is above.")
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"


def lay_out(settings: Settings, binaries: Path) -> dict[str, Path]:
    """Gives each function the folder that Lambda wants, with its binary named bootstrap."""
    folders = {}
    for name in function_names():
        folder = settings.functions / name
        folder.mkdir(parents=True, exist_ok=True)
        # Under another name first: a running process may still have the old file open.
        staged = folder / "bootstrap.new"
        shutil.copy2(binaries / name, staged)
        staged.replace(folder / "bootstrap")
        folders[name] = folder
    return folders
