"""Answers come home append-only, and a round ends when it may."""

import json
from dataclasses import replace

import pytest

from curate.errors import DataError, NothingToDo, ProjectMismatch
from curate.fetching import answers
from curate.forms import load_form
from curate.pull import importing
from curate.pull import stage as pull
from curate.records import Annotation
from curate.rounds import standing
from curate.rounds.views import View
from curate.trace.people import Said

DAY = "2026-01-01T00:00:{:02}+00:00"


@pytest.fixture
def pushed(offline):
    """A round of six texts that two people are to answer."""
    offline.prepare(n=6)
    return offline


def newest(run, id=None, person=None):
    rows = run.workspace.rounds.current().answers()
    return [
        (row["annotator"], row["value"] and json.loads(row["value"]), row["status"])
        for row in rows
        if id in (None, row["id"]) and person in (None, row["annotator"])
    ]


def line(run, place=0, person="ann", value="positive", **more):
    id = run.tasks[place]["id"]
    return {"id": id, "question": "sentiment", "annotator": person, "value": value, **more}


# ── what comes home


def test_answers_come_home(pushed):
    pushed.answer("ann", "bob", at=DAY.format(1), seconds=2.5)
    made = pushed.run("pull")
    assert (made.new, made.complete, made.tasks, made.done) == (12, 6, 6, True)
    assert made.statuses == {"submitted": 12}
    rows = pushed.workspace.rounds.current().answers()
    texts = pushed.workspace.rounds.current().texts()
    assert {(row["id"], row["annotator"]) for row in rows} == {
        (id, person) for id in texts for person in ("ann", "bob")
    }
    for row in rows:
        text = texts[row["id"]]["text"]
        positive = any(word in text for word in ("wonderful", "lovely", "brilliant", "delightful"))
        assert json.loads(row["value"]) == ("positive" if positive else "negative")
        assert row["at"].isoformat() == DAY.format(1)
        assert (row["seconds"], row["round"], row["backend"]) == (2.5, 1, "folder")
        assert row["form"] == pushed.workspace.rounds.current().push["form_digest"]
        assert row["guideline"] is None
        assert row["blind"] is True


def test_pulling_again_changes_nothing(pushed):
    pushed.answer("ann")
    pushed.say(line(pushed, 0, "bob", "nonsense"), line(pushed, 1, "bob", None, status="skipped"))
    first = pushed.run("pull")
    files = {path: path.read_bytes() for path in pushed.answer_files()}
    again = pushed.run("pull")
    assert again.new == 0
    assert (again.statuses, again.rejected) == (first.statuses, first.rejected)
    assert {path: path.read_bytes() for path in pushed.answer_files()} == files
    assert len(files) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("as it is", None), ("another", "the text of its task was changed on the server")],
)
def test_an_answer_to_a_text_that_was_not_sent_is_rejected(text, reason):
    form = load_form("sentiment")
    view = View({"text": "as it is", "lang": "en"})
    said = Annotation("t", "sentiment", "ann", "positive", "submitted", shown={"text": text})
    checked = answers.check_answer(said, form, {"t": view})
    assert (checked.reason, checked.status) == (reason, "rejected" if reason else "submitted")


def test_withdrawals_are_told_in_words(pushed):
    pushed.answer("ann")
    pushed.run("pull")
    path = pushed.workspace.rounds.current().folder / "answers.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[2:]))
    assert "2 answers withdrawn: gone from the server" in pushed.run("pull").notes


def test_an_edited_answer_replaces_and_the_old_one_is_kept(pushed):
    pushed.say(line(pushed, value="positive"))
    pushed.run("pull")
    path = pushed.workspace.rounds.current().folder / "answers.jsonl"
    path.write_text("")
    pushed.say(line(pushed, value="negative"))
    assert pushed.run("pull").new == 1
    assert newest(pushed) == [("ann", "negative", "submitted")]
    assert [row["value"] for row in pushed.workspace.rounds.current().history()] == [
        *('"positive"', '"negative"')
    ]
    path.write_text("")
    pushed.say(line(pushed, value="positive"))
    assert pushed.run("pull").new == 1
    assert newest(pushed) == [("ann", "positive", "submitted")]


def test_a_second_person_adds(pushed):
    pushed.answer("ann")
    assert pushed.run("pull").new == 6
    pushed.answer("bob")
    made = pushed.run("pull")
    assert (made.new, made.complete, made.done) == (6, 6, True)
    assert len(newest(pushed)) == 12
    assert len(pushed.answer_files()) == 2


