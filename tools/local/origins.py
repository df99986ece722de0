#!/usr/bin/env python3
"""Calls the API of a running stack from pages of other origins, in a headless Chromium.

A page of an allowed origin signs somebody up, reads what it was answered, and calls the other two APIs; a page of
any other origin tries the same. Prints what each page saw as one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import browser
from browser import Page
from console import Failure, fail
from settings import ROOT

ALLOWED, FOREIGN = "shop.example", "elsewhere.example"
"""Hosts of the pages. `make end-to-end` allows the origin of the first one."""

CALL = """
    async (url, method, headers, body) => {
        try {
            const answer = await fetch(url, {method, headers, body: body ?? undefined});
            return {status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json()};
        } catch (error) {
            return {refused: error.name};
        }
    }
"""
"""What a page does: a call, and what it could read of the answer."""


class Blank(BaseHTTPRequestHandler):
    """A page with nothing on it."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>A page</title>"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def served() -> Iterator[int]:
    """The port of a server that has the page under every name."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def call(page: Page, url: str, body: Any, method: str = "POST", **headers: str) -> dict[str, Any]:
    """What the page got, or that the browser refused it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    arguments = [url, method, named, None if body is None else json.dumps(body)]
    return page.evaluate(f"({CALL})(...{json.dumps(arguments)})")


def visit(page: Page, host: str, stack: dict[str, Any], email: str) -> dict[str, Any]:
    """Everything that is tried from a page of a host."""
    page.open(f"http://{host}/")
    page.wait_for(f"location.host === {json.dumps(host)} && document.readyState === 'complete'", f"the page of {host}")
    api, demo, json_type = stack["api"], stack["demo"], "application/json"
    account = {"email": email, "name": "Acme Inc.", "type": "business", "password": "signed up in a browser"}
    sign_up = f"{api}/v1/accounts"
    seats, agency = demo["seats"], demo["agency"]
    return {
        "signed_up": call(page, sign_up, account, content_type=json_type, idempotency_key=email),
        "again": call(page, sign_up, account, content_type=json_type, idempotency_key=email),
        "invalid": call(page, sign_up, {"email": email}, content_type=json_type),
        # Without a header that asks for a preflight.
        "simple": call(page, sign_up, account, content_type="text/plain"),
        "seats": call(
            page,
            f"{api}/accounts/quote",
            {"accounts": [{"tier": "basic"}]},
            content_type=json_type,
            authorization=f"Bearer {seats['api_key']}",
        ),
        "agency": call(
            page,
            f"{api}/api/v3/accounts",
            {"name": "From a browser", "agency_lcuid": agency["agency_lcuid"]},
            content_type=json_type,
            authorization=f"Bearer {agency['token']}",
            AppIdV3=agency["app_id"],
        ),
        "billing": call(page, f"{api}/billing", None, method="GET", authorization=f"Bearer {seats['api_key']}"),
        "other_header": call(page, sign_up, account, content_type=json_type, x_other="1"),
        # What the gateway answers by itself.
        "no_route": call(page, f"{api}/v1/nothing", None, method="GET"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stack_file = ROOT / ".local" / "stack.json"
    parser.add_argument("--stack-file", type=Path, default=stack_file, help="default: .local/stack.json")
    parser.add_argument("--email", required=True, help="an address that no account has; {} is the host of the page")
    arguments = parser.parse_args()
    if not browser.program():
        print(json.dumps({"left_out": "there is no Chromium on the PATH"}))
        return 0
    try:
        stack = json.loads(arguments.stack_file.read_text())
        with served() as port, browser.opened(800, 600, {ALLOWED: port, FOREIGN: port}) as page:
            seen = {host: visit(page, host, stack, arguments.email.format(host)) for host in (ALLOWED, FOREIGN)}
    except FileNotFoundError:
        return fail(Failure(f"there is no {arguments.stack_file}: bring the stack up first (make run)"))
    except Failure as error:
        return fail(error)
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
