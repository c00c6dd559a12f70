"""Embedded servers as commands: public addresses, what they hold, and how they go."""

import errno
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from curate import connections
from curate.errors import NotAllowed, ServerError
from curate.servers import Home, Running, embedded, environments, inventory, processes, public
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import inside
from curate.servers.label_studio import server as label_studio
from tests.command import command

NAME = "https://label.example.org"
RUNNING = Running("http://127.0.0.1:8080", 8080, 1, "2026-01-01T00:00:00+00:00", f"{NAME}:8443")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("CURATE_HOME", str(tmp_path))
    for pair in connections.VARIABLES.values():
        for name in pair:
            monkeypatch.delenv(name, raising=False)
    return command(monkeypatch, capsys)


@pytest.fixture
def held(tmp_path):
    """A server's folder with two texts, and a process that holds its state as a server does."""
    root = tmp_path / "servers" / "label_studio"
    (root / "data").mkdir(parents=True)
    with sqlite3.connect(root / "data" / "label_studio.sqlite3") as rows:
        for table in ("project", "task", "task_completion"):
            rows.execute(f"CREATE TABLE {table} (id INTEGER)")
        rows.execute("INSERT INTO task VALUES (1), (2)")
    rows.close()
    script = (
        "import fcntl, json, os, sys, time\n"
        "file = open(sys.argv[1], 'a+'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "record = {'pid': os.getpid(), 'port': 1, 'started': '2026-01-01T00:00:00+00:00'}\n"
        "file.write(json.dumps(record) + '\\n'); file.flush(); print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    holder = [sys.executable, "-c", script, str(root / "server.json")]
    with subprocess.Popen(holder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield root, process
        process.kill()


@pytest.fixture
def types(monkeypatch):
    """Let a person sit at the terminal, and type."""

    def answer(text):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        monkeypatch.setattr(sys, "stdin", Terminal(text))

    return answer


# ── public addresses


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (NAME, NAME),
        (" https://Label.Example.ORG/ ", NAME),
        (f"{NAME}:443", NAME),
        (f"{NAME}:8443", f"{NAME}:8443"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("https://标注.example", "https://xn--iwvo2i.example"),
    ],
)
def test_a_public_address_is_written_one_way(given, address):
    assert public.checked(given) == address


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("http://label.example.org", "https"),
        ("label.example.org", "https"),
        ("https://", "no host"),
        ("https://*.example.org", "no host"),
        ("https://.example.org", "not an address"),
        ("https://a,b.example.org", "no host"),
        ("https://-a.example.org", "no host"),
        ("https://label.example.org/label", "only be a port"),
        ("https://anna@label.example.org", "only be a port"),
        ("https://label.example.org?x", "only be a port"),
        ("https://label.example.org:99999", "not an address"),
        ("https://[::1", "not an address"),
    ],
)
def test_what_can_be_no_public_address_is_refused_with_a_hint(given, why):
    with pytest.raises(ServerError, match=why) as caught:
        public.checked(given)
    assert "https://label.example.org" in caught.value.hint


def test_the_lines_for_a_proxy_name_the_host_and_the_port():
    nginx, caddy = public.nginx(RUNNING), public.caddy(RUNNING)
    for wanted in (
        *("listen 8443 ssl;", "server_name label.example.org;", "client_max_body_size 250m;"),
        *("proxy_pass http://127.0.0.1:8080;", "Host $http_host;", "X-Forwarded-Proto $scheme;"),
    ):
        assert wanted in nginx
    assert caddy.startswith("label.example.org:8443 {")
    assert "reverse_proxy 127.0.0.1:8080" in caddy
    assert public.tunnel(RUNNING) == "ssh -N -L 8080:127.0.0.1:8080 you@label.example.org"


def test_a_public_address_is_remembered_with_its_port(tmp_path):
    place, remember = label_studio.SERVER._place, label_studio.SERVER._remember
    assert place(tmp_path, None) == place(tmp_path, "") == ("", (8080, 0))
    assert place(tmp_path, NAME) == (NAME, (8080, 0))
    remember(tmp_path, Running("http://127.0.0.1:9001", 9001, 1, "", NAME))
    assert place(tmp_path, None) == (NAME, (9001,)), "the proxy forwards to no other port"
    assert place(tmp_path, NAME) == (NAME, (9001, 0)), "given again, it may take another"
    assert place(tmp_path, "") == ("", (8080, 0))
    remember(tmp_path, Running("http://127.0.0.1:8080", 8080, 1, ""))
    assert place(tmp_path, None) == ("", (8080, 0))


def test_argilla_gets_no_public_address_and_the_reason_is_named(run):
    code, _, err = run("server", "start", "argilla", "--public-url", NAME)
    assert code == 1
    for word in ("known holes", "HTML", "hint: ", "ssh -N -L"):
        assert word in err