def test_a_draft_never_shadows_a_submission(pushed):
    submitted = line(pushed, value="positive", at=DAY.format(1))
    draft = line(pushed, value="negative", status="draft", at=DAY.format(9))
    pushed.say(submitted, draft)
    pushed.run("pull")
    assert newest(pushed) == [("ann", "positive", "submitted")]
    assert pushed.run("pull").new == 0
    assert len(pushed.answer_files()) == 1


def test_a_draft_that_comes_later_does_not_come_again_and_again(pushed):
    pushed.say(line(pushed, value="positive", at=DAY.format(1)))
    pushed.run("pull")
    pushed.say(line(pushed, value="negative", status="draft", at=DAY.format(9)))
    pushed.run("pull")
    files = pushed.answer_files()
    assert pushed.run("pull").new == 0
    assert pushed.answer_files() == files
    assert newest(pushed) == [("ann", "positive", "submitted")]


def test_a_draft_that_cannot_be_meant_takes_no_place_either(pushed):
    current, form = pushed.workspace.rounds.current(), pushed.workspace.rounds.current().form
    id = pushed.tasks[0]["id"]
    draft = Annotation(id, "sentiment", "ann", "nonsense", "draft", DAY.format(9))
    kept = answers.check_answer(draft, form, current.views())
    assert (kept.status, kept.value) == ("draft", "nonsense")
    assert "not one of the choices" in kept.reason
    said = answers.check_answer(replace(draft, status="submitted"), form, current.views())
    assert said.status == "rejected"


def test_an_answer_with_an_older_time_does_not_come_again_and_again(pushed):
    pushed.say(line(pushed, value="positive", at=DAY.format(9)))
    pushed.run("pull")
    pushed.say(line(pushed, value="negative", at=DAY.format(1)))
    pushed.run("pull")
    files = pushed.answer_files()
    assert pushed.run("pull").new == 0
    assert pushed.answer_files() == files


def test_what_cannot_be_meant_is_kept_with_its_reason(pushed):
    pushed.say(
        line(pushed, 0, value="nonsense"),
        line(pushed, 1, value=5),
        {**line(pushed), "question": "mood"},
        {**line(pushed), "id": "unknown"},
        line(pushed, 2),
    )
    made = pushed.run("pull")
    assert made.statuses == {"rejected": 3, "submitted": 1}  # one text and person each
    assert made.rejected == {
        "'nonsense' is not one of the choices": 1,
        "5 is not one of the choices": 1,
        "the form has no question mood": 1,
        "not a task of this round": 1,
    }
    assert made.complete == 0
    pushed.workspace.rounds.current().close({"why": "test"})
    assert pushed.run("agree").labels == 1


def test_half_a_character_does_not_stop_a_pull(pushed):
    path = pushed.workspace.rounds.current().folder / "answers.jsonl"
    id = pushed.tasks[0]["id"]
    path.write_text(
        f'{{"id": "{id}", "question": "sentiment", "annotator": "x", "value": "\\ud83d\\n"}}\n'
    )
    assert pushed.run("pull").statuses == {"rejected": 1}
    assert newest(pushed) == [("x", "\ufffd\n", "rejected")]
    assert pushed.run("pull").new == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{oops\n", r"answers\.jsonl, line 1: not JSON"),
        ("[]\n", "line 1: not a JSON object"),
        ('{"id": "a", "question": "q"}\n', "line 1: no annotator"),
        (
            '{"id": "a", "question": "q", "annotator": "x", "status": "odd"}\n',
            "no such status: odd",
        ),
        (
            '{"id": "a", "question": "q", "annotator": "x", "value": "y", "at": "yesterday"}\n',
            "line 1: not a time: 'yesterday'",
        ),
        *(
            (
                f'{{"id": "a", "question": "q", "annotator": "x", "value": "y", "seconds": {n}}}\n',
                "line 1: seconds",
            )
            for n in ('"two"', "-5", "NaN", "Infinity")
        ),
        ('{"id": "a", "question": "q", "annotator": " "}\n', "line 1: no annotator"),
        ('{"id": "a", "question": "q", "annotator": "\\ud800"}\n', "line 1: no annotator"),
        (
            '{"id": "a", "question": "q", "annotator": "x", "at": "0001-01-01T00:00:00+08:00"}\n',
            "line 1: not a time",
        ),
    ],
)
def test_a_broken_line_is_told(pushed, text, words):
    (pushed.workspace.rounds.current().folder / "answers.jsonl").write_text(text)
    with pytest.raises(DataError, match=words):
        pushed.run("pull")
    assert pushed.answer_files() == []


