"""E-mail addresses in a text."""

from __future__ import annotations

import re

from curate.clean.instruments.privacy.forms import Spans

_LOCAL = re.compile(r"[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}\Z")
_LETTER = r"A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f"
"""The letters of a host: Latin, Greek, Cyrillic. Scripts without spaces may follow at once."""

_NATIONAL = "рф|рус|укр|бел|бг|срб|мкд|қаз|ею|ελ|ευ"
"""Top domains in other letters than those of ASCII."""

_HOST = re.compile(
    rf"(?:[{_LETTER}](?:[{_LETTER}\-]{{0,61}}[{_LETTER}])?\.)+"
    rf"(xn--[A-Za-z0-9\-]{{2,59}}|[A-Za-z]{{2,24}}|{_NATIONAL})(?![{_LETTER}@])"
)
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
        host = _HOST.match(text, at + 1)
        if host and host[1].lower() not in _NO_DOMAIN:
            local = _LOCAL.search(text, max(0, at - 64), at)
            if local and local[0].lower() not in _NO_PERSON:
                yield local.start(), host.end()
        at = text.find("@", at + 1)
