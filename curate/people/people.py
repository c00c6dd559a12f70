"""people.yaml: who annotates, under which accounts; tables and exports hold only their ids.

    people:
      - id: anna
        name: Anna Li
        accounts: {label_studio: anna@example.org, argilla: anna}
        languages: [en, zh]        # none: every language
        quota: 200                 # the most tasks of one round
        from: 2026-01-01           # asked from this day on
        until: 2026-06-30          # and up to this one

One person on two servers is one annotator. An account that nobody listed is added under an id that
says nothing about the person. If it is listed under another id later, its earlier answers belong to
that person too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from curate import storage, yamls
from curate.errors import RecipeError
from curate.spec import Spec, validated

NAME = "people.yaml"
BACKENDS = ("label_studio", "argilla", "folder")
"""The servers on which a person can have an account."""


class Person(Spec):
    """One annotator: one id for all accounts."""

    id: Annotated[str, Field(min_length=1, description="What tables and exports hold.")]
    name: Annotated[str | None, Field(description="For people to read.")] = None
    accounts: dict[str, str] = Field(default_factory=dict, description="Backend → account.")
    languages: Annotated[tuple[str, ...], Field(description="BCP 47 tags; none: all.")] = ()
    quota: Annotated[int | None, Field(ge=1, description="The most tasks of one round.")] = None
    since: Annotated[date | None, Field(alias="from", description="Asked from this day on.")] = None
    until: Annotated[date | None, Field(description="Asked up to this day.")] = None

    @model_validator(mode="after")
    def _can_be_asked(self) -> Person:
        unknown = sorted(set(self.accounts) - set(BACKENDS))
        if unknown:
            raise ValueError(f"no server is called {unknown[0]}: {', '.join(BACKENDS)}")
        if self.since and self.until and self.until < self.since:
            raise ValueError("`until` lies before `from`")
        return self

    def is_asked(self, day: date) -> bool:
        """Whether the person is asked on that day."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )

    def reads(self, language: str | None) -> bool:
        """Whether the person reads a language; `zh` includes `zh-Hant`."""
        return not self.languages or any(
            language == tag or (language or "").startswith(f"{tag}-") for tag in self.languages
        )


class People(Spec):
    """Everyone who annotates."""

    people: tuple[Person, ...] = ()

    def ids(self, backend: str) -> dict[str, str]:
        """The id of each account on one backend."""
        return {
            person.accounts[backend]: person.id
            for person in self.people
            if backend in person.accounts
        }

    def person(self, id: str) -> Person:
        """The person with that id; a person who is not listed has nothing but the id."""
        return next((person for person in self.people if person.id == id), Person(id=id))


def load(workspace: Path) -> People:
    """Load the people of a workspace; none if there is no file.

    Raises RecipeError for a file that is not valid, or if two people share an id or an account.
    """
    path = workspace / NAME
    if not path.exists():
        return People()
    people = validated(People, yamls.parse(path.read_bytes(), NAME) or {}, where=NAME)
    _refuse_repeats([person.id for person in people.people], "the id")
    for backend in BACKENDS:
        accounts = [
            person.accounts[backend] for person in people.people if backend in person.accounts
        ]
        _refuse_repeats(accounts, f"the {backend} account")
    return people


def _refuse_repeats(names: Iterable[str], kind: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise RecipeError(f"{NAME}: two people have {kind} {name}")


def save(workspace: Path, people: People) -> None:
    """Write people.yaml. Only its owner can read it."""
    data = people.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    storage.write_text(workspace / NAME, yamls.text_of(data), private=True)
