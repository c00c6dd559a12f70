"""Who annotates: accounts become ids that say nothing about the person."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from curate.errors import DataError, RecipeError
from curate.people import People, Person, effort, people
from curate.people import accounts as accounts_
from curate.people.accounts import identify, pseudonym
from curate.people.people import load, save
from curate.workspace import Workspace

ANNA = """people:
  - {id: anna, name: Anna Li, accounts: {label_studio: anna@example.org}, languages: [zh, en]}
  - {id: bo, accounts: {label_studio: bo@example.org, folder: Bo}}
"""


@pytest.fixture
def root(tmp_path):
    Workspace(tmp_path).init("people")
    return tmp_path


def test_people_are_read_and_written(root):
    assert load(root) == People()
    (root / people.NAME).write_text(ANNA)
    found = load(root)
    assert found.ids("label_studio") == {"anna@example.org": "anna", "bo@example.org": "bo"}
    assert found.ids("folder") == {"Bo": "bo"}
    save(root, found)
    assert load(root) == found
    assert (root / people.NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("people: [{id: a}, {id: a}]", "two people have the id a"),
        ("people: [{name: x}]", r"people\.0\.id"),
        ("people: [{id: a, age: 5}]", "unknown key"),
        ("people: {", "not YAML"),
        ("people: [{id: a, accounts: {labelstudio: x}}]", "no server is called labelstudio"),
        (
            "people: [{id: a, accounts: {argilla: x}}, {id: b, accounts: {argilla: x}}]",
            "two people have the argilla account x",
        ),
        ("people: [{id: a, from: 2026-05-01, until: 2026-04-30}]", "`until` is before `from`"),
    ],
)
def test_what_cannot_be_meant_is_told(root, text, words):
    (root / people.NAME).write_text(text)
    with pytest.raises(RecipeError, match=words):
        load(root)


def test_a_file_in_another_encoding_is_told(root):
    (root / people.NAME).write_bytes("people: [{id: 安娜}]".encode("gb18030"))
    with pytest.raises(RecipeError, match=r"people\.yaml is not in UTF-8"):
        load(root)


def test_an_empty_file_is_nobody(root):
    (root / people.NAME).write_text("")
    assert load(root) == People()


def test_an_account_that_nobody_listed_is_added(root):
    (root / people.NAME).write_text(ANNA)
    ids, added = identify(root, "label_studio", ["anna@example.org", "cy@example.org"])
    assert added == 1
    assert ids["anna@example.org"] == "anna"
    assert "cy" not in ids["cy@example.org"].removeprefix("p-")
    assert load(root).people[:2] == (
        Person(
            id="anna",
            name="Anna Li",
            accounts={"label_studio": "anna@example.org"},
            languages=("zh", "en"),
        ),
        Person(id="bo", accounts={"label_studio": "bo@example.org", "folder": "Bo"}),
    )
    assert identify(root, "label_studio", ["cy@example.org"]) == (ids, 0)


def test_on_the_folder_backend_an_account_is_an_id(root):
    (root / people.NAME).write_text(ANNA)
    ids, added = identify(root, "folder", ["Bo", "cy"])
    assert (ids, added) == ({"Bo": "bo", "cy": "cy"}, 0)
    assert (root / people.NAME).read_text() == ANNA


def test_a_pseudonym_is_stable_within_a_workspace_and_new_in_another(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    Workspace(other).init("other")
    assert pseudonym(root, "cy@example.org") == pseudonym(root, "cy@example.org")
    assert pseudonym(root, "cy@example.org") != pseudonym(other, "cy@example.org")
    assert pseudonym(root, "cy@example.org") != pseudonym(root, "bo@example.org")


def test_the_same_account_on_two_servers_is_one_person(root):
    first, _ = identify(root, "label_studio", ["cy@example.org"])
    second, added = identify(root, "argilla", ["cy@example.org"])
    assert (second, added) == (first, 1)
    (cy,) = load(root).people
    assert cy.accounts == {"label_studio": "cy@example.org", "argilla": "cy@example.org"}


def test_an_account_that_gets_a_name_later_keeps_what_it_did(root):
    ids, _ = identify(root, "label_studio", ["cy@example.org", "di@example.org"])
    before = ids["cy@example.org"]
    accounts = {"label_studio": "cy@example.org", "argilla": "cy"}
    accounts_.add(root, Person(id="cy", name="Cy", accounts=accounts))
    assert [person.id for person in load(root).people] == [ids["di@example.org"], "cy"]
    assert accounts_.renamed(root)[before] == "cy"
    assert accounts_.ids(root, "label_studio", ["cy@example.org"])["cy@example.org"] == "cy"
    with pytest.raises(DataError, match="cy on argilla is cy already"):
        accounts_.add(root, Person(id="other", accounts={"argilla": "cy"}))


def test_what_is_new_about_a_person_leaves_the_rest_and_the_order(root):
    (root / people.NAME).write_text(ANNA)
    accounts_.add(root, Person(id="anna", quota=5, accounts={"argilla": "anna"}))
    anna, bo = load(root).people
    assert (anna.name, anna.quota, bo.id) == ("Anna Li", 5, "bo")
    assert anna.accounts == {"label_studio": "anna@example.org", "argilla": "anna"}


# ── who did what

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def done(person="ann", id="a", value="x", status="submitted", *, after=0, seconds=None, q="q"):
    at = NOON + timedelta(hours=after)
    key = {"annotator": person, "id": id, "question": q, "round": 1}
    return {**key, "value": value, "status": status, "at": at, "seconds": seconds}


def told(*rows, by="month"):
    return [
        (e.annotator, e.period, e.answers, e.skips, e.revisions, e.minutes)
        for e in effort.effort(rows, by)
    ]


def test_a_text_counts_once_and_a_change_is_a_revision_in_its_own_period():
    rows = [
        done(seconds=60, q="one"),
        done(seconds=60, q="two"),
        done(id="b", status="skipped", value=None),
        done(value="y", q="one", after=20, seconds=90),  # the next month; 90 s in all
        done(value="x", q="two", after=20, seconds=90),
        done("bob", after=30),
        done("bob", id="c", status="draft", after=30),
    ]
    assert told(*rows) == [
        ("ann", "2026-01", 1, 1, 0, 1.5),
        ("ann", "2026-02", 0, 0, 1, None),
        ("bob", "2026-02", 1, 0, 0, None),
    ]
    assert [period for _, period, *_ in told(*rows, by="day")][:2] == ["2026-01-31", "2026-02-01"]
    assert [period for _, period, *_ in told(*rows, by="week")] == ["2026-W05", "2026-W05"]
    assert told(*rows, by="round")[0] == ("ann", "01", 1, 1, 1, 1.5)


def test_answers_that_stand_no_more_are_told_where_they_were_given():
    """The work was done; `status` counts what stands. One question alone leaves the text there."""
    gone = {"status": "withdrawn", "value": None, "after": 40}
    rows = [
        *(done(id=id, q=q) for id in "abc" for q in ("one", "two")),
        *(done(id="a", q=q, **gone) for q in ("one", "two")),
        done(id="b", q="one", **gone),
        *(done(id="c", q=q, **gone) for q in ("one", "two")),
        done(id="c", q="one", after=50),  # given again
        done("bob", id="d", status="draft"),
        done("bob", id="d", **gone),
    ]
    (ann,) = effort.effort(rows, "month")
    assert (ann.period, ann.answers, ann.revisions, ann.withdrawn) == ("2026-01", 3, 0, 1)


def test_midnight_is_where_people_are():
    late = done(after=6)  # 18:00 in UTC
    (row,) = effort.effort([late], "month", ZoneInfo("Asia/Shanghai"))
    assert row.period == "2026-02"
    (row,) = effort.effort([late], "month")
    assert row.period == "2026-01"


def test_a_skip_that_is_answered_after_all_is_an_answer():
    rows = [done(status="skipped", value=None), done(after=1)]
    assert told(*rows) == [("ann", "2026-01", 1, 0, 1, None)]
