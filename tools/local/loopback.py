"""How programs of the local run ask each other."""

from __future__ import annotations

import urllib.request

DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks loopback without the proxy that the environment may name."""
