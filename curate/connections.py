"""The server that a backend's name means. Only this file reads keys.

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
from curate.servers.shelf import Shelf

VARIABLES = {
    "label_studio": ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"),
    "argilla": ("ARGILLA_API_URL", "ARGILLA_API_KEY"),
}
"""The environment variables of a server's address and key, named as in its SDK."""

EMBEDDED = tuple(VARIABLES)
"""The servers that curate can start itself."""


def home(environment: Mapping[str, str] = os.environ) -> Home:
    """The folder of the servers: `CURATE_HOME`, else the user's data folder.

    Built environments are shared between homes, under `CURATE_ENVIRONMENTS` if that is set.
    """
    data = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "curate"
    state = Path(environment.get("CURATE_HOME") or data).resolve()
    built = Path(environment.get("CURATE_ENVIRONMENTS") or data / "environments").resolve()
    return Home(state, built)


def embedded(name: str) -> EmbeddedServer:
    """The embedded server of that name. Raises RecipeError for an unknown name."""
    from curate.servers.argilla import server as argilla
    from curate.servers.label_studio import server as label_studio

    servers: dict[str, EmbeddedServer] = {"label_studio": label_studio, "argilla": argilla}
    if name not in servers:
        raise RecipeError(f"no embedded server {name}", hint=" or ".join(servers))
    return servers[name]


def start(name: str, home: Home, watch: Watch, public: str | None = None) -> Running:
    """Start an embedded server, or return the one that runs; `public` as in `Embedded.start`.

    Raises ServerError for a public address of Argilla. Its last release pins packages with known
    holes and shows texts as HTML: strangers must not reach it.
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
    """The accounts of the server that the environment names; None if it names none.

    Raises NotAllowed for an address without a key.
    """
    if name not in VARIABLES or (address := _remote_address(name, environment)) is None:
        return None
    if name == "argilla":
        from curate.backends.argilla.accounts import ArgillaAccounts

        return ArgillaAccounts(*address)
    from curate.backends.label_studio.accounts import LabelStudioAccounts

    return LabelStudioAccounts(*address)


def _remote_address(name: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The address and the key of the server that the environment names; None if it names none.

    Raises NotAllowed for an address without a key.
    """
    names = VARIABLES[name]
    url, key = map(environment.get, names)
    if url and not key:
        raise NotAllowed(f"{names[0]} is set but {names[1]} is not", hint=f"export {names[1]}=…")
    return (url, key) if url and key else None


class EmbeddedServer(Protocol):
    """The functions of an embedded server's module."""

    def start(self, home: Home, watch: Watch = ..., public: str | None = ...) -> Running:
        """Start the server, or return the one that runs."""

    def stop(self, home: Home) -> bool:
        """Stop the server; whether one ran."""

    def status(self, home: Home) -> Running | None:
        """The server if it runs."""

    def reset(self, home: Home) -> None:
        """Remove the server with everything in it."""

    def curator(self, home: Home) -> Account:
        """The account that curate itself uses."""

    def shelf(self, home: Home) -> Shelf:
        """Where media lie that people see on the server."""

    def accounts(self, home: Home) -> list[Account]:
        """The accounts of annotators."""

    def add_account(self, home: Home, email: str, name: str, watch: Watch = ...) -> Account:
        """Make an account for an annotator, or return the one there is."""

    def remove_account(self, home: Home, login: str, watch: Watch = ...) -> None:
        """End an account; answers stay."""

    def new_password(self, home: Home, login: str, watch: Watch = ...) -> Account:
        """Give an account another password and token."""


class RemoteAccounts(Protocol):
    """The accounts of a server that curate does not run."""

    url: str

    def logins(self) -> tuple[str, ...]:
        """The logins of the people who have an account."""

    def add(self, email: str, name: str) -> Account:
        """Make an account for an annotator."""

    def remove(self, login: str) -> None:
        """End an account; answers stay."""


@dataclass(frozen=True)
class Login:
    """The address of the page on which people label, and a login to it.

    The login is the curator's, and only if nobody is named, or if the embedded server has no
    account for annotators. If it has some, `listed` is true. Those of a remote server are unknown.
    """

    url: str
    user: str | None = None
    password: str | None = None
    listed: bool = False


class Connections:
    """Connects a workspace to annotation servers."""

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
        """The backend of that name; the embedded server starts if the environment names none.

        Raises RecipeError for an unknown name, and NotAllowed for a server without a key.
        """
        if name == "folder":
            return FolderBackend(self._root / "rounds", accept_withdrawals=self._accept)
        if name not in VARIABLES:
            names = ", ".join(VARIABLES)
            raise RecipeError(f"push.backend: no backend {name}", hint=f"{names} or folder")
        if address := _remote_address(name, self._environment):
            return self._connected(name, *address)
        server_home = home(self._environment)
        running = embedded(name).start(server_home, self._watch)
        key = embedded(name).curator(server_home).token
        shelf = embedded(name).shelf(server_home)
        return self._connected(name, running.url, key, running.public, running.bulk, shelf)

    def _connected(
        self,
        name: str,
        url: str,
        key: str,
        public: str = "",
        bulk: str = "",
        shelf: Shelf | None = None,
    ) -> Backend:
        """The backend of a server that runs."""
        if name == "argilla":
            from curate.backends.argilla.backend import ArgillaBackend

            return ArgillaBackend(url, key, bulk=bulk, shelf=shelf, accept_withdrawals=self._accept)
        from curate.backends.label_studio.backend import LabelStudioBackend

        return LabelStudioBackend(
            url, key, public=public, bulk=bulk, shelf=shelf, accept_withdrawals=self._accept
        )

    def running(self, name: str) -> Backend | None:
        """The backend of that name; None if its embedded server does not run. It starts none."""
        if (
            name in VARIABLES
            and not self._environment.get(VARIABLES[name][0])
            and embedded(name).status(home(self._environment)) is None
        ):
            return None
        return self(name)

    def login(self, backend: str, url: str, *, named: bool = True) -> Login:
        """The address on which people label, and a login to it; `named`: somebody named them.

        A round keeps the address of its first push. The embedded server may have another one now.
        """
        if backend not in VARIABLES or self._environment.get(VARIABLES[backend][0]):
            return Login(url)
        server_home = home(self._environment)
        if running := embedded(backend).status(server_home):
            url = running.page + urlsplit(url)._replace(scheme="", netloc="").geturl()
        listed = bool(embedded(backend).accounts(server_home))
        if listed and named:
            return Login(url, listed=True)
        account = embedded(backend).curator(server_home)
        return Login(url, account.email, account.password, listed)
