"""A round ends and comes home, whatever the server counts and whoever changed its form there."""

import json
from dataclasses import replace

import pytest

from curate.backends.backend import refuse_altered
from curate.errors import DataError, ProjectMismatch
from curate.fetching.progress import progress
from curate.forms import parse_form
from curate.people import Person, accounts
from curate.people.effort import effort
from curate.pull import stage as pull
from curate.report.section import say
from curate.report.sections.provenance import headline
from curate.rounds import standing
from curate.rounds.answers import not_rejected, submissions
from tests.team import TeamServer


class Counting(TeamServer):
    """A server that counts answers as one does: `asked` holds what it was told to ask more."""

    def __init__(self, root, logins, *, can_ask=True):
        super().__init__(root, logins)
        self.asked, self.can_ask, self.altered = {}, can_ask, False

    def ask_more(self, project, missing):
        self.asked = dict(missing)
        return () if self.can_ask else tuple(sorted(missing))

    def open_project(self, project):
        return replace(super().open_project(project), altered=self.altered)

    def push(self, project, tasks):
        refuse_altered(self.open_project(project))
        yield from super().push(project, tasks)


LOGINS = {"1": "kim@example.org", "2": "lou@example.org", "3": "stranger@example.org"}


@pytest.fixture
def team(offline):
    """A workspace with two named people, on a server that a stranger uses too."""
    offline.server = Counting(offline.root / "rounds", dict(LOGINS))
    offline.workspace.connect = lambda name: offline.server
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=6, seed=5)
    for id in ("kim", "lou"):
        accounts.add(offline.root, Person(id=id, accounts={"label_studio": f"{id}@example.org"}))
    return offline


def push(run, **more):
    settings = {"backend": "label_studio", "form": "sentiment", "overlap": 2, **more}
    return run.run("push", **settings)


def keys(made):
    return [warning.key for warning in made.warnings]


def words(made, key):
    (warning,) = [warning for warning in made.warnings if warning.key == key]
    return warning.words


# ── who belongs


def test_a_round_that_is_shared_out_gives_strangers_nothing(team):
    push(team, assign="person", overlap=1)
    batches = team.workspace.rounds.current().batches
    assert {batch.people for batch in batches} == {("kim",), ("lou",)}
    listed = {person.id for person in accounts.load(team.root).people}
    assert listed == {"kim", "lou"}


def test_a_part_of_a_split_round_asks_those_who_are_named(team):
    push(team, assign="source", overlap=2)
    batches = team.workspace.rounds.current().batches
    assert all(set(batch.people) == {"kim", "lou"} for batch in batches)


def test_nobody_named_can_be_given_parts(offline, team):
    (offline.root / "people.yaml").unlink()
    with pytest.raises(DataError, match="nobody to share the texts out to"):
        push(team, assign="person", overlap=1)


def test_nobody_waits_for_strangers(team):
    push(team, overlap="all")
    team.answer("1", "2")
    made = team.run("pull")
    assert (made.complete, made.done) == (6, True)


def test_a_stranger_who_answers_belongs_to_the_round(team):
    push(team, overlap="all")
    team.answer("1", "2")
    team.answer("3", ids=[team.tasks[0]["id"]])
    made = team.run("pull")
    assert (made.complete, made.done) == (1, False)


@pytest.mark.parametrize("leaving", ["1", "2"])
def test_nobody_waits_for_who_left(team, leaving):
    push(team)
    ids = [task["id"] for task in team.tasks]
    team.answer("1", "2", ids=ids[:3])
    team.answer("1" if leaving == "2" else "2", ids=ids[3:])
    assert not team.run("pull").done
    del team.server.logins[leaving]
    made = team.run("pull")
    assert (made.complete, made.done) == (3, True)
    assert "pull.incomplete" in keys(made)


def test_a_part_whose_person_left_does_not_keep_the_round_open(team):
    push(team, assign="person", overlap=1)
    folder = team.workspace.rounds.current().folder
    part = next(batch for batch in team.workspace.rounds.current().batches if batch.name == "kim")
    tasks = [json.loads(row) for row in (folder / "kim" / "tasks.jsonl").read_text().splitlines()]
    rows = [
        {"id": task["id"], "question": "sentiment", "annotator": "1", "value": "neutral"}
        for task in tasks
    ]
    path = team.root / "rounds" / part.project.key / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    del team.server.logins["2"]
    made = team.run("pull")
    assert (made.complete, made.done) == (len(tasks), True)


