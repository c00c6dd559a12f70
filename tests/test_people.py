"""Who annotates: accounts become ids that say nothing about the person."""

import pytest

from curate import people
from curate.errors import RecipeError
from curate.people import People, Person, identify, load, pseudonym, save
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
    ],
)
def test_what_cannot_be_meant_is_told(root, text, words):
    (root / people.NAME).write_text(text)
    with pytest.raises(RecipeError, match=words):
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
