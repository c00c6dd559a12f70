"""Accounts of an embedded server end and get new passwords; a user's row and answers stay."""

import json
import sqlite3
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest

from curate import connections
from curate.errors import ServerError
from curate.servers import Home
from curate.servers.argilla import server as argilla
from curate.servers.argilla import users
from curate.servers.label_studio import server as label_studio
from tests.command import command


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("CURATE_HOME", str(tmp_path))
    for pair in connections.VARIABLES.values():
        for name in pair:
            monkeypatch.delenv(name, raising=False)
    return command(monkeypatch, capsys)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path, tmp_path / "environments")
    label_studio.add_accounts(home, [("uma@example.org", "Uma"), ("vic@example.org", "Vic")])
    return home


def secrets(home, server="label_studio"):
    return json.loads((home.home / "servers" / server / "secrets.json").read_text())


@pytest.mark.parametrize("login", ["uma@example.org", "UMA@example.org", " uma@example.org "])
def test_an_account_ends(run, home, login):
    code, _, err = run("server", "accounts", "remove", login)
    assert code == 0
    assert "the answers stay" in err
    assert [account.email for account in label_studio.accounts(home)] == ["vic@example.org"]
    assert secrets(home)["removed"] == ["uma@example.org"]
    path = home.home / "servers" / "label_studio" / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_account_that_ended_can_be_added_again(run, home):
    before = label_studio.accounts(home)[0]
    run("server", "accounts", "remove", "uma@example.org")
    again = label_studio.add_account(home, "uma@example.org", "Uma")
    assert again.password != before.password
    assert secrets(home)["removed"] == []


def test_a_password_is_made_anew(run, home):
    before = {account.email: account for account in label_studio.accounts(home)}
    code, out, _ = run("server", "accounts", "password", "Vic@example.org", "--json")
    assert code == 0
    made = json.loads(out)
    after = {account.email: account for account in label_studio.accounts(home)}
    assert made["password"] == after["vic@example.org"].password
    assert made["password"] != before["vic@example.org"].password
    assert after["vic@example.org"].token != before["vic@example.org"].token
    assert after["uma@example.org"] == before["uma@example.org"]


@pytest.mark.parametrize("verb", ["remove", "password"])
@pytest.mark.parametrize("login", ["nobody@example.org", label_studio.CURATOR, "no mail"])
def test_an_account_that_is_not_there_is_told(run, home, verb, login):
    before = secrets(home)
    code, out, err = run("server", "accounts", verb, login)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert secrets(home) == before


def test_passwords_of_other_servers_are_not_ours(run, home, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "k" * 40)
    code, _, err = run("server", "accounts", "password", "uma@example.org")
    assert code == 1
    assert "its administrator can" in err


def test_argilla_keeps_the_row_of_a_user_whose_account_ended(tmp_path, monkeypatch):
    hashed = SimpleNamespace(hashpw=lambda text, salt: b"hash", gensalt=lambda: b"")
    monkeypatch.setitem(sys.modules, "bcrypt", hashed)
    home, path = Home(tmp_path, tmp_path), tmp_path / "argilla.db"
    argilla.add_accounts(home, [("uma", "Uma"), ("vic", "Vic")])
    stamps = "inserted_at TEXT, updated_at TEXT"
    with closing(sqlite3.connect(path)) as rows:
        rows.execute(f"CREATE TABLE workspaces (id TEXT, name TEXT UNIQUE, {stamps})")
        rows.execute(
            "CREATE TABLE users (id TEXT, username TEXT UNIQUE, first_name TEXT, last_name TEXT,"
            f" role TEXT, api_key TEXT UNIQUE, password_hash TEXT, {stamps})"
        )
        rows.execute(
            f"CREATE TABLE workspaces_users (id TEXT, workspace_id TEXT, user_id TEXT, {stamps},"
            " UNIQUE (workspace_id, user_id))"
        )

    def listed():
        with closing(sqlite3.connect(path)) as rows:
            people = rows.execute("SELECT username, id, last_name, password_hash FROM users")
            members = rows.execute("SELECT user_id FROM workspaces_users")
            return {row[0]: row[1:] for row in people}, {row[0] for row in members}

    argilla.curator(home)
    users.ensure(path, secrets(home, "argilla"))
    before, members = listed()
    assert {before[name][0] for name in ("uma", "vic")} < members
    argilla.remove_account(home, "uma")
    users.ensure(path, secrets(home, "argilla"))
    after, members = listed()
    assert after["uma"] == (before["uma"][0], users.REMOVED, "")
    assert before["uma"][0] not in members
    assert after["vic"] == before["vic"]
    argilla.add_account(home, "uma", "Uma")
    users.ensure(path, secrets(home, "argilla"))
    again, members = listed()
    assert again["uma"] == before["uma"]
    assert before["uma"][0] in members
    with closing(sqlite3.connect(path)) as rows, rows:  # as an owner renames a user
        rows.execute("UPDATE users SET username = 'vic.new' WHERE username = 'vic'")
    argilla.add_account(home, "wes", "Wes")
    users.ensure(path, secrets(home, "argilla"))
    named, _ = listed()
    assert named["vic.new"] == before["vic"]
    assert {"wes", "uma"} < named.keys()
    assert "vic" not in named


def test_an_account_of_another_server_is_not_touched(home):
    with pytest.raises(ServerError, match="Argilla has no account uma@example"):
        argilla.remove_account(home, "uma@example.org")