# ── a round ends


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_server_is_told_whom_it_still_has_to_ask(team, number):
    push(team)
    ids = [task["id"] for task in team.tasks]
    team.answer("1", ids=ids[:number])
    team.run("pull")
    assert team.server.asked == {id: 1 if id in ids[:number] else 2 for id in ids}
    team.answer("2", ids=ids[:number])
    team.run("pull")
    assert team.server.asked == dict.fromkeys(ids[number:], 2)


def test_an_empty_submission_is_one_and_no_answer(team):
    push(team, overlap=1)
    team.answer("1", opinion=lambda text: None)
    made = team.run("pull")
    assert (made.statuses, made.complete, made.done) == ({"submitted": 6}, 0, False)
    assert set(team.server.asked.values()) == {1}
    team.answer("2", opinion=lambda text: None)
    made = team.run("pull")
    assert (made.complete, made.done) == (0, True)


@pytest.mark.parametrize("how", ["open", "absent", "rejected beside it"])
def test_a_submission_without_a_required_answer_does_not_answer_the_text(team, how):
    """A comment alone, or another question's answer: the text is asked of others."""
    push(team, form="quality", overlap=1)
    first, *others = [task["id"] for task in team.tasks]
    team.answer("1", question="quality", ids=others, opinion=lambda text: 4)
    team.answer("1", question="note", ids=[first], opinion=lambda text: "Well…")
    if how != "absent":
        value = None if how == "open" else 9
        team.answer("1", question="quality", ids=[first], opinion=lambda text: value)
    made = team.run("pull")
    assert (made.complete, made.done) == (5, False)
    assert team.server.asked == {first: 1}
    assert pull.close_round(team.workspace).complete == 5
    closed = team.workspace.rounds.current().closed
    assert closed["withdrawn"] == [first]
    assert sorted(closed["answered"].values()) == [0.5, 1.0]  # strata of two and of four texts


def test_an_empty_submission_leaves_its_text_to_be_drawn_again(team):
    push(team, overlap=1)
    first, *others = [task["id"] for task in team.tasks]
    team.answer("1", ids=others)
    team.answer("1", ids=[first], opinion=lambda text: None)
    assert pull.close_round(team.workspace).complete == 5
    assert team.workspace.rounds.current().closed["withdrawn"] == [first]


def test_a_text_that_nobody_is_shown_any_more_is_named_with_the_way_out(team):
    team.server.can_ask = False
    push(team)
    team.answer("1")
    made = team.run("pull")
    assert "`curate round close 1` ends the round" in words(made, "pull.unserved")
    assert team.tasks[0]["id"] in words(made, "pull.unserved")
    assert pull.close_round(team.workspace).done
    assert not team.run("pull").warnings or "pull.unserved" not in keys(team.run("pull"))


@pytest.mark.parametrize("wrong", ["nonsense", 5, ["positive"]])
def test_who_has_to_mend_an_answer_is_named_with_the_way_out(team, wrong):
    push(team)
    team.answer("1", "2", ids=[task["id"] for task in team.tasks[1:]])
    team.answer("1", ids=[team.tasks[0]["id"]])
    team.answer("2", ids=[team.tasks[0]["id"]], opinion=lambda text: wrong)
    made = team.run("pull")
    assert not made.done
    assert "1 texts wait for lou" in words(made, "pull.waits")
    assert "`curate round close 1` ends the round" in words(made, "pull.waits")
    team.answer("2", ids=[team.tasks[0]["id"]], at="2030-01-01T00:00:00Z")
    assert team.run("pull").done


@pytest.mark.parametrize("note", [None, "Hard to say."])
def test_a_note_beside_a_rejected_answer_does_not_answer_the_text(team, note):
    push(team, form="topic", overlap=1)
    first, *others = [task["id"] for task in team.tasks]
    del team.server.logins["1"], team.server.logins["3"]
    said = {"question": "topic", "opinion": lambda text: "news"}
    team.answer("2", ids=others, **said)
    team.answer("2", ids=[first], question="topic", opinion=lambda text: "mixed")
    team.answer("2", question="note", opinion=lambda text: note)
    made = team.run("pull")
    assert (made.complete, made.done) == (5, False)
    assert "1 texts wait for lou" in words(made, "pull.waits")
    assert pull.close_round(team.workspace).complete == 5
    closed = team.workspace.rounds.current().closed
    assert closed["withdrawn"] == [first]
    assert min(closed["answered"].values()) < 1