def test_a_wrong_public_address_starts_nothing(run, tmp_path):
    assert run("server", "start", "--public-url", "http://label.example.org")[0] == 1
    assert not (tmp_path / "servers").exists()


def test_a_server_that_runs_with_another_address_is_left_alone(run, held):
    _, process = held
    code, _, err = run("server", "start", "--public-url", NAME)
    assert code == 1
    assert "runs already, for this machine only" in err
    assert f"`curate server start label_studio --public-url {NAME}`" in err
    assert process.poll() is None


def test_a_round_is_opened_where_its_server_is_now(tmp_path, monkeypatch):
    login = connections.Connections(tmp_path, None, {"CURATE_HOME": str(tmp_path)}).login
    old = "http://127.0.0.1:9/projects/1/data?labeling=1"
    assert login("label_studio", old).url == old
    monkeypatch.setattr(label_studio, "status", lambda home: RUNNING)
    assert login("label_studio", old).url == f"{NAME}:8443/projects/1/data?labeling=1"


# ── status and reset


def test_status_tells_of_all_servers_and_what_they_hold(run, held):
    _, process = held
    code, out, _ = run("server", "status", "--json")
    assert code == 0
    found = {each["server"]: each for each in json.loads(out)["servers"]}
    assert set(found) == set(connections.EMBEDDED)
    ours = found["label_studio"]
    assert (ours["running"], ours["pid"], ours["texts"], ours["answers"]) == (
        *(True, process.pid, 2, 0),
    )
    assert ours["megabytes"] > 0
    one = json.loads(run("server", "status", "label_studio", "--json")[1])
    assert one == ours
    assert str(process.pid) in run("server", "status")[1]


def test_stop_says_whether_it_ran(run, held):
    for stopped in (True, False):
        found = json.loads(run("server", "stop", "--json")[1])
        assert found == {"server": "label_studio", "stopped": stopped}


def test_reset_asks_for_the_name_and_takes_no_other_answer(run, held, types):
    root, process = held
    for answer in ("y\n", "", "argilla\n"):
        types(answer)
        code, _, err = run("server", "reset")
        assert code == 1
        assert f"{root} holds 0 projects, 2 texts, 0 answers" in err
        assert "nothing was deleted from label_studio" in err
    assert process.poll() is None
    assert (root / "data" / "label_studio.sqlite3").exists()
    types("label_studio\n")
    code, _, err = run("server", "reset")
    assert code == 0, err
    assert not root.exists()
    assert process.wait(5) < 0
    assert not list(root.parent.iterdir())


def test_reset_never_goes_ahead_where_nobody_can_answer(run, held, monkeypatch):
    root, process = held
    monkeypatch.setattr(sys, "stdin", io.StringIO("label_studio\n"))
    code, _, err = run("server", "reset", "label_studio")
    assert code == 1
    assert "nobody to ask" in err
    assert "hint: add --yes" in err
    assert process.poll() is None
    assert (root / "data").exists()
    code, out, _ = run("server", "reset", "label_studio", "--yes", "--json")
    assert (code, json.loads(out)) == (0, {"server": "label_studio", "removed": True})
    assert not root.exists()


def test_reset_of_nothing_does_nothing(run):
    code, _, err = run("server", "reset", "--yes")
    assert code == 0
    assert "holds nothing" in err


def test_a_reset_that_cannot_end_the_server_removes_nothing(run, held, monkeypatch):
    root, _ = held

    def fail(state, **patience):
        raise ServerError("process 1 cannot be ended", hint="end it by hand")

    monkeypatch.setattr(processes, "end", fail)
    code, _, err = run("server", "reset", "--yes")
    assert code == 1
    assert "cannot be ended" in err
    assert (root / "data").exists()


def test_a_database_that_cannot_be_read_is_only_weighed(tmp_path):
    folder = tmp_path / "servers" / "label_studio"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "label_studio.sqlite3").write_text("this is no database")
    found = inventory.take(Home(tmp_path, tmp_path), "label_studio")
    assert found.counts == {}
    assert found.bytes > 0


@pytest.mark.parametrize(
    ("host", "origin", "answered"),
    [
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("label.example.org", "https://label.example.org", True),
        ("127.0.0.1:8080", "http://127.0.0.1:9", False),
        ("127.0.0.1:8080", "http://localhost:8080", False),
        ("127.0.0.1:8080", "null", False),
        (None, "http://evil.example", False),
        ("label.example.org", "https://evil.example", False),
    ],
)
def test_label_studio_answers_its_own_pages_alone(host, origin, answered):
    asked, said = {"HTTP_HOST": host, "HTTP_ORIGIN": origin}, []
    guarded = inside.for_own_pages(lambda environ, start: [b"through"])
    given = {name: value for name, value in asked.items() if value is not None}
    body = guarded(given, lambda status, headers: said.append(status))
    assert (list(body) == [b"through"]) is answered
    assert said == ([] if answered else ["403 Forbidden"])


