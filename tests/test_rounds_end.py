"""A round ends and comes home, whatever the server counts and whoever changed its form there."""

import json
from dataclasses import replace
from re import sub

import pytest

from curate.backends.backend import refuse_altered
from curate.backends.label_studio.page import asks
from curate.errors import DataError, FormError, ProjectMismatch
from curate.fetching.progress import progress
from curate.forms import meaning_of, parse_form
from curate.people import Person, accounts
from curate.people.effort import effort
from curate.pull import stage as pull
from curate.records import Unserved
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
        self.gone, self.outside, self.is_lost = (), (), False

    def ask_more(self, project, missing, *, tasks):
        self.asked, self.tasks = dict(missing), tasks
        gone = tuple(id for id in self.gone if id in missing)
        return Unserved(() if self.can_ask else tuple(sorted({*missing} - {*gone})), gone)

    def members(self, project):
        return tuple(user for user in self.users() if user.login not in self.outside)

    def open_project(self, project):
        if self.is_lost:
            raise ProjectMismatch(f"{project.name} is gone", hint="see who removed it")
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


def test_an_account_that_is_not_there_is_told_before_anything_is_sent(team):
    (team.root / "people.yaml").unlink()
    accounts.add(team.root, Person(id="mia", accounts={"label_studio": "mai@example.org"}))
    with pytest.raises(DataError, match=r"has no account mai@example.org \(mia\)"):
        push(team, overlap=1)
    accounts.add(team.root, Person(id="lou", accounts={"label_studio": "lou@example.org"}))
    with pytest.raises(DataError, match=r"has no account mai@example.org \(mia\)"):
        push(team)
    made = push(team, overlap=1)
    assert "mia cannot be asked" in words(made, "push.absent")
    assert not team.run("pull").done
    team.server.logins["4"] = "mai@example.org"
    assert push(team, overlap=1).warnings == ()


def test_a_round_that_nobody_can_answer_is_not_sent(team):
    push(team)
    pull.close_round(team.workspace)
    for number in ("1", "2"):
        del team.server.logins[number]
    team.run("sample", n=2, seed=6)
    with pytest.raises(DataError, match=r"nobody who is named has an account .*: kim, lou"):
        push(team, overlap=1)


def test_nobody_waits_for_who_does_not_see_the_project_any_more(team):
    push(team)
    ids = [task["id"] for task in team.tasks]
    team.answer("1")
    team.answer("2", ids=ids[:4])
    assert not team.run("pull").done
    team.server.outside = ("lou@example.org",)
    made = team.run("pull")
    assert (made.complete, made.done) == (4, True)
    assert made.statuses == {"submitted": 10}


def test_who_is_named_later_and_does_not_see_the_texts_yet_is_told(team):
    push(team)
    team.server.logins["4"], team.server.outside = "mia@example.org", ("mia@example.org",)
    accounts.add(team.root, Person(id="mia", accounts={"label_studio": "mia@example.org"}))
    team.answer("1")
    team.answer("2", status="skipped")
    made = team.run("pull")
    assert not made.done
    assert words(made, "pull.outside") == (
        "mia do not see the texts on the server: `curate push` lets them in; "
        "`curate round close 1` ends the round"
    )
    team.server.outside = ()
    assert "pull.outside" not in keys(team.run("pull"))
    team.answer("4")
    assert team.run("pull").done


def test_a_round_waits_for_whose_period_begins_later(team):
    push(team)
    team.answer("1")
    accounts.add(team.root, Person.model_validate({"id": "lou", "from": "2999-01-01"}))
    assert not team.run("pull").done
    accounts.add(team.root, Person.model_validate({"id": "kim", "until": "2020-01-01"}))
    path = team.root / "people.yaml"
    path.write_text(sub("from: .*", "until: 2020-01-01", path.read_text()))
    assert team.run("pull").done


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


@pytest.mark.parametrize("altered", [False, True])
def test_a_text_that_is_gone_from_the_server_is_named_with_the_way_out(team, altered):
    push(team)
    first, *others = [task["id"] for task in team.tasks]
    team.answer("1", "2", ids=others)
    team.server.gone, team.server.altered = (first,), altered
    made = team.run("pull")
    assert (made.complete, made.done, team.server.tasks) == (5, False, 6)
    way = "`curate round close 1` ends the round" if altered else "`curate push` sends them again"
    assert f"1 texts that lack answers are gone from the server ({first}); {way}" == words(
        made, "pull.gone"
    )
    assert "pull.unserved" not in keys(made)


