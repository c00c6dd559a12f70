"""Label Studio from within: runs in the server's own Python, called by `servers/daemon.py`.

`label-studio start` is not used: it may pick another port by itself, and it sets an account's
password and token only when it creates the account.
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
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
}
"""Writers wait for each other before they begin, and nobody waits for a reader.

By default a transaction that has read cannot write after another one has. Label Studio then sleeps,
in the end for minutes, and repeats the whole request: an import never ends while two people label.
What is deleted is overwritten (see `forgetting.py`).
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
    settings.MIDDLEWARE.append("curate.servers.label_studio.guard.Guard")
    django.setup()


def migrate() -> None:
    """Bring the database to this version's schema; quick if it has it already."""
    from django.core.management import call_command

    call_command("migrate", "--no-color", verbosity=0)


def ensure_users(secrets: dict[str, Any]) -> None:
    """Create missing users, reset those whose token differs, and shut out those removed.

    The switch of tokens is put back: curate could not read an answer without its token.
    """
    from jwt_auth.models import JWTSettings

    ensure_user(secrets["curator"], is_curator=True)
    for account in secrets["people"]:
        ensure_user(account, is_curator=False)
    for email in secrets.get("removed", ()):
        shut_out(email)
    JWTSettings.objects.update(legacy_api_tokens_enabled=True)


def shut_out(email: str) -> None:
    """End an account as the server's own page does; the user's answers stay theirs."""
    from organizations.models import OrganizationMember
    from rest_framework.authtoken.models import Token
    from users.models import User

    for user in User.objects.filter(email=email, is_active=True):
        user.is_active = False
        user.set_unusable_password()
        user.save()
        Token.objects.filter(user=user).delete()
        for member in OrganizationMember.objects.filter(user=user, deleted_at__isnull=True):
            member.soft_delete()


def ensure_user(account: dict[str, str], *, is_curator: bool) -> None:
    """Let an account log in with its password and call the API with its token.

    A person's name is not stored in the server: every account can list all others. A user whose
    address was changed on the server has the token already, and keeps the new address.
    """
    from organizations.models import Organization, OrganizationMember
    from rest_framework.authtoken.models import Token
    from users.models import User

    email, token = account["email"], account["token"]
    owners = Token.objects.filter(key=token)
    if owners.filter(user__email=email, user__first_name="") or owners.exclude(user__email=email):
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
    OrganizationMember.objects.filter(user=user).update(deleted_at=None)
    user.is_active = True
    user.active_organization = organization
    user.save()
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=token)


def serve(secrets: dict[str, Any], public: str, ready: Callable[[], socket]) -> None:
    """Serve until killed, on the socket that `ready` returns; it returns in two processes.

    `public` is the https address at which a proxy offers the server, or "".
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
    """A server that answers on that socket, with one thread for each request."""
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

    class Server(socketserver.ThreadingMixIn, WSGIServer):  # type: ignore[misc]
        daemon_threads = True

    class Handler(WSGIRequestHandler):  # type: ignore[misc]
        """Logs failures alone, and never what an address asks for.

        People look for words of texts, and a text that is taken down must stay in no file.
        """

        def log_message(self, format: str, *arguments: Any) -> None:
            line, status, *more = map(str, arguments)
            if status.startswith("5"):
                super().log_message(format, line.partition("?")[0], status, *more)

    address = listener.getsockname()
    server: Any = Server(address, Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = address
    server.setup_environ()
    return server


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def directly() -> Application:
    """Label Studio for its own pages, which may show images from any address in a task.

    Its own content policy, once enforced, allows images from itself and data addresses only.
    """
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.CSP_IMG_SRC = (*settings.CSP_IMG_SRC, "http:", "https:", "blob:")

    return for_own_pages(get_wsgi_application())


def for_own_pages(application: Application) -> Application:
    """The application, closed to other pages: its API asks for no token beside the cookie.

    To a browser, every port of this machine is the same site: pages of any port send the cookie.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        origins = [f"{scheme}://{environ.get('HTTP_HOST')}" for scheme in ("http", "https")]
        if environ.get("HTTP_ORIGIN", origins[0]) in origins:
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"this server answers only its own pages"]

    return answer


def behind_proxy() -> Application:
    """Label Studio behind a proxy: it trusts the proxy's header about https.

    For https requests its addresses say https and its cookies are for https only. People who come
    through a tunnel to loopback have no https: a setting for all would shut out some browsers.
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
    """A header of a response; a cookie becomes one for https only."""
    is_cookie = name.lower() == "set-cookie" and "; secure" not in value.lower()
    return name, f"{value}; Secure" if is_cookie else value
