"""A text that is taken down is in no file of its server: grep finds none of its words."""

import json
import sqlite3
from contextlib import closing

import pyarrow.parquet as pq
import pytest

from curate.connections import embedded
from curate.takedown.quoting import ERASED
from tests import web
from tests.annotators import PERSON
from tests.command import command
from tests.servers import RUNNING, environments
from tests.test_masks import everything

pytestmark = [pytest.mark.live, pytest.mark.slow]

SECRET = "quokkazephyrine"
TEXT = f"Mrs Almond of Pear Street said that the {SECRET} had bitten her twice."
OTHER = "The bread was stale, and nobody who ate there came back again."
DATABASES = {"label_studio.sqlite3", "argilla.db"}
"""They still have a comment on another text, until its author changes it."""

RECIPE = """
pool: {{sources: [{{paths: ["data/*.jsonl"]}}], tokenizer: bytes}}
clean: {{rules: [], near_duplicates: null}}
sample: {{n: 2, seed: 3}}
push: {{backend: {server}, form: comment, overlap: 3}}
"""


def in_files(folder):
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("server", list(PERSON))
def test_a_removed_text_is_in_no_file(server, tmp_path, monkeypatch, capsys):
    folder, place = tmp_path / "run", tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    lines = [json.dumps({"text": text}) + "\n" for text in (TEXT, OTHER)]
    (folder / "data" / "notes.jsonl").write_text("".join(lines))
    (folder / "recipe.yaml").write_text(RECIPE.format(server=server))
    monkeypatch.setenv("CURATE_HOME", str(place))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    for name in ("LABEL_STUDIO_URL", "ARGILLA_API_URL"):
        monkeypatch.delenv(name, raising=False)
    run = command(monkeypatch, capsys)
    with RUNNING[server](place) as home:
        assert run("run", "-w", folder)[0] == 3
        project = json.loads((folder / "rounds/01/project.json").read_text())
        key = project["batches"][0]["project"]["key"]
        running = embedded(server).status(home)
        ann, bob, _ = (
            PERSON[server](running.url, account.token)
            for account in embedded(server).accounts(home)
        )
        ids, tasks, say = shown(folder), ann.tasks(key), SAY[server]
        say(ann, key, tasks[ids[TEXT]], f"She writes: {TEXT}")
        say(ann, key, tasks[ids[OTHER]], f"Not as bad as {TEXT}")
        assert run("pull", "-w", folder)[0] == 0
        say(bob, key, tasks[ids[TEXT]], f"I know her, {SECRET} and all: {TEXT}")
        LEAVE[server](home, key, running.url)
        assert in_files(place)
        (folder / "ids.txt").write_text(ids[TEXT])
        asked = ("--ids", folder / "ids.txt", "--reason", "asked by her", "--comments", "--yes")
        code, out, err = run("remove", *asked, "-w", folder, "--json")
        assert code == 0, err
        assert json.loads(out)["comments"] == 3
        assert [name for name, text in everything(folder, ("data/",)) if SECRET in text] == []
        told = " ".join(json.loads(out)["notes"])
        assert "1 of them" in told
        assert {name.rpartition("/")[2] for name in in_files(place)} <= DATABASES
        say(ann, key, tasks[ids[OTHER]], "Not as bad as others")
        assert run("pull", "-w", folder)[0] == 0
    write_back(place)
    assert in_files(place) == []
    said = [json.loads(text) for text in comments(folder)]
    assert sorted(said) == sorted([ERASED, ERASED, ERASED, "Not as bad as others"])


def write_back(place):
    """Write what the logs of writes hold into the databases, as a server does after a while."""
    for path in (path for path in place.rglob("*") if path.name in DATABASES):
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def shown(folder):
    """Return the ids of the tasks by their texts."""
    rows = pq.read_table(folder / "rounds/01/texts.parquet").to_pylist()
    return {dict(json.loads(row["fields"]))["text"]: row["id"] for row in rows}


def say_on_label_studio(person, key, task, words):
    """Submit a comment, or change the one that this person has given."""
    value = {"from_name": "comment", "to_name": "text", "type": "textarea"}
    body = {"result": [{**value, "value": {"text": [words]}}], "lead_time": 1.0}
    me = person.http.get("/api/current-user/whoami").json()["id"]
    before = person.http.get(f"/api/tasks/{task}/annotations/").json()
    own = [answer["id"] for answer in before if answer["completed_by"] == me]
    if own:
        said = person.http.patch(f"/api/annotations/{own[0]}/", json=body)
    else:
        said = person.http.post(f"/api/tasks/{task}/annotations/", json=body)
    assert said.is_success, said.text


def say_on_argilla(person, key, task, words):
    """Submit a comment, or change the one that this person has given."""
    person.answer(key, task, {"comment": words})


SAY = {"label_studio": say_on_label_studio, "argilla": say_on_argilla}


def comments(folder):
    for path in sorted((folder / "rounds/01/annotations").glob("*.parquet")):
        yield from (row["value"] for row in pq.read_table(path).to_pylist() if row["value"])


def leave_on_label_studio(home, key, url):
    """The curator exports the project, and somebody looks for a word of the text."""
    curator, ann = (
        embedded("label_studio").curator(home),
        embedded("label_studio").accounts(home)[0],
    )

    def call(token, method, path, **more):
        headers = {"Authorization": f"Token {token}"}
        answer = web.request(method, f"{url}/api/{path}", headers=headers, timeout=60, **more)
        assert answer.is_success, answer.text
        return answer

    call(curator.token, "GET", f"projects/{key}/export?exportType=JSON")
    call(curator.token, "POST", f"projects/{key}/exports/", json={"title": "mine"})
    condition = {"filter": "filter:tasks:data.text", "operator": "contains", "type": "String"}
    items = [{**condition, "value": SECRET}]
    query = json.dumps({"filters": {"conjunction": "and", "items": items}})
    call(ann.token, "GET", "tasks", params={"project": key, "query": query})
    found = call(curator.token, "GET", f"tasks?project={key}&fields=all").json()["tasks"]
    task = next(task for task in found if task["data"]["text"] == TEXT)
    body = {"result": [{"value": {"text": [TEXT]}}], "lead_time": 1.0}
    call(ann.token, "POST", f"tasks/{task['id']}/drafts", json=body)


def leave_on_argilla(home, key, url):
    """Somebody looks for a word of the text."""
    ann = embedded("argilla").accounts(home)[0]
    headers = {"X-Argilla-Api-Key": ann.token}
    body = {"query": {"text": {"q": SECRET}}}
    place = f"{url}/api/v1/me/datasets/{key}/records/search"
    assert web.post(place, headers=headers, json=body, timeout=60).is_success


LEAVE = {"label_studio": leave_on_label_studio, "argilla": leave_on_argilla}
