"""The loop through a real Label Studio: what people said comes home, one by one, and stays."""

import json
import shutil
import signal
from collections import Counter

import pyarrow.parquet as pq
import pytest

from curate.servers.label_studio import server as label_studio
from recipes.demo import replay
from tests import deadly
from tests.command import command
from tests.servers import environments
from tests.test_loop import BAD, GOOD, texts

pytestmark = pytest.mark.live

RECIPE = """
encoder: chargram
pool: {sources: [{paths: ["data/*.jsonl"]}], tokenizer: bytes}
sample: {n: 24, seed: 3}
push: {backend: label_studio, form: sentiment, overlap: 3}
pull: {enough: 0.6} # other tests may have added accounts, which are never used up
score: {question: sentiment, quality: {clarity: [negative, positive]}}
"""


@pytest.fixture
def home(label_studio_home, monkeypatch):
    """The environment in which `curate` finds the server of this session."""
    monkeypatch.setenv("CURATE_HOME", str(label_studio_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    return label_studio_home


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    rows = [text for words in (GOOD, BAD) for text in texts(words)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in rows)
    (tmp_path / "data" / "notes.jsonl").write_text(lines)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys, home):
    return command(monkeypatch, capsys)


def planned(folder, home):
    """Return every answer that the three people will give; ratings say what the words say."""
    rows = pq.read_table(folder / "rounds" / "01" / "texts.parquet").to_pylist()
    tasks = [{"id": row["id"], **dict(json.loads(row["fields"]))} for row in rows]
    ratings = {t["text"]: [3] if any(w in t["text"] for w in GOOD) else [-2, -3] for t in tasks}
    return replay.plan(tasks, ratings, list(tokens(home)), seed=5, skipped=0.1, edited=0.1)


def tokens(home):
    accounts = label_studio.accounts(home)
    return {a.email: a.token for a in accounts if a.email.split("@")[0] in ("ann", "bob", "cy")}


def give(folder, home, answers):
    """Give answers over HTTP, each person with their own token."""
    project = json.loads((folder / "rounds" / "01" / "project.json").read_text())["batches"][0][
        "project"
    ]
    replay.replay(project["server"], tokens(home), project["key"], answers)


def stored(folder):
    """Return the newest answers at home by (account, text)."""
    import yaml

    from curate.rounds import Round

    people = yaml.safe_load((folder / "people.yaml").read_text())["people"]
    accounts = {each["id"]: each["accounts"]["label_studio"] for each in people}
    rows = Round.load(1, folder / "rounds" / "01").answers()
    return {(accounts[row["annotator"]], row["id"]): row for row in rows}


def annotation_files(folder):
    paths = sorted((folder / "rounds" / "01" / "annotations").iterdir())
    return {path.name: path.read_bytes() for path in paths}


def test_every_answer_comes_home_and_nothing_changes_after(run, folder, home, monkeypatch):
    code, _, err = run("run", "-w", folder)
    assert code == 3, err
    assert "/projects/" in err
    assert "curate server accounts list --server label_studio" in err
    assert "curator@" in err, "nobody is named, so the curator may label too"
    answers = planned(folder, home)
    assert {a.status for a in answers} == {"submitted", "skipped"}
    assert any(a.edits for a in answers)

    give(folder, home, answers[:30])
    assert run("run", "-w", folder)[0] == 3
    first = annotation_files(folder)
    give(folder, home, answers[30:])
    code, _, err = run("run", "-w", folder)
    assert code == 0, err

    found = stored(folder)
    assert len(found) == len(answers) == 72
    for answer in answers:
        row = found[answer.account, answer.id]
        assert row["status"] == answer.status
        assert row["value"] == (None if answer.value is None else json.dumps(answer.value))
        if answer.status == "submitted":
            assert row["seconds"] == (9.0 if answer.edits else 6.0)
        assert row["backend"] == "label_studio"
        assert row["at"] is not None
    assert first.items() <= annotation_files(folder).items()

    before = annotation_files(folder)
    code, out, _ = run("pull", "-w", folder, "--json")
    assert code == 0
    assert json.loads(out)["new"] == 0
    assert annotation_files(folder) == before
    assert "is closed" in run("push", "-w", folder)[2]

    # A closed round needs no server.
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "0" * 40)
    code, _, err = run("run", "-w", folder)
    assert code == 0, err
    assert "fresh" in err


def test_pushing_twice_is_pushing_once(run, folder, home):
    run("run", "-w", folder)
    code, out, _ = run("push", "-w", folder, "--json")
    assert code == 0
    assert json.loads(out)["sent"] == 0
    assert tasks_on_the_server(folder, home) == 24


