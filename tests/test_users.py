"""Whose an answer is, whatever happens to the account it was given under."""

import json

import pytest

from curate.backends.backend import Recognition
from curate.errors import DataError, RecipeError
from curate.people import Person, accounts, people
from curate.people.users import Directory
from curate.records import Annotation, User
from tests.team import SERVER, TeamServer


@pytest.fixture
def logins():
    """The users of the server: number → login."""
    return {"1": "kim@example.org", "2": "lou@example.org", "3": "max@example.org"}


@pytest.fixture
def team(offline, logins):
    """A workspace whose server has three users, with a pushed round of four texts."""
    server = TeamServer(offline.root / "rounds", logins)
    offline.workspace.connect = lambda name: server
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=4, seed=5)
    return offline


def push(run, overlap=2, **more):
    return run.run("push", backend="label_studio", form="sentiment", overlap=overlap, **more)


def said(run):
    """Person → the values of their answers that count, and how many of them."""
    rows = run.workspace.rounds.current().answers()
    values = {}
    for row in rows:
        if row["status"] == "submitted":
            values.setdefault(row["annotator"], []).append(json.loads(row["value"]))
    return {person: (set(each), len(each)) for person, each in values.items()}


def listed(run):
    return {person.id: person for person in people.load(run.root).people}


def statuses(run):
    return {row["status"] for row in run.workspace.rounds.current().answers()}


def two_answer(run):
    run.answer("1", opinion=lambda text: "positive")
    run.answer("2", opinion=lambda text: "negative")


EXPECTED = {"kim": ({"positive"}, 4), "lou": ({"negative"}, 4)}


def name_two(run, kim="kim@example.org", lou="lou@example.org"):
    accounts.add(run.root, Person(id="kim", accounts={"label_studio": kim}))
    accounts.add(run.root, Person(id="lou", accounts={"label_studio": lou}))


# ── people who leave


@pytest.mark.parametrize("pulled_before", [True, False])
@pytest.mark.parametrize("leaving", [["1"], ["2"], ["1", "2"]])
def test_who_leaves_stays_who_they_are(team, logins, leaving, pulled_before):
    name_two(team)
    push(team)
    two_answer(team)
    if pulled_before:
        team.run("pull")
    for number in leaving:
        del logins[number]
    team.answer("3", opinion=lambda text: "neutral")
    made = team.run("pull")
    assert {id: each for id, each in said(team).items() if id in EXPECTED} == EXPECTED
    assert made.statuses["submitted"] == 12
    assert statuses(team) == {"submitted"}
    assert team.run("pull").new == 0


def test_people_who_leave_before_anybody_knew_them_are_not_merged(team, logins):
    push(team)
    two_answer(team)
    logins.clear()
    logins["9"] = "new@example.org"
    team.run("pull")
    assert sorted(said(team).values(), key=str) == sorted(EXPECTED.values(), key=str)
    assert all(id.startswith("p-") for id in said(team))


def test_answers_that_the_server_removed_with_the_account_stay(team, logins):
    name_two(team)
    push(team)
    two_answer(team)
    team.run("pull")
    del logins["1"]
    path = team.workspace.rounds.current().folder / "answers.jsonl"
    kept = [row for row in path.read_text().splitlines() if json.loads(row)["annotator"] != "1"]
    path.write_text("".join(row + "\n" for row in kept))
    assert team.run("pull").new == 0
    assert said(team) == EXPECTED


def test_an_answer_that_somebody_who_is_there_removed_is_withdrawn(team, logins):
    name_two(team)
    push(team, overlap=3)
    two_answer(team)
    team.run("pull")
    path = team.workspace.rounds.current().folder / "answers.jsonl"
    path.write_text("".join(row + "\n" for row in path.read_text().splitlines()[1:]))
    team.run("pull")
    assert sorted(number for _, number in said(team).values()) == [3, 4]


# ── capitals, spaces, changed logins


@pytest.mark.parametrize(
    "written",
    [
        *("KIM@example.org", "Kim@Example.ORG", "  kim@example.org ", "\tKim@example.org"),
        *("ｋｉｍ＠example.org", "kim@example.org\u200b", "\u3000Kim@exam\u00adple.org"),
    ],
)
@pytest.mark.parametrize("when", ["before the push", "before the pull", "after the pull"])
def test_a_login_in_capitals_or_with_spaces_is_the_same_person(team, written, when):
    if when == "before the push":
        name_two(team, kim=written)
    push(team)
    two_answer(team)
    if when == "before the pull":
        name_two(team, kim=written)
    team.run("pull")
    if when == "after the pull":
        name_two(team, kim=written)
    team.run("pull")
    assert said(team) == EXPECTED
    assert listed(team)["kim"].accounts == {"label_studio": "kim@example.org"}
    assert set(listed(team)) == {"kim", "lou"}