def test_a_removed_answer_is_withdrawn_and_may_come_back(pushed):
    pushed.answer("ann", at=DAY.format(1))
    pushed.run("pull")
    path = pushed.workspace.rounds.current().folder / "answers.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    id = json.loads(lines[0])["id"]
    path.write_text("".join(lines[1:]))
    made = pushed.run("pull")
    assert (made.new, made.statuses) == (1, {"withdrawn": 1, "submitted": 5})
    assert newest(pushed, id) == [("ann", None, "withdrawn")]
    assert pushed.run("pull").new == 0
    path.write_text("".join(lines))
    assert pushed.run("pull").statuses == {"submitted": 6}
    assert pushed.run("pull").new == 0


def test_a_loss_of_many_answers_is_refused(pushed):
    pushed.answer("ann")
    pushed.run("pull")
    (pushed.workspace.rounds.current().folder / "answers.jsonl").write_text("")
    with pytest.raises(ProjectMismatch, match="6 of 6 answers are gone"):
        pushed.run("pull")
    assert {status for *_, status in newest(pushed)} == {"submitted"}


def test_accounts_become_the_ids_of_people_yaml(pushed):
    (pushed.root / "people.yaml").write_text("people: [{id: p1, accounts: {folder: Ann Lee}}]")
    pushed.answer("Ann Lee", "bob")
    pushed.run("pull")
    assert {row["annotator"] for row in pushed.workspace.rounds.current().answers()} == {
        "p1",
        "bob",
    }
    assert pushed.run("pull").new == 0


def test_somebody_who_is_listed_later_has_answered_already(pushed):
    pushed.answer("Ann Lee")
    pushed.run("pull")
    before = pushed.workspace.tables.fingerprint("annotations")
    files = {path: path.read_bytes() for path in pushed.answer_files()}
    (pushed.root / "people.yaml").write_text("people: [{id: p1, accounts: {folder: Ann Lee}}]")
    assert pushed.run("pull").new == 0
    assert {row["annotator"] for row in pushed.workspace.rounds.current().answers()} == {"p1"}
    assert pushed.workspace.tables.fingerprint("annotations") != before  # `agree` is stale
    assert {path: path.read_bytes() for path in pushed.answer_files()} == files


def test_a_round_that_was_not_sent(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=3)
    with pytest.raises(DataError, match="round 1 has not been sent"):
        offline.run("pull")


# ── the end of a round


def test_a_round_is_done_when_every_text_has_its_overlap(pushed):
    pushed.answer("ann", "bob", ids=[task["id"] for task in pushed.tasks[:5]])
    assert not pushed.run("pull").done
    last = [pushed.tasks[5]["id"]]
    pushed.answer("ann", ids=last)
    assert not pushed.run("pull").done
    pushed.answer("bob", ids=last)
    made = pushed.run("pull")
    assert made.done
    assert pushed.workspace.rounds.current().closed["why"] == "complete"
    assert pushed.workspace.rounds.current().closed["withdrawn"] == []


def test_an_answer_that_says_nothing_does_not_count(pushed):
    pushed.answer("ann", "bob", opinion=lambda text: None)
    made = pushed.run("pull")
    assert made.complete == 0


def test_enough_is_a_share(pushed):
    pushed.answer("ann", "bob", ids=[task["id"] for task in pushed.tasks[:3]])
    assert not pushed.run("pull", enough=0.6).done
    assert pushed.run("pull", enough=0.5).done
    assert pushed.workspace.rounds.current().closed["why"] == "enough"
    assert len(pushed.workspace.rounds.current().closed["withdrawn"]) == 3


