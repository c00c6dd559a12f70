"""people.yaml: who annotates, under which accounts; tables and exports hold only their ids.

    people:
      - id: anna
        name: Anna Li
        accounts: {label_studio: anna@example.org, argilla: anna}
        languages: [en, zh]        # none: every language
        quota: 200                 # the most tasks of one round
        from: 2026-01-01           # asked from this day on
        until: 2026-06-30          # and up to this one

One person on two servers is one annotator. An account that nobody listed gets an id that says
nothing about the person, and is added; once it is listed under another id, what was answered before
is that person's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from curate import storage
from curate.errors import RecipeError
from curate.spec import Spec, validated

NAME = "people.yaml"
BACKENDS = ("label_studio", "argilla", "folder")
"""Where somebody can have an account."""


class Person(Spec):
    """One annotator: one id, whatever the accounts."""

    id: Annotated[str, Field(min_length=1, description="What tables and exports hold.")]
    name: Annotated[str | None, Field(description="For people to read.")] = None
    accounts: dict[str, str] = Field(default_factory=dict, description="Backend → account.")
    languages: Annotated[tuple[str, ...], Field(description="BCP 47 tags; none: all.")] = ()
    quota: Annotated[int | None, Field(ge=1, description="The most tasks of one round.")] = None
    since: Annotated[date | None, Field(alias="from", description="Asked from this day on.")] = None
    until: Annotated[date | None, Field(description="Asked up to this day.")] = None

    @model_validator(mode="after")
    def _can_be_asked(self) -> Person:
        elsewhere = sorted(set(self.accounts) - set(BACKENDS))
        if elsewhere:
            raise ValueError(f"no server is called {elsewhere[0]}: {', '.join(BACKENDS)}")
        if self.since and self.until and self.until < self.since:
            raise ValueError("`until` lies before `from`")
        return self

    def is_asked(self, day: date) -> bool:
        """Whether the person is asked on that day."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )

    def reads(self, language: str | None) -> bool:
        """Whether the person reads a language; `zh` stands for `zh-Hant` too."""
        return not self.languages or any(
            language == each or (language or "").startswith(f"{each}-") for each in self.languages
        )


class People(Spec):
    """Everyone who annotates."""

    people: tuple[Person, ...] = ()

    def ids(self, backend: str) -> dict[str, str]:
        """Return account → id on one backend."""
        return {p.accounts[backend]: p.id for p in self.people if backend in p.accounts}

    def person(self, id: str) -> Person:
        """Return the person of that id; whoever is not listed has no more than the id."""
        return next((each for each in self.people if each.id == id), Person(id=id))


def load(workspace: Path) -> People:
    """Return the people of a workspace; none if there is no file."""
    import yaml

    path = workspace / NAME
    if not path.exists():
        return People()
    try:
        data = yaml.safe_load(path.read_bytes()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{NAME}: not YAML ({' '.join(str(error).split())})") from None
    people = validated(People, data, where=NAME)
    _refuse_two([person.id for person in people.people], "the id")
    for backend in BACKENDS:
        accounts = [p.accounts[backend] for p in people.people if backend in p.accounts]
        _refuse_two(accounts, f"the {backend} account")
    return people


def _refuse_two(names: Iterable[str], what: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise RecipeError(f"{NAME}: two people have {what} {name}")


def save(workspace: Path, people: People) -> None:
    """Write people.yaml, readable by its owner alone."""
    import yaml

    data = people.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    storage.write_text(workspace / NAME, text, private=True)
