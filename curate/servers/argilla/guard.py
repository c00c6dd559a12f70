"""A guard in front of Argilla: who may ask, what a page may do, and what is refused.

a foreign host or origin   400, 403: another name for this machine is an attack
scripts                    only the page's own: Argilla shows a record's text as HTML
requests of a page         only to this server: no fonts, no links to others
images                     from this machine and as data: only
media of a round           by signed address alone: the page's key is no cookie
`Range` of other files     ignored: the pinned starlette takes quadratic time over it
a deletion                 is answered once the texts are gone from the files
webhooks, hubs             501: nothing leaves this machine
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from curate.servers import shelf

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)
FOREIGN = re.compile(r"@import url\((https?:)?//[^)]*\);?")
SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)
TEXTS = re.compile(r"/api/v1/(datasets/[^/]+(/records)?|records/[^/]+)")
"""The paths under which texts are deleted."""
REFUSED = (
    (re.compile(r"/api/v1/webhooks.*"), "webhooks"),
    (re.compile(r"/api/v1/datasets/[^/]+/(import|export)"), "import from and export to a hub"),
)
"""The paths where every method but GET and HEAD is refused, with the name of the feature."""

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
    """Remove from the style sheets in a folder all imports from other machines."""
    for path in folder.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        if FOREIGN.search(style):
            path.write_text(FOREIGN.sub("", style), encoding="utf-8")


def policy(folder: Path) -> str:
    """The Content-Security-Policy under which the scripts of a folder's pages may run."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))]
    scripts = {script for page in pages for script in SCRIPT.findall(page)}
    hashes = sorted(b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join([POLICY["script-src"], *(f"'sha256-{digest}'" for digest in hashes)])
    return "; ".join(f"{key} {value}" for key, value in {**POLICY, "script-src": allowed}.items())


class Guard:
    """An application that passes allowed requests on to another one, and adds headers.

    Whatever is deleted is gone from the disk, by `forget`, before the answer says so.
    """

    def __init__(
        self,
        app: App,
        policy: str,
        forget: Callable[[], None] = lambda: None,
        media: shelf.Shelf | None = None,
    ) -> None:
        self._app = app
        self._forget = forget
        self._media = media
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-dns-prefetch-control", b"off"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or let the application answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_erasure = scope.get("method") == "DELETE" and TEXTS.fullmatch(scope["path"])
                if is_erasure and message["status"] < 300:
                    await asyncio.to_thread(self._forget)
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        if scope["type"] == "http" and (refusal := _refusal(scope)):
            await _answer(send_with_headers, *refusal)
        elif self._media and scope["path"].startswith(shelf.ROOT):
            await _send_medium(scope, self._media, send)
        elif scope["type"] == "http":
            headers = [header for header in scope["headers"] if header[0] != b"range"]
            await self._app({**scope, "headers": headers}, receive, send_with_headers)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    """The status and the message of a refusal; None for an allowed request."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get(b"host", ""), headers.get(b"origin")
    if not HOST.fullmatch(host):
        return 400, "this server answers only to 127.0.0.1 and localhost"
    if origin is not None and origin != f"http://{host}":
        return 403, "this server answers only its own pages"
    if scope["method"] not in ("GET", "HEAD"):
        for path, feature in REFUSED:
            if path.fullmatch(scope["path"]):
                return 501, f"the embedded server has no {feature}: nothing leaves this machine"
    return None


async def _send_medium(scope: Scope, media: shelf.Shelf, send: Send) -> None:
    """Send a file of a round, a block at a time."""
    asked = dict(scope["headers"]).get(b"range", b"").decode("latin-1")
    answer = await asyncio.to_thread(media.answer, scope["method"], scope["path"], asked)
    headers = [(name.lower().encode(), own.encode()) for name, own in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    blocks = answer.blocks()
    try:
        while block := await asyncio.to_thread(next, blocks, b""):
            await send({"type": "http.response.body", "body": block, "more_body": True})
    finally:
        blocks.close()
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"detail": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
