"""Which server a backend's name means: the only place that reads keys.

A server named in the environment is used as it is; otherwise the embedded one is started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from curate.backends import Backend
from curate.backends.folder import FolderBackend
from curate.errors import NotAllowed, RecipeError, ServerError
from curate.progress import Watch
from curate.servers import Account, Home, Running

VARIABLES = {
    "label_studio": ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"),
    "argilla": ("ARGILLA_API_URL", "ARGILLA_API_KEY"),
}
"""What names a server, and the key to it, in the environment: as the SDKs have it."""

EMBEDDED = tuple(VARIABLES)
"""The servers that curate can start itself."""


def home(environment: Mapping[str, str] = os.environ) -> Home:
    """Return where servers live: `CURATE_HOME`, else the user's data folder.

    Built environments are shared between homes, under `CURATE_ENVIRONMENTS` if that is set.
    """
    data = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "curate"
    state = Path(environment.get("CURATE_HOME") or data).resolve()
    built = Path(environment.get("CURATE_ENVIRONMENTS") or data / "environments").resolve()
    return Home(state, built)


def embedded(name: str) -> EmbeddedServer:
    """Return the embedded server of that name."""
    from curate.servers.argilla import server as argilla
    from curate.servers.label_studio import server as label_studio

    servers: dict[str, EmbeddedServer] = {"label_studio": label_studio, "argilla": argilla}
    if name not in servers:
        raise RecipeError(f"no embedded server {name}", hint=" or ".join(servers))
    return servers[name]


def start(name: str, home: Home, watch: Watch, public: str | None = None) -> Running:
    """Start an embedded server, or return the one that runs; `public` as in `Embedded.start`.

    Raises ServerError for a public address of Argilla: its last release pins packages with known
    holes and shows texts as HTML, so that it must not be reached by others than its few people.
    """
    from curate.servers.argilla.server import PORT

    if public and name == "argilla":
        raise ServerError(
            f"the embedded {name} gets no public address: it pins packages with known holes and "
            "shows texts as HTML, so it stays on this machine",
            hint=f"`ssh -N -L {PORT}:127.0.0.1:{PORT} you@this-machine` brings people you trust "
            "to it",
        )
    return embedded(name).start(home, watch, public)


def remote_accounts(
    name: str, environment: Mapping[str, str] = os.environ
) -> RemoteAccounts | None:
    """Return the accounts of the server that the environment names; None if it names none."""
    if name not in VARIABLES or (there := _remote(name, environment)) is None:
        return None
    if name == "argilla":
        from curate.backends.argilla.accounts import ArgillaAccounts

        return ArgillaAccounts(*there)
    from curate.backends.label_studio.accounts import LabelStudioAccounts

    return LabelStudioAccounts(*there)


def _remote(name: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return address and key of the server that the environment names, if it names one."""
    names = VARIABLES[name]
    url, key = map(environment.get, names)
    if url and not key:
        raise NotAllowed(f"{names[0]} is set but {names[1]} is not", hint=f"export {names[1]}=…")
    return (url, key) if url and key else None


class EmbeddedServer(Protocol):
    """What every embedded server's module offers."""

    def start(self, home: Home, watch: Watch = ..., public: str | None = ...) -> Running: ...
    def stop(self, home: Home) -> bool: ...
    def status(self, home: Home) -> Running | None: ...
    def reset(self, home: Home) -> None: ...
    def curator(self, home: Home) -> Account: ...
    def accounts(self, home: Home) -> list[Account]: ...
    def add_account(self, home: Home, email: str, name: str, watch: Watch = ...) -> Account: ...


class RemoteAccounts(Protocol):
    """The accounts of a server that is not ours."""

    url: str

    def logins(self) -> tuple[str, ...]: ...
    def add(self, email: str, name: str) -> Account: ...


@dataclass(frozen=True)
class Login:
    """How people get to the page.

    The curator's own login stands here where nobody else is asked; an embedded server knows those
    of the others (`listed`), a remote one's are unknown.
    """

    url: str
    user: str | None = None
    password: str | None = None
    listed: bool = False


class Connections:
    """Connects a workspace to annotation servers, and remembers nothing else."""

    def __init__(
        self,
        root: Path,
        watch: Watch,
        environment: Mapping[str, str] = os.environ,
        *,
        accept_withdrawals: bool = False,
    ) -> None:
        self._root, self._watch, self._environment = root.resolve(), watch, environment
        self._accept = accept_withdrawals

    def __call__(self, name: str) -> Backend:
        """Return the backend of that name, starting the embedded server if none is named."""
        if name == "folder":
            return FolderBackend(self._root / "rounds", accept_withdrawals=self._accept)
        if name not in VARIABLES:
            names = ", ".join(VARIABLES)
            raise RecipeError(f"push.backend: no backend {name}", hint=f"{names} or folder")
        if there := _remote(name, self._environment):
            return self._connected(name, *there)
        place = home(self._environment)
        running = embedded(name).start(place, self._watch)
        key = embedded(name).curator(place).token
        return self._connected(name, running.url, key, running.public, running.bulk)

    def _connected(
        self, name: str, url: str, key: str, public: str = "", bulk: str = ""
    ) -> Backend:
        """Return the backend of a server that is there."""
        if name == "argilla":
            from curate.backends.argilla.backend import ArgillaBackend

            return ArgillaBackend(url, key, bulk=bulk, accept_withdrawals=self._accept)
        from curate.backends.label_studio.backend import LabelStudioBackend

        places = {"public": public, "bulk": bulk}
        return LabelStudioBackend(url, key, **places, accept_withdrawals=self._accept)

    def running(self, name: str) -> Backend | None:
        """Return the backend of that name if there is a server; unlike a call, it starts none."""
        if (
            name in VARIABLES
            and not self._environment.get(VARIABLES[name][0])
            and embedded(name).status(home(self._environment)) is None
        ):
            return None
        return self(name)

    def login(self, backend: str, url: str) -> Login:
        """Return how to log in where people label.

        A round remembers the address of its first push; the embedded server may have another since.
        """
        if backend not in VARIABLES or self._environment.get(VARIABLES[backend][0]):
            return Login(url)
        place = home(self._environment)
        if running := embedded(backend).status(place):
            url = running.page + urlsplit(url)._replace(scheme="", netloc="").geturl()
        if embedded(backend).accounts(place):
            return Login(url, listed=True)
        account = embedded(backend).curator(place)
        return Login(url, account.email, account.password)