def test_a_rejected_answer_to_an_optional_question_leaves_the_text_answered(team):
    push(team, form="topic", overlap=1)
    team.answer("2", question="topic", opinion=lambda text: "news")
    team.answer("2", question="note", opinion=lambda text: 5)
    made = team.run("pull")
    assert (made.complete, made.done) == (6, True)
    assert sum(made.rejected.values()) == 6


# ── a form that was changed on the server


def test_answers_that_fit_come_home_from_a_changed_form_and_nothing_is_sent(team):
    push(team)
    ids = [task["id"] for task in team.tasks]
    team.answer("1", ids=ids[:2])
    team.server.altered = True
    team.answer("2", ids=ids[:1], opinion=lambda text: "mixed")
    made = team.run("pull")
    assert made.statuses == {"submitted": 2, "rejected": 1}
    assert made.rejected == {"'mixed' is not one of the choices": 1}
    assert "`curate round close 1` ends the round" in words(made, "pull.altered")
    with pytest.raises(ProjectMismatch, match="its form was changed there") as caught:
        push(team)
    assert "`curate pull`" in caught.value.hint
    closed = pull.close_round(team.workspace)
    assert (closed.complete, closed.statuses) == (0, {"submitted": 2, "rejected": 1})
    assert "pull.altered" in keys(closed)


