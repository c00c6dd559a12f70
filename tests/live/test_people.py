"""People and their answers on a real Label Studio: all of them home once, and the round ends."""

import json

import pytest

from curate.backends.label_studio.values import write_items
from curate.forms import load_form
from curate.rounds import Round
from curate.servers.label_studio import server as label_studio
from tests import web
from tests.command import command
from tests.servers import environments, trust

pytestmark = pytest.mark.live

RECIPE = """
pool: {sources: [{paths: ["data/*.jsonl"]}], tokenizer: bytes}
clean: {rules: [], near_duplicates: null}
sample: {n: 20, seed: 3}
push: {backend: label_studio, form: sentiment, overlap: 2}
"""
TEXTS = ("The bread was stale.", "We laughed all night.", "It opens at nine.", "Never again.")


@pytest.fixture
def home(label_studio_home, monkeypatch):
    """The environment in which `curate` finds the server of this session."""
    monkeypatch.setenv("CURATE_HOME", str(label_studio_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    return label_studio_home


@pytest.fixture
def run(monkeypatch, capsys, home):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    write_notes(tmp_path)
    return tmp_path


def write_notes(folder):
    """Write four texts and their recipe into a folder."""
    (folder / "data").mkdir()
    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
    (folder / "data" / "notes.jsonl").write_text(lines)
    (folder / "recipe.yaml").write_text(RECIPE)


class Team:
    """People with accounts of their own on the server, who act as their browsers do."""

    def __init__(self, home, folder, *names):
        self.folder, self.home = folder, home
        logins = [f"{name}@{folder.name.replace('_', '-')}.example.org" for name in names]
        made = label_studio.add_accounts(home, [(login, "") for login in logins])
        self.logins = dict(zip(names, logins, strict=True))
        self.tokens = {name: each.token for name, each in zip(names, made, strict=True)}
        self.tokens["curator"] = label_studio.curator(home).token
        self.url = label_studio.start(home).url
        self.known = {}

    def call(self, who, method, path, body=None):
        headers = {"Authorization": f"Token {self.tokens[who]}"}
        answer = web.request(
            method, f"{self.url}/api/{path}", headers=headers, json=body, timeout=60
        )
        return answer

    @property
    def project(self):
        record = json.loads((self.folder / "rounds" / "01" / "project.json").read_text())
        return record["batches"][0]["project"]["key"]

    def tasks(self):
        """Return the server's tasks by their ids of ours."""
        params = f"tasks?project={self.project}&page_size=100&fields=all"
        found = self.call("curator", "GET", params).json()["tasks"]
        return {task["data"]["record_id"]: task for task in found}

    def task(self, id):
        """Return the server's id of a text, which is asked for once a project."""
        if (self.project, id) not in self.known:
            self.known |= {(self.project, own): task["id"] for own, task in self.tasks().items()}
        return self.known[self.project, id]

    def say(self, who, id, value, question="sentiment", form="sentiment"):
        body = {"result": write_items(load_form(form, self.folder), question, value)}
        path = f"tasks/{self.task(id)}/annotations/"
        made = self.call(who, "POST", path, {**body, "lead_time": 3.0})
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def result(self, value):
        return write_items(load_form("sentiment"), "sentiment", value)

    def edit(self, who, annotation, value):
        body = {"result": write_items(load_form("sentiment"), "sentiment", value)}
        assert self.call(who, "PATCH", f"annotations/{annotation}/", body).is_success

    def served(self, who):
        """Return our id of the task that the page would show next; None at the end."""
        answer = self.call(who, "GET", f"projects/{self.project}/next")
        return None if answer.status_code == 404 else answer.json()["data"]["record_id"]

    def leave(self, who):
        users = self.call("curator", "GET", "users/").json()
        (user,) = [user["id"] for user in users if user["email"] == self.logins[who]]
        organization = self.call("curator", "GET", "organizations/").json()[0]["id"]
        path = f"organizations/{organization}/memberships/{user}/"
        assert self.call("curator", "DELETE", path).status_code == 204

    def change_form(self, old, new):
        """Change the label config on the server's settings page."""
        path = f"projects/{self.project}/"
        before = self.call("curator", "GET", path).json()["label_config"]
        assert old in before
        body = {"label_config": before.replace(old, new)}
        assert self.call("curator", "PATCH", path, body).is_success

    def rows(self):
        current = Round.load(1, self.folder / "rounds" / "01")
        return [row for row in current.answers() if row["status"] != "withdrawn"]

    def said(self):
        """Return the person and the value of every answer that counts, by (person, text)."""
        return {
            (row["annotator"], row["id"]): json.loads(row["value"])
            for row in self.rows()
            if row["status"] == "submitted"
        }


def named(run, folder, team, *names):
    for name in names:
        account = f"label_studio={team.logins[name]}"
        assert run("people", "add", name, "--account", account, "-w", folder)[0] == 0


def pulled(run, folder):
    code, out, err = run("pull", "-w", folder, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_second_annotation_of_one_person_keeps_nobody_from_being_asked(run, folder, home):
    team = Team(home, folder, "ida", "jo")
    named(run, folder, team, "ida", "jo")
    assert run("run", "-w", folder)[0] == 3
    first, second, third, fourth = team.tasks()
    for value in ("positive", "negative", "neutral"):
        team.say("ida", first, value)
    team.say("ida", second, "negative")
    team.say("ida", second, "positive")
    for id in (third, fourth):
        team.say("ida", id, "neutral")
    made = pulled(run, folder)
    assert (made["statuses"], made["complete"]) == ({"submitted": 4}, 0)
    seen = []
    while (id := team.served("jo")) is not None:
        team.say("jo", id, "positive")
        seen.append(id)
    assert sorted(seen) == sorted(team.tasks())
    assert pulled(run, folder)["done"]
    assert len(team.said()) == 8


def test_people_who_leave_and_logins_in_capitals_lose_no_answer(run, folder, home):
    team = Team(home, folder, "kai", "lea", "mia")
    named(run, folder, team, "kai", "lea")
    capitals = f"label_studio={team.logins['mia'].upper()}"
    assert run("people", "add", "mia", "--account", capitals, "-w", folder)[0] == 0
    assert run("run", "-w", folder, "--set", "push.overlap=3")[0] == 3
    ids = list(team.tasks())
    for id in ids:
        team.say("kai", id, "positive")
        team.say("lea", id, "negative")
    pulled(run, folder)
    team.leave("kai")
    team.leave("lea")
    team.say("mia", ids[0], "neutral")
    made = pulled(run, folder)
    assert made["new"] == 1
    assert not made["done"]
    said = team.said()
    assert {person for person, _ in said} == {"kai", "lea", "mia"}
    assert [sum(person == who for person, _ in said) for who in ("kai", "lea", "mia")] == [4, 4, 1]
    team.leave("mia")
    made = pulled(run, folder)
    assert (made["done"], made["complete"], made["statuses"]) == (True, 1, {"submitted": 9})


def test_an_edit_by_somebody_else_is_theirs(run, folder, home):
    team = Team(home, folder, "nia", "ole")
    named(run, folder, team, "nia", "ole")
    assert run("run", "-w", folder)[0] == 3
    trust(home, team.logins["ole"])
    first, second, third, _ = team.tasks()
    known, unknown = team.say("nia", first, "positive"), team.say("nia", second, "positive")
    pulled(run, folder)
    unseen = team.say("nia", third, "positive")
    team.edit("ole", known, "negative")
    team.edit("ole", unseen, "negative")
    star = {"ground_truth": True}
    assert team.call("ole", "PATCH", f"annotations/{unknown}/", star).is_success
    pulled(run, folder)
    assert team.said() == {
        ("nia", first): "positive",
        ("ole", first): "negative",
        ("nia", second): "positive",
        ("ole", third): "negative",
    }
    assert {row["status"] for row in team.rows()} == {"submitted"}
    assert pulled(run, folder)["new"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [("<View", "<!-- checked --><View"), ('value="positive"', 'value="positive" color="green"')],
)
def test_new_looks_on_the_server_change_nothing(run, folder, home, old, new):
    team = Team(home, folder, "pia", "quin")
    named(run, folder, team, "pia", "quin")
    assert run("run", "-w", folder)[0] == 3
    team.change_form(old, new)
    team.say("pia", next(iter(team.tasks())), "positive")
    made = pulled(run, folder)
    assert (made["new"], made["warnings"]) == (1, [])
    assert run("push", "-w", folder)[0] == 0


def test_a_form_changed_on_the_server_lets_the_round_come_home(run, folder, home):
    team = Team(home, folder, "rea", "sam")
    named(run, folder, team, "rea", "sam")
    assert run("run", "-w", folder)[0] == 3
    first, second, third, _ = team.tasks()
    team.say("rea", first, "positive")
    team.change_form("</Choices>", '<Choice value="Mixed" alias="mixed"/></Choices>')
    body = {"result": write_items(load_form("sentiment"), "sentiment", "positive")}
    body["result"][0]["value"] = {"choices": ["mixed"]}
    path = f"tasks/{team.tasks()[second]['id']}/annotations/"
    assert team.call("sam", "POST", path, body).status_code == 201
    team.say("sam", third, "negative")
    code, _, err = run("push", "-w", folder)
    assert code == 1
    assert "its form was changed there" in err
    assert "`curate pull" in err
    made = pulled(run, folder)
    assert made["statuses"] == {"submitted": 2, "rejected": 1}
    assert made["rejected"] == {"'mixed' is not one of the choices": 1}
    code, _, err = run("run", "-w", folder)
    assert code == 3
    assert "curate round close" in err
    assert run("round", "close", "-w", folder)[0] == 0
    assert team.said() == {("rea", first): "positive", ("sam", third): "negative"}


CHINESE = """<View>
  <Text name="q" value="$问题"/><Text name="a" value="$回答"/>
  <Choices name="有用" toName="a" choice="single-radio" required="true">
    <Choice value="有用"/><Choice value="没用"/></Choices>
  <Pairwise name="更好" toName="q,a"/>
  <Labels name="词" toName="q,a"><Label value="人"/></Labels>
</View>"""


def test_columns_with_chinese_names_are_shown_and_come_home_under_them(run, folder, home):
    rows = [{"问题": "几点开门？", "回答": "九点。"}, {"问题": "能退吗？", "回答": "可以。"}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "data" / "notes.jsonl").write_text(lines)
    (folder / "label_configs").mkdir()
    (folder / "label_configs" / "wen.xml").write_text(CHINESE)
    recipe = RECIPE.replace(
        'paths: ["data/*.jsonl"]', 'paths: ["data/*.jsonl"], fields: [问题, 回答]'
    )
    (folder / "recipe.yaml").write_text(recipe.replace("sentiment", "wen"))
    team = Team(home, folder, "tia")
    code, _, err = run("run", "-w", folder, "--set", "push.overlap=1")
    assert code == 3, err
    tasks = team.tasks()
    shown = {frozenset(task["data"].values()) - {id} for id, task in tasks.items()}
    assert shown == {frozenset(row.values()) for row in rows}
    assert all(key.isascii() for task in tasks.values() for key in task["data"])
    config = team.call("curator", "GET", f"projects/{team.project}/").json()["label_config"]
    assert "$问题" not in config
    assert 'name="有用"' in config
    form = load_form("wen", folder)
    values = {
        "有用": "没用",
        "更好": "回答",
        "词": [{"start": 0, "end": 2, "label": "人", "field": "问题"}],
    }
    result = [item for name in values for item in write_items(form, name, values[name])]
    for task in tasks.values():
        answer = team.call("tia", "POST", f"tasks/{task['id']}/annotations/", {"result": result})
        assert answer.status_code == 201, answer.text
    made = pulled(run, folder)
    assert (made["statuses"], made["rejected"], made["done"]) == ({"submitted": 2}, {}, True)
    for row in team.rows():
        assert json.loads(row["value"]) == values[row["question"]]


def counted(run, folder):
    """Person → submitted, skipped, rejected, as `status` tells them; and the whole of it."""
    code, out, err = run("status", "-w", folder, "--json")
    assert code == 0, err
    people = json.loads(out)["people"]
    assert people
    return {own["annotator"]: (own["submitted"], own["skipped"], own["rejected"]) for own in people}


def test_status_counts_as_a_pull_will_whoever_edited_and_left(run, folder, home):
    """Edits and stars by others, a second annotation, a value of no choice, and who left."""
    team = Team(home, folder, "uma.r+1", "vic", "wyn")
    named(run, folder, team, "uma.r+1", "vic", "wyn")
    assert run("run", "-w", folder, "--set", "push.overlap=3")[0] == 3
    trust(home, team.logins["vic"])
    first, second, third, fourth = team.tasks()
    known = team.say("uma.r+1", first, "positive")
    starred = team.say("uma.r+1", second, "positive")
    for id in (first, second):
        team.say("wyn", id, "neutral")
    pulled(run, folder)
    team.edit("vic", known, "negative")
    star = {"ground_truth": True}
    assert team.call("vic", "PATCH", f"annotations/{starred}/", star).is_success
    body = {"result": team.result("positive")}
    body["result"][0]["value"] = {"choices": ["angry"]}
    path = f"tasks/{team.tasks()[third]['id']}/annotations/"
    assert team.call("vic", "POST", path, body).status_code == 201
    skip = {"result": [], "was_cancelled": True}
    path = f"tasks/{team.tasks()[fourth]['id']}/annotations/"
    assert team.call("uma.r+1", "POST", path, skip).status_code == 201
    team.say("uma.r+1", fourth, "neutral")  # skipped, and then answered
    team.say("uma.r+1", third, "neutral")
    path = f"tasks/{team.tasks()[third]['id']}/annotations/"
    assert team.call("uma.r+1", "POST", path, skip).status_code == 201  # and the other way round
    team.leave("wyn")
    expected = {"uma.r+1": (3, 1, 0), "vic": (1, 0, 1), "wyn": (2, 0, 0)}
    assert counted(run, folder) == expected
    made = pulled(run, folder)
    assert made["statuses"] == {"submitted": 6, "skipped": 1, "rejected": 1}
    assert counted(run, folder) == expected
    assert team.said() == {
        ("uma.r+1", first): "positive",
        ("vic", first): "negative",
        ("uma.r+1", second): "positive",
        ("uma.r+1", fourth): "neutral",
        ("wyn", first): "neutral",
        ("wyn", second): "neutral",
    }


def test_an_account_that_is_removed_and_added_again_is_the_same_person(run, folder, home):
    team = Team(home, folder, "xan.o'b+x", "yas")
    named(run, folder, team, "yas")
    login = team.logins["xan.o'b+x"]
    upper = login.replace("xan", "XAN")
    assert run("people", "add", "赞", "--account", f"label_studio={upper}", "-w", folder)[0] == 0
    assert run("run", "-w", folder)[0] == 3
    first, second, *_ = team.tasks()
    team.say("xan.o'b+x", first, "positive")
    pulled(run, folder)
    assert run("server", "accounts", "remove", upper)[0] == 0
    team.say("yas", first, "negative")
    made = pulled(run, folder)
    assert (made["statuses"], made["done"]) == ({"submitted": 2}, False)
    code, out, err = run("server", "accounts", "add", login, "--json")
    assert code == 0, err
    team.tokens["again"] = json.loads(out)["token"]
    team.say("again", second, "neutral")
    code, out, _ = run("server", "accounts", "add", upper, "--json")
    assert (code, json.loads(out)["token"]) == (0, team.tokens["again"])
    pulled(run, folder)
    assert team.said() == {
        ("赞", first): "positive",
        ("yas", first): "negative",
        ("赞", second): "neutral",
    }
    assert counted(run, folder) == {"赞": (2, 0, 0), "yas": (1, 0, 0)}
