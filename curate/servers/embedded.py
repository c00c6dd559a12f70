"""An embedded server seen from outside: built, started, ended, and given its people.

What servers have in common lives here; each module beside this one says what is its own.

    <home>/servers/<name>/
      secrets.json    0600: the server's key, the curator's account, everybody else's
      data/           database and files, copied from the environment's migrated template
      server.json     held by the running server: its process and port
      server.log      what it said since it started
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
from curate.errors import ServerError
from curate.progress import Watch, unwatched
from curate.servers import daemon, environments, processes
from curate.servers.environments import Environment
from curate.servers.public import checked
from curate.servers.running import Account, Home, Running

INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that a server sees of our environment; servers read names as common as `HOST`."""

Login = Callable[[str], str]
"""Gives a login its one spelling; raises ServerError for what can be none."""


@dataclass(frozen=True)
class Embedded:
    """A server of one's own; `here` holds its `requirements.lock` and its `inside.py`.

    `variables` are the settings it gets for a folder of data; `health` is the path that answers
    200 once it is up. `named` are the settings for a public address, if it may have one.
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

    def start(self, home: Home, watch: Watch = unwatched, public: str | None = None) -> Running:
        """Start the server, or return the one that runs; the first start builds it.

        `public` is the https address at which a proxy on this machine offers it; "" is none;
        without it, it is what it was. Raises ServerError: with the end of the log, or because the
        server that runs has another public address.
        """
        if public and self.named is None:
            raise ServerError(f"{self.title} gets no public address", hint="use `ssh -N -L`")
        wanted = checked(public) if public else public
        root = self._prepared(home)
        with processes.held(root / ".starting"):
            running = self.status(home)
            if running and wanted not in (None, running.public):
                raise self._has_another_address(running, wanted or "")
            running = self._found(root, watch)
            if running is None:
                environment = self._environment(home, watch)
                _copy_template(environment, root)
                self._secrets(root)
                self._launch(environment, root, *self._place(root, wanted))
                running = self._found(root, watch)
            if running is None:
                raise self._did_not_start(root)
            self._remember(root, running)
            return running

    def stop(self, home: Home) -> bool:
        """End the server; return whether one ran."""
        return processes.end(_state(self.root(home)))

    def status(self, home: Home) -> Running | None:
        """Return the running server, or None."""
        return processes.running(_state(self.root(home)))

    def reset(self, home: Home) -> None:
        """End the server and remove everything in it: projects, answers, accounts."""
        processes.remove(self.root(home), _state(self.root(home)))

    def curator(self, home: Home) -> Account:
        """Return the account that curate itself uses, and the curator may log in with."""
        return Account(**self._secrets(self._prepared(home))["curator"])

    def accounts(self, home: Home) -> list[Account]:
        """Return the accounts of the people who annotate, in the order they were added in."""
        people = self._secrets(self._prepared(home))["people"]
        return [Account(**account) for account in people]

    def add_account(self, home: Home, email: str, name: str, watch: Watch = unwatched) -> Account:
        """Give a person an account; see `add_accounts`."""
        return self.add_accounts(home, [(email, name)], watch)[0]

    def add_accounts(
        self, home: Home, people: Iterable[tuple[str, str]], watch: Watch = unwatched
    ) -> list[Account]:
        """Give people (login, name) accounts; a login that is known keeps its password.

        A server that does not run makes them when it starts. Raises ServerError for what cannot
        be a login.
        """
        root = self._prepared(home)
        with processes.held(root / ".accounts"):
            secrets = self._secrets(root)
            known = {account["email"]: account for account in secrets["people"]}
            added = [self._account(login, name, known) for login, name in people]
            if len(known) != len(secrets["people"]):
                secrets["people"] = list(known.values())
                storage.write_json(_secrets_file(root), secrets, private=True)
            if self.status(home):
                self._found(root, watch)  # a server that is starting makes accounts itself
                with watch("adding accounts", None):
                    environment = self._environment(home, watch)
                    self._run(environment, root / "data", "users", _secrets_file(root))
        return [Account(**account) for account in added]

    def root(self, home: Home) -> Path:
        """Return the folder of this server's state."""
        return home.home / "servers" / self.name

    def _place(self, root: Path, wanted: str | None) -> tuple[str, Sequence[int]]:
        """Return the public address, and the ports to try.

        A proxy forwards people with their passwords to one port: where one is known, no other is
        taken unless the address is given anew, and the proxy's lines with it.
        """
        last = self._last_place(root)
        if wanted is None and last["url"]:
            return last["url"], (last["port"],)
        return wanted or "", (last["port"] if wanted else self.port, 0)

    def _remember(self, root: Path, running: Running) -> None:
        place = {"url": running.public, "port": running.port if running.public else self.port}
        if self._last_place(root) != place:
            storage.write_json(root / "public.json", place)

    def _last_place(self, root: Path) -> dict[str, Any]:
        return dict(_read(root / "public.json") or {"url": "", "port": self.port})

    def _has_another_address(self, running: Running, wanted: str) -> ServerError:
        now = f"as {running.public}" if running.public else "for this machine only"
        again = f"curate server start {self.name} --public-url {wanted or repr('')}"
        return ServerError(
            f"{self.title} runs already, {now}",
            hint=f"`curate server stop {self.name}`, then `{again}`",
        )

    def _account(self, login: str, name: str, known: dict[str, dict[str, str]]) -> dict[str, str]:
        email = self.login(login)
        if email == self.curators_login:
            raise ServerError(f"{email!r} is the curator's own account", hint="give another")
        return known.setdefault(email, _new_account(email, name))

    def _prepared(self, home: Home) -> Path:
        root = self.root(home)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return root

    def _secrets(self, root: Path) -> dict[str, Any]:
        """Return what is in the file of secrets, drawing them the first time."""
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
        _state(root).write_text("")  # so that nobody takes an earlier server's record for its own
        log = _log(root)
        if log.exists():
            log.replace(log.with_suffix(".old.log"))
        named = self.named(public) if self.named and public else {}
        with log.open("ab") as output:
            launched = subprocess.run(
                self._command(
                    *(environment, "serve", _secrets_file(root), _state(root)),
                    *(",".join(map(str, ports)), public),
                ),
                env={**self._variables(root / "data"), **named},
                cwd=root / "data",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            )
        if launched.returncode == daemon.TAKEN and public:
            again = f"curate server start {self.name} --public-url {public}"
            raise ServerError(
                f"port {ports[0]}, to which the proxy of {public} forwards, is taken",
                hint=f"end who has it, or take another: `{again}`",
            )
        if launched.returncode:
            raise self._did_not_start(root)

    def _did_not_start(self, root: Path) -> ServerError:
        said = processes.tail(_log(root)) or "it said nothing, as one that was ended from outside"
        return ServerError(f"{self.title} did not start:\n{said}", hint=f"see {_log(root)}")

    def _found(self, root: Path, watch: Watch) -> Running | None:
        """Return the server that runs, once it answers: it may still start, or be about to end."""
        if processes.running(_state(root)) is None:
            return None
        with watch(f"starting {self.title}", None):
            return processes.until_up(_state(root), self.health, _log(root), patience=180)

    def _run(self, environment: Environment, data: Path, *arguments: str | Path) -> None:
        done = subprocess.run(
            self._command(environment, *arguments),
            env=self._variables(data),
            cwd=data,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            end = "\n".join(done.stderr.splitlines()[-15:])
            what = f"{self.title} could not do `{arguments[0]}`"
            raise ServerError(f"{what}:\n{end}", hint=f"see {data}")

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
        raise ServerError(f"no database can be made in {root}: {why}", hint="see `df`") from None
    copy.rename(data)


def _read(path: Path) -> Any:
    """Return what a file in a server's folder says, or None if there is no such file."""
    try:
        return storage.read_json(path)
    except ValueError:
        hint = "put back a copy; or remove it, then add the accounts or the public address again"
        raise ServerError(f"{path} is damaged", hint=hint) from None


def _state(root: Path) -> Path:
    return root / "server.json"


def _log(root: Path) -> Path:
    return root / "server.log"


def _secrets_file(root: Path) -> Path:
    return root / "secrets.json"
