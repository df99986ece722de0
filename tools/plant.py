"""Plants known faults, one at a time, and has the simulation find each (`make plant`).

A simulation that finds nothing proves nothing until it has found something. Each patch in tests/planted breaks the
production code in one way. It is applied to a copy of the workspace, and the copy's simulation runs until it finds the
fault, for 10,000 schedules at most. The table of how soon each was found goes into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATCHES = ROOT / "tests" / "planted"
WORK = ROOT / ".local" / "plant"
COPY = WORK / "source"
REPORT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- planted faults: begin -->", "<!-- planted faults: end -->"
SCHEDULES = 10_000
LIBRARIES = {".d", ".rlib", ".rmeta", ".so"}
"""What cargo keeps of a crate that others need. Programs, which are most of it, are built anew."""

INVARIANTS = {
    "1": "one key, one effect, one answer",
    "2": "a key with another body does nothing",
    "3": "one account per e-mail address, one per slug",
    "4": "a batch and its count are all or nothing, within its conditions",
    "5": "what is committed is published and billed, and no more",
    "6": "a message is acknowledged only when its version is applied",
    "7": "a poisoned message blocks nobody else",
    "8": "nobody reaches another's data",
    "9": "no secret anywhere",
    "10": "no answer but the documented ones",
    "11": "no create fails because of Stripe",
    "12": "what was changed by hand is found and healed",
    "13": "what Stripe was told is on record, and by whose doing",
}
"""The invariants of the simulation's check, in the words of the table."""


@dataclass
class Fault:
    """A patch and what it breaks, which is its first line."""

    patch: Path

    @property
    def title(self) -> str:
        return self.patch.read_text().splitlines()[0]

    @property
    def binary(self) -> Path:
        return WORK / "bin" / self.patch.stem


@dataclass
class Finding:
    """How a fault was found: by which schedule and which invariant; `None` when it was not."""

    fault: Fault
    schedule: int | None
    invariant: str | None


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)  # type: ignore[call-overload]


def copy_workspace() -> None:
    """Brings the copy up to date. What has not changed keeps its time, so that cargo builds little."""
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT, stdout=subprocess.PIPE
    )
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        source, target = ROOT / name, COPY / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for known in COPY.rglob("*"):
        name = str(known.relative_to(COPY))
        if known.is_file() and name not in names and not name.startswith("target/"):
            known.unlink()


def borrow_dependencies() -> None:
    """Begins with what the workspace has built, because most of that is other people's crates."""
    built, target = ROOT / "target" / "debug", COPY / "target" / "debug"
    if target.exists() or not built.exists():
        return
    target.mkdir(parents=True)
    for part in ("build", ".fingerprint"):
        if (built / part).exists():
            run("cp", "-a", built / part, target / part)
    libraries = [path for path in (built / "deps").glob("*") if path.suffix in LIBRARIES]
    (target / "deps").mkdir()
    for library in libraries:
        shutil.copy2(library, target / "deps")


def apply(fault: Fault, *options: str) -> None:
    run("git", "apply", f"--directory={COPY.relative_to(ROOT)}", *options, fault.patch, cwd=ROOT)


def build(fault: Fault) -> None:
    """Builds the simulation with a fault in it. Of one that does not build there is no program."""
    fault.binary.unlink(missing_ok=True)
    apply(fault)
    try:
        # Of the whole workspace: with a package alone, other features of what it needs would be asked for, and most of
        # it built anew.
        command = ["cargo", "test", "--locked", "--workspace", "--test", "simulation", "--no-run"]
        told = subprocess.run(
            [*command, "--message-format", "json-render-diagnostics"],
            cwd=COPY,
            stdout=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"},
        )
    finally:
        apply(fault, "--reverse")
    if told.returncode:
        print(f"{fault.patch.name} does not build", file=sys.stderr)
        return
    messages = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    executables = [message["executable"] for message in messages if message.get("executable")]
    fault.binary.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(executables[-1], fault.binary)


def find(fault: Fault) -> Finding:
    """Runs the simulation until it finds the fault."""
    if not fault.binary.exists():
        return Finding(fault, None, None)
    environment = {**os.environ, "SIMULATE_N": str(SCHEDULES), "SIMULATE_SEED": ""}
    ran = subprocess.run(
        [str(fault.binary), "schedules", "--exact", "--nocapture"],
        cwd=ROOT / "tests",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    schedule = re.search(r"^found at schedule (\d+)$", ran.stderr, re.MULTILINE)
    breaks = ran.stderr.rsplit(" breaks:\n", 1)[-1] if schedule else ""
    invariant = re.search(r"^  invariant (\d+):", breaks, re.MULTILINE)
    return Finding(fault, int(schedule[1]) if schedule else None, invariant[1] if invariant else None)


def table(findings: list[Finding]) -> str:
    lines = ["| planted fault | found at schedule | by |", "|---|---|---|"]
    for finding in findings:
        found = f"{finding.schedule:,}" if finding.schedule else f"not in {SCHEDULES:,}"
        by = INVARIANTS.get(finding.invariant or "", "a panic" if finding.schedule else "")
        lines.append(f"| {finding.fault.title} | {found} | {by} |")
    return "\n".join(lines)


def write(text: str) -> None:
    """Puts the table between its markers."""
    report = REPORT.read_text()
    before, rest = report.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-only", action="store_true", help="build the broken simulations and stop")
    parser.add_argument("--run-only", action="store_true", help="run those that were built before")
    arguments = parser.parse_args()
    faults = [Fault(patch) for patch in sorted(PATCHES.glob("*.patch"))]
    if not arguments.run_only:
        copy_workspace()
        borrow_dependencies()
        for number, fault in enumerate(faults, 1):
            print(f"[{number}/{len(faults)}] building: {fault.title}", flush=True)
            build(fault)
    if arguments.build_only:
        return 0
    findings = []
    for number, fault in enumerate(faults, 1):
        finding = find(fault)
        findings.append(finding)
        found = f"found at schedule {finding.schedule}" if finding.schedule else "NOT FOUND"
        print(f"[{number}/{len(faults)}] {found}: {fault.title}", flush=True)
    write(table(findings))
    print(table(findings))
    return 0 if all(finding.schedule for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
