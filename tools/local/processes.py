"""The processes of a local stack: each outlives the command that started it, and is known by process id and birth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from console import Failure
from settings import Settings

STOP_SECONDS = 60.0
"""How long a process may take to save its state and end before it is killed."""


def birth(pid: int) -> str | None:
    """When a process started: with its id, what tells it from a later process that got the same id."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return None if after_name[0] == "Z" else after_name[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return listed.stdout.strip() or None


class Processes:
    """The register of what is running, kept in the stack's directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.processes_file
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def running(self) -> dict[str, int]:
        """Name and id of every registered process that still lives."""
        return {name: entry["pid"] for name, entry in self._read().items() if birth(entry["pid"]) == entry["birth"]}

    def register(self, name: str, pid: int) -> None:
        """Notes a process that this program must be able to find again."""
        self._write({**self._read(), name: {"pid": pid, "birth": birth(pid)}})

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts a server in a process group of its own, so that Ctrl-C reaches it only through `stop`."""
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self._settings.dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started[name] = process
        self.register(name, process.pid)

    def log(self, name: str) -> Path:
        return self._settings.logs / f"{name}.log"

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Waits for a started server; raises `Failure` with the end of its log when it dies or does not answer."""
        deadline = time.monotonic() + seconds
        while not ready():
            ended = self._started[name].poll() is not None
            if ended or time.monotonic() > deadline:
                tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-15:])
                what = "ended at once" if ended else f"did not answer within {seconds:.0f} s"
                raise Failure(f"{name} {what}. The end of {self.log(name)}:\n{tail}")
            time.sleep(0.05)

    def stop(self, names: Sequence[str]) -> None:
        """Ends these processes in order, each with everything it started, and forgets them."""
        entries = self._read()
        for name in names:
            entry = entries.pop(name, None)
            if entry and birth(entry["pid"]) == entry["birth"]:
                _end_group(entry["pid"])
        self._write(entries)

    def forget(self, name: str) -> None:
        """Takes a process that ends by itself off the register."""
        entries = self._read()
        entries.pop(name, None)
        self._write(entries)

    def _write(self, entries: dict[str, dict]) -> None:
        if not entries:
            self._file.unlink(missing_ok=True)
            return
        staged = self._file.with_suffix(".tmp")
        staged.write_text(json.dumps(entries, indent=1))
        staged.replace(self._file)

    def _read(self) -> dict[str, dict]:
        try:
            return json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}


def _end_group(pid: int) -> None:
    """Asks the leader of a process group to end, waits for it, then kills what the group left behind."""
    os.kill(pid, signal.SIGTERM)
    wait_for_end(pid)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # Nothing was left.


def wait_for_end(pid: int) -> None:
    """Waits at most `STOP_SECONDS` for a process to end."""
    deadline = time.monotonic() + STOP_SECONDS
    while birth(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
