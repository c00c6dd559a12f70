"""Runs inside the Label Studio server's own Python, never in curate's.

    inside.py migrate                       make the database
    inside.py users SECRETS                 see that everyone in the file of secrets can log in
    inside.py serve SECRETS STATE PORTS PUBLIC
                                            go into the background and serve

The settings come as environment variables. `label-studio start` is not used: it picks another port
by itself, and an account's password and token only take effect when it is first made.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import fcntl
import json
import os
import socketserver
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

HOST = "127.0.0.1"
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

TAKEN = 3
"""The exit code that says: somebody else has the port."""


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


def go_into_background() -> None:
    """Leave the parent's session: who started the server may end, or be killed."""
    if os.fork():
        os._exit(0)
    os.setsid()


def hold(state: Path, patience: float = 2) -> TextIO:
    """Lock the state file for this process's life; a reader's look at it takes a moment."""
    file = state.open("a+", encoding="utf-8")
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > until:
                sys.exit("another server of this home is running")
            time.sleep(0.02)


def bind(ports: Iterable[int]) -> Any:
    """Return a server bound to the first of the ports that is free; 0 is any."""
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

    class Server(socketserver.ThreadingMixIn, WSGIServer):  # type: ignore[misc]
        daemon_threads = True

    for port in ports:
        with suppress(OSError):
            return Server((HOST, port), WSGIRequestHandler)
    sys.exit(TAKEN)


def serve(secrets: dict[str, Any], state: Path, ports: Iterable[int], public: str) -> None:
    """Serve until killed; the state file says which process this is and on which port."""
    file = hold(state)
    server = bind(ports)
    go_into_background()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"pid": os.getpid(), "port": server.server_port, "started": started, "public": public}
    file.truncate(0)
    file.write(json.dumps(record))
    file.write("\n")
    file.flush()
    set_up(secrets["secret_key"])
    migrate()
    ensure_users(secrets)
    server.set_app(behind_proxy() if public else directly())
    server.serve_forever()


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def directly() -> Application:
    """Return Label Studio as it is, but that it shows images from where a task says they are.

    Its policy for content, enforced, lets a page load images from itself and data addresses only.
    """
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.CSP_IMG_SRC = (*settings.CSP_IMG_SRC, "http:", "https:")

    application: Application = get_wsgi_application()
    return application


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


def main(command: str, *arguments: str) -> None:
    """Run one of the commands above."""
    if command == "migrate":
        set_up("only for the template")
        migrate()
        return
    secrets = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    if command == "serve":
        ports = [int(port) for port in arguments[2].split(",")]
        serve(secrets, Path(arguments[1]), ports, arguments[3])
        return
    set_up(secrets["secret_key"])
    ensure_users(secrets)


if __name__ == "__main__":
    main(*sys.argv[1:])
