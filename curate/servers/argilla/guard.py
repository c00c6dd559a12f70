"""Stands before Argilla: who may ask, what a page may do, and what this server does not offer.

a foreign host or origin   400, 403: another name for this machine is an attack
scripts                    only the page's own: a record's text is HTML to Argilla
requests of a page         only to this server: no fonts, no links to others
images                     from this machine too, and as data: from no other
`Range` of a file          not heard: the pinned starlette takes quadratic time over it
webhooks, hubs             501: nothing leaves this machine
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)
FOREIGN = re.compile(r"@import url\((https?:)?//[^)]*\);?")
SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)
REFUSED = (
    (re.compile(r"/api/v1/webhooks.*"), "webhooks"),
    (re.compile(r"/api/v1/datasets/[^/]+/(import|export)"), "import from and export to a hub"),
)
"""What is refused, but for reading it."""

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob: http://127.0.0.1:* http://localhost:*",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def forget_others(folder: Path) -> None:
    """Take out of the style sheets in a folder what they would fetch from other machines."""
    for path in folder.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        if FOREIGN.search(style):
            path.write_text(FOREIGN.sub("", style), encoding="utf-8")


def policy(folder: Path) -> str:
    """Return the Content-Security-Policy under which the scripts of a folder's pages may run."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))]
    scripts = {script for page in pages for script in SCRIPT.findall(page)}
    hashes = sorted(b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join([POLICY["script-src"], *(f"'sha256-{each}'" for each in hashes)])
    return "; ".join(f"{key} {value}" for key, value in {**POLICY, "script-src": allowed}.items())


class Guard:
    """An application that lets through to another one what is in order."""

    def __init__(self, app: App, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-dns-prefetch-control", b"off"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        if scope["type"] == "http" and (refusal := _refusal(scope)):
            await _answer(send_with_headers, *refusal)
        elif scope["type"] == "http":
            kept = [header for header in scope["headers"] if header[0] != b"range"]
            await self._app({**scope, "headers": kept}, receive, send_with_headers)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    """Return the status and the words with which a request is refused, if it is."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get(b"host", ""), headers.get(b"origin")
    if not HOST.fullmatch(host):
        return 400, "this server answers to 127.0.0.1 and localhost alone"
    if origin is not None and origin != f"http://{host}":
        return 403, "this server answers its own pages alone"
    if scope["method"] not in ("GET", "HEAD"):
        for path, what in REFUSED:
            if path.fullmatch(scope["path"]):
                return 501, f"the embedded server has no {what}: nothing leaves this machine"
    return None


async def _answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"detail": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
