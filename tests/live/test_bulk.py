"""Bulk work has a process of its own on both embedded servers, which ends with the first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.forms import load_form
from curate.records import Task
from curate.servers import Home, Running, processes
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio
from tests.servers import environments

pytestmark = pytest.mark.live

KINDS = {
    "label_studio": (label_studio, LabelStudioBackend),
    "argilla": (argilla, ArgillaBackend),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, kind: str) -> Iterator[Home]:
    """A home whose server the tests end and start again."""
    home = Home(tmp_path_factory.mktemp("home"), environments())
    yield home
    KINDS[kind][0].stop(home)


def second(running: Running) -> int:
    """Return the process that does bulk work: the only child of the first."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    if not children.exists():
        pytest.skip("this system does not list the children of a process")
    (child,) = children.read_text().split()
    return int(child)


def test_what_is_pushed_through_one_is_there_through_the_other(home: Home, kind: str) -> None:
    server, backend = KINDS[kind]
    running = server.start(home)
    assert running.bulk != running.url
    key = server.curator(home).token
    through, plain = backend(running.url, key, bulk=running.bulk), backend(running.url, key)
    project = through.ensure_project("bulk-0-r01", load_form("sentiment"), overlap=1, guidelines="")
    assert project.server == running.url
    assert project.url.startswith(running.url)
    tasks = [Task(f"t{n}", {"text": f"text {n}"}) for n in range(20)]
    assert list(through.push(project, tasks[:10])) == [task.id for task in tasks[:10]]
    assert list(plain.push(project, tasks)) == [task.id for task in tasks[10:]]
    assert through.progress(project).tasks == plain.progress(project).tasks == 20


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_first(home: Home, kind: str, sent: signal.Signals) -> None:
    server, health = KINDS[kind][0], KINDS[kind][0].SERVER.health
    running = server.start(home)
    assert running.bulk != running.url
    assert processes.answers(running.bulk, health)
    os.kill(running.pid, sent)
    until = time.monotonic() + 10
    while processes.answers(running.bulk, health) or server.status(home):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_server_that_lost_it_does_all_by_itself(home: Home, kind: str) -> None:
    server, backend = KINDS[kind]
    running = server.start(home)
    assert running.bulk != running.url
    os.kill(second(running), signal.SIGKILL)
    again = server.start(home)
    assert (again.pid, again.url, again.bulk) == (running.pid, running.url, running.url)
    assert backend(again.url, server.curator(home).token, bulk=again.bulk).ping().url == again.url
