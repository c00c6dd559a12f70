"""The embedded Label Studio: for this machine only, offline, with its own accounts.

    <home>/servers/label_studio/
      secrets.json    0600: the server's key, the curator's account, everybody else's
      data/           database and media, copied from the environment's migrated template
      server.json     held by the running server: its process and port
      server.log      what it said since it started
      public.json     its address for people, and the port to which the proxy forwards

Label Studio has no roles: whoever has an account can see and change every project. It therefore
listens on 127.0.0.1 alone, and the people with accounts are trusted. For a team, a reverse proxy
on the same machine gives it a public address.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

from curate import storage
from curate.errors import ServerError
from curate.servers import (
    Account,
    Home,
    Running,
    Watch,
    checked_email,
    environments,
    processes,
    unwatched,
)
from curate.servers import public as public_name
from curate.servers.environments import Environment

PORT = 8080
CURATOR = "curator@localhost.localdomain"
HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"

SETTINGS = {
    "LABEL_STUDIO_ALLOWED_HOSTS": "127.0.0.1,localhost",  # another name for us is an attack
    "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
    "LABEL_STUDIO_LS_CSP_REPORT_ONLY": "false",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LABEL_STUDIO_TASK_LOCK_TTL": "1800",  # an opened task is free again after half an hour
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_DJANGO_DB": "sqlite",
    "CONVERTER_DOWNLOAD_RESOURCES": "false",
}
"""The hardened settings; every one was measured with the API and the whole interface at work."""

INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that the server sees of our environment: Label Studio reads names as common as `HOST`."""

TAKEN = 3
"""How `inside.py` ends if it gets none of its ports."""


def start(home: Home, watch: Watch = unwatched, public: str | None = None) -> Running:
    """Start the server, or return the one that runs.

    `public` is the https address at which a proxy on this machine offers it; "" is none; without
    it, it is what it was. The first start builds the server, in one to four minutes; a later one
    takes about 4 s. Raises ServerError: with the end of the log, or because the server that runs
    has another public address.
    """
    wanted = public_name.checked(public) if public else public
    root = _prepared(home)
    with processes.held(root / ".starting"):
        running = processes.running(_state(root))
        if running is None:
            environment = _environment(home, watch)
            _copy_template(environment, root)
            _secrets(root)
            _launch(environment, root, *_place(root, wanted))
        elif wanted not in (None, running.public):
            raise _has_another_address(running, wanted or "")
        with watch("starting Label Studio", None):
            running = _wait(root)
        _remember(root, running)
        return running


def _place(root: Path, wanted: str | None) -> tuple[str, Sequence[int]]:
    """Return the public address, and the ports to try.

    A proxy forwards people with their passwords to one port: where one is known, no other is taken
    unless the address is given anew, and the proxy's lines with it.
    """
    last = _last_place(root)
    if wanted is None and last["url"]:
        return last["url"], (last["port"],)
    return wanted or "", (last["port"] if wanted else PORT, 0)


def _remember(root: Path, running: Running) -> None:
    place = {"url": running.public, "port": running.port if running.public else PORT}
    if _last_place(root) != place:
        storage.write_json(_public_file(root), place)


def _last_place(root: Path) -> dict[str, Any]:
    return dict(storage.read_json(_public_file(root)) or {"url": "", "port": PORT})


def _has_another_address(running: Running, wanted: str) -> ServerError:
    now = f"as {running.public}" if running.public else "for this machine only"
    return ServerError(
        f"Label Studio runs already, {now}",
        hint=f"`curate server stop`, then `curate server start --public-url {wanted or repr('')}`",
    )


def stop(home: Home) -> bool:
    """End the server; return whether one ran."""
    return processes.end(_state(_root(home)))


def status(home: Home) -> Running | None:
    """Return the running server, or None."""
    return processes.running(_state(_root(home)))


def reset(home: Home) -> None:
    """End the server and remove everything in it: projects, answers, accounts."""
    processes.remove(_root(home), _state(_root(home)))


def curator(home: Home) -> Account:
    """Return the account that curate itself uses, and the curator may log in with."""
    return Account(**_secrets(_prepared(home))["curator"])


def accounts(home: Home) -> list[Account]:
    """Return the accounts of the people who annotate, in the order in which they were added."""
    return [Account(**account) for account in _secrets(_prepared(home))["people"]]


def add_account(home: Home, email: str, name: str, watch: Watch = unwatched) -> Account:
    """Give a person an account; see `add_accounts`."""
    return add_accounts(home, [(email, name)], watch)[0]


