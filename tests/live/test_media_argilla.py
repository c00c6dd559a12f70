"""A round of images through a real Argilla, also where push or pull is killed."""

import json
import signal

import pytest

from curate.connections import Connections
from curate.progress import unwatched
from curate.rounds import Round
from curate.servers.argilla import server as argilla
from curate.servers.shelf import digest_of
from tests import web
from tests.command import command
from tests.live import test_media_loop
from tests.live.test_loop import killed
from tests.servers import environments

pytestmark = pytest.mark.live

folder = test_media_loop.folder

KINDS = ("photo", "drawing", "chart")


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


def answer(folder, home):
    """Let two people choose; return what each chose by task and account, and what was shown."""
    record = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    key = record["batches"][0]["project"]["key"]
    client = Connections(folder, unwatched).running("argilla").client
    chosen, shown = {}, {}
    records = list(client.records(key, dict, responses=False))
    for number, own in enumerate(records):
        shown[own["external_id"]] = own["fields"]["image"]
        for person, account in enumerate(argilla.accounts(home)[:2]):
            value = KINDS[(number + person) % 3]
            made = web.post(
                f"{client.url}/api/v1/records/{own['id']}/responses",
                json={"status": "submitted", "values": {"kind": {"value": value}}},
                headers={"X-Argilla-Api-Key": account.token},
            )
            assert made.is_success, made.text[:300]
            chosen[own["external_id"], account.email] = value
    return chosen, shown, client.url


MOMENTS = {
    "the third picture is about to be copied": ("curate.backends.showing", "_format", 3),
    "the records are sent, but not yet noted": ("curate.push.stage", "PushResult", 1),
    "the answers are fetched, but not yet kept": ("curate.fetching.projects", "check_answer", 7),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_choices_come_home_whenever_it_is_killed(run, folder, home, moment):
    recipe = test_media_loop.RECIPE.replace("label_studio, form: boxes", "argilla, form: image")
    (folder / "recipe.yaml").write_text(recipe)
    if "answers" not in moment:
        assert killed(folder, MOMENTS[moment]) == -signal.SIGKILL
    code, _, err = run("run", "-w", folder)
    assert code == 3, err
    chosen, shown, url = answer(folder, home)
    assert len({digest_of(address) for address in shown.values()}) == 6
    for address in shown.values():
        assert web.get(f"{url}{address}").content.startswith(b"\x89PNG")
    if "answers" in moment:
        assert killed(folder, MOMENTS[moment]) == -signal.SIGKILL
    code, _, err = run("pull", "-w", folder)
    assert code == 0, err
    rows = Round.load(1, folder / "rounds" / "01").answers()
    kinds = [row for row in rows if row["question"] == "kind"]
    assert {row["status"] for row in kinds} == {"submitted"}
    people = {row["annotator"] for row in kinds}
    assert len(people) == 2
    assert sorted((row["id"], json.loads(row["value"])) for row in kinds) == sorted(
        (id, value) for (id, _), value in chosen.items()
    )
    code, out, err = run("pull", "-w", folder, "--json")
    assert (code, json.loads(out)["new"]) == (0, 0), err
