"""An embedded server seen from outside: build it, start it, end it, give people accounts.

Code that all servers share is here; `<name>/server.py` holds the rest.

    <home>/servers/<name>/
      secrets.json    0600: the server's key and all accounts
      data/           database and files, copied from the environment's migrated template
      media/          images, sounds and films of rounds, by project (`shelf.py`)
      server.json     locked by the running server: its process and ports
      server.log      its output since it started
      public.json     its address for people, and the port to which the proxy forwards
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

from curate import storage
from curate.errors import DataError, ServerError
from curate.progress import Watch, unwatched
from curate.servers import daemon, environments, processes
from curate.servers.environments import Environment
from curate.servers.public import checked
from curate.servers.running import Account, Home, Running
from curate.servers.shelf import Shelf

INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""The only variables that a server inherits: servers read names as common as `HOST`."""

Login = Callable[[str], str]
"""Normalises a login; raises ServerError for a text that cannot be one."""


@dataclass(frozen=True)
class Embedded:
    """An embedded server; the folder `here` holds its `requirements.lock` and `inside.py`.

    `variables` gives the settings for a data folder. `health` is the path that answers 200 once
    the server is up. `named` gives the settings for a public address; None allows no such address.
    `accounts_path` is where a running server is asked to follow the file of secrets ("": nowhere).
    """

    name: str
    title: str
    here: Path
    port: int
    health: str
    variables: Callable[[Path], Mapping[str, str]]
    curators_login: str
    login: Login
    named: Callable[[str], Mapping[str, str]] | None = None
    accounts_path: str = ""

    def start(self, home: Home, watch: Watch = unwatched, public: str | None = None) -> Running:
        """Start the server, or return the one that runs; the first start builds it.

        `public` is the https address at which a proxy on this machine offers the server; "" is
        none; None keeps the last one. Raises ServerError with the end of the log if it does not
        start, and if the running server has another public address.
        """
        if public and self.named is None:
            raise ServerError(f"{self.title} gets no public address", hint="use `ssh -N -L`")
        address = checked(public) if public else public
        root = self._prepared(home)
        with processes.held(root / ".starting"):
            running = self.status(home)
            if running and address not in (None, running.public):
                raise self._has_another_address(running, address or "")
            running = self._answering(root, watch)
            if running is None:
                environment = self._environment(home, watch)
                _copy_template(environment, root)
                self._secrets(root)
                self._launch(environment, root, *self._place(root, address))
                running = self._answering(root, watch)
            if running is None:
                raise self._did_not_start(root)
            self._remember(root, running)
            return running

    def stop(self, home: Home) -> bool:
        """End the server; return whether one ran."""
        return processes.end(_state(self.root(home)))

    def status(self, home: Home) -> Running | None:
        """The running server, or None."""
        return processes.running(_state(self.root(home)))

    def reset(self, home: Home) -> None:
        """End the server and remove everything in it: projects, answers, accounts."""
        processes.remove(self.root(home), _state(self.root(home)))

    def curator(self, home: Home) -> Account:
        """The account of curate itself; the curator may log in with it too."""
        return Account(**self._secrets(self._prepared(home))["curator"])

    def accounts(self, home: Home) -> list[Account]:
        """The accounts of the people who annotate, in the order in which they were added."""
        people = self._secrets(self._prepared(home))["people"]
        return [Account(**account) for account in people]

    def add_account(self, home: Home, email: str, name: str, watch: Watch = unwatched) -> Account:
        """Give a person an account; see `add_accounts`."""
        return self.add_accounts(home, [(email, name)], watch)[0]

    def add_accounts(
        self, home: Home, people: Iterable[tuple[str, str]], watch: Watch = unwatched
    ) -> list[Account]:
        """Give people (login, name) accounts; a login that has one keeps its password.

        If the server does not run, it makes them when it starts. Raises ServerError for a text
        that cannot be a login.
        """
        root = self._prepared(home)
        with processes.held(root / ".accounts"):
            secrets = self._secrets(root)
            by_login = {account["email"]: account for account in secrets["people"]}
            added = [self._account(login, name, by_login) for login, name in people]
            self._let_in(home, secrets, by_login, watch)
        return [Account(**account) for account in added]

    def remove_account(self, home: Home, login: str, watch: Watch = unwatched) -> None:
        """End a person's account; projects and answers stay. Raises ServerError if there is none.

        The server keeps the user under the same id, so an account that is added again is theirs.
        """
        self._change_account(home, login, watch, lambda account: None)

    def new_password(self, home: Home, login: str, watch: Watch = unwatched) -> Account:
        """Give an account another password and token. Raises ServerError if there is none."""

        def renewed(account: dict[str, str]) -> dict[str, str]:
            return _new_account(account["email"], account["name"])

        return Account(**self._change_account(home, login, watch, renewed)[self.login(login)])

    def _change_account(
        self,
        home: Home,
        login: str,
        watch: Watch,
        change: Callable[[dict[str, str]], dict[str, str] | None],
    ) -> dict[str, dict[str, str]]:
        """Replace an account by `change` of it (None: it ends); return all accounts by login."""
        root, email = self._prepared(home), self.login(login)
        with processes.held(root / ".accounts"):
            secrets = self._secrets(root)
            by_login = {account["email"]: account for account in secrets["people"]}
            if email not in by_login:
                raise ServerError(
                    f"{self.title} has no account {email}", hint="see `curate server accounts list`"
                )
            changed = change(by_login.pop(email))
            if changed is not None:
                by_login[email] = changed
            self._let_in(home, secrets, by_login, watch)
        return by_login

    def _let_in(
        self,
        home: Home,
        secrets: dict[str, Any],
        by_login: Mapping[str, dict[str, str]],
        watch: Watch,
    ) -> None:
        """Write down the accounts, and let a running server follow at once."""
        root, before = self._prepared(home), {account["email"] for account in secrets["people"]}
        removed = {*secrets.get("removed", ()), *before} - by_login.keys()
        accounts = {"people": list(by_login.values()), "removed": sorted(removed)}
        if accounts["people"] != secrets["people"]:
            storage.write_json(_secrets_file(root), {**secrets, **accounts}, private=True)
        if running := self._answering(root, watch):  # a starting one makes the accounts itself
            with watch("changing accounts", None):
                if not self._follows(running, secrets["curator"]["token"]):
                    environment = self._environment(home, watch)
                    self._run(environment, root / "data", "users", _secrets_file(root))

    def _follows(self, running: Running, token: str) -> bool:
        """Ask a server to follow the file of secrets; False if it does not know how to."""
        headers = {"Authorization": f"Token {token}"}
        asked = self.accounts_path and processes.status_of(
            running.bulk, self.accounts_path, method="POST", headers=headers, timeout=600
        )
        return asked == processes.FOLLOWED

    def shelf(self, home: Home) -> Shelf:
        """Where media lie that people see on this server, and the key to their addresses."""
        root = self._prepared(home)
        return Shelf.of(root / "media", self._secrets(root)["secret_key"])

    def root(self, home: Home) -> Path:
        """The folder of this server's state."""
        return home.home / "servers" / self.name

    def _place(self, root: Path, address: str | None) -> tuple[str, Sequence[int]]:
        """The public address, and the ports to try.

        While a public address is remembered, only its port is tried: a proxy sends passwords there.
        Passing the address again allows another port, and prints new lines for the proxy.
        """
        last = self._last_place(root)
        if address is None and last["url"]:
            return last["url"], (last["port"],)
        return address or "", (last["port"] if address else self.port, 0)

    def _remember(self, root: Path, running: Running) -> None:
        place = {"url": running.public, "port": running.port if running.public else self.port}
        if self._last_place(root) != place:
            storage.write_json(root / "public.json", place)

    def _last_place(self, root: Path) -> dict[str, Any]:
        return dict(_read(root / "public.json") or {"url": "", "port": self.port})

    def _has_another_address(self, running: Running, address: str) -> ServerError:
        current = f"as {running.public}" if running.public else "for this machine only"
        command = f"curate server start {self.name} --public-url {address or repr('')}"
        return ServerError(
            f"{self.title} runs already, {current}",
            hint=f"`curate server stop {self.name}`, then `{command}`",
        )

    def _account(
        self, login: str, name: str, by_login: dict[str, dict[str, str]]
    ) -> dict[str, str]:
        email = self.login(login)
        if email == self.curators_login:
            raise ServerError(f"{email!r} is the curator's own account", hint="give another")
        return by_login.setdefault(email, _new_account(email, name))

    def _prepared(self, home: Home) -> Path:
        root = self.root(home)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return root

    def _secrets(self, root: Path) -> dict[str, Any]:
        """The content of the file of secrets; drawn at random the first time."""
        with processes.held(root / ".secrets"):
            secrets = _read(_secrets_file(root))
            if secrets is None:
                curator = _new_account(self.curators_login, "Curator")
                secrets = {"secret_key": token_urlsafe(48), "curator": curator, "people": []}
                storage.write_json(_secrets_file(root), secrets, private=True)
        return dict(secrets)

    def _environment(self, home: Home, watch: Watch) -> Environment:
        def make_template(environment: Environment) -> None:
            with watch(f"preparing {self.title}'s database (once)", None):
                environment.template.mkdir(mode=0o700)
                self._run(environment, environment.template, "migrate")

        lock = self.here / "requirements.lock"
        return environments.build(
            self.name, lock, home.environments, finish=make_template, watch=watch
        )

    def _launch(
        self, environment: Environment, root: Path, public: str, ports: Sequence[int]
    ) -> None:
        _state(root).write_text("")  # nobody may read an earlier server's record
        log = _log(root)
        if log.exists():
            log.replace(log.with_suffix(".old.log"))
        settings = self.named(public) if self.named and public else {}
        with log.open("ab") as output:
            process = subprocess.run(
                self._command(
                    *(environment, "serve", _secrets_file(root), _state(root)),
                    *(",".join(map(str, ports)), public),
                ),
                env={**self._variables(root / "data"), **settings, **_ours(root)},
                cwd=root / "data",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            )
        if process.returncode == daemon.TAKEN and public:
            command = f"curate server start {self.name} --public-url {public}"
            raise ServerError(
                f"port {ports[0]}, to which the proxy of {public} forwards, is taken",
                hint=f"stop the program that uses the port, or choose another port: `{command}`",
            )
        if process.returncode:
            raise self._did_not_start(root)

    def _did_not_start(self, root: Path) -> ServerError:
        output = processes.tail(_log(root)) or "it said nothing, as one that was ended from outside"
        return ServerError(f"{self.title} did not start:\n{output}", hint=f"see {_log(root)}")

    def _answering(self, root: Path, watch: Watch) -> Running | None:
        """The running server, once it answers; None if it does not run, or ends meanwhile."""
        if processes.running(_state(root)) is None:
            return None
        with watch(f"starting {self.title}", None):
            return processes.until_up(_state(root), self.health, _log(root), patience=180)

    def _run(self, environment: Environment, data: Path, *arguments: str | Path) -> None:
        process = subprocess.run(
            self._command(environment, *arguments),
            env=self._variables(data),
            cwd=data,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if process.returncode:
            errors = "\n".join(process.stderr.splitlines()[-15:])
            failure = f"{self.title} could not do `{arguments[0]}`"
            raise ServerError(f"{failure}:\n{errors}", hint=f"see {data}")

    def _command(self, environment: Environment, *arguments: str | Path) -> Sequence[str]:
        script = [str(environment.python), "-I", daemon.__file__]
        return [*script, self.name, *map(str, arguments)]

    def _variables(self, data: Path) -> dict[str, str]:
        inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
        return {**inherited, **self.variables(data), "HOME": str(data)}


def _new_account(login: str, name: str) -> dict[str, str]:
    return asdict(Account(login, name.strip()[:30] or login, token_urlsafe(12), token_hex(20)))


def _copy_template(environment: Environment, root: Path) -> None:
    data, copy = root / "data", root / ".data"
    if data.exists():
        return
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(environment.template, copy)
    except shutil.Error as error:
        why = error.args[0][0][2]
        raise ServerError(
            f"no database can be made in {root}: {why}",
            hint="check that the disk has space left (`df`)",
        ) from None
    copy.rename(data)


def _read(path: Path) -> Any:
    """The JSON of a file in a server's folder; None if there is no such file."""
    try:
        return storage.read_json(path)
    except DataError:
        hint = "put back a copy; or remove it, then add the accounts or the public address again"
        raise ServerError(f"{path} is damaged", hint=hint) from None


def _state(root: Path) -> Path:
    return root / "server.json"


def _log(root: Path) -> Path:
    return root / "server.log"


def _ours(root: Path) -> dict[str, str]:
    return {"CURATE_MEDIA": str(root / "media"), "CURATE_SECRETS": str(_secrets_file(root))}


def _secrets_file(root: Path) -> Path:
    return root / "secrets.json"
