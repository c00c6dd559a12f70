"""Accounts and ids: which person an account belongs to, and who is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from curate import storage
from curate.errors import DataError
from curate.people import stored
from curate.people.people import NAME, People, Person, alike, load, save
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
    """Today's id for each id that an account had before, unlisted or under another id."""
    people = load(workspace)
    first = {
        _make_id(workspace, backend, account): person.id
        for person in people.people
        for backend in person.accounts
        for account in person.logins(backend)
    }
    todays_ids = first | stored.renamed(stored.read(workspace), people) | formerly(people)
    first_ids = todays_ids.keys() - {person.id for person in people.people}
    return {first_id: todays_ids[first_id] for first_id in first_ids}


def formerly(people: People) -> dict[str, str]:
    """Today's id for each id that people.yaml says a person had before."""
    return {old: person.id for person in people.people for old in person.formerly}


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
        logins = (*person.logins(backend), account)
        people_by_id[person.id] = person.with_logins(backend, logins)
    if new:
        save(workspace, People(people=tuple(people_by_id.values())))
    return ids_by_account, len(new)


def asked(workspace: Path, ids: Iterable[str]) -> list[Person]:
    """The people among `ids` who are asked today, in the order of people.yaml."""
    today = datetime.now(UTC).date()
    return [person for person in _in_order(workspace, ids) if person.is_asked(today)]


def expected(workspace: Path, ids: Iterable[str]) -> list[Person]:
    """The people among `ids` who are asked today or later, in the order of people.yaml."""
    today = datetime.now(UTC).date()
    people = _in_order(workspace, ids)
    return [person for person in people if person.until is None or today <= person.until]


def _in_order(workspace: Path, ids: Iterable[str]) -> list[Person]:
    people = load(workspace)
    places = {person.id: place for place, person in enumerate(people.people)}
    return [people.person(id) for id in sorted(ids, key=lambda id: (places.get(id, 0), id))]


def named_among(people: People, backend: str) -> list[str]:
    """The ids of the people whom somebody named, with an account there.

    On the folder backend everyone has an account.
    """
    return [
        person.id
        for person in people.people
        if backend == "folder" or (person.is_named and person.logins(backend))
    ]


def add(workspace: Path, person: Person) -> None:
    """Add a person, or what is new about one; accounts are added to those that the person has.

    An account that was added under a pseudonym becomes the person's, with all its answers. Raises
    DataError if an account belongs to somebody else.
    """
    people = load(workspace)
    people_by_id = {other.id: other for other in people.people}
    before = people.person(person.id)
    new = person.model_dump(exclude_unset=True, by_alias=True)
    known = before.model_dump(by_alias=True)
    updated = validated(Person, {**known, **new, "accounts": before.accounts}, where=NAME)
    for backend in person.accounts:
        for account in person.logins(backend):
            owner, login = _owner(people, backend, account)
            if owner is not None and owner.id != person.id and owner.is_named:
                raise DataError(
                    f"{account} on {backend} is {owner.id} already",
                    hint=f"if that is the same person, give the other accounts to {owner.id}",
                )
            updated = updated.with_logins(backend, (*updated.logins(backend), login))
            if owner is not None and people_by_id.get(owner.id) and owner.id != person.id:
                updated = merged(updated, people_by_id.pop(owner.id))
    people_by_id[person.id] = updated
    save(workspace, People(people=tuple(people_by_id.values())))


def _owner(people: People, backend: str, account: str) -> tuple[Person | None, str]:
    """Who has an account, and its login as listed; one that is spelt alike is the same.

    On the folder backend every spelling is another person.
    """
    logins = people.ids(backend)
    similar = [login for login in logins if alike(login) == alike(account)]
    if account in logins or (backend != "folder" and len(similar) == 1):
        login = account if account in logins else similar[0]
        return people.person(logins[login]), login
    return None, account


def merged(person: Person, other: Person) -> Person:
    """A person with the accounts and the answers of another, who has no name of their own."""
    for backend in other.accounts:
        logins = (*other.logins(backend), *person.logins(backend))
        person = person.with_logins(backend, logins)
    users = {**other.users, **person.users}
    old_ids = tuple(dict.fromkeys((*person.formerly, *other.formerly, other.id)))
    return person.model_copy(update={"users": users, "formerly": old_ids})


def pseudonym(workspace: Path, account: str) -> str:
    """The id for an account: stable within a workspace, and it names nobody."""
    about = storage.read_record(workspace / "workspace.json", "id") or {"id": ""}
    return "p-" + blake2b(f"{about['id']} {account}".encode(), digest_size=4).hexdigest()