# ── what is damaged, full or gone


@pytest.mark.parametrize("name", ["secrets.json", "public.json"])
@pytest.mark.parametrize("content", ["", '{"curator"'])
def test_a_damaged_file_is_named_and_left_as_it_is(run, tmp_path, monkeypatch, name, content):
    built = environments.Environment(tmp_path / "built")
    monkeypatch.setattr(environments, "build", lambda *_, **__: built)
    root = tmp_path / "servers" / "label_studio"
    (root / "data").mkdir(parents=True)
    (root / name).write_text(content)
    code, _, err = run("server", "start")
    assert code == 1
    assert f"error: {root / name} is damaged" in err
    assert "hint: " in err
    assert (root / name).read_text() == content


def test_a_full_disk_is_one_line_and_the_next_start_makes_the_data_anew(tmp_path, monkeypatch):
    environment = environments.Environment(tmp_path / "built")
    environment.template.mkdir(parents=True)
    (environment.template / "database").write_text("empty")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", target)

    copy = shutil.copytree
    monkeypatch.setattr(shutil, "copytree", partial(copy, copy_function=full))
    with pytest.raises(ServerError) as caught:
        embedded._copy_template(environment, tmp_path / "root")
    monkeypatch.setattr(shutil, "copytree", copy)
    assert "No space left on device" in caught.value.message
    assert "\n" not in caught.value.message
    assert not (tmp_path / "root" / "data").exists()
    embedded._copy_template(environment, tmp_path / "root")
    assert (tmp_path / "root" / "data" / "database").read_text() == "empty"


def test_a_server_that_ends_while_it_is_waited_for_is_started_anew(
    run, held, tmp_path, monkeypatch
):
    _, process = held  # it holds the lock, as one does that is being killed, and answers nobody
    built, launched = environments.Environment(tmp_path / "built"), []
    built.template.mkdir(parents=True)
    monkeypatch.setattr(environments, "build", lambda *_, **__: built)
    monkeypatch.setattr(embedded.Embedded, "_launch", lambda *given: launched.append(given))
    ended = threading.Timer(0.5, process.kill)
    ended.start()
    code, _, err = run("server", "start")
    ended.join()
    assert (code, len(launched)) == (1, 1)
    assert "Label Studio did not start:\nit said nothing" in err


def test_a_server_that_ends_just_before_its_signal_is_ended(held, monkeypatch):
    root, process = held
    kill = os.kill

    def late(pid, sent):
        kill(pid, sent)
        process.wait()
        kill(pid, sent)

    monkeypatch.setattr(os, "kill", late)
    assert processes.end(root / "server.json")