def add_accounts(
    home: Home, people: Iterable[tuple[str, str]], watch: Watch = unwatched
) -> list[Account]:
    """Give people (e-mail, name) accounts; an e-mail that is known keeps its password.

    A server that does not run makes them when it starts. Raises ServerError for what is no e-mail.
    """
    root = _prepared(home)
    with processes.held(root / ".accounts"):
        secrets = _secrets(root)
        known = {account["email"]: account for account in secrets["people"]}
        added = [_account(email, name, known) for email, name in people]
        if set(known) != {account["email"] for account in secrets["people"]}:
            secrets["people"] = list(known.values())
            storage.write_json(_secrets_file(root), secrets, private=True)
        if status(home):
            with watch("adding accounts", None):
                _wait(root)  # a server that is starting makes accounts itself
                _run_inside(_environment(home, watch), root / "data", "users", _secrets_file(root))
    return [Account(**account) for account in added]


def _account(email: str, name: str, known: dict[str, dict[str, str]]) -> dict[str, str]:
    email = checked_email(email)
    if email == CURATOR:
        raise ServerError(f"{email} is the curator's own account", hint="give another e-mail")
    return known.setdefault(email, _new_account(email, name))


def _new_account(email: str, name: str) -> dict[str, str]:
    account = Account(email, name[:30], token_urlsafe(12), token_hex(20))
    return asdict(account)


def _secrets(root: Path) -> dict[str, Any]:
    """Return what is in the file of secrets, drawing them the first time."""
    with processes.held(root / ".secrets"):
        secrets = storage.read_json(_secrets_file(root))
        if secrets is None:
            key = token_urlsafe(48)
            secrets = {"secret_key": key, "curator": _new_account(CURATOR, "Curator"), "people": []}
            storage.write_json(_secrets_file(root), secrets, private=True)
    return dict(secrets)


def _environment(home: Home, watch: Watch) -> Environment:
    def make_template(environment: Environment) -> None:
        with watch("preparing Label Studio's database (once)", None):
            environment.template.mkdir(mode=0o700)
            _run_inside(environment, environment.template, "migrate")

    return environments.build(
        "label_studio", LOCK, home.environments, finish=make_template, watch=watch
    )


def _copy_template(environment: Environment, root: Path) -> None:
    data, copy = root / "data", root / ".data"
    if not data.exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(environment.template, copy)
        copy.rename(data)


def _launch(environment: Environment, root: Path, public: str, ports: Sequence[int]) -> None:
    _state(root).write_text("")  # so that nobody takes an earlier server's record for the new one's
    log = _log(root)
    if log.exists():
        log.replace(log.with_suffix(".old.log"))
    listed = ",".join(map(str, ports))
    command = _command(environment, "serve", _secrets_file(root), _state(root), listed, public)
    with log.open("ab") as output:
        launched = subprocess.run(
            command,
            env=_variables(root / "data") | _named(public),
            cwd=root / "data",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
    if launched.returncode == TAKEN:
        raise ServerError(
            f"port {ports[0]}, to which the proxy of {public} forwards, is taken",
            hint=f"end who has it, or take another: `curate server start --public-url {public}`",
        )
    if launched.returncode:
        raise ServerError(f"Label Studio did not start:\n{processes.tail(log)}", hint=f"see {log}")


def _wait(root: Path) -> Running:
    return processes.wait_until_up(_state(root), "/health", _log(root), patience=180)


def _run_inside(environment: Environment, data: Path, *arguments: str | Path) -> None:
    done = subprocess.run(
        _command(environment, *arguments),
        env=_variables(data),
        cwd=data,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        end = "\n".join(done.stderr.splitlines()[-15:])
        raise ServerError(f"Label Studio could not do `{arguments[0]}`:\n{end}", hint=f"see {data}")


def _command(environment: Environment, *arguments: str | Path | int) -> Sequence[str]:
    return [str(environment.python), "-I", str(HERE / "inside.py"), *map(str, arguments)]


def _variables(data: Path) -> dict[str, str]:
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    return {**inherited, **SETTINGS, "HOME": str(data), "LABEL_STUDIO_BASE_DATA_DIR": str(data)}


def _named(public: str) -> dict[str, str]:
    """Return what changes with a public address; its own addresses stay relative.

    `LABEL_STUDIO_HOST` would make them absolute, and break the pages for who comes by loopback.
    """
    if not public:
        return {}
    hosts = f"{SETTINGS['LABEL_STUDIO_ALLOWED_HOSTS']},{public_name.host(public)}"
    return {
        "LABEL_STUDIO_ALLOWED_HOSTS": hosts,
        "LABEL_STUDIO_CSRF_TRUSTED_ORIGINS": public,
    }


def _root(home: Home) -> Path:
    return home.home / "servers" / "label_studio"


def _prepared(home: Home) -> Path:
    root = _root(home)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _state(root: Path) -> Path:
    return root / "server.json"


def _public_file(root: Path) -> Path:
    return root / "public.json"


def _log(root: Path) -> Path:
    return root / "server.log"


def _secrets_file(root: Path) -> Path:
    return root / "secrets.json"
