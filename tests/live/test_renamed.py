"""Projects that people rename, swap or make anew: each round keeps its own, and loses nothing."""

import json

import pytest

from tests.live.test_people import Team, named, pulled, write_notes
from tests.servers import trust

pytestmark = pytest.mark.live


@pytest.fixture
def team(run, tmp_path, label_studio_home):
    """Two people who may do everything, and a first round of two texts, which is done."""
    write_notes(tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("n: 20", "n: 2"))
    team = Team(label_studio_home, tmp_path, "uma", "vic")
    named(run, tmp_path, team, "uma", "vic")
    for login in team.logins.values():
        trust(label_studio_home, login)
    assert run("run", "-w", tmp_path, "--set", "push.overlap=1")[0] == 3
    for id in team.tasks():
        team.say("uma", id, "positive")
    assert pulled(run, tmp_path)["done"]
    return team


def sent(team, number):
    record = json.loads((team.folder / f"rounds/{number:02}/project.json").read_text())
    return record["batches"][0]["project"]


def shown(team, key):
    return team.call("curator", "GET", f"projects/{key}/").json()


def rename(team, key, title, **more):
    said = team.call("vic", "PATCH", f"projects/{key}/", {"title": title, **more})
    assert said.is_success, said.text


def open_second(run, team):
    return run("run", "-w", team.folder, "--next-round", "--set", "push.overlap=1")


def test_a_round_that_has_the_name_of_the_next_is_not_taken_for_it(run, team):
    first = sent(team, 1)
    rename(team, first["key"], first["name"][-50:].replace("-r01", "-r02"))
    code, _, err = open_second(run, team)
    assert code == 3, err
    second = sent(team, 2)
    assert second["key"] != first["key"]
    assert shown(team, first["key"])["title"] == first["name"][-50:]
    assert shown(team, first["key"])["task_number"] == 2
    assert shown(team, second["key"])["task_number"] == 2


def test_two_that_swap_their_names_keep_their_answers(run, team):
    assert open_second(run, team)[0] == 3
    first, second = sent(team, 1), sent(team, 2)
    for one, other in ((first, second), (second, first)):
        rename(team, one["key"], other["name"][-50:])
    for task in team.call("uma", "GET", f"tasks?project={second['key']}&fields=all").json()[
        "tasks"
    ]:
        body = {"result": team.result("negative"), "lead_time": 1.0}
        assert team.call("uma", "POST", f"tasks/{task['id']}/annotations/", body).is_success
    assert run("push", "--restore", "-w", team.folder)[0] == 0
    assert shown(team, second["key"])["title"] == second["name"][-50:]
    made = pulled(run, team.folder)
    assert (made["round"], made["complete"], made["done"]) == (2, 2, True)
    assert run("status", "-w", team.folder)[0] == 0


CHANGES = (
    {"title": "影评：第一轮（请勿改名）"},
    {"title": "x" * 50, "description": "another", "expert_instruction": "say yes"},
    {"title": "mine", "is_draft": True, "is_published": False},
    {"title": "mine", "color": "#000000", "maximum_annotations": 9, "show_skip_button": False},
)


def test_a_project_is_the_rounds_whatever_it_is_called(run, team):
    assert open_second(run, team)[0] == 3
    second = sent(team, 2)
    for change in CHANGES:
        rename(team, second["key"], **change)
        code, out, err = run("push", "--restore", "-w", team.folder, "--json")
        assert code == 0, (change, err)
        assert json.loads(out)["projects"] == 0
        assert shown(team, second["key"])["title"] == second["name"][-50:]


def test_a_project_made_anew_with_other_questions_is_told_whose_name_it_has(run, team):
    assert open_second(run, team)[0] == 3
    second = sent(team, 2)
    title, form = second["name"][-50:], "<View><Text name='a' value='$a'/></View>"
    assert team.call("vic", "DELETE", f"projects/{second['key']}/").status_code == 204
    made = team.call("vic", "POST", "projects/", {"title": title, "label_config": form})
    code, _, err = run("push", "--restore", "-w", team.folder)
    assert code == 1
    assert "has another project" in err
    assert "rename it or delete it there" in err
    rename(team, made.json()["id"], "vic's own")
    assert run("push", "--restore", "-w", team.folder)[0] == 0
    assert shown(team, sent(team, 2)["key"])["task_number"] == 2


def test_a_name_that_is_cut_at_a_space_is_found_again(run, tmp_path):
    """The server takes the space away; the project was then not the one that had been asked for."""
    folder = tmp_path / f"notes {'a' * 36}"
    folder.mkdir()
    write_notes(folder)
    code, _, err = run("run", "-w", folder, "--set", "push.overlap=1")
    assert code == 3, err
    record = json.loads((folder / "rounds/01/project.json").read_text())
    assert record["batches"][0]["project"]["name"][-50] == " "
    assert run("push", "-w", folder)[0] == 0
    assert run("pull", "-w", folder)[0] == 0
