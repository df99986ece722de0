"""A headless Chromium, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).

The protocol goes over a pair of pipes: that takes no library and opens no port.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from console import Failure

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0
"""Seconds that anything may take."""


def program() -> str | None:
    """Chromium, if this machine has it."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """The one page of a browser, and what happened on it."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._buffer = bytearray()
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        """Addresses of everything that the page asked for."""
        self.answers: list[tuple[str, str, int]] = []
        """Method, address and status of every answer."""
        self.errors: list[str] = []
        """What the console shows in red."""
        self._methods: dict[str, str] = {}

    def attach(self) -> None:
        """Takes the browser's first page and listens to it."""
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Runs a command of the protocol and returns its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            received = self._receive(deadline, method)
            if received.get("id") == number:
                if "error" in received:
                    raise Failure(f"the browser refuses {method}: {received['error']['message']}")
                return received["result"]
            self._notice(received)

    def _receive(self, deadline: float, waiting_for: str) -> dict[str, Any]:
        while (end := self._buffer.find(b"\0")) < 0:
            readable, _, _ = select.select([self._from_browser], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._from_browser, 1 << 16) if readable else b""
            if not chunk:
                raise Failure(f"the browser gave no answer to {waiting_for}")
            self._buffer += chunk
        message = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return json.loads(message)

    def _notice(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                request = parameters["request"]
                self.requests.append(request["url"])
                self._methods[parameters["requestId"]] = request["method"]
            case "Network.responseReceived":
                response = parameters["response"]
                method = self._methods.get(parameters["requestId"], "")
                self.answers.append((method, response["url"], response["status"]))
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                self.errors.append(" ".join(str(argument.get("value", "")) for argument in parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                entry = parameters["entry"]
                self.errors.append(f"{entry['text']} {entry.get('url', '')}")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise Failure(f"in the page: {details.get('exception', {}).get('description', details['text'])}")
        return result["result"].get("value")

    def wait_for(self, expression: str, what: str) -> Any:
        """The first value of an expression that is not nothing; looked at after each change that is painted."""
        milliseconds = int(PATIENCE * 1000) - 5_000
        value = self.evaluate(
            f"""new Promise((resolve) => {{
                const end = Date.now() + {milliseconds};
                const look = () => {{
                    const value = {expression};
                    if (value || Date.now() > end) resolve(value || null);
                    else requestAnimationFrame(look);
                }};
                look();
            }})"""
        )
        if value is None:
            raise Failure(f"the page never showed {what}")
        return value

    def type(self, text: str) -> None:
        """Types where the cursor is."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, control: bool = False) -> None:
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
        commands = ["selectAll"] if control and key == "a" else []
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", commands=commands, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def screenshot(self) -> bytes:
        """What is seen now, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def still(self) -> bytes:
        """What is seen once nothing moves any more."""
        deadline = time.monotonic() + PATIENCE
        before, now = b"", self.screenshot()
        while before != now and time.monotonic() < deadline:
            before, now = now, self.screenshot()
        return now

    def foreign_requests(self, origin: str) -> list[str]:
        """What the page asked for elsewhere."""
        own = urlsplit(origin)[:2]
        asked = (urlsplit(url) for url in self.requests)
        return [url.geturl() for url in asked if url.scheme not in ("data", "blob") and url[:2] != own]


@contextmanager
def opened(width: int, height: int, hosts: Mapping[str, int] = MappingProxyType({})) -> Iterator[Page]:
    """A page in a new browser with an empty profile, which can reach this machine alone: 127.0.0.1, and each of the hosts
    at its port on this machine."""
    found = program()
    if not found:
        raise Failure("there is no Chromium on the PATH")
    named = [f"MAP {host}:80 127.0.0.1:{port}" for host, port in hosts.items()]
    commands_out, commands_in = os.pipe()
    events_out, events_in = os.pipe()
    # Helpers of the browser may write to the profile to the last.
    with tempfile.TemporaryDirectory(prefix="headcount-browser-", ignore_cleanup_errors=True) as profile:
        options = [
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            "--host-resolver-rules=" + " , ".join([*named, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]),
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            # Chromium does not run as root with its sandbox on.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "about:blank",
        ]
        # The protocol's place is at descriptors 3 and 4.
        command = ["bash", "-c", f'exec "$@" 3<&{commands_out} 4>&{events_in}', "bash", found, *options]
        browser = subprocess.Popen(
            command,
            pass_fds=(commands_out, events_in),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_out)
        os.close(events_in)
        try:
            page = Page(commands_in, events_out)
            page.attach()
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            page.call("Emulation.setDeviceMetricsOverride", **size)
            yield page
        finally:
            # It ends when nobody can command it any more.
            os.close(commands_in)
            os.close(events_out)
            try:
                browser.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