def test_what_goes_while_it_is_weighed_weighs_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "servers" / "argilla"
    (folder / "data" / "tmp" / "pages").mkdir(parents=True)
    scandir = os.scandir

    def gone(path):
        if str(path).endswith("pages"):
            shutil.rmtree(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert inventory.take(Home(tmp_path, tmp_path), "argilla").bytes > 0


@pytest.mark.parametrize(
    "email", ["李娜@example.org", "a@例.org", "a,b@example.org", "a..b@example.org", "a@b", "a@b.c"]
)
def test_an_email_with_which_nobody_could_log_in_gets_no_account(email):
    with pytest.raises(ServerError, match="cannot be an account"):
        label_studio.SERVER.login(email)
    for fine in ("Ada+1@example.org", "o'neil@x-y.xn--fiqs8s", label_studio.CURATOR):
        assert label_studio.SERVER.login(fine) == fine.lower()


# ── accounts elsewhere


def test_accounts_are_those_of_the_server_that_the_environment_names():
    there = {"LABEL_STUDIO_URL": "https://label.example.org/", "LABEL_STUDIO_API_KEY": "k" * 40}
    assert connections.remote_accounts("label_studio", {}) is None
    assert connections.remote_accounts("label_studio", there).url == NAME
    with pytest.raises(NotAllowed, match="LABEL_STUDIO_API_KEY is not"):
        connections.remote_accounts("label_studio", {"LABEL_STUDIO_URL": NAME})
    argilla = {"ARGILLA_API_URL": NAME, "ARGILLA_API_KEY": "key"}
    assert connections.remote_accounts("label_studio", argilla) is None
    assert connections.remote_accounts("argilla", argilla).url == NAME


@pytest.mark.parametrize(
    ("status", "started"), [(204, []), (404, ["users"]), (403, ["users"]), (None, ["users"])]
)
def test_a_running_server_is_asked_to_follow_and_a_process_does_it_if_it_cannot(
    monkeypatch, tmp_path, status, started
):
    server, home = label_studio.SERVER, Home(tmp_path / "home", tmp_path)
    running = Running("http://127.0.0.1:9", 9, 1, "now", "", "http://127.0.0.1:10")
    asked, done = [], []

    def answer(url, path, **how):
        asked.append((url, path, how["method"], how["headers"]))
        return status

    monkeypatch.setattr(processes, "status_of", answer)
    monkeypatch.setattr(type(server), "_answering", lambda self, root, watch: running)
    monkeypatch.setattr(type(server), "_environment", lambda self, home, watch: None)
    monkeypatch.setattr(type(server), "_run", lambda self, *command: done.append(command[2]))
    account = server.add_account(home, "ann@example.org", "Ann")
    assert server.accounts(home) == [account]
    token = {"Authorization": f"Token {server.curator(home).token}"}
    assert asked == [("http://127.0.0.1:10", "/curate/accounts", "POST", token)]
    assert done == started


def test_an_argilla_server_is_not_asked_to_follow(monkeypatch, tmp_path):
    running = Running("http://127.0.0.1:9", 9, 1, "now", "", "http://127.0.0.1:10")
    done = []
    monkeypatch.setattr(processes, "status_of", lambda *own, **how: pytest.fail("it was asked"))
    for name, double in (
        ("_answering", lambda self, root, watch: running),
        ("_environment", lambda self, home, watch: None),
        ("_run", lambda self, *command: done.append(command[2])),
    ):
        monkeypatch.setattr(type(argilla.SERVER), name, double)
    argilla.add_account(Home(tmp_path / "home", tmp_path), "ann", "Ann")
    assert done == ["users"]


def waited(monkeypatch, tmp_path, used, *, patience, after, before=None):
    """Wait for a server that answers `after` seconds; `used` tells its processor seconds.

    `before` is the status with which it answers until then; None: not at all.
    """
    began = time.monotonic()
    server = Running("http://127.0.0.1:9", 9, 1, "now", "", "http://127.0.0.1:9")
    monkeypatch.setattr(processes, "running", lambda state: server)
    monkeypatch.setattr(
        processes,
        "status_of",
        lambda *_, **how: 200 if time.monotonic() - began > after else before,
    )
    monkeypatch.setattr(processes, "processor_seconds", lambda pid: used(time.monotonic() - began))
    return processes.until_up(tmp_path / "state", "/", tmp_path / "log", patience=patience)


def test_a_server_that_a_busy_machine_lets_start_slowly_is_waited_for(monkeypatch, tmp_path):
    slow = waited(monkeypatch, tmp_path, lambda passed: passed / 10, patience=0.9, after=1.5)
    assert slow is not None


@pytest.mark.parametrize("used", [lambda passed: 0.1, lambda passed: 5 + passed])
def test_a_server_that_hangs_or_works_for_ever_is_not_waited_for(monkeypatch, tmp_path, used):
    with pytest.raises(ServerError, match="does not answer after"):
        waited(monkeypatch, tmp_path, used, patience=0.3, after=2)


class Clock:
    """Time that passes by sleeping alone."""

    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(
    ("status", "load", "words", "seconds"),
    [
        (500, 0.02, "answers with the status 500, and is not up after", 180),
        (404, 0.9, "answers with the status 404, and is not up after", 180),
        (None, 0.02, "does not answer after", 900),
        (None, 0.5, "does not answer after", 419),
        (None, 0.0, "does not answer after", 180),
    ],
)
def test_a_server_that_never_gets_well_is_waited_for_so_long(
    monkeypatch, tmp_path, status, load, words, seconds
):
    clock = Clock()
    server = Running("http://127.0.0.1:9", 9, 1, "now", "", "http://127.0.0.1:9")
    monkeypatch.setattr(processes, "time", clock)
    monkeypatch.setattr(processes, "running", lambda state: server)
    monkeypatch.setattr(processes, "status_of", lambda *own, **how: status)
    monkeypatch.setattr(processes, "processor_seconds", lambda pid: load * clock.now)
    with pytest.raises(ServerError) as caught:
        processes.until_up(tmp_path / "state", "/", tmp_path / "log", patience=180)
    assert caught.value.message == f"the server {words} {clock.now:.0f} s:\n"
    assert clock.now == pytest.approx(seconds, abs=1)


def test_one_that_answers_badly_at_first_may_still_get_well(monkeypatch, tmp_path):
    well = waited(monkeypatch, tmp_path, lambda own: own, patience=60, after=0.3, before=503)
    assert well is not None


def test_the_processor_seconds_of_a_process_are_those_that_it_used():
    before = processes.processor_seconds(os.getpid())
    began = time.process_time()
    while time.process_time() - began < 0.1:
        pass
    assert 0.05 < processes.processor_seconds(os.getpid()) - before < 2
    assert processes.processor_seconds(2**22 + 1) == 0