def test_a_name_written_by_hand_in_capitals_takes_over_what_a_pseudonym_did(team):
    push(team)
    two_answer(team)
    team.run("pull")
    path = team.root / "people.yaml"
    entry = "- {id: kim, accounts: {label_studio: Kim@Example.org}}\n"
    path.write_text(path.read_text().replace("people:\n", "people:\n" + entry))
    team.run("pull")
    assert said(team)["kim"] == EXPECTED["kim"]
    assert len(said(team)) == 2


def test_two_users_whose_logins_differ_in_capitals_alone_stay_two(team, logins):
    logins.update({"1": "Kim", "2": "kim"})
    accounts.add(team.root, Person(id="first", accounts={"label_studio": "Kim"}))
    push(team)
    two_answer(team)
    team.run("pull")
    assert said(team)["first"] == EXPECTED["kim"]
    assert len(said(team)) == 2
    accounts.add(team.root, Person(id="third", accounts={"label_studio": "KIM"}))
    team.run("pull")
    assert "third" not in said(team)


def test_who_leaves_is_not_taken_for_a_namesake_in_capitals(team, logins):
    logins.update({"1": "kim", "2": "KIM"})
    accounts.add(team.root, Person(id="first", accounts={"label_studio": "kim"}))
    push(team, overlap=1)
    two_answer(team)
    team.run("pull")
    before = said(team)
    del logins["1"]
    assert team.run("pull").new == 0
    assert said(team) == before
    assert sorted(before.values(), key=str) == sorted(EXPECTED.values(), key=str)


def test_a_changed_login_is_the_same_person(team, logins):
    push(team)
    two_answer(team)
    team.run("pull")
    before = said(team)
    logins["1"] = "kim.new@example.org"
    assert team.run("pull").new == 0
    assert said(team) == before
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": "kim.new@example.org"}))
    assert said(team)["kim"] == EXPECTED["kim"]


def test_logins_that_change_hands_do_not_change_people(team, logins):
    name_two(team)
    push(team)
    two_answer(team)
    team.run("pull")
    logins.update({"1": "lou@example.org", "2": "kim@example.org"})
    assert team.run("pull").new == 0
    assert said(team) == EXPECTED


def test_a_newcomer_with_an_old_login_is_somebody_else(team, logins):
    push(team)
    two_answer(team)
    team.run("pull")
    logins.update({"1": "kim.new@example.org", "4": "kim@example.org"})
    team.answer("4", opinion=lambda text: "neutral")
    team.run("pull")
    assert len(said(team)) == 3


def test_a_login_that_two_people_spell_alike_is_his_who_spells_it_exactly(team):
    entry = "- {{id: {}, accounts: {{label_studio: {}}}}}\n"
    path = team.root / "people.yaml"
    path.write_text("people:\n" + entry.format("kim", "KIM@example.org"))
    path.write_text(path.read_text() + entry.format("lou", "kim@example.org"))
    assert "kim cannot be asked" in push(team, overlap=1).warnings[0].words
    team.answer("1", opinion=lambda text: "positive")
    team.run("pull")
    assert said(team) == {"lou": ({"positive"}, 4)}
    path.write_text(path.read_text().replace("kim@example.org", "Kim@example.org"))
    assert {id: own.users for id, own in listed(team).items()} == {
        "kim": {},
        "lou": {f"{SERVER}/1": "Kim@example.org"},
    }


def test_an_account_that_gets_the_login_of_somebody_listed_stays_its_own(team, logins):
    name_two(team, lou="lou.w@example.org")  # lou has no account yet
    push(team, overlap=1)
    team.answer("1", opinion=lambda text: "positive")
    team.run("pull")
    logins["1"] = "lou.w@example.org"
    assert team.run("pull").new == 0
    assert said(team) == {"kim": EXPECTED["kim"]}
    assert listed(team)["kim"].users == {f"{SERVER}/1": "lou.w@example.org"}
    assert listed(team)["lou"].users == {}


# ── accounts that were deleted, and ids that were changed by hand


