"""A round gets a project of its own, whatever names people have given to those of other rounds."""

from dataclasses import dataclass, field, replace

import pytest

from curate.errors import ProjectMismatch
from curate.forms import load_form
from curate.push.first import own_project
from curate.records import Project
from curate.rounds import Batch

FORM, OTHER = load_form("sentiment"), load_form("comment")


@dataclass
class Titled:
    """A server that knows projects by their titles, as Label Studio does."""

    may_rename: bool = True
    titles: dict[str, str] = field(default_factory=dict)
    forms: dict[str, object] = field(default_factory=dict)
    name = "label_studio"

    def ensure_project(self, name, form, *, overlap, guidelines):
        keys = [key for key, title in self.titles.items() if title == name]
        key = keys[0] if keys else str(len(self.titles) + 1)
        self.titles[key] = name
        if self.forms.setdefault(key, form) != form:
            raise ProjectMismatch("another form")
        return Project(self.name, "", name, key, form, overlap, "", f"born {key}")

    def open_project(self, project):
        if project.key not in self.titles:
            raise ProjectMismatch("it is gone")
        if self.may_rename:
            self.titles[project.key] = project.name
        return project


class Rounds:
    def __init__(self, *projects):
        self.rounds = self
        self.batches = [Batch(None, project) for project in projects]

    def all(self):
        return [self]


def ensured(server, name, *others, form=FORM):
    return own_project(Rounds(*others), server, name, form, 1, "")


@pytest.mark.parametrize("form", [FORM, OTHER])
def test_a_project_of_another_round_gets_its_name_back(form):
    server = Titled()
    first = ensured(server, "a-r01", form=form)
    server.titles[first.key] = "a-r02"
    second = ensured(server, "a-r02", first)
    assert server.titles == {first.key: "a-r01", second.key: "a-r02"}
    assert ensured(server, "a-r02", first) == second


def test_several_that_were_given_the_name_all_get_theirs_back():
    server = Titled()
    others = [ensured(server, f"a-r0{number}") for number in (1, 2, 3)]
    server.titles = dict.fromkeys(server.titles, "a-r04")
    own = ensured(server, "a-r04", *others, replace(others[0], key="9", name="gone"))
    assert server.titles == {"1": "a-r01", "2": "a-r02", "3": "a-r03", own.key: "a-r04"}


def test_one_that_cannot_be_renamed_is_told_and_not_taken():
    server = Titled(may_rename=False)
    first = ensured(server, "a-r01")
    server.titles[first.key] = "a-r02"
    with pytest.raises(ProjectMismatch, match="the project of a-r01 is called a-r02"):
        ensured(server, "a-r02", first)


def test_a_project_that_asks_other_questions_and_is_nobodys_is_refused():
    server = Titled()
    ensured(server, "a-r01", form=OTHER)
    with pytest.raises(ProjectMismatch, match="another form"):
        ensured(server, "a-r01")
