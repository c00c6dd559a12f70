"""The embedded Argilla as a process: started once, found again, ended, and never mixed up."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from curate import connections
from curate.errors import ServerError
from curate.servers import Home, processes
from curate.servers import environments as built
from curate.servers.argilla import server as argilla
from curate.servers.environments import Environment
from tests import web
from tests.argilla import Caller, Dataset
from tests.servers import environments

pytestmark = pytest.mark.live


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of one's own, in which nothing runs yet; ended afterwards."""
    home = Home(tmp_path / "home", environments())
    yield home
    argilla.stop(home)


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with one person, whose server the tests kill and start again."""
    home = Home(tmp_path_factory.mktemp("rough"), environments())
    argilla.add_accounts(home, [("ann", "Ann")])
    yield home
    argilla.stop(home)


def root(home: Home) -> Path:
    return home.home / "servers" / "argilla"


def whoami(home: Home, account: Any) -> tuple[str, str, str]:
    me = Caller(home, account)("GET", "/me")
    return me["username"], me["first_name"], me["role"]


def killed(home: Home) -> None:
    """Kill the server, and wait until it is gone."""
    server = argilla.status(home)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while argilla.status(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert argilla.status(home) is None


def test_it_is_the_embedded_server_of_that_name() -> None:
    assert connections.embedded("argilla") is argilla


def test_a_running_server_is_returned_and_speaks_to_its_people(argilla_home: Home) -> None:
    running = argilla.start(argilla_home)
    assert running == argilla.status(argilla_home)
    curator = argilla.curator(argilla_home)
    assert whoami(argilla_home, curator) == ("curator", "Curator", "owner")
    people = argilla.accounts(argilla_home)
    assert [whoami(argilla_home, each)[0] for each in people[:3]] == ["ann", "bob", "cy"]
    assert {whoami(argilla_home, each)[2] for each in people} == {"annotator"}


def test_an_account_is_added_while_it_runs_and_keeps_its_password(argilla_home: Home) -> None:
    dan = argilla.add_account(argilla_home, "Dan@Example.org ", "Dan")
    assert whoami(argilla_home, dan) == ("dan@example.org", "Dan", "annotator")
    assert argilla.add_account(argilla_home, "dan@example.org", "Daniel") == dan
    assert dan in argilla.accounts(argilla_home)
    assert len(dan.password) >= 8
    spaces = Caller(argilla_home, dan)("GET", "/me/workspaces")["items"]
    assert [space["name"] for space in spaces] == ["curate"]


@pytest.mark.parametrize("name", ["", " ", "dan smith", "-dan", "d/an", "curator", "x" * 101])
def test_what_can_be_no_account_is_refused(argilla_home: Home, name: str) -> None:
    before = argilla.accounts(argilla_home)
    with pytest.raises(ServerError, match="account") as refused:
        argilla.add_account(argilla_home, name, "Dan")
    assert refused.value.hint
    assert argilla.accounts(argilla_home) == before


def test_a_person_can_log_in_and_stays_so_over_a_restart(rough: Home) -> None:
    (ann,) = argilla.accounts(rough)
    tickets = []
    for _ in range(2):
        argilla.stop(rough)
        running = argilla.start(rough)
        form = {"username": ann.email, "password": ann.password}
        answer = web.post(f"{running.url}/api/v1/token", data=form)
        tickets.append(answer.raise_for_status().json()["access_token"])
        for ticket in tickets:
            headers = {"Authorization": f"Bearer {ticket}"}
            me = web.get(f"{running.url}/api/v1/me", headers=headers).json()
            assert me["username"] == "ann"
        form["password"] += "x"
        assert web.post(f"{running.url}/api/v1/token", data=form).status_code == 401


def test_secrets_are_for_their_owner_alone(argilla_home: Home) -> None:
    folder = root(argilla_home)
    account = argilla.accounts(argilla_home)[0]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    assert account.password not in repr(account)
    assert account.token not in repr(account)
    assert account.token not in (folder / "server.log").read_text()
    server = argilla.status(argilla_home)
    assert server is not None
    secrets = json.loads((folder / "secrets.json").read_text())
    seen = Path(f"/proc/{server.pid}/cmdline").read_text()
    seen += Path(f"/proc/{server.pid}/environ").read_text()
    assert secrets["secret_key"] not in seen
    assert account.token not in seen


def test_it_is_closed_to_other_hosts_and_sites(argilla_home: Home) -> None:
    running = argilla.start(argilla_home)
    url = f"{running.url}/api/v1/version"
    for host in ("evil.example", f"evil.example:{running.port}", "127.0.0.1.evil.example", ""):
        assert web.get(url, headers={"Host": host}).status_code == 400
    assert web.get(url.replace("127.0.0.1", "localhost")).status_code == 200
    assert web.get(url, headers={"Origin": "http://evil.example"}).status_code == 403
    assert web.get(url, headers={"Origin": "null"}).status_code == 403
    answer = web.get(url, headers={"Origin": running.url})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert "'unsafe-eval'" not in answer.headers["content-security-policy"]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((socket.gethostbyname("127.0.0.2"), running.port), timeout=2)


def test_nothing_in_it_leaves_the_machine(argilla_home: Home) -> None:
    dataset = Dataset(argilla_home)
    hook = {"url": "http://evil.example", "events": ["record.created"]}
    hub = {"name": "x/y", "subset": "default", "split": "train", "private": False, "token": "t"}
    for path, body in (("/webhooks", hook), (f"{dataset.path}/export", hub)):
        answer = dataset.owner.call("POST", path, json=body)
        assert answer.status_code == 501
        assert "leaves this machine" in answer.json()["detail"]
    assert dataset.owner.call("GET", "/jobs/none").status_code == 404
    server = argilla.status(argilla_home)
    assert server is not None
    for style in (root(argilla_home) / "data" / "tmp").rglob("*.css"):
        assert "@import url(http" not in style.read_text()


def test_ranges_of_files_are_not_heard(argilla_home: Home) -> None:
    running = argilla.start(argilla_home)
    answer = web.get(f"{running.url}/favicon.ico", headers={"Range": "bytes=0-1,0-1,0-1"})
    assert answer.status_code == 200


def test_it_survives_being_killed_and_nothing_is_lost(rough: Home) -> None:
    argilla.start(rough)
    dataset = Dataset(rough, vectors={"meaning": 2})
    text = {"text": "the cat sat"}
    dataset.log({"external_id": "a", "fields": text, "vectors": {"meaning": [1, 0]}})
    dataset.log({"external_id": "b", "fields": {"text": "the dog ran"}})
    dataset.answer("ann", "a", sentiment="positive")
    killed(rough)
    argilla.start(rough)
    again = Dataset(rough)
    again.id, again.path = dataset.id, dataset.path
    assert again.found("cat") == ["a"]
    assert set(again.found("the")) == {"a", "b"}
    assert again.found(vector={"name": "meaning", "value": [1, 0]}) == ["a"]
    (response,) = again.records()["a"]["responses"]
    assert response["values"] == {"sentiment": {"value": "positive"}}
    assert again.records()["a"]["status"] == "completed"


def test_a_kill_in_the_midst_of_storing_loses_nothing_that_was_acknowledged(rough: Home) -> None:
    argilla.start(rough)
    dataset = Dataset(rough)
    acknowledged: list[str] = []

    def store() -> None:
        with suppress(httpx.TransportError):
            for start in range(0, 100_000, 50):
                names = [f"{number:06}" for number in range(start, start + 50)]
                dataset.log(*({"external_id": n, "fields": {"text": f"word{n}"}} for n in names))
                acknowledged.extend(names)

    storing = threading.Thread(target=store)
    storing.start()
    while len(acknowledged) < 150:
        time.sleep(0.05)
    killed(rough)
    storing.join()
    argilla.start(rough)
    again = Dataset(rough)
    again.path = dataset.path
    stored = again.records()
    assert set(acknowledged) <= set(stored)
    assert len(stored) - len(acknowledged) in (0, 50)
    assert all(again.found(f"word{name}") == [name] for name in (acknowledged[0], max(stored)))


def test_a_status_that_a_kill_left_behind_is_settled_at_the_start(rough: Home) -> None:
    import sqlite3

    argilla.start(rough)
    dataset = Dataset(rough, min_submitted=2)
    dataset.log({"external_id": "a", "fields": {"text": "x"}})
    dataset.answer("ann", "a", sentiment="positive")
    killed(rough)
    with sqlite3.connect(root(rough) / "data" / "argilla.db") as database:
        key = UUID(dataset.id).hex
        changed = json.dumps({"strategy": "overlap", "min_submitted": 1})
        update = "UPDATE datasets SET distribution = ? WHERE id = ?"
        assert database.execute(update, (changed, key)).rowcount == 1
    database.close()
    argilla.start(rough)
    again = Dataset(rough)
    again.path = dataset.path
    assert again.records()["a"]["status"] == "completed"


def test_another_version_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Environment(home.home / "other")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", other.folder / "venv"], check=True
    )
    (packages,) = (other.folder / "venv").glob("lib/python*/site-packages")
    record = packages / "argilla_server-2.9.0.dist-info" / "METADATA"
    record.parent.mkdir()
    record.write_text("Metadata-Version: 2.1\nName: argilla-server\nVersion: 2.9.0\n")
    other.template.mkdir()
    monkeypatch.setattr(built, "build", lambda *_, **__: other)
    with pytest.raises(ServerError, match=r"argilla-server 2\.9\.0; curate .* 2\.8\.0"):
        argilla.start(home)
    assert "2.9.0" in (root(home) / "server.log").read_text()
    assert argilla.status(home) is None


def test_a_stale_record_never_leads_to_a_foreign_process(home: Home) -> None:
    folder = root(home)
    folder.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as foreign:
        record = {"pid": foreign.pid, "port": 1, "started": "2026-01-01T00:00:00+00:00"}
        (folder / "server.json").write_text(json.dumps(record) + "\n")
        assert argilla.status(home) is None
        assert argilla.stop(home) is False
        assert foreign.poll() is None
        foreign.terminate()


def test_two_starts_at_once_are_one_server_and_a_taken_port_is_no_trouble(home: Home) -> None:
    script = f"""
        from pathlib import Path
        from curate.servers import Home
        from curate.servers.argilla import server as argilla
        print(argilla.start(Home(Path({str(home.home)!r}), Path({str(home.environments)!r}))))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with socket.socket() as taken:
        is_ours = False
        with suppress(OSError):  # else somebody has it, who may give it back at any moment
            taken.bind((processes.HOST, argilla.PORT))
            taken.listen()
            is_ours = True
        starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [start.communicate()[0] for start in starts]
    assert said[0] == said[1]
    running = argilla.status(home)
    assert running is not None
    assert str(running) == said[0].strip()
    assert running.port != argilla.PORT or not is_ours


def test_accounts_added_before_the_first_start_work_after_it(home: Home) -> None:
    eve = argilla.add_account(home, "eve", "Eve")
    assert argilla.status(home) is None
    argilla.start(home)
    assert whoami(home, eve) == ("eve", "Eve", "annotator")
    argilla.reset(home)
    assert argilla.status(home) is None
    assert argilla.accounts(home) == []


def test_a_server_that_dies_at_once_shows_the_end_of_its_log(home: Home) -> None:
    data = root(home) / "data"
    data.mkdir(parents=True)
    (data / "argilla.db").write_text("this is no database" * 100)
    with pytest.raises(ServerError, match="file is not a database"):
        argilla.start(home)


def test_each_start_leaves_one_copy_of_the_interface(rough: Home) -> None:
    for _ in range(2):
        argilla.start(rough)
        copies = list((root(rough) / "data" / "tmp").glob("*/statics/index.html"))
        assert len(copies) == 1
        killed(rough)
