"""Accounts and ids: which person an account belongs to, and who is asked."""

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
    """The id of each account: those listed on the backend, and `accounts`.

    An account that is not listed has the id that `identify` would add it under. On the folder
    backend an account is an id already, which people.yaml may replace. The same e-mail address on
    two servers is the same person.
    """
    people, todays_ids = load(workspace), renamed(workspace)
    ids_by_account = people.ids(backend)
    listed_ids = set(ids_by_account.values())
    for account in accounts:
        if account not in ids_by_account:
            first_id = _make_id(workspace, backend, account)
            todays_id = todays_ids.get(first_id, first_id)
            ids_by_account[account] = first_id if todays_id in listed_ids else todays_id
    return ids_by_account


def renamed(workspace: Path) -> dict[str, str]:
    """Today's id for each id that an account had before it was listed."""
    people = load(workspace).people
    todays_ids = {
        _make_id(workspace, backend, account): person.id
        for person in people
        for backend, account in person.accounts.items()
    }
    first_ids = todays_ids.keys() - {person.id for person in people}
    return {first_id: todays_ids[first_id] for first_id in first_ids}


def _make_id(workspace: Path, backend: str, account: str) -> str:
    """The id of an account while nobody has listed it."""
    return account if backend == "folder" else pseudonym(workspace, account)


def identify(workspace: Path, backend: str, accounts: Iterable[str]) -> tuple[dict[str, str], int]:
    """Add new accounts to people.yaml, except those of the folder backend.

    Returns the id of each account, and the number of accounts that were added.
    """
    ids_by_account = ids(workspace, backend, accounts)
    people = load(workspace)
    new = sorted(set(ids_by_account) - set(people.ids(backend))) if backend != "folder" else []
    people_by_id = {person.id: person for person in people.people}
    for account in new:
        id = ids_by_account[account]
        person = people_by_id.get(id, Person(id=id))
        updated = {"accounts": {**person.accounts, backend: account}}
        people_by_id[person.id] = person.model_copy(update=updated)
    if new:
        save(workspace, People(people=tuple(people_by_id.values())))
    return ids_by_account, len(new)


def asked(workspace: Path, ids: Iterable[str]) -> list[Person]:
    """The people among `ids` who are asked today, in the order of people.yaml."""
    people, today = load(workspace), datetime.now(UTC).date()
    places = {person.id: place for place, person in enumerate(people.people)}
    candidates = [people.person(id) for id in sorted(ids, key=lambda id: (places.get(id, 0), id))]
    return [person for person in candidates if person.is_asked(today)]


def accounts_of(workspace: Path, backend: Backend, ids: Collection[str] | None) -> list[str]:
    """The accounts of people on a backend; `ids` None stands for everyone who is asked today."""
    ids_by_account = load(workspace).ids(backend.name)
    if ids is None:
        on_server = {
            ids_by_account[account] for account in backend.accounts() if account in ids_by_account
        }
        ids = [person.id for person in asked(workspace, on_server)]
    return sorted(account for account, id in ids_by_account.items() if id in ids)


def add(workspace: Path, person: Person) -> None:
    """Add a person, or update one. Raises DataError if an account belongs to somebody else.

    An account that was added under a pseudonym becomes the person's, with all its answers.
    """
    people = load(workspace)
    people_by_id = {other.id: other for other in people.people}
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
            people_by_id.pop(owner, None)
            accounts = {**people.person(owner).accounts, **accounts}
    new = person.model_dump(exclude_unset=True, by_alias=True)
    settings = {**before.model_dump(by_alias=True), **new, "accounts": accounts}
    people_by_id[person.id] = validated(Person, settings, where=NAME)
    save(workspace, People(people=tuple(people_by_id.values())))


def pseudonym(workspace: Path, account: str) -> str:
    """The id for an account: stable within a workspace, and it names nobody."""
    about = storage.read_json(workspace / "workspace.json") or {"id": ""}
    return "p-" + blake2b(f"{about['id']} {account}".encode(), digest_size=4).hexdigest()