def test_an_edit_is_added_and_the_earlier_answer_stays(run, folder, home):
    from curate.rounds import Round

    run("run", "-w", folder)
    answers = [a for a in planned(folder, home) if a.status == "submitted" and not a.edits]
    give(folder, home, answers[:1])
    run("pull", "-w", folder)
    project = json.loads((folder / "rounds" / "01" / "project.json").read_text())["batches"][0][
        "project"
    ]
    client = replay.Client(project["server"], tokens(home)[answers[0].account])
    place = replay.task_numbers(client, project["key"])[answers[0].id]
    made = client.call("GET", f"/api/tasks/{place}/annotations/")[0]
    result = made["result"]
    result[0]["value"]["choices"] = ["neutral"]
    client.call("PATCH", f"/api/annotations/{made['id']}/", {"result": result})
    code, out, _ = run("pull", "-w", folder, "--json")
    assert code == 0
    assert json.loads(out)["new"] == 1
    history = Round.load(1, folder / "rounds" / "01").history()
    assert [row["value"] for row in history] == [json.dumps(answers[0].value), '"neutral"']
    assert [row["value"] for row in Round.load(1, folder / "rounds" / "01").answers()] == [
        '"neutral"'
    ]


@pytest.mark.parametrize("key", ["0" * 40, "not a key at all"])
def test_a_wrong_key_names_the_variable_and_loses_nothing(run, folder, home, monkeypatch, key):
    run("run", "-w", folder)
    before = sorted(path.name for path in (folder / "rounds" / "01").iterdir())
    server = label_studio.status(home)
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", key)
    code, _, err = run("run", "-w", folder)
    assert code == 1
    assert "LABEL_STUDIO_API_KEY" in err
    assert key not in err
    assert "Traceback" not in err
    assert sorted(path.name for path in (folder / "rounds" / "01").iterdir()) == before


MOMENTS = {
    "the project is made, but not yet noted": ("curate.push.first", "_suggestions_json", 1),
    "the tasks are sent, but not yet noted": ("curate.push.stage", "PushResult", 1),
    "the answers are fetched, but not yet kept": ("curate.fetching.projects", "check_answer", 7),
    "the answers are kept, but the round is open": ("curate.pull.stage", "close", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_the_worst_moment(run, folder, home, moment):
    where = MOMENTS[moment]
    if "answers" in moment:
        assert run("run", "-w", folder)[0] == 3
        answers = planned(folder, home)
        give(folder, home, answers)
    assert killed(folder, where) == -signal.SIGKILL
    code, _, err = run("run", "-w", folder)
    assert tasks_on_the_server(folder, home) == 24
    if "answers" not in moment:
        assert code == 3, err
        answers = planned(folder, home)
        give(folder, home, answers)
        code, _, err = run("run", "-w", folder)
    assert code == 0, err
    found = stored(folder)
    assert len(found) == 72
    for answer in answers:
        assert found[answer.account, answer.id]["status"] == answer.status
    rows = sum(pq.read_metadata(p).num_rows for p in (folder / "rounds/01/annotations").iterdir())
    assert rows == 72


def killed(folder, where):
    """Run the recipe in a process that kills itself at one moment; return how it ended."""
    return deadly.run(["run", "-w", folder], folder / "said.txt", kill=where)


def tasks_on_the_server(folder, home):
    """Return how many tasks the server holds for the round, each counted."""
    project = json.loads((folder / "rounds" / "01" / "project.json").read_text())["batches"][0][
        "project"
    ]
    client = replay.Client(project["server"], label_studio.curator(home).token)
    answer = client.call("GET", f"/api/tasks?project={project['key']}&page_size=1000")
    assert all(n == 1 for n in Counter(t["data"]["record_id"] for t in answer["tasks"]).values())
    titles = client.call("GET", "/api/projects?page_size=1000")["results"]
    assert sum(each["title"] == project["name"] for each in titles) == 1
    return len(answer["tasks"])


def test_a_workspace_from_another_place_is_not_this_ones(run, folder, home, tmp_path):
    """A copy of the workspace still finds its project; a project that is gone is said to be."""
    run("run", "-w", folder)
    project = json.loads((folder / "rounds" / "01" / "project.json").read_text())["batches"][0][
        "project"
    ]
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("copy"))
    assert run("run", "-w", copy)[0] == 3
    client = replay.Client(project["server"], label_studio.curator(home).token)
    client.call("DELETE", f"/api/projects/{project['key']}/")
    code, _, err = run("run", "-w", folder)
    assert code == 1
    assert "hint:" in err
    assert "Traceback" not in err
