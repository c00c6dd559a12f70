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

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from curate import storage
from curate.errors import DataError, RecipeError
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


def ids(workspace: Path, backend: str, accounts: Iterable[str]) -> dict[str, str]:
    """Return account → id; one that nobody listed has the id that it would be given.

    On the folder backend an account is an id already; people.yaml may still rename it. The same
    e-mail on two servers is the same person.
    """
    people, named = load(workspace), renamed(workspace)
    known = people.ids(backend)
    taken = set(known.values())
    for account in accounts:
        if account not in known:
            given = _given(workspace, backend, account)
            listed = named.get(given, given)
            known[account] = given if listed in taken else listed
    return known


def renamed(workspace: Path) -> dict[str, str]:
    """Return, by the id that an account had while nobody listed it, the one it has now."""
    people = load(workspace).people
    now = {
        _given(workspace, backend, account): person.id
        for person in people
        for backend, account in person.accounts.items()
    }
    return {given: now[given] for given in now.keys() - {person.id for person in people}}


def _given(workspace: Path, backend: str, account: str) -> str:
    return account if backend == "folder" else pseudonym(workspace, account)


def identify(workspace: Path, backend: str, accounts: Iterable[str]) -> tuple[dict[str, str], int]:
    """Return account → id, and how many accounts were new and have been added to people.yaml."""
    found = ids(workspace, backend, accounts)
    people = load(workspace)
    new = sorted(set(found) - set(people.ids(backend))) if backend != "folder" else []
    listed = {person.id: person for person in people.people}
    for account in new:
        person = listed.get(found[account], Person(id=found[account]))
        accounts = {**person.accounts, backend: account}
        listed[person.id] = person.model_copy(update={"accounts": accounts})
    if new:
        save(workspace, People(people=tuple(listed.values())))
    return found, len(new)


def asked(workspace: Path, ids: Iterable[str]) -> list[Person]:
    """Return those of the people who are asked today, in the order of people.yaml."""
    people, today = load(workspace), datetime.now(UTC).date()
    order = {person.id: place for place, person in enumerate(people.people)}
    found = [people.person(id) for id in sorted(ids, key=lambda id: (order.get(id, 0), id))]
    return [person for person in found if person.is_asked(today)]


def add(workspace: Path, person: Person) -> None:
    """Add a person, or what is new about one. Raises DataError if an account is another's.

    An account that was added without a name becomes the person's, with all that was answered.
    """
    people = load(workspace)
    listed = {each.id: each for each in people.people}
    before = people.person(person.id)
    accounts = {**before.accounts, **person.accounts}
    for backend, account in person.accounts.items():
        owner = people.ids(backend).get(account, person.id)
        if owner not in (person.id, pseudonym(workspace, account)):
            raise DataError(
                f"{account} on {backend} is {owner} already",
                hint=f"if that is the same person, give the other accounts to {owner}",
            )
        if owner != person.id:
            listed.pop(owner, None)
            accounts = {**people.person(owner).accounts, **accounts}
    new = person.model_dump(exclude_unset=True, by_alias=True)
    told = {**before.model_dump(by_alias=True), **new, "accounts": accounts}
    listed[person.id] = validated(Person, told, where=NAME)
    save(workspace, People(people=tuple(listed.values())))


def save(workspace: Path, people: People) -> None:
    """Write people.yaml, readable by its owner alone."""
    import yaml

    data = people.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    storage.write_text(workspace / NAME, text, private=True)


def pseudonym(workspace: Path, account: str) -> str:
    """Return an id that is stable within a workspace and names nobody."""
    about = storage.read_json(workspace / "workspace.json") or {"id": ""}
    return "p-" + blake2b(f"{about['id']} {account}".encode(), digest_size=4).hexdigest()


# ── who did what


Period = Literal["day", "week", "month", "round"]


@dataclass(frozen=True)
class Effort:
    """What a person did in a period: texts answered and skipped, answers changed later, minutes."""

    annotator: str
    period: str
    answers: int
    skips: int
    revisions: int
    minutes: float | None


def effort(
    history: Iterable[Mapping[str, Any]], period: Period, zone: tzinfo = UTC
) -> list[Effort]:
    """Return what each person did, by period, from rows of `annotations`, oldest first.

    Days, weeks and months begin at midnight in `zone`.

    A text counts once, in the period of its first answer; a change of it is a revision, in its
    own. Minutes are those that a server measured, None where it does not; an edit's time holds
    that of the answer before it.
    """
    done: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"answers": set(), "skips": set(), "revisions": set(), "seconds": {}}
    )
    first: dict[tuple[str, str, int], str] = {}
    said: dict[tuple[str, str, str, int], Any] = {}
    for row in history:
        if row["status"] not in ("submitted", "skipped"):
            continue
        who, task = row["annotator"], (row["annotator"], row["id"], row["round"])
        when = _period(row, period, zone)
        key = (*task[:2], row["question"], row["round"])
        spent = done[who, first.setdefault(task, when)]["seconds"]
        if row["seconds"] is not None:
            spent[task] = max(spent.get(task, 0.0), row["seconds"])
        if key in said and said[key] != (row["status"], row["value"]):
            done[who, when]["revisions"].add((*task, row["at"]))
        said[key] = (row["status"], row["value"])
        kind = "answers" if row["status"] == "submitted" else "skips"
        done[who, first[task]][kind].add(task)
        done[who, first[task]]["answers" if kind == "skips" else "skips"].discard(task)
    return [
        Effort(
            who,
            when,
            len(counted["answers"]),
            len(counted["skips"]),
            len(counted["revisions"]),
            round(sum(counted["seconds"].values()) / 60, 2) if counted["seconds"] else None,
        )
        for (who, when), counted in sorted(done.items())
    ]


def _period(row: Mapping[str, Any], period: Period, zone: tzinfo) -> str:
    if period == "round":
        return f"{row['round']:02}"
    at = row["at"].astimezone(zone)
    year, week, _ = at.isocalendar()
    forms = {"day": "%Y-%m-%d", "week": f"{year}-W{week:02}", "month": "%Y-%m"}
    return str(at.strftime(forms[period]))