@pytest.mark.parametrize("tasks", [25, 50, 75, 100, 150, 200, 1000])
def test_enough_is_reached_at_the_share_itself_for_every_hundredth(tasks):
    for hundredths in range(1, 101):
        needed = -(-hundredths * tasks // 100)
        for complete in (needed - 1, needed):
            why = pull._why_done(standing.Standing(tasks, complete, 0), hundredths / 100)
            assert bool(why) is (complete == needed), (hundredths, tasks, complete)


def test_a_skip_uses_a_person_up(pushed):
    ids = [task["id"] for task in pushed.tasks]
    pushed.answer("ann", "bob", ids=ids[:5])
    pushed.answer("ann", ids=ids[5:])
    pushed.say(line(pushed, 5, "bob", None, status="skipped"))
    made = pushed.run("pull")
    assert made.done
    assert made.complete == 5
    assert pushed.workspace.rounds.current().closed["why"] == "nobody is left to ask"
    assert pushed.workspace.rounds.current().closed["withdrawn"] == []  # one answer is an answer


def test_closing_early_says_what_was_answered_of_each_stratum(offline):
    offline.prepare(n=20)
    strata = dict(
        zip(
            *(
                offline.workspace.rounds.current().sample()[c].to_pylist()
                for c in ("id", "stratum")
            ),
            strict=True,
        )
    )
    films = [id for id, stratum in strata.items() if stratum == "films"]
    offline.answer("ann", ids=films[:4])
    made = pull.close_round(offline.workspace)
    assert (made.new, made.done) == (4, True)
    closed = offline.workspace.rounds.current().closed
    assert closed["answered"] == {"films": 0.4, "meals": 0.0}
    assert closed["why"] == "closed by hand"
    assert set(closed["withdrawn"]) == set(strata) - set(films[:4])
    with pytest.raises(DataError, match="round 1 is closed already"):
        pull.close_round(offline.workspace)


def test_a_skipped_text_is_not_answered_when_a_round_is_closed(offline):
    offline.prepare(n=20)
    tasks = offline.workspace.rounds.current().sample().select(["id", "stratum"]).to_pylist()
    films = [task["id"] for task in tasks if task["stratum"] == "films"]
    offline.answer("ann", ids=films[:3])
    offline.answer("ann", ids=films[3:7], opinion=lambda text: None, status="skipped")
    pull.close_round(offline.workspace)
    closed = offline.workspace.rounds.current().closed
    assert closed["answered"] == {"films": 0.3, "meals": 0.0}
    assert len(closed["withdrawn"]) == 17


def test_a_round_that_was_never_sent_can_be_closed(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=3)
    assert pull.close_round(offline.workspace).done
    assert set(offline.workspace.rounds.current().closed["answered"].values()) == {0}


def test_late_answers_still_come_home(pushed):
    pushed.answer("ann", "bob")
    pushed.run("pull")
    closed = pushed.workspace.rounds.current().closed
    pushed.answer("cy")
    made = pushed.run("pull")
    assert (made.new, made.done) == (6, True)
    assert pushed.workspace.rounds.current().closed == closed


def test_overview_asks_no_server(pushed):
    pushed.answer("ann")
    pushed.run("pull")
    pushed.workspace.connect = None
    (found,) = standing.overview(pushed.workspace.rounds.all())
    assert (found.round, found.tasks, found.complete, found.answers) == (1, 6, 0, 6)
    assert (found.annotators, found.backend, found.closed) == (1, "folder", "nobody is left to ask")


# ── answers made elsewhere


def brought(run, name, *rows):
    path = run.root / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return importing.bring(run.workspace, path, load_form("sentiment"))


@pytest.fixture
def pool(offline):
    offline.reviews()
    offline.pool()
    return offline


def given(run, place, value="positive", person="eve"):
    id = run.rows("pool")[place]["id"]
    return {"id": id, "question": "sentiment", "annotator": person, "value": value}


def test_an_import_is_a_round_of_its_own(pool):
    made = brought(
        pool,
        "labels.jsonl",
        given(pool, 0),
        given(pool, 1, "nonsense"),
        {**given(pool, 2), "id": "unknown"},
    )
    assert (made.round, made.new, made.done) == (1, 3, True)
    assert made.statuses == {"submitted": 1, "rejected": 2}
    assert made.rejected["not a task of this round"] == 1
    (found,) = pool.workspace.rounds.all()
    assert found.purpose == "import"
    assert found.closed["why"] == "imported"
    assert found.sample()["propensity"].to_pylist() == [None, None]
    assert {row["annotator"] for row in found.answers()} == {"eve"}


def test_the_same_file_twice_is_one_round(pool):
    row = given(pool, 0)
    first = brought(pool, "labels.jsonl", row)
    files = {path: path.read_bytes() for path in pool.answer_files()}
    again = brought(pool, "copy.jsonl", row)
    assert (again.round, again.new) == (first.round, 0)
    assert {path: path.read_bytes() for path in pool.answer_files()} == files
    assert brought(pool, "more.jsonl", row, given(pool, 1)).round == 2


def test_the_same_file_with_another_form_is_another_round(pool):
    row = given(pool, 0, "spam")
    assert brought(pool, "labels.jsonl", row).statuses == {"rejected": 1}
    again = {**row, "question": "flags", "value": ["spam"]}
    path = pool.root / "labels.jsonl"
    path.write_text(json.dumps(again) + "\n")
    first = importing.bring(pool.workspace, path, load_form("sentiment"))
    second = importing.bring(pool.workspace, path, load_form("flags"))
    assert (first.round, first.statuses) == (2, {"rejected": 1})
    assert (second.round, second.statuses) == (3, {"submitted": 1})
    assert importing.bring(pool.workspace, path, load_form("flags")).new == 0


def test_an_import_of_nothing_known_is_kept_too(pool):
    made = brought(pool, "labels.jsonl", {**given(pool, 0), "id": "unknown"})
    assert (made.tasks, made.statuses) == (0, {"rejected": 1})


def test_an_import_beside_a_round_that_asks_people(pushed):
    brought(pushed, "labels.jsonl", given(pushed, 0))
    assert [each.purpose for each in pushed.workspace.rounds.all()] == ["label", "import"]
    assert pushed.workspace.rounds.current().number == 1
    pushed.answer("ann", "bob")
    assert pushed.run("pull").done
    assert pushed.run("sample", n=3).round == 3


def test_an_import_that_cannot_be_read_leaves_no_round(pool):
    with pytest.raises(DataError, match="no annotator"):
        brought(pool, "labels.jsonl", {"id": "a", "question": "b"})
    with pytest.raises(DataError, match="no file"):
        importing.bring(pool.workspace, pool.root / "absent.jsonl", load_form("sentiment"))
    assert pool.workspace.rounds.all() == []


# ── answers that a later file takes back


def settled_of(run):
    run.run("agree", bootstrap=0)
    return {row["id"]: (json.loads(row["value"]), row["votes"]) for row in run.rows("labels")}


def again(row, status, **more):
    return {**row, "value": None, "status": status, **more}


@pytest.mark.parametrize(
    "more",
    [
        {"status": "withdrawn"},
        {"status": "rejected"},
        {"status": "rejected", "reason": "careless", "value": "positive"},
        {"status": "withdrawn", "at": "2020-01-01T00:00:00Z"},
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_a_later_line_takes_an_answer_out(pool, more, files):
    kept = [given(pool, place, person=who) for place in range(4) for who in ("eve", "ola")]
    back = [again(row, **more) | {"status": more["status"]} for row in kept[1:4:2]]
    if files == 1:
        brought(pool, "all.jsonl", *kept, *back)
    else:
        brought(pool, "labels.jsonl", *kept)
        brought(pool, "back.jsonl", *kept, *back)  # the same lines, and more of them
    votes = {id: number for id, (_, number) in settled_of(pool).items()}
    ids = [row["id"] for row in pool.rows("pool")[:4]]
    assert [votes[id] for id in ids] == [1, 1, 2, 2]
    made = pool.run("agree", bootstrap=0)
    assert made.answers == 6


MAY = "2026-05-0{}T00:00:00Z"

LINES = [
    # by time, however the file is sorted
    ([("withdrawn", 2), ("positive", 1)], None),
    ([("positive", 2), ("withdrawn", 1)], "positive"),
    ([("negative", 3), ("withdrawn", 2), ("positive", 1)], "negative"),
    ([("rejected", 2), ("positive", 1)], None),
    ([("positive", 2), ("rejected", 1)], "positive"),
    ([("positive", 2), ("negative", 1)], "positive"),
    # without times by line
    ([("positive", None), ("withdrawn", None), ("negative", None)], "negative"),
    ([("positive", None), ("rejected", None), ("negative", None)], "negative"),
    # a line without a time counts where it stands
    ([("positive", None), ("negative", 1)], "negative"),
    ([("positive", 1), ("negative", None)], "negative"),
    ([("positive", None), ("negative", 2), ("positive", 1)], "negative"),
    ([("positive", None), ("withdrawn", 1)], None),
]


@pytest.mark.parametrize("is_import", [True, False])
def test_the_later_line_counts(offline, is_import):
    offline.prepare(n=len(LINES))
    ids = [task["id"] for task in offline.tasks]
    rows = [
        {"id": id, "question": "sentiment", "annotator": "ann"}
        | ({"value": said} if said.endswith("ive") else {"status": said})
        | ({"at": MAY.format(day)} if day else {})
        for id, (lines, _) in zip(ids, LINES, strict=True)
        for said, day in lines
    ]
    if is_import:
        brought(offline, "answers.jsonl", *rows)
    else:
        offline.say(*rows)
        offline.run("pull")
    settled = settled_of(offline)
    values = [settled.get(id, (None,))[0] for id in ids]
    assert values == [value for _, value in LINES]


def test_what_is_said_again_in_its_round_counts(pushed):
    """A file takes back what was at home, and what was given before; not what comes after it."""
    pushed.answer("ann", at=MAY.format(1))
    pushed.run("pull")
    pushed.answer("bob", at=MAY.format(1))  # still on the server
    ids = [task["id"] for task in pushed.tasks]
    back = [
        {"id": id, "question": "sentiment", "annotator": who, "status": "withdrawn"}
        for id in ids
        for who in ("ann", "bob")
    ]
    brought(pushed, "back.jsonl", *back)
    pushed.run("pull")
    with pytest.raises(NothingToDo):
        pushed.run("agree", bootstrap=0)
    pushed.answer("ann", ids=ids[:2], opinion=lambda text: "neutral")
    pushed.run("pull")
    assert settled_of(pushed) == dict.fromkeys(ids[:2], ("neutral", 1))
    answers, _ = Said.of(pushed.workspace).of_document(ids[0])
    assert {(own.annotator, own.why) for own in answers if own.round == 1} == {
        ("ann", None),
        ("bob", "withdrawn in round 2"),
    }


def test_a_file_of_withdrawals_alone_takes_back_what_a_round_asked(pushed):
    pushed.answer("ann", "bob")
    pushed.run("pull")
    assert pushed.run("agree", bootstrap=0).answers == 12
    back = [
        {"id": task["id"], "question": "sentiment", "annotator": "bob", "status": "withdrawn"}
        for task in pushed.tasks[:4]
    ]
    brought(pushed, "back.jsonl", *back)
    assert pushed.run("agree", bootstrap=0).answers == 8
    assert {votes for _, votes in settled_of(pushed).values()} == {1, 2}


def test_a_trace_says_in_which_round_an_answer_was_taken_back(pool):
    rows = [given(pool, 0, person=who) for who in ("eve", "ola")]
    brought(pool, "one.jsonl", *rows)
    brought(pool, "two.jsonl", again(rows[0], "withdrawn"))
    pool.run("agree", bootstrap=0)
    answers, _ = Said.of(pool.workspace).of_document(rows[0]["id"])
    said = {(answer.annotator, answer.round): answer.why for answer in answers}
    assert said == {
        ("eve", 1): "withdrawn in round 2",
        ("eve", 2): "withdrawn",
        ("ola", 1): None,
    }


def test_what_was_taken_back_can_be_said_again(pool):
    row = given(pool, 0)
    brought(pool, "one.jsonl", row)
    brought(pool, "two.jsonl", again(row, "withdrawn"))
    with pytest.raises(NothingToDo):
        pool.run("agree", bootstrap=0)
    brought(pool, "three.jsonl", {**row, "value": "negative"})
    assert settled_of(pool) == {row["id"]: ("negative", 1)}


def test_an_answer_that_does_not_fit_takes_nothing_back(pool):
    row = given(pool, 0)
    brought(pool, "one.jsonl", row)
    brought(pool, "two.jsonl", {**row, "value": "nonsense"})
    assert settled_of(pool) == {row["id"]: ("positive", 1)}


def test_a_rejected_line_says_why(pool):
    row = given(pool, 0)
    made = brought(pool, "one.jsonl", again(row, "rejected", reason="careless"))
    assert made.rejected == {"rejected where it was made: careless": 1}
    made = brought(pool, "two.jsonl", again(row, "rejected"))
    assert made.rejected == {"rejected where it was made": 1}


def test_an_import_stands_with_its_true_counts(pool):
    """Two people answered other texts: each text has an answer, so all are complete."""
    rows = [given(pool, place, person="eve" if place % 2 else "ola") for place in range(6)]
    skipped = [again(given(pool, 7), "skipped")]
    brought(pool, "labels.jsonl", *rows, *skipped, {**given(pool, 0), "id": "unknown"})
    (found,) = standing.overview(pool.workspace.rounds.all())
    assert (found.purpose, found.backend) == ("import", "folder")
    assert (found.tasks, found.complete, found.answers, found.annotators) == (7, 6, 6, 2)
    assert found.closed == "imported"
