"""People and their answers on a real Argilla: who leaves takes nothing along."""

import json

import pytest

from curate.rounds import Round
from curate.servers.argilla import server as argilla
from tests import web
from tests.annotators import ArgillaPerson
from tests.command import command
from tests.servers import environments

pytestmark = pytest.mark.live

RECIPE = """
pool: {sources: [{paths: ["data/*.jsonl"]}], tokenizer: bytes}
clean: {rules: [], near_duplicates: null}
sample: {n: 20, seed: 3}
push: {backend: argilla, form: sentiment, overlap: 2}
"""


@pytest.fixture
def home(argilla_home, monkeypatch):
    """The environment in which `curate` finds the server of this session."""
    monkeypatch.setenv("CURATE_HOME", str(argilla_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    monkeypatch.delenv("ARGILLA_API_URL", raising=False)
    return argilla_home


@pytest.fixture
def run(monkeypatch, capsys, home):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    lines = "".join(json.dumps({"text": f"The kettle sang {n} times."}) + "\n" for n in range(3))
    (tmp_path / "data" / "notes.jsonl").write_text(lines)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def project(folder):
    record = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    return record["batches"][0]["project"]["key"]


def said(folder):
    """Person → the values of the answers that count."""
    values = {}
    for row in Round.load(1, folder / "rounds" / "01").answers():
        if row["status"] == "submitted":
            values.setdefault(row["annotator"], []).append(json.loads(row["value"]))
    return values


def pulled(run, folder):
    code, out, err = run("pull", "-w", folder, "--json")
    assert code == 0, err
    return json.loads(out)


def answering(home, folder, login, value):
    url = argilla.start(home).url
    (token,) = [each.token for each in argilla.accounts(home) if each.email == login]
    person = ArgillaPerson(url, token)
    for task in person.tasks(project(folder)).values():
        person.answer(project(folder), task, {"sentiment": value})


def delete(home, login):
    """Delete a user as the owner of a server does; their answers go too."""
    url, key = argilla.start(home).url, argilla.curator(home).token
    headers = {"X-Argilla-Api-Key": key}
    users = web.get(f"{url}/api/v1/users", headers=headers).json()["items"]
    (user,) = [each["id"] for each in users if each["username"] == login]
    web.request("DELETE", f"{url}/api/v1/users/{user}", headers=headers).raise_for_status()


def test_who_leaves_takes_nothing_along(run, folder, home):
    argilla.add_accounts(home, [("wim", ""), ("xia", ""), ("yva", "")])
    for name in ("wim", "xia", "yva"):
        login = name.upper() if name == "yva" else name
        assert run("people", "add", name, "--account", f"argilla={login}", "-w", folder)[0] == 0
    assert run("run", "-w", folder, "--set", "push.overlap=3")[0] == 3
    answering(home, folder, "wim", "positive")
    answering(home, folder, "xia", "negative")
    pulled(run, folder)
    argilla.remove_account(home, "wim")
    delete(home, "xia")
    answering(home, folder, "yva", "neutral")
    made = pulled(run, folder)
    assert (made["complete"], made["done"], made["new"]) == (3, True, 3)
    assert made["statuses"] == {"submitted": 9}
    expected = {"wim": "positive", "xia": "negative", "yva": "neutral"}
    assert said(folder) == {name: [value] * 3 for name, value in expected.items()}


def test_two_accounts_of_one_person_do_not_let_a_round_wait_in_silence(run, folder, home):
    argilla.add_accounts(home, [("zoe", ""), ("zoe2", ""), ("abe", "")])
    both = ("--account", "argilla=zoe", "--account", "argilla=zoe2")
    assert run("people", "add", "zoe", *both, "-w", folder)[0] == 0
    assert run("people", "add", "abe", "--account", "argilla=abe", "-w", folder)[0] == 0
    assert run("run", "-w", folder)[0] == 3
    answering(home, folder, "zoe", "positive")
    answering(home, folder, "zoe2", "negative")
    made = pulled(run, folder)
    assert (made["complete"], made["done"], made["statuses"]) == (0, False, {"submitted": 3})
    assert said(folder) == {"zoe": ["negative"] * 3}
    (warning,) = [each for each in made["warnings"] if each["key"] == "pull.unserved"]
    assert "`curate round close 1" in warning["words"]
    assert run("round", "close", "-w", folder)[0] == 0
    assert said(folder) == {"zoe": ["negative"] * 3}


def counted(run, folder):
    """Person → submitted and skipped, as `status` tells them."""
    code, out, err = run("status", "-w", folder, "--json")
    assert code == 0, err
    return {
        own["annotator"]: (own["submitted"], own["skipped"]) for own in json.loads(out)["people"]
    }


def test_status_counts_as_a_pull_will_whoever_has_two_accounts_or_none(run, folder, home):
    argilla.add_accounts(home, [("eva", ""), ("eva.2", ""), ("fay", ""), ("gus", "")])
    both = ("--account", "argilla=EVA", "--account", "argilla=eva.2")
    assert run("people", "add", "伊娃", *both, "-w", folder)[0] == 0
    for name in ("fay", "gus"):
        assert run("people", "add", name, "--account", f"argilla={name}", "-w", folder)[0] == 0
    assert run("run", "-w", folder, "--set", "push.overlap=3")[0] == 3
    answering(home, folder, "eva", "positive")
    answering(home, folder, "fay", "neutral")
    pulled(run, folder)
    answering(home, folder, "eva.2", "negative")
    answering(home, folder, "gus", "negative")
    delete(home, "fay")
    expected = {"伊娃": (3, 0), "fay": (3, 0), "gus": (3, 0)}
    assert counted(run, folder) == expected
    made = pulled(run, folder)
    assert (made["statuses"], made["complete"]) == ({"submitted": 9}, 3)
    assert counted(run, folder) == expected
    assert said(folder) == {
        "伊娃": ["negative"] * 3,
        "fay": ["neutral"] * 3,
        "gus": ["negative"] * 3,
    }
