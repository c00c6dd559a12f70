"""An Argilla by its commands, and accounts on one that the environment names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from curate.backends.argilla.backend import ArgillaBackend
from curate.errors import BackendError
from curate.servers import Home
from curate.servers.argilla import server as argilla
from tests.command import Outcome, command
from tests.servers import environments

pytestmark = pytest.mark.live


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Outcome]:
    monkeypatch.setenv("CURATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    return command(monkeypatch, capsys)


@pytest.fixture
def elsewhere(argilla_home: Home, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a running server, as the environment names it."""
    running = argilla.start(argilla_home)
    monkeypatch.setenv("ARGILLA_API_URL", running.url)
    monkeypatch.setenv("ARGILLA_API_KEY", argilla.curator(argilla_home).token)
    return running.url


def test_an_account_is_made_by_an_owner(elsewhere: str, run: Callable[..., Outcome]) -> None:
    add = ("server", "accounts", "add", "--server", "argilla")
    code, out, err = run(*add, "Dora@Example.org", "--name", "Dora Li", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert (made["server"], made["email"], made["name"]) == (
        *(elsewhere, "dora@example.org", "Dora Li"),
    )
    assert len(made["password"]) >= 16
    assert ArgillaBackend(elsewhere, made["token"]).ping().user == "dora@example.org"
    code, out, _ = run("server", "accounts", "list", "--server", "argilla")
    assert code == 0
    assert "dora@example.org" in out
    assert made["password"] not in out
    code, out, err = run(*add, "dora@example.org")
    assert (code, out) == (1, "")
    assert "has an account on" in err


def test_a_key_that_may_not_is_told(
    elsewhere: str,
    run: Callable[..., Outcome],
    argilla_home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = argilla.accounts(argilla_home)[0]
    monkeypatch.setenv("ARGILLA_API_KEY", ann.token)
    code, out, err = run("server", "accounts", "add", "fay", "--server", "argilla")
    assert (code, out) == (1, "")
    assert "ARGILLA_API_KEY must be the key of an owner" in err
    assert ann.token not in err
    monkeypatch.delenv("ARGILLA_API_KEY")
    assert "ARGILLA_API_KEY is not" in run("server", "accounts", "list", "--server", "argilla")[2]


def test_start_status_stop_and_reset_know_argilla(
    run: Callable[..., Outcome], tmp_path: Path
) -> None:
    try:
        code, out, err = run("server", "start", "argilla", "--json")
        assert code == 0, err
        url = json.loads(out)["url"]
        found = {
            each["server"]: each
            for each in json.loads(run("server", "status", "--json")[1])["servers"]
        }
        assert found["argilla"]["url"] == url
        assert (found["argilla"]["texts"], found["argilla"]["answers"]) == (0, 0)
        assert found["label_studio"]["running"] is False
        assert "stopped" in run("server", "stop", "argilla")[2]
        code, _, err = run("server", "reset", "argilla", "--yes")
        assert code == 0, err
        assert "0 texts" in err
        assert not list((tmp_path / "home" / "servers").iterdir())
    finally:
        argilla.stop(Home(tmp_path / "home", environments()))


def test_nobody_there_is_told(run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ARGILLA_API_KEY", "k" * 40)
    code, _, err = run("server", "accounts", "list", "--server", "argilla")
    assert code == BackendError.exit_code
    assert "hint: " in err