def test_who_was_deleted_and_came_again_under_the_same_login_loses_nothing(team, logins):
    name_two(team)
    push(team)
    two_answer(team)
    team.run("pull")
    del logins["1"]
    logins["9"] = "kim@example.org"
    path = team.workspace.rounds.current().folder / "answers.jsonl"
    kept = [row for row in path.read_text().splitlines() if json.loads(row)["annotator"] != "1"]
    path.write_text("".join(row + "\n" for row in kept))
    made = team.run("pull")
    assert (made.new, made.statuses) == (0, {"submitted": 8})
    team.answer("9", ids=[team.tasks[0]["id"]], opinion=lambda text: "neutral")
    assert team.run("pull").new == 1
    assert said(team) == {"kim": ({"positive", "neutral"}, 4), "lou": EXPECTED["lou"]}


def test_an_answer_without_an_author_is_theirs_who_ever_gave_it(team, monkeypatch):
    """On Label Studio the answers of a deleted user stay, and name nobody."""
    seen = []
    real = TeamServer.pull

    def pull(self, project, **more):
        seen.append(Recognition(more["known"], more["authors"]))
        return real(self, project, **more)

    monkeypatch.setattr(TeamServer, "pull", pull)
    name_two(team)
    push(team)
    (id, *_) = [task["id"] for task in team.tasks]
    days = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    for day, value in zip(days, ("positive", "neutral"), strict=True):
        team.answer("1", ids=[id], opinion=lambda text, value=value: value, at=day)
        team.run("pull")
    team.run("pull")

    def author(value, day):
        orphan = Annotation(id, "sentiment", "answer-5", value, "submitted", day)
        return seen[-1].author([orphan])

    assert author("positive", days[0]) == author("neutral", days[1]) == "kim"
    assert author("positive", days[1]) is author("negative", days[0]) is None


@pytest.mark.parametrize("new", ["金", "kim_li", "p-01234567"])
def test_an_id_that_was_changed_by_hand_keeps_its_answers(team, new):
    name_two(team)
    push(team, overlap=3)
    two_answer(team)
    team.run("pull")
    path = team.root / "people.yaml"
    path.write_text(path.read_text().replace("id: kim", f"id: {new}"))
    made = team.run("pull")
    assert (made.new, made.statuses) == (0, {"submitted": 8})
    assert said(team) == {new: EXPECTED["kim"], "lou": EXPECTED["lou"]}
    team.answer("1", ids=[team.tasks[0]["id"]], opinion=lambda text: "neutral")
    team.run("pull")
    path.write_text(path.read_text().replace(f"id: {new}", "id: kim.3"))
    assert team.run("pull").new == 0
    assert said(team) == {"kim.3": ({"positive", "neutral"}, 4), "lou": EXPECTED["lou"]}


