"""A round of images and boxes through a real Label Studio, also where push or pull is killed."""

import json
import signal

import pytest

from curate.backends.label_studio.values import write_items
from curate.connections import Connections
from curate.forms import load_form
from curate.progress import unwatched
from curate.rounds import Round
from curate.servers.label_studio import server as label_studio
from curate.servers.shelf import digest_of
from tests import web
from tests.command import command
from tests.live.test_loop import killed, tokens
from tests.media_shown import picture
from tests.servers import environments

pytestmark = pytest.mark.live

RECIPE = """
encoder: chargram
pool: {sources: [{paths: [data/photos.jsonl], fields: [caption], media: [image]}], tokenizer: bytes}
sample: {n: 6, seed: 3}
push: {backend: label_studio, form: boxes, overlap: 2}
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
    for number in range(8):
        data = picture(64, 48, shade=20 * number)
        (tmp_path / "data" / f"{number}.png").write_bytes(data)
    rows = [{"caption": f"a sea at {n} o'clock", "image": f"{n}.png"} for n in range(8)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "data" / "photos.jsonl").write_text(lines)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys, home):
    return command(monkeypatch, capsys)


def server_tasks(folder):
    """Return the tasks of the round as the server has them, and a client of the curator."""
    record = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    key = record["batches"][0]["project"]["key"]
    backend = Connections(folder, unwatched).running("label_studio")
    return list(backend.client.tasks(key, "id,data")), backend.client


def boxes(number, person):
    """Return what a person draws on a picture: nobody the same, and nothing on the last ones."""
    if number > 3:
        return []
    x = 10 + number + person / 3
    return [{"x": x, "y": 20.0, "width": 30.0, "height": 40.0, "label": "animal"}]


def answer(folder, home, number_of_people=2):
    """Let people draw; return what each drew by task and account."""
    form, drawn = load_form("boxes"), {}
    tasks, client = server_tasks(folder)
    people = list(tokens(home).items())[:number_of_people]
    for number, task in enumerate(tasks):
        for person, (account, token) in enumerate(people):
            value = boxes(number, person)
            body = {"result": write_items(form, "boxes", value), "lead_time": 3.5}
            url = f"{client.url}/api/tasks/{task['id']}/annotations/"
            made = web.post(url, json=body, headers={"Authorization": f"Token {token}"})
            assert made.is_success, made.text[:300]
            drawn[task["data"]["record_id"], account] = value
    return drawn


def came_home(folder):
    import yaml

    people = yaml.safe_load((folder / "people.yaml").read_text())["people"]
    accounts = {each["id"]: each["accounts"]["label_studio"] for each in people}
    rows = Round.load(1, folder / "rounds" / "01").answers()
    assert {row["status"] for row in rows} == {"submitted"}
    return {
        (row["id"], accounts[row["annotator"]]): [
            {edge: own[edge] for edge in ("x", "y", "width", "height", "label")}
            for own in json.loads(row["value"])
        ]
        for row in rows
    }


def check_media(folder, home):
    """Every task shows the file that the pool knows, and each is there once."""
    tasks, client = server_tasks(folder)
    assert len(tasks) == 6
    key = label_studio.curator(home).token
    for task in tasks:
        data = web.get(
            f"{client.url}{task['data']['image']}", headers={"Authorization": f"Token {key}"}
        )
        assert data.status_code == 200
        assert data.content.startswith(b"\x89PNG")
    digests = [digest_of(task["data"]["image"]) for task in tasks]
    assert len(set(digests)) == 6


MOMENTS = {
    "the third picture is about to be copied": ("curate.backends.showing", "_format", 3),
    "the project is made, but not yet noted": ("curate.push.first", "_suggestions_json", 1),
    "the tasks are sent, but not yet noted": ("curate.push.stage", "PushResult", 1),
    "the answers are fetched, but not yet kept": ("curate.fetching.projects", "check_answer", 7),
    "nobody kills": None,
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_boxes_come_home_whenever_it_is_killed(run, folder, home, moment):
    where = MOMENTS[moment]
    if "answers" not in moment and where:
        assert killed(folder, where) == -signal.SIGKILL
    code, _, err = run("run", "-w", folder)
    assert code == 3, err
    check_media(folder, home)
    drawn = answer(folder, home)
    if "answers" in moment:
        assert killed(folder, where) == -signal.SIGKILL
    code, _, err = run("pull", "-w", folder)
    assert code == 0, err
    assert came_home(folder) == drawn
    code, out, err = run("pull", "-w", folder, "--json")
    assert (code, json.loads(out)["new"]) == (0, 0)
    code, out, err = run("agree", "-w", folder, "--json")
    assert code == 0, err
    asked = {own["question"]: own for own in json.loads(out)["questions"]}
    assert asked["boxes:animal"]["alpha"] == 1.0
    code, out, err = run("labels", "-w", folder)
    assert code == 0, err


def test_a_lost_project_comes_back_with_its_media_and_answers(run, folder, home):
    assert run("run", "-w", folder)[0] == 3
    drawn = answer(folder, home, number_of_people=1)  # the round stays open
    assert run("pull", "-w", folder)[0] == 0
    record = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    _, client = server_tasks(folder)
    client.request("DELETE", f"api/projects/{record['batches'][0]['project']['key']}/")
    code, _, err = run("push", "-w", folder, "--restore")
    assert code == 0, err
    check_media(folder, home)
    code, out, err = run("pull", "-w", folder, "--json")
    assert (code, json.loads(out)["new"]) == (0, 0), err
    assert came_home(folder) == drawn


def test_a_server_of_ones_own_gets_small_images_as_data(run, folder, home, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.status(home).url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.curator(home).token)
    code, _, err = run("run", "-w", folder)
    assert code == 3, err
    tasks, _ = server_tasks(folder)
    assert {task["data"]["image"][:22] for task in tasks} == {"data:image/png;base64,"}
    drawn = answer(folder, home)
    assert run("pull", "-w", folder)[0] == 0
    assert came_home(folder) == drawn
