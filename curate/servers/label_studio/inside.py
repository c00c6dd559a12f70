"""Runs inside the Label Studio server's own Python, never in curate's.

    inside.py migrate                       make the database
    inside.py users SECRETS                 see that everyone in the file of secrets can log in
    inside.py serve SECRETS STATE PORT      go into the background and serve

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
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

HOST = "127.0.0.1"


def set_up(secret_key: str) -> None:
    """Load Django with Label Studio's settings."""
    spec = find_spec("label_studio")
    assert spec is not None
    assert spec.origin is not None
    sys.path.insert(0, str(Path(spec.origin).parent))  # it imports its parts as top-level packages
    os.environ["SECRET_KEY"] = secret_key
    os.environ["DJANGO_SETTINGS_MODULE"] = "label_studio.core.settings.label_studio"
    import django

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
    """Let an account log in with its password and call the API with its token."""
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token
    from users.models import User

    email, token = account["email"], account["token"]
    if Token.objects.filter(user__email=email, key=token, user__first_name=account["name"]):
        return
    user = User.objects.filter(email=email).first() or User.objects.create_user(email=email)
    user.username = email.partition("@")[0]
    user.first_name = account["name"]
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


def bind(port: int) -> Any:
    """Return a server bound to that port, or to any free one if it is taken."""
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

    class Server(socketserver.ThreadingMixIn, WSGIServer):  # type: ignore[misc]
        daemon_threads = True

    try:
        return Server((HOST, port), WSGIRequestHandler)
    except OSError:
        return Server((HOST, 0), WSGIRequestHandler)


def serve(secrets: dict[str, Any], state: Path, port: int) -> None:
    """Serve until killed; the state file says which process this is and on which port."""
    file = hold(state)
    go_into_background()
    server = bind(port)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "port": server.server_port, "started": started}))
    file.write("\n")
    file.flush()
    set_up(secrets["secret_key"])
    migrate()
    ensure_users(secrets)
    from django.core.wsgi import get_wsgi_application

    server.set_app(get_wsgi_application())
    server.serve_forever()


def main(command: str, *arguments: str) -> None:
    """Run one of the commands above."""
    if command == "migrate":
        set_up("only for the template")
        migrate()
        return
    secrets = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    if command == "serve":
        serve(secrets, Path(arguments[1]), int(arguments[2]))
        return
    set_up(secrets["secret_key"])
    ensure_users(secrets)


if __name__ == "__main__":
    main(*sys.argv[1:])