def test_parts_follow_an_id_that_was_changed_by_hand(team):
    name_two(team)
    push(team, assign="person", overlap=1)
    batches = team.workspace.rounds.current().batches
    part = next(batch for batch in batches if batch.name == "kim")
    tasks = team.root / "rounds" / part.project.key / "tasks.jsonl"
    rows = [
        {"id": json.loads(row)["id"], "question": "sentiment", "annotator": "1", "value": "neutral"}
        for row in tasks.read_text().splitlines()
    ]
    tasks.with_name("answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    team.run("pull")
    path = team.root / "people.yaml"
    path.write_text(path.read_text().replace("id: kim", "id: 金"))
    made = team.run("pull")
    assert (made.notes, made.complete) == ((), len(rows))
    names = {batch.name: batch.people for batch in team.workspace.rounds.current().batches}
    assert names["kim"] == ("金",)


def test_people_who_were_removed_from_the_file_come_back_under_their_ids(team):
    name_two(team)
    push(team)
    two_answer(team)
    team.run("pull")
    (team.root / "people.yaml").unlink()
    team.answer("1", ids=[team.tasks[0]["id"]], opinion=lambda text: "neutral")
    assert team.run("pull").new == 1
    assert said(team) == {"kim": ({"positive", "neutral"}, 4), "lou": EXPECTED["lou"]}
    assert listed(team)["kim"].accounts == {"label_studio": "kim@example.org"}


def test_an_id_that_two_people_had_is_given_to_neither(team):
    both = ("kim@example.org", "max@example.org")
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": both}))
    push(team, overlap=1)
    ids = [task["id"] for task in team.tasks]
    team.answer("1", ids=ids[:2], opinion=lambda text: "positive")
    team.answer("3", ids=ids[2:], opinion=lambda text: "neutral")
    team.run("pull")
    entry = "- {{id: {}, accounts: {{label_studio: {}}}}}\n"
    text = entry.format("first", both[0]) + entry.format("third", both[1])
    (team.root / "people.yaml").write_text("people:\n" + text)
    team.run("pull")
    assert said(team) == {
        "kim": ({"positive", "neutral"}, 4),
        "first": ({"positive"}, 2),
        "third": ({"neutral"}, 2),
    }


def test_on_the_folder_backend_an_id_that_was_changed_by_hand_keeps_its_answers(offline):
    accounts.add(offline.root, Person(id="ann", accounts={"folder": "Ann W."}))
    accounts.add(offline.root, Person(id="bob"))
    offline.prepare(n=4)
    offline.answer("Ann W.", opinion=lambda text: "positive")
    offline.run("pull")
    path = offline.root / "people.yaml"
    path.write_text(path.read_text().replace("id: ann", "id: anna"))
    assert offline.run("pull").new == 0
    assert said(offline) == {"anna": ({"positive"}, 4)}
    path.unlink()
    assert offline.run("pull").new == 0
    assert said(offline) == {"ann": ({"positive"}, 4)}


# ── several accounts


def test_two_accounts_are_one_person_and_the_newest_answer_counts(team, logins):
    both = ("kim@example.org", "max@example.org")
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": both}))
    push(team)
    team.answer("1", opinion=lambda text: "positive", at="2026-01-01T00:00:01Z")
    team.run("pull")
    team.answer("3", opinion=lambda text: "neutral", at="2026-01-01T00:00:09Z")
    made = team.run("pull")
    assert said(team) == {"kim": ({"neutral"}, 4)}
    assert (made.new, made.complete) == (4, 0)
    assert statuses(team) == {"submitted"}
    assert team.run("pull").new == 0
    assert len(team.workspace.rounds.current().history()) == 8


def test_an_account_that_is_added_later_keeps_the_first(team):
    push(team)
    two_answer(team)
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": "kim@example.org"}))
    team.run("pull")
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": "max@example.org"}))
    team.answer("3", ids=[team.tasks[0]["id"]], opinion=lambda text: "neutral")
    team.run("pull")
    assert said(team)["kim"][1] == 4
    assert listed(team)["kim"].logins("label_studio") == ("kim@example.org", "max@example.org")


def test_an_account_of_somebody_else_is_refused_in_any_spelling(team):
    name_two(team)
    for spelling in ("kim@example.org", "KIM@example.org", " kim@example.org"):
        with pytest.raises(DataError, match="is kim already"):
            accounts.add(team.root, Person(id="lou", accounts={"label_studio": spelling}))
    assert listed(team)["lou"].accounts == {"label_studio": "lou@example.org"}


# ── the folder backend


def test_on_the_folder_backend_the_name_is_the_person(offline):
    offline.prepare(n=2)
    offline.answer("Ann", "ann", " ann")
    offline.run("pull")
    assert {row["annotator"] for row in offline.workspace.rounds.current().answers()} == {
        *("Ann", "ann", " ann")
    }


# ── people.yaml


def test_a_user_of_two_people_is_refused(offline):
    path = offline.root / "people.yaml"
    entry = "{{id: {}, users: {{label_studio/1/7: x}}}}"
    path.write_text(f"people: [{entry.format('a')}, {entry.format('b')}]\n")
    with pytest.raises(RecipeError, match="two people have the user label_studio/1/7"):
        people.load(offline.root)


def test_an_old_file_reads_on(team, logins):
    push(team)
    two_answer(team)
    old = accounts.pseudonym(team.root, "kim@example.org")
    entries = [
        f"{{id: {old}, accounts: {{label_studio: kim@example.org}}}}",
        "{id: gone, accounts: {label_studio: deleted account 8}}",
    ]
    (team.root / "people.yaml").write_text(f"people: [{', '.join(entries)}]\n")
    team.answer("8", opinion=lambda text: "neutral")
    team.run("pull")
    assert said(team)[old] == EXPECTED["kim"]
    assert said(team)["gone"] == ({"neutral"}, 4)
    assert list(listed(team)[old].users) == [f"{SERVER}/1"]


def test_looking_writes_nothing(team, logins):
    name_two(team)
    before = (team.root / "people.yaml").read_bytes()
    server = team.workspace.connect("label_studio")
    directory = Directory.of(team.root, server, keep=False)
    assert directory.id_of(User(f"{SERVER}/1", "kim@example.org")) == "kim"
    assert (team.root / "people.yaml").read_bytes() == before
