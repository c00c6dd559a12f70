"""Accounts and ids: who an account belongs to, and who can be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from curate import storage
from curate.backends import Backend
from curate.errors import DataError
from curate.people.people import NAME, People, Person, load, save
from curate.spec import validated


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


def accounts_of(workspace: Path, backend: Backend, ids: Collection[str] | None) -> list[str]:
    """The accounts of people on a backend; those of everyone who is asked today for None."""
    known = load(workspace).ids(backend.name)
    if ids is None:
        present = {known[account] for account in backend.accounts() if account in known}
        ids = [person.id for person in asked(workspace, present)]
    return sorted(account for account, id in known.items() if id in ids)


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


def pseudonym(workspace: Path, account: str) -> str:
    """Return an id that is stable within a workspace and names nobody."""
    about = storage.read_json(workspace / "workspace.json") or {"id": ""}
    return "p-" + blake2b(f"{about['id']} {account}".encode(), digest_size=4).hexdigest()
