"""Two people answer in their pages; what they and the curator do meanwhile loses no answer."""

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from curate.forms import parse_form
from curate.rounds import Round
from curate.servers import Account
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio
from tests.browser.argilla_page import ArgillaPage
from tests.browser.chromium import chromium, picture
from tests.browser.label_studio_page import LabelStudioPage
from tests.command import command
from tests.servers import environments

pytestmark = [pytest.mark.browser, pytest.mark.live]

RECIPE = """
pool: {sources: [{paths: ["data/*.jsonl"]}], tokenizer: bytes}
clean: {rules: [], near_duplicates: null}
sample: {n: 4, seed: 3}
push: {backend: SERVER, form: topic, overlap: 2}
"""
TEXTS = ("The bread was stale.", "We laughed all night.", "It opens at nine.", "Never again.")
MIXED = '<Choice value="A bit of all" alias="mixed" hotkey="9"/>'


class LabelStudioServer:
    """Label Studio, with its curator before the settings page."""

    name, at, page, last = "label_studio", "@example.org", LabelStudioPage, "mixed"

    def __init__(self, home: Any) -> None:
        self.url, token = label_studio.start(home).url, label_studio.curator(home).token
        self.http = httpx.Client(
            base_url=f"{self.url}/api", headers={"Authorization": f"Token {token}"}, timeout=60
        )

    def change_looks(self, project: Any) -> Any:
        """Another hotkey and a larger title."""
        return self._change(
            project,
            {
                'alias="culture" hotkey="5"': 'alias="culture" hotkey="c"',
                "<Header ": '<Header size="1" ',
            },
        )

    def change_labels(self, project: Any) -> Any:
        """One more choice."""
        return self._change(project, {"</Choices>": f"{MIXED}</Choices>"})

    def _change(self, project: Any, words: dict[str, str]) -> Any:
        """Change the label config; the project as its page now is."""
        path = f"/projects/{project.key}/"
        xml = self.http.get(path).raise_for_status().json()["label_config"]
        for old, new in words.items():
            assert old in xml
            xml = xml.replace(old, new)
        self.http.patch(path, json={"label_config": xml}).raise_for_status()
        return replace(project, form=parse_form(xml, name=project.form.name))


class ArgillaServer:
    """Argilla, with its owner before the settings page."""

    name, at, page, last = "argilla", "", ArgillaPage, "news"

    def __init__(self, home: Any) -> None:
        self.url, token = argilla.start(home).url, argilla.curator(home).token
        self.http = httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"X-Argilla-Api-Key": token}, timeout=60
        )

    def change_looks(self, project: Any) -> Any:
        """Fewer options at once."""
        return self._change(project, visible_options=5)

    def change_labels(self, project: Any) -> Any:
        """Other words for the same values, which is all that Argilla lets change."""
        question = project.form.question("topic")
        options = [{"value": value, "text": f"Only {value}"} for value in question.labels]
        return self._change(project, options=options)

    def _change(self, project: Any, **settings: Any) -> Any:
        questions = self.http.get(f"/datasets/{project.key}/questions").raise_for_status()
        question = next(q for q in questions.json()["items"] if q["name"] == "topic")
        body = {"settings": {"type": question["settings"]["type"], **settings}}
        self.http.patch(f"/questions/{question['id']}", json=body).raise_for_status()
        return project


SERVERS = {"label_studio": LabelStudioServer, "argilla": ArgillaServer}


@pytest.fixture(params=SERVERS)
def server(request, monkeypatch):
    """A server that runs, which `curate` finds."""
    home = request.getfixturevalue(f"{request.param}_home")
    monkeypatch.setenv("CURATE_HOME", str(home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    monkeypatch.setenv("COLUMNS", "160")  # no line of a table is broken
    server = SERVERS[request.param](home)
    with server.http:
        yield server


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path, server):
    (tmp_path / "data").mkdir()
    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
    (tmp_path / "data" / "notes.jsonl").write_text(lines)
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("SERVER", server.name))
    return tmp_path


