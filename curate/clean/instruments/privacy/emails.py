"""E-mail addresses in a text."""

from __future__ import annotations

import re

from curate.clean.instruments.privacy.forms import Spans

_LOCAL = re.compile(r"[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}\Z")
_LETTER = r"A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f"
"""The letters of a host: Latin, Greek, Cyrillic. Scripts without spaces may follow at once."""

_NATIONAL = "рф|рус|укр|бел|бг|срб|мкд|мон|қаз|ею|ελ|ευ|москва|дети|онлайн|сайт|орг|ком|католик"
"""Top domains in Greek and Cyrillic letters."""

_ASCII_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_LABEL = rf"[{_LETTER}](?:[{_LETTER}\-]{{0,61}}[{_LETTER}])?"
_TOP = r"[A-Za-z]{2,24}(?![A-Za-z0-9@])"
"""Words in other letters may follow at once, as in `ann@mail.deÜber uns`."""

_HOST = re.compile(
    rf"(?:{_LABEL}\.)+"
    rf"(xn--[A-Za-z0-9\-]{{2,59}}(?![A-Za-z0-9\-@])|{_TOP}|(?i:{_NATIONAL})(?![{_LETTER}@]))"
)
_ASCII_HOST = re.compile(rf"(?:{_ASCII_LABEL}\.)+({_TOP})")
_NO_DOMAIN = frozenset(
    [
        *("css", "dll", "exe", "gif", "gz", "htm", "html", "jpeg", "jpg", "js", "json", "jsx"),
        *("pdf", "png", "scss", "svg", "tgz", "toml", "ts", "tsx", "txt", "webp", "xml", "yaml"),
        *("yml", "example", "invalid", "local", "localhost", "test"),  # reserved: RFC 2606, 6762
    ]
)
_NO_PERSON = frozenset(("git", "hg", "svn"))


def find_emails(text: str) -> Spans:
    """Yield the range of every e-mail address in a text."""
    at = text.find("@")
    while at >= 0:
        if host := _host(text, at + 1):
            local = _LOCAL.search(text, max(0, at - 64), at)
            if local and local[0].lower() not in _NO_PERSON:
                yield local.start(), host.end()
        at = text.find("@", at + 1)


def _host(text: str, at: int) -> re.Match[str] | None:
    """The host that starts at a place: in all letters, or else the part of it in ASCII."""
    found = (pattern.match(text, at) for pattern in (_HOST, _ASCII_HOST))
    return next((host for host in found if host and host[1].lower() not in _NO_DOMAIN), None)
