"""The embedded Label Studio as a process: started once, found again, ended, and never mixed up."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from curate.backends.label_studio import backend as backend_module
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.errors import PartialPush, ServerError
from curate.forms import load_form
from curate.progress import unwatched
from curate.records import Task
from curate.servers import Home, processes
from curate.servers import environments as built
from curate.servers.label_studio import server as label_studio
from curate.servers.label_studio import users
from tests import web
from tests.servers import environments

pytestmark = pytest.mark.live


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of one's own, in which nothing runs yet; ended afterwards."""
    home = Home(tmp_path / "home", environments())
    yield home
    label_studio.stop(home)


def root(home: Home) -> Path:
    return home.home / "servers" / "label_studio"


def whoami(home: Home, token: str) -> str:
    server = label_studio.status(home)
    assert server is not None
    headers = {"Authorization": f"Token {token}"}
    answer = web.get(f"{server.url}/api/current-user/whoami", headers=headers)
    return str(answer.raise_for_status().json()["email"])


def test_a_running_server_is_returned_and_speaks_to_its_people(label_studio_home: Home) -> None:
    running = label_studio.start(label_studio_home)
    assert running == label_studio.status(label_studio_home)
    for account in (
        label_studio.curator(label_studio_home),
        *label_studio.accounts(label_studio_home),
    ):
        assert whoami(label_studio_home, account.token) == account.email


def test_an_account_is_added_while_it_runs_and_keeps_its_password(label_studio_home: Home) -> None:
    with pytest.MonkeyPatch.context() as patch:  # the server does it: no other process is started
        patch.setattr(type(label_studio.SERVER), "_run", lambda *own: pytest.fail("a process"))
        dan = label_studio.add_account(label_studio_home, "Dan@Example.org ", "Dan")
    assert whoami(label_studio_home, dan.token) == "dan@example.org"
    assert label_studio.add_account(label_studio_home, "dan@example.org", "Daniel") == dan
    assert dan in label_studio.accounts(label_studio_home)
    with pytest.raises(ServerError, match="cannot be an account"):
        label_studio.add_account(label_studio_home, "dan", "Dan")