@contextmanager
def person(run, server, folder, name, written=str):
    """Somebody named for the round, logged in; `written` is how people.yaml spells the login."""
    login = f"{name}{server.at}"
    made = run("server", "accounts", "add", login, "--server", server.name, "--json")
    account = {key: json.loads(made[1])[key] for key in ("email", "name", "password", "token")}
    spelt = f"{server.name}={written(login)}"
    assert run("people", "add", name, "--account", spelt, "-w", folder)[0] == 0
    with chromium(folder / f"profile-{name}") as browser:
        page = server.page(browser, server.url, Account(**account))
        page.log_in()
        yield page


def answer(page, value, by):
    """Answer the text that the page shows; the text."""
    text = page.shown("text")
    page.choose("topic", [value], by)
    page.submit(by)
    return text


def pulled(run, folder):
    code, out, err = run("pull", "-w", folder, "--json")
    assert code == 0, err
    return json.loads(out)


def test_every_answer_comes_home_once_whatever_people_do(run, server, folder, tmp_path):
    with (
        person(run, server, folder, "mei", str.upper) as mei,
        person(run, server, folder, "tom") as tom,
    ):
        assert run("run", "-w", folder)[0] == 3
        project = Round.load(1, folder / "rounds" / "01").project
        said = {}
        mei.open(project)
        said["mei", answer(mei, "news", "mouse")] = "sport"
        mei.answer_again("topic", ["sport"], "mouse")
        picture(mei.browser, tmp_path, f"{server.name}-people-again")
        tom.open(project)
        for value in ("business", "health"):
            said["tom", answer(tom, value, "keys")] = value
        made = pulled(run, folder)
        assert (made["new"], made["statuses"], made["done"]) == (3, {"submitted": 3}, False)

        leaving = f"tom{server.at}"
        assert run("server", "accounts", "remove", leaving, "--server", server.name)[0] == 0
        project = server.change_looks(project)
        mei.open(project)
        picture(mei.browser, tmp_path, f"{server.name}-people-looks")
        for value in ("science", "culture"):
            said["mei", answer(mei, value, "keys")] = value
        made = pulled(run, folder)
        assert (made["new"], made["rejected"], made["done"]) == (2, {}, False)
        assert run("push", "-w", folder)[0] == 0

        fits = server.last in project.form.question("topic").labels
        project = server.change_labels(project)
        mei.open(project)
        picture(mei.browser, tmp_path, f"{server.name}-people-labels")
        last = answer(mei, server.last, "mouse")

    code, _, err = run("push", "-w", folder)
    assert (code, "its form was changed there" in err) == (1, True)
    made = pulled(run, folder)
    assert made["rejected"] == ({} if fits else {"'mixed' is not one of the choices": 1})
    assert made["done"] == fits
    if fits:
        said["mei", last] = server.last
    else:
        told = {warning["key"]: warning["words"] for warning in made["warnings"]}
        assert "`curate round close 1` ends the round" in told["pull.waits"]
        assert run("round", "close", "-w", folder)[0] == 0
    (closed,) = json.loads(run("round", "list", "-w", folder, "--json")[1])["rounds"]
    assert closed["closed"] == ("nobody is left to ask" if fits else "closed by hand")

    assert run("agree", "-w", folder)[0] == 0
    shown = run("labels", "-w", folder)[1]
    assert all(f"{value}: {person}" in shown for (person, _), value in said.items())
    labels = json.loads(run("labels", "-w", folder, "--json")[1])["rows"]
    assert sorted(label["text"] for label in labels) == sorted({text for _, text in said})
    home = [
        ((said_by["annotator"], label["text"]), said_by["value"])
        for label in labels
        for said_by in label["answers"]
    ]
    assert sorted(home) == sorted(said.items())
