"""Requests of tests: certificates are read once, which takes longer than most answers."""

from __future__ import annotations

from typing import Any

import httpx

CONTEXT = httpx.create_ssl_context()


def request(method: str, url: str, **what: Any) -> httpx.Response:
    """Send a request over a connection of its own."""
    return httpx.request(method, url, **{"verify": CONTEXT, **what})


def get(url: str, **what: Any) -> httpx.Response:
    """Ask for a page."""
    return request("GET", url, **what)


def post(url: str, **what: Any) -> httpx.Response:
    """Send a form or JSON."""
    return request("POST", url, **what)