def test_nobody_but_the_curator_lets_it_read_its_secrets_again(label_studio_home: Home) -> None:
    place = f"{label_studio.start(label_studio_home).url}{users.PATH}"
    ann = label_studio.accounts(label_studio_home)[0].token
    token = label_studio.curator(label_studio_home).token
    for method, offered in (
        *(("POST", f"Token {ann}"), ("POST", token), ("POST", "Token x"), ("POST", "")),
        *(("POST", f"Token {token}é"), ("GET", f"Token {token}"), ("PUT", f"Token {token}")),
    ):
        headers = {"Authorization": offered.encode()}
        assert web.request(method, place, headers=headers).status_code == 404, (method, offered)
    answer = web.post(place, headers={"Authorization": f"Token {token}"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_person_can_log_in(label_studio_home: Home) -> None:
    running = label_studio.start(label_studio_home)
    ann = label_studio.accounts(label_studio_home)[0]
    with httpx.Client(base_url=running.url, verify=web.CONTEXT) as browser:
        browser.get("/user/login")
        form = {"email": ann.email, "password": ann.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert browser.post("/user/login", data=form).status_code == 302
        assert browser.get("/projects/").status_code == 200


def test_secrets_are_for_their_owner_alone(label_studio_home: Home) -> None:
    folder = root(label_studio_home)
    account = label_studio.accounts(label_studio_home)[0]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    assert account.password not in repr(account)
    assert account.token not in repr(account)
    assert account.token not in (folder / "server.log").read_text()


def test_it_is_closed_to_other_hosts_and_sites(label_studio_home: Home) -> None:
    running = label_studio.start(label_studio_home)
    assert web.get(f"{running.url}/health", headers={"Host": "evil.example"}).status_code == 400
    answer = web.get(f"{running.url}/user/login", headers={"Origin": running.url})
    assert "access-control-allow-origin" not in answer.headers
    assert "content-security-policy" in answer.headers
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((socket.gethostbyname("127.0.0.2"), running.port), timeout=2)
    with httpx.Client(base_url=running.url, verify=web.CONTEXT) as browser:
        browser.get("/user/signup")
        form = {"email": "evil@example.org", "password": "evil-password-1"}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert browser.post("/user/signup", data=form).status_code == 403


def test_a_page_of_others_gets_nothing_from_it_with_a_persons_cookie(
    label_studio_home: Home,
) -> None:
    running = label_studio.start(label_studio_home)
    curator = label_studio.curator(label_studio_home)
    with httpx.Client(base_url=running.url, verify=web.CONTEXT) as browser:
        browser.get("/user/login")
        form = {"email": curator.email, "password": curator.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        for origin, logged_in in (("http://127.0.0.1:9", 403), (running.url, 302)):
            answer = browser.post("/user/login", data=form, headers={"Origin": origin})
            assert answer.status_code == logged_in
        origins = {"http://127.0.0.1:9": 403, "http://evil.example": 403, "null": 403}
        for origin, status in {**origins, running.url: 201}.items():
            asked = {"json": {"title": "made by a page"}, "headers": {"Origin": origin}}
            assert browser.post("/api/projects", **asked).status_code == status, origin


def test_it_survives_being_killed_and_nothing_is_lost(home: Home) -> None:
    first = label_studio.start(home)
    token = label_studio.curator(home).token
    headers = {"Authorization": f"Token {token}"}
    made = web.post(f"{first.url}/api/projects", headers=headers, json={"title": "kept"})
    assert made.status_code == 201
    os.kill(first.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while label_studio.status(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert label_studio.status(home) is None
    second = label_studio.start(home)
    assert second.pid != first.pid
    found = web.get(f"{second.url}/api/projects", headers=headers).json()
    assert [project["title"] for project in found["results"]] == ["kept"]


def test_a_push_into_a_server_that_is_killed_is_repaired_without_doubles(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "MOST", 10)
    running = label_studio.start(home)
    backend = LabelStudioBackend(running.url, label_studio.curator(home).token)
    form = load_form("sentiment")
    project = backend.ensure_project("killed-0000-r01", form, overlap=1, guidelines="")
    tasks = [Task(f"t{number:03}", {"text": "x"}) for number in range(100)]
    push = backend.push(project, tasks)
    acknowledged = [next(push) for _ in range(20)]
    os.kill(running.pid, signal.SIGKILL)
    with pytest.raises(PartialPush):
        list(push)
    again = LabelStudioBackend(label_studio.start(home).url, label_studio.curator(home).token)
    sent = list(again.push(project, tasks))
    assert not set(sent) & set(acknowledged)
    stored = sorted(record for _, record in again.client.records(project.key))
    assert stored == [task.id for task in tasks]


def test_a_stale_record_never_leads_to_a_foreign_process(home: Home) -> None:
    folder = root(home)
    folder.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as foreign:
        record = {"pid": foreign.pid, "port": 1, "started": "2026-01-01T00:00:00+00:00"}
        (folder / "server.json").write_text(json.dumps(record) + "\n")
        assert label_studio.status(home) is None
        assert label_studio.stop(home) is False
        assert foreign.poll() is None
        foreign.terminate()


def test_two_starts_at_once_are_one_server_and_a_taken_port_is_no_trouble(home: Home) -> None:
    script = f"""
        from pathlib import Path
        from curate.servers import Home
        from curate.servers.label_studio import server as label_studio
        print(label_studio.start(Home(Path({str(home.home)!r}), Path({str(home.environments)!r}))))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with socket.socket() as taken:
        is_ours = False
        with suppress(OSError):  # else somebody has it, who may give it back at any moment
            taken.bind((processes.HOST, label_studio.PORT))
            taken.listen()
            is_ours = True
        starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [start.communicate()[0] for start in starts]
    assert said[0] == said[1]
    running = label_studio.status(home)
    assert running is not None
    assert str(running) == said[0].strip()
    assert running.port != label_studio.PORT or not is_ours


def test_accounts_added_before_the_first_start_work_after_it(home: Home) -> None:
    eve = label_studio.add_account(home, "eve@example.org", "Eve")
    assert label_studio.status(home) is None
    label_studio.start(home)
    assert whoami(home, eve.token) == "eve@example.org"
    label_studio.reset(home)
    assert label_studio.status(home) is None
    assert label_studio.accounts(home) == []


def test_a_server_that_dies_at_once_shows_the_end_of_its_log(home: Home) -> None:
    data = root(home) / "data"
    data.mkdir(parents=True)
    (data / "label_studio.sqlite3").write_text("this is no database" * 100)
    with pytest.raises(ServerError, match="file is not a database"):
        label_studio.start(home)


def test_half_an_environment_is_built_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("")

    def fail(environment: built.Environment) -> None:
        raise ServerError("killed")

    made = []
    with pytest.raises(ServerError, match="killed"):
        built.build("nothing", lock, tmp_path, finish=fail, watch=unwatched)
    for _ in range(2):
        environment = built.build("nothing", lock, tmp_path, finish=made.append, watch=unwatched)
    assert made == [environment]
    assert environment.is_ready


def test_packages_that_are_not_as_locked_are_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"colorama==0.4.6 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ServerError, match="HASHES"):
        built.build("wrong", lock, tmp_path, finish=lambda environment: None, watch=unwatched)
