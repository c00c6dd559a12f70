"""Label Studio from within: runs in the server's own Python, called by `servers/daemon.py`.

`label-studio start` is not used: it picks another port by itself, and an account's password and
token only take effect when it is first made.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import os
import socketserver
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from typing import Any

SQLITE = {
    "timeout": 60,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL",
}
"""Writers wait for each other at the start, and nobody waits for a reader.

As it comes, a transaction that has read cannot write once another has: Label Studio then sleeps,
for minutes in the end, and does the whole request again. An import never ends while two people
label.
"""


def set_up(secret_key: str) -> None:
    """Load Django with Label Studio's settings."""
    spec = find_spec("label_studio")
    assert spec is not None
    assert spec.origin is not None
    sys.path.insert(0, str(Path(spec.origin).parent))  # it imports its parts as top-level packages
    os.environ["SECRET_KEY"] = secret_key
    os.environ["DJANGO_SETTINGS_MODULE"] = "label_studio.core.settings.label_studio"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["OPTIONS"] = SQLITE
    django.setup()


def migrate() -> None:
    """Bring the database to this version's schema; quick if it is there already."""
    from django.core.management import call_command

    call_command("migrate", "--no-color", verbosity=0)


def ensure_users(secrets: dict[str, Any]) -> None:
    """Create who is missing, and reset whoever's token is not the one in the secrets."""
    ensure_user(secrets["curator"], is_curator=True)
    for account in secrets["people"]:
        ensure_user(account, is_curator=False)


def ensure_user(account: dict[str, str], *, is_curator: bool) -> None:
    """Let an account log in with its password and call the API with its token.

    A person's name stays at home: whoever has an account here can list all others.
    """
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token
    from users.models import User

    email, token = account["email"], account["token"]
    if Token.objects.filter(user__email=email, key=token, user__first_name=""):
        return
    user = User.objects.filter(email=email).first() or User.objects.create_user(email=email)
    user.username = email.partition("@")[0]
    user.first_name = user.last_name = ""
    user.is_staff = user.is_superuser = is_curator
    user.set_password(account["password"])
    organization = Organization.objects.first() or Organization.create_organization(
        created_by=user, title="curate", legacy_api_tokens_enabled=True
    )
    organization.add_user(user)
    user.active_organization = organization
    user.save()
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=token)


def serve(secrets: dict[str, Any], public: str, ready: Callable[[], socket]) -> None:
    """Serve until killed, where `ready` says, which two processes return from.

    `public` is the https address at which a proxy offers it, or "".
    """
    from django.db import connections

    migrate()
    ensure_users(secrets)
    application = behind_proxy() if public else directly()
    connections.close_all()  # two processes must not share one
    server = threaded(ready())
    server.set_app(application)
    server.serve_forever()


def threaded(listener: socket) -> Any:
    """Return a server that answers on that socket, each request in a thread of its own."""
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

    class Server(socketserver.ThreadingMixIn, WSGIServer):  # type: ignore[misc]
        daemon_threads = True

    place = listener.getsockname()
    server: Any = Server(place, WSGIRequestHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = place
    server.setup_environ()
    return server


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def directly() -> Application:
    """Return Label Studio for its own pages, which show images from where a task says they are.

    Its policy for content, enforced, lets a page load images from itself and data addresses only.
    """
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.CSP_IMG_SRC = (*settings.CSP_IMG_SRC, "http:", "https:")

    return for_own_pages(get_wsgi_application())


def for_own_pages(application: Application) -> Application:
    """Return it closed to the pages of others: its API asks for no token beside the cookie.

    To a browser, what another port of this machine serves is the same site, and gets the cookie.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        own = [f"{scheme}://{environ.get('HTTP_HOST')}" for scheme in ("http", "https")]
        if environ.get("HTTP_ORIGIN", own[0]) in own:
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"this server answers its own pages alone"]

    return answer


def behind_proxy() -> Application:
    """Return Label Studio as it believes the proxy that it was asked over https.

    Then its addresses say https, and its cookies go over https alone. Who comes past the proxy,
    through a tunnel to loopback, has no https: a setting for all would shut out some browsers.
    """
    from django.conf import settings

    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    application = directly()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [secured(*header) for header in headers], *rest)

        is_https = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
        return application(environ, start if is_https else start_response)

    return answer


def secured(name: str, value: str) -> tuple[str, str]:
    """Return a header of an answer; a cookie is for https alone."""
    is_cookie = name.lower() == "set-cookie" and "; secure" not in value.lower()
    return name, f"{value}; Secure" if is_cookie else value