def test_a_round_whose_project_is_lost_can_end_with_what_is_at_home(team):
    push(team)
    team.answer("1", "2", ids=[task["id"] for task in team.tasks[:4]])
    team.run("pull")
    team.server.is_lost = True
    with pytest.raises(ProjectMismatch) as caught:
        pull.close_round(team.workspace)
    assert caught.value.hint == (
        "see who removed it; `curate round close 1 --offline` ends it with what is at home"
    )
    made = pull.close_round(team.workspace, offline=True)
    assert (made.complete, made.done, made.statuses) == (4, True, {"submitted": 8})
    team.server.is_lost = False
    team.answer("1", ids=[team.tasks[5]["id"]])
    assert team.run("pull").new == 1  # nothing is lost: late answers come home


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


def test_an_answer_to_a_question_under_another_name_is_rejected_and_counted_so(team):
    push(team)
    ids = [task["id"] for task in team.tasks]
    team.answer("1", "2", ids=ids[:5])
    team.answer("1", "2", ids=ids[5:], question="mood", opinion=lambda text: "positive")
    team.answer("1", "2", ids=ids[5:], opinion=lambda text: None)
    made = team.run("pull")
    assert made.statuses == {"submitted": 10, "rejected": 2}
    assert "1 texts wait for kim, lou" in words(made, "pull.waits")
    (overview,) = standing.overview([team.workspace.rounds.current()])
    assert overview.answers == 10


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
        ('choice="single"', 'choice="single-radio" perRegion="false"'),
        ('value="$text"', 'value="$text" granularity="symbol" saveTextResult="no"'),
        ('alias="bad"', 'alias="bad" required="false"'),
    ],
)
def test_looks_are_no_change(old, new):
    changed = FORM.replace(old, new, 1)
    assert changed != FORM
    assert meaning_of(changed) == parse_form(FORM, name="").meaning


def test_looks_that_a_server_takes_and_no_form_of_ours_may_have_are_no_change():
    """One key for two choices, and a look that curate does not know the values of."""
    keys = FORM.replace('alias="good"', 'alias="good" hotkey="1"')
    keys = keys.replace('alias="bad"', 'alias="bad" hotkey="1"')
    with pytest.raises(FormError):
        parse_form(keys, name="")
    assert asks(keys, parse_form(FORM, name=""))
    sound = '<View><Audio name="s" value="$s"/><TextArea name="c" toName="s"/></View>'
    form = parse_form(sound, name="")
    assert asks(sound.replace('name="s"', 'name="s" decoder="ffmpeg" height="90"', 1), form)


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
        ("<View>", '<View visibleWhen="choice-selected" whenTagName="c">'),
        ('toName="t"', 'toName="t" perItem="true"'),
        ('value="Good"', 'value="Good" selected="true"'),
        ('value="$text"', 'value="$text" granularity="word"'),
        ("</View>", '<Number name="n" toName="t"/></View>'),
    ],
)
def test_what_is_asked_is_a_change(old, new):
    changed = FORM.replace(old, new, 1)
    assert changed != FORM
    assert meaning_of(changed) != parse_form(FORM, name="").meaning


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


SAID = {"project": "p", "value": '"x"'}


@pytest.mark.parametrize("questions", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_submission_is_one_whatever_the_form_asks(questions):
    rows = [
        {"id": id, "annotator": person, "question": question, "status": status, **SAID}
        for id, person, status in (("x", "ann", "submitted"), ("x", "bob", "skipped"))
        for question in questions
    ]
    assert submissions(rows) == {("x", "ann"): "submitted", ("x", "bob"): "skipped"}


def test_a_submission_with_one_answer_that_fits_is_submitted():
    rows = [
        {"id": "x", "annotator": "ann", "status": status, "question": question, **SAID}
        for status, question in (("rejected", "why"), ("submitted", "tone"), ("draft", "note"))
    ]
    assert submissions(rows, ["tone"]) == {("x", "ann"): "submitted"}
    assert submissions(rows[:1], ["tone"]) == {("x", "ann"): "rejected"}


@pytest.mark.parametrize("others", [("submitted",), ("skipped", "submitted"), ()])
def test_a_submission_whose_required_answer_is_rejected_is_rejected(others):
    rows = [
        {"id": "x", "annotator": "ann", "status": status, "question": question, **SAID}
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
