#!/usr/bin/env python3
"""Looks at the API reference of a running stack as a reader does, in a headless Chromium.

Every operation of the document has to be on the page, the search has to find one, and the form has to create an
account; the console has to stay clean and no other host may be asked for anything. --screenshot takes the picture for
the documents in place of that. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import browser
from browser import Page
from console import Failure, fail
from loopback import DIRECTLY
from settings import ROOT

WIDTH, HEIGHT = 1280, 880

CREATE = "#tag/identity/POST/v1/accounts"
"""Where the page has the operation that is tried out: anyone may sign up."""

SEND = "[...document.querySelectorAll('button')].find((b) => /^Send/.test(b.innerText.trim()))"
TEST_REQUEST = "[...document.querySelectorAll('button')].find((b) => b.innerText.includes('(post /v1/accounts)'))"
EDITOR = "document.querySelector('[role=textbox][data-language=json]')"


def operations(api: str) -> list[tuple[str, str, str]]:
    """Method, path and summary of every operation of the served document."""
    with DIRECTLY.open(f"{api}/openapi.json", timeout=10) as answer:
        document = json.load(answer)
    return [
        (method.upper(), path, operation["summary"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def look_at(api: str) -> dict[str, Any]:
    """The whole walk; what was seen."""
    described = operations(api)
    with browser.opened(WIDTH, HEIGHT) as page:
        page.open(f"{api}/reference/")
        for method, path, summary in described:
            page.wait_for(_listed(method, path, summary), f"{method} {path} in the list of operations")
            _go_to(page, method, path)
            page.wait_for(_described(method, path, summary), f"the description of {method} {path}")
        found = search(page, "quote")
        status = create_account(page, api)
        foreign = page.foreign_requests(api)
        if page.errors:
            raise Failure("the console shows: " + "; ".join(page.errors[:3]))
        if foreign:
            raise Failure("the page asks other hosts: " + ", ".join(foreign))
    return {"operations": len(described), "found": found, "created": status}


def _listed(method: str, path: str, summary: str) -> str:
    return f"{_link(method, path)}?.innerText.includes({json.dumps(summary)})"


def _go_to(page: Page, method: str, path: str) -> None:
    page.evaluate(f"{_link(method, path)}.click()")


def _link(method: str, path: str) -> str:
    """The link to an operation in the list beside the text."""
    ending = json.dumps(f"/{method}{path}")
    return f"[...document.querySelectorAll('nav a, aside a')].find((a) => a.hash.endsWith({ending}))"


def _described(method: str, path: str, summary: str) -> str:
    """The section of an operation, which the renderer makes when somebody comes near: its title and its answers."""
    section = f"document.querySelector('section[id$={json.dumps(f'/{method}{path}')}]')"
    return f"{section}?.innerText.includes({json.dumps(summary)}) && {section}.innerText.includes('Responses')"


def search(page: Page, text: str) -> str:
    """Opens the search by its key, types, and goes to the operation that it finds."""
    page.press("k", 75, control=True)
    page.wait_for("document.activeElement?.matches('[role=dialog] input')", "the search")
    page.type(text)
    options = "[...document.querySelectorAll('[role=dialog] [role=option]')]"
    found = f"{options}.find((option) => option.innerText.includes('Quote seats'))"
    page.wait_for(f"Boolean({found})", "'Quote seats' among what was found")
    page.evaluate(f"{found}.click()")
    return page.wait_for("location.hash.endsWith('/POST/accounts/quote') && location.hash", "what was found")


def create_account(page: Page, api: str) -> int:
    """Signs somebody new up with the page's own form; the status that it shows."""
    page.evaluate(f"location.hash = {json.dumps(CREATE)}")
    page.wait_for(f"Boolean({TEST_REQUEST})", "the button that opens the form")
    page.evaluate(f"{TEST_REQUEST}.click()")
    page.wait_for(f"{SEND} && {EDITOR}?.innerText.includes('owner@example.com')", "the form with the example")
    page.evaluate(f"{EDITOR}.focus()")
    page.press("a", 65, control=True)
    account = {
        "email": f"reader+{uuid.uuid4().hex[:12]}@example.com",
        "name": "Acme Inc.",
        "type": "business",
        "password": "read it, then tried it",
    }
    page.type(json.dumps(account, indent=2))
    page.evaluate(f"{SEND}.click()")
    shown = "document.body.innerText"
    page.wait_for(f"{shown}.includes('201 Created') && {shown}.includes('acct_0')", "the answer 201 with an account")
    created = ("POST", f"{api}/v1/accounts")
    statuses = [status for method, url, status in page.answers if (method, url) == created]
    if statuses != [201]:
        raise Failure(f"the form was answered {statuses}")
    return statuses[0]


def picture(api: str, to: Path) -> dict[str, Any]:
    """The page with a request that was tried out."""
    with browser.opened(WIDTH, HEIGHT) as page:
        page.open(f"{api}/reference/")
        page.wait_for(_listed("POST", "/v1/accounts", "Create an account"), "the list of operations")
        create_account(page, api)
        page.evaluate("document.activeElement.blur()")
        to.write_bytes(page.still())
    return {"screenshot": str(to), "bytes": to.stat().st_size}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stack_file = ROOT / ".local" / "stack.json"
    parser.add_argument("--stack-file", type=Path, default=stack_file, help="default: .local/stack.json")
    parser.add_argument("--screenshot", type=Path, help="write a picture of the page here")
    arguments = parser.parse_args()
    if not browser.program():
        print(json.dumps({"left_out": "there is no Chromium on the PATH"}))
        return 0
    try:
        api = json.loads(arguments.stack_file.read_text())["api"]
        seen = picture(api, arguments.screenshot) if arguments.screenshot else look_at(api)
    except FileNotFoundError:
        return fail(Failure(f"there is no {arguments.stack_file}: bring the stack up first (make run)"))
    except Failure as error:
        return fail(error)
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