FORM = """<View><Header value="How?"/><Text name="t" value="$text"/>
  <Choices name="c" toName="t" choice="single" required="true">
    <Choice value="Good" alias="good"/><Choice value="Bad" alias="bad"/></Choices></View>"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('value="Good"', 'value="Good" hotkey="g"'),
        ('value="Good"', 'value="Good" color="#00f"'),
        ('value="How?"', 'value="How?" size="5" underline="true"'),
        ("<View>", '<View className="wide"><!-- seen by the lead -->'),
        ('choice="single"', 'choice="single" showInline="true" layout="inline"'),
        ("</View>", "<Style>.a {color: red}</Style></View>"),
        ('<Text name="t" value="$text"/>', '<View><Text name="t" value="$text"/></View>'),
    ],
)
def test_looks_are_no_change(old, new):
    changed = FORM.replace(old, new, 1)
    assert changed != FORM
    assert parse_form(changed, name="").meaning == parse_form(FORM, name="").meaning


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('value="Good"', 'value="Fine"'),
        ('alias="bad"', 'alias="poor"'),
        ('value="How?"', 'value="How good?"'),
        ('choice="single"', 'choice="multiple"'),
        ('required="true"', 'required="false"'),
        ('name="c"', 'name="d"'),
        ("</Choices>", '<Choice value="Mixed"/></Choices>'),
        ('value="$text"', 'value="$title"'),
    ],
)
def test_what_is_asked_is_a_change(old, new):
    changed = FORM.replace(old, new, 1)
    assert changed != FORM
    assert parse_form(changed, name="").meaning != parse_form(FORM, name="").meaning


def test_new_looks_of_the_form_act_on_the_next_round(team):
    push(team)
    shipped = (team.root / "rounds" / "01" / "form.xml").read_text()
    folder = team.root / "label_configs"
    folder.mkdir()
    (folder / "sentiment.xml").write_text(shipped.replace("<View", "<!-- mine --><View", 1))
    assert push(team).notes == ()
    (folder / "sentiment.xml").write_text(shipped.replace('hotkey="1"', 'hotkey="p"', 1))
    assert push(team).notes == ("push.form changed: it acts on the next round",)
    (folder / "sentiment.xml").write_text(shipped.replace("positive", "good"))
    with pytest.raises(ProjectMismatch, match="has changed since its round was pushed"):
        push(team)


# ── counts


@pytest.mark.parametrize("questions", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_submission_is_one_whatever_the_form_asks(questions):
    rows = [
        {"id": id, "annotator": person, "question": question, "status": status}
        for id, person, status in (("x", "ann", "submitted"), ("x", "bob", "skipped"))
        for question in questions
    ]
    assert submissions(rows) == {("x", "ann"): "submitted", ("x", "bob"): "skipped"}


def test_a_submission_with_one_answer_that_fits_is_submitted():
    rows = [
        {"id": "x", "annotator": "ann", "status": status, "question": question}
        for status, question in (("rejected", "why"), ("submitted", "tone"), ("draft", "note"))
    ]
    assert submissions(rows, ["tone"]) == {("x", "ann"): "submitted"}
    assert submissions(rows[:1], ["tone"]) == {("x", "ann"): "rejected"}


@pytest.mark.parametrize("others", [("submitted",), ("skipped", "submitted"), ()])
def test_a_submission_whose_required_answer_is_rejected_is_rejected(others):
    rows = [
        {"id": "x", "annotator": "ann", "status": status, "question": question}
        for status, question in (("rejected", "why"), *((other, "tone") for other in others))
    ]
    assert submissions(rows, ["why"]) == {("x", "ann"): "rejected"}
    assert submissions(reversed(rows), {"why"}) == {("x", "ann"): "rejected"}


def test_every_count_of_a_form_with_several_questions_is_the_same(team):
    push(team, form="quality")
    names = [question.name for question in team.workspace.rounds.current().form.questions]
    assert len(names) > 1
    for name in names:
        team.answer("1", question=name, opinion=lambda text: None)
    team.answer("1", question=names[0], opinion=lambda text: 3, at="2030-01-01T00:00:00Z")
    made = team.run("pull")
    current = team.workspace.rounds.current()
    (overview,) = standing.overview([current])
    rows = {row.annotator: row for row in progress(current, team.root, team.server)}
    disk = {row.annotator: row for row in progress(current, team.root, None)}
    assert made.new == made.statuses["submitted"] == overview.answers == 6
    assert rows["kim"].submitted == disk["kim"].submitted == 6
    assert (rows["lou"].submitted, rows["lou"].tasks) == (0, 6)
    assert (disk["lou"].submitted, disk["lou"].tasks) == (0, 6)
    # the second question by lou; to one text an answer that does not fit, with a note beside it
    team.answer("2", question=names[0], opinion=lambda text: 4)
    team.answer("2", question=names[1], opinion=lambda text: "fine")
    wrong = {"id": team.tasks[0]["id"], "annotator": "2", "question": names[0], "value": 9}
    team.say({**wrong, "at": "2030-01-01T00:00:00Z"})
    assert team.run("pull").new == 6
    home = {row.annotator: row for row in progress(current, team.root, None)}
    assert (home["lou"].submitted, home["lou"].rejected) == (5, 1)
    history = not_rejected(current.history(), current.required)
    assert {own.annotator: own.answers for own in effort(history, "round")} == {"kim": 6, "lou": 5}
    (over,) = standing.overview([current])
    assert over.answers == 11
    assert (say("tile.answers_so_far"), 11) in headline(team.workspace)
    assert team.run("agree", bootstrap=0, exclude=["kim"]).excluded == {"kim": 6}
    assert team.run("agree", bootstrap=0).answers == 11
    assert (say("tile.answers"), 11) in headline(team.workspace)
    assert team.workspace.freshness.newer_answers("mix") == ()
    team.answer("2", question=names[0], at="2031-01-01T00:00:00Z", opinion=lambda text: 2)
    team.run("pull")
    (warning,) = team.workspace.freshness.newer_answers("mix")
    assert warning.figures == {"answers": 6}


def test_what_is_still_on_the_server_counts_as_a_pull_will_count_it(team):
    """A value that the form does not offer, a person's second account, and an answer at home."""
    more = {"4": "kim.2@example.org"}
    team.server.logins.update(more)
    accounts.add(team.root, Person(id="kim", accounts={"label_studio": "kim.2@example.org"}))
    push(team)
    team.answer("2", opinion=lambda text: "positive")
    team.run("pull")
    team.answer("1", "4", opinion=lambda text: "negative")
    team.answer("2", opinion=lambda text: "furious", at="2030-01-01T00:00:00Z")
    current = team.workspace.rounds.current()
    stored = current.count_answers()
    live = {row.annotator: row for row in progress(current, team.root, team.server)}
    assert (live["kim"].submitted, live["kim"].rejected) == (6, 0)
    assert (live["lou"].submitted, live["lou"].rejected) == (0, 6)
    assert team.workspace.rounds.current().count_answers() == stored
    team.run("pull")
    home = {
        row.annotator: row for row in progress(team.workspace.rounds.current(), team.root, None)
    }
    assert {name: replace(row, live=False) for name, row in live.items()} == home
