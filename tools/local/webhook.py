"""The webhook endpoint at the Stripe stand-in, which an operator makes in Stripe's dashboard once.

Stripe tells the signing secret of an endpoint only when it makes it, so the secret is kept with the stack. An endpoint
that the stand-in has no longer, or whose secret is lost, is made anew.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from console import Failure
from files import write_private
from loopback import DIRECTLY
from settings import STRIPE_API_KEY, Settings

PATH = "/webhooks/stripe"

EVENTS = tuple(f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "paused", "resumed"))
"""What the function follows; the same list belongs into the endpoint at Stripe."""

MARK = "headcount-local"
"""Tells the endpoints of the local run from those that somebody made to try something out."""

ASK_SECONDS = 10.0


def signing_secret(settings: Settings) -> str:
    """The secret of the endpoint, which exists afterwards and points at this stack's front."""
    url = settings.api_url + PATH
    kept = _kept(settings)
    if kept and _point(settings, kept["id"], url):
        return kept["secret"]
    for endpoint in _ask(settings, "GET", "/v1/webhook_endpoints?limit=100")["data"]:
        if endpoint["metadata"].get("made_by") == MARK:
            _ask(settings, "DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    form = [("url", url), *(("enabled_events[]", event) for event in EVENTS), ("metadata[made_by]", MARK)]
    made = _ask(settings, "POST", "/v1/webhook_endpoints", form)
    write_private(settings.webhook_file, {"id": made["id"], "secret": made["secret"]})
    return made["secret"]


def _kept(settings: Settings) -> dict[str, str] | None:
    try:
        return json.loads(settings.webhook_file.read_text())
    except FileNotFoundError:
        return None


def _point(settings: Settings, endpoint: str, url: str) -> bool:
    """Lets an endpoint deliver to `url`, if there is such an endpoint."""
    form = [("url", url), *(("enabled_events[]", event) for event in EVENTS), ("disabled", "false")]
    return _ask(settings, "POST", f"/v1/webhook_endpoints/{endpoint}", form, missing_is_fine=True) is not None


def _ask(
    settings: Settings,
    method: str,
    path: str,
    form: list[tuple[str, str]] | None = None,
    missing_is_fine: bool = False,
) -> Any:
    """Calls the stand-in's API; `None` for an object that it does not have, where that is fine."""
    request = urllib.request.Request(
        settings.stripe_url + path,
        data=urllib.parse.urlencode(form).encode() if form else None,
        headers={"Authorization": f"Bearer {STRIPE_API_KEY}"},
        method=method,
    )
    try:
        with DIRECTLY.open(request, timeout=ASK_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if missing_is_fine and error.code == 404:
            return None
        raise Failure(f"the Stripe stand-in answered {error.code} to {method} {path}: {error.read().decode()}") from None
    except OSError as error:
        raise Failure(f"the Stripe stand-in did not answer {method} {path}: {error}") from None
