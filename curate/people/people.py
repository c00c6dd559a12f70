"""people.yaml: who annotates, under which accounts; tables and exports hold only their ids.

    people:
      - id: anna
        name: Anna Li
        accounts: {label_studio: [anna@example.org, li@example.org], argilla: anna}
        languages: [en, zh]        # none: every language
        quota: 200                 # the most tasks of one round
        from: 2026-01-01           # asked from this day on
        until: 2026-06-30          # and up to this one
        users: {label_studio/9f3ac210/7: anna@example.org}     # kept by curate
        formerly: [p-1c9e04aa]                                 # kept by curate

One person on two servers is one annotator. An account that nobody listed is added under an id that
says nothing about the person. If it is listed under another id later, its earlier answers belong to
that person too. `users` says whose each account on a server is, by the server's identity and the
user id there: a login may change, be spelt otherwise, or be gone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from curate import storage, yamls
from curate.errors import RecipeError
from curate.spec import Spec, validated

NAME = "people.yaml"
PSEUDONYM = re.compile("p-[0-9a-f]{8}")
BACKENDS = ("label_studio", "argilla", "folder")
"""The servers on which a person can have an account."""


class Person(Spec):
    """One annotator: one id for all accounts."""

    id: Annotated[str, Field(min_length=1, description="What tables and exports hold.")]
    name: Annotated[str | None, Field(description="For people to read.")] = None
    accounts: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="Backend → login, or a list of them."
    )
    languages: Annotated[tuple[str, ...], Field(description="BCP 47 tags; none: all.")] = ()
    quota: Annotated[int | None, Field(ge=1, description="The most tasks of one round.")] = None
    since: Annotated[date | None, Field(alias="from", description="Asked from this day on.")] = None
    until: Annotated[date | None, Field(description="Asked up to this day.")] = None
    users: dict[str, str] = Field(default_factory=dict, description="User on a server → login.")
    formerly: Annotated[tuple[str, ...], Field(description="Ids that were replaced.")] = ()

    @field_validator("accounts")
    @classmethod
    def _tidy(cls, accounts: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
        return {backend: one_or_more(_each(logins)) for backend, logins in accounts.items()}

    @model_validator(mode="after")
    def _can_be_asked(self) -> Person:
        unknown = sorted(set(self.accounts) - set(BACKENDS))
        if unknown:
            raise ValueError(f"no server is called {unknown[0]}: {', '.join(BACKENDS)}")
        if self.since and self.until and self.until < self.since:
            raise ValueError("`until` is before `from`")
        return self

    @property
    def is_named(self) -> bool:
        """Whether somebody named the person; if not, the id is a pseudonym."""
        return PSEUDONYM.fullmatch(self.id) is None

    def logins(self, backend: str) -> tuple[str, ...]:
        """The logins on one backend."""
        return _each(self.accounts.get(backend, ()))

    def with_logins(self, backend: str, logins: Iterable[str]) -> Person:
        """The person with these logins on a backend in the place of the present ones."""
        accounts = {**self.accounts, backend: one_or_more(tuple(dict.fromkeys(logins)))}
        return self.model_copy(update={"accounts": accounts})

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
        """The id of each login on one backend."""
        return {login: person.id for person in self.people for login in person.logins(backend)}

    def users(self) -> dict[str, str]:
        """The id of each user on a server."""
        return {user: person.id for person in self.people for user in person.users}

    def person(self, id: str) -> Person:
        """The person with that id; a person who is not listed has nothing but the id."""
        return next((person for person in self.people if person.id == id), Person(id=id))


def load(workspace: Path) -> People:
    """Load the people of a workspace; none if there is no file.

    Raises RecipeError for a file that is not valid, or if two people share an id or an account.
    """
    path = storage.regular(workspace / NAME)
    if not path.exists():
        return People()
    people = validated(People, yamls.parse(path.read_bytes(), NAME) or {}, where=NAME)
    _refuse_repeats([person.id for person in people.people], "the id")
    for backend in BACKENDS:
        logins = [login for person in people.people for login in person.logins(backend)]
        _refuse_repeats(logins, f"the {backend} account")
    _refuse_repeats([user for person in people.people for user in person.users], "the user")
    return people


def alike(login: str) -> str:
    """The same text for logins that differ in capitals, width, accents' encoding, or unseen marks.

    Unicode: NFKC, then folded case; format characters (Cf), such as a zero-width space, are left
    out.
    """
    letters = unicodedata.normalize("NFKC", login)
    seen = "".join(letter for letter in letters if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", seen.casefold()).strip()


def one_or_more(logins: tuple[str, ...]) -> str | tuple[str, ...]:
    """Logins as people.yaml has them: one as a text, several as a list."""
    return logins[0] if len(logins) == 1 else logins


def _each(logins: str | Iterable[str]) -> tuple[str, ...]:
    several = (logins,) if isinstance(logins, str) else logins
    stripped = (login.strip() for login in several)
    return tuple(dict.fromkeys(login for login in stripped if login))


def _refuse_repeats(names: Iterable[str], kind: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise RecipeError(f"{NAME}: two people have {kind} {name}")


def save(workspace: Path, people: People) -> None:
    """Write people.yaml. Only its owner can read it."""
    data = people.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    storage.write_text(workspace / NAME, yamls.text_of(data), private=True)
