"""Servers on this machine: reached without a proxy, and over plain HTTP without certificates."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names of this machine."""


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine."""
    return urlsplit(url).hostname in LOOPBACK


def without_certificates(url: str) -> ssl.SSLContext | None:
    """A context that trusts no certificate, for plain HTTP on this machine; else None.

    To read those that are trusted takes 20 ms for each client, longer than most answers.
    """
    is_plain = is_loopback(url) and urlsplit(url).scheme == "http"
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else None
