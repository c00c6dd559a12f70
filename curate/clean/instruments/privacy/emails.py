"""E-mail addresses in a text."""

from __future__ import annotations

import re

from curate.clean.instruments.privacy.forms import Spans

_LOCAL = re.compile(r"[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})(?![A-Za-z0-9@])"
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
