"""What accounts of a server of others can do, and that none of it harms the workspace."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from curate.servers.label_studio import server as label_studio
from tests.live.test_people import Team, named, pulled, write_notes
from tests.servers import trust

pytestmark = pytest.mark.live


@pytest.fixture
def team(run, tmp_path, label_studio_home):
    """Two people whose round of four texts is sent; everybody may do everything."""
    write_notes(tmp_path)
    team = Team(label_studio_home, tmp_path, "uma", "vic")
    named(run, tmp_path, team, "uma", "vic")
    for login in team.logins.values():
        trust(label_studio_home, login)
    assert run("run", "-w", tmp_path, "--set", "push.overlap=1")[0] == 3
    return team


def test_a_clock_that_was_ahead_hides_no_answer(run, team):
    first, *others = team.tasks().items()
    team.say("uma", first[0], "positive")
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    (path,) = (label_studio.SERVER.root(team.home) / "data").glob("*.sqlite3")
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        connection.execute("UPDATE task SET updated_at = ? WHERE id = ?", (ahead, first[1]["id"]))
    assert pulled(run, team.folder)["new"] == 1
    for id, _ in others:
        team.say("uma", id, "negative")
    made = pulled(run, team.folder)
    assert (made["new"], made["done"]) == (3, True)


def test_a_renamed_project_loses_no_answer(run, team):
    for id in team.tasks():
        team.say("uma", id, "positive")
    path = f"projects/{team.project}/"
    assert team.call("vic", "PATCH", path, {"title": "mine now"}).is_success
    assert run("push", "--restore", "-w", team.folder)[0] == 0
    assert len(team.said()) == 4
    assert team.call("curator", "GET", path).json()["title"] != "mine now"
    assert pulled(run, team.folder)["done"]


def test_answers_to_a_text_that_was_edited_or_swapped_are_rejected(run, team):
    (first, one), (second, two), (third, _), _ = team.tasks().items()
    team.say("uma", third, "positive")
    edits = ((one, {**one["data"], "text": "edited"}), (two, {**one["data"]}))
    for task, data in edits:
        assert team.call("vic", "PATCH", f"tasks/{task['id']}/", {"data": data}).is_success
    body = {"result": team.result("positive"), "lead_time": 1.0}
    assert team.call("uma", "POST", f"tasks/{one['id']}/annotations/", body).is_success
    made = pulled(run, team.folder)
    assert made["rejected"] == {"the text of its task was changed on the server": 1}
    assert list(team.said()) == [("uma", third)]
    assert first != second


def test_withdrawals_are_told(run, team):
    ids = list(team.tasks())
    answers = [team.say("uma", id, "positive") for id in ids[:3]]
    pulled(run, team.folder)
    assert team.call("vic", "DELETE", f"annotations/{answers[0]}/").is_success
    made = pulled(run, team.folder)
    assert "1 answer withdrawn: gone from the server" in made["notes"]
    (line,) = json.loads(run("people", "report", "--json", "-w", team.folder)[1])["report"]
    people = json.loads(run("status", "--json", "-w", team.folder)[1])["people"]
    (submitted,) = [person["submitted"] for person in people if person["annotator"] == "uma"]
    assert (line["answers"], line["withdrawn"], submitted) == (3, 1, 2)
