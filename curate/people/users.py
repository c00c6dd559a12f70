"""Whose an account on a server is: by the server's identity and the user id there.

A login is only a name: it may change, be spelt in capitals, be given to another user, or be gone
with its owner. So people.yaml keeps the user behind each login, once a server has shown it. An id
may change too, by hand: `stored.py` keeps under which ids the answers of a user are stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curate.backends import Backend
from curate.people import stored
from curate.people.accounts import formerly, ids, merged, named_among, pseudonym
from curate.people.people import People, Person, alike, load, save
from curate.records import Authors, User


@dataclass
class Directory:
    """The people behind the users of one server, as people.yaml knows them.

    `on_server` are the users that the server lists. `stored` holds the ids under which answers of
    users are stored, and `met` the id of each user that was looked up.
    """

    root: Path
    backend: str
    people: People
    on_server: frozenset[User]
    stored: stored.Stored
    met: dict[User, str] = field(default_factory=dict)

    @staticmethod
    def of(root: Path, backend: Backend, *, keep: bool = True) -> Directory:
        """The directory of a server; with `keep`, what its users show is kept in people.yaml."""
        users, people = backend.users(), load(root)
        recognised = recognise(people, backend.name, users, root)
        if keep and recognised != people:
            save(root, recognised)
        return Directory(root, backend.name, recognised, frozenset(users), stored.read(root))

    def authors(self) -> Authors:
        """Whose answers are whose."""
        return Authors(self.id_of, frozenset(self.left() | self._unsure()))

    def id_of(self, user: User) -> str:
        """The id of a user's person; that of a new person if nobody has the account."""
        if user not in self.met:
            listed = self.people.ids("folder") if self.backend == "folder" else self.people.users()
            self.met[user] = (
                listed.get(user.key) or self._stored_id(user) or self._id_of_login(user)
            )
        return self.met[user]

    def _stored_id(self, user: User) -> str | None:
        """Today's id of the answers that are stored of a user whom people.yaml does not list."""
        last = [*self.stored.get(stored.key_of(self.backend, user), ())][-1:]
        return formerly(self.people).get(last[0], last[0]) if last else None

    def _id_of_login(self, user: User) -> str:
        if self.backend == "folder":
            return ids(self.root, self.backend, [user.login])[user.login]
        owners = self.people.ids(self.backend)
        # Before users were kept, one without a login was listed under these words.
        owner = owners.get(user.login or f"deleted account {user.number}")
        first_id = pseudonym(self.root, user.login or user.key)
        is_anothers = first_id in formerly(self.people) or _known_logins(
            self.people.person(first_id), user.server
        )
        return owner or (pseudonym(self.root, user.key) if is_anothers else first_id)

    def enrol(self, ids: Collection[str]) -> int:
        """Add the users that were met under these ids to people.yaml; return how many are new.

        An account of the folder backend is an id already: none is added.
        """
        people = {person.id: person for person in self.people.people}
        known = self.people.users()
        new = [user for user, id in self.met.items() if id in ids and user.key not in known]
        if not new or self.backend == "folder":
            return 0
        for user in new:
            id = self.met[user]
            people[id] = _with_user(people.get(id, Person(id=id)), self.backend, user)
        self.people = People(people=tuple(people.values()))
        save(self.root, self.people)
        return len(new)

    def remember(self, ids: Collection[str]) -> None:
        """Write down whose answers are stored under these ids."""
        own = {stored.key_of(self.backend, user): id for user, id in self.met.items() if id in ids}
        stored.add(self.root, own)

    def left(self) -> set[str]:
        """The ids of the people who had an account on the server and have none today.

        Nobody leaves a folder.
        """
        present = {self.id_of(user) for user in self.on_server}
        servers = {user.server for user in self.on_server}
        return {
            person.id
            for person in self.people.people
            if servers
            and person.id not in present
            and (
                person.logins(self.backend)
                or any(key.rpartition("/")[0] in servers for key in person.users)
            )
        }

    def _unsure(self) -> set[str]:
        """The ids of people whose answers may be missing because an account is gone.

        They had one more account on the server, or people.yaml has their answers under no id.
        """
        keys = {user.key for user in self.on_server}
        servers = {user.server for user in self.on_server}
        had_more = {
            person.id
            for person in self.people.people
            if any(key not in keys and key.rpartition("/")[0] in servers for key in person.users)
        }
        listed = {person.id for person in self.people.people} | formerly(self.people).keys()
        present = {self.id_of(user) for user in self.on_server}
        unlisted = {id for ids in self.stored.values() for id in ids} - listed - present
        return had_more | (unlisted if servers else set())

    def shut_out(self, members: Collection[User]) -> set[str]:
        """The ids of people with an account on the server, of whom no user is among `members`."""
        return {self.id_of(user) for user in self.on_server} - {
            self.id_of(user) for user in members
        }

    def unknown(self, ids: Collection[str]) -> dict[str, list[str]]:
        """Person → logins, of the people among `ids` of whom the server has never had a user."""
        present = {self.id_of(user) for user in self.on_server}
        servers = {user.server for user in self.on_server}
        return {
            person.id: list(person.logins(self.backend))
            for person in self.people.people
            if servers
            and person.id in ids
            and person.id not in present
            and not any(key.rpartition("/")[0] in servers for key in person.users)
        }

    def invited(self, askable: Collection[str], overlap: int | None) -> set[str]:
        """The ids of the people of a round that is not shared out; `askable` are logins.

        They are those whom somebody named, also if they left. If these are too few for the
        overlap, it is everyone with an account.
        """
        named = set(named_among(self.people, self.backend) or ())
        everyone = {self.id_of(user) for user in self.on_server if user.login in askable}
        return named if named and len(named) >= (overlap or 1) else named | everyone

    def logins(self, ids: Collection[str]) -> list[str]:
        """The logins that people with these ids have on the server today, sorted."""
        return sorted(user.login for user in self.on_server if self.id_of(user) in ids)


def recognise(people: People, backend: str, users: Collection[User], root: Path) -> People:
    """The people, with what a server's users show: new logins, and whose user has which login.

    A login that is spelt alike is the same, unless that is ambiguous.
    """
    by_key = {user.key: user for user in users}
    taken = _without_users(people, backend, by_key)
    followed = [_with_new_logins(person, by_key, taken, backend, root) for person in people.people]
    similar = Counter(alike(user.login) for user in users)
    on_server = {user.login for user in users}
    united = People(people=tuple(_united(followed, backend, on_server, similar)))
    known = united.users()
    free = [user for user in users if user.key not in known]
    listed: dict[str, set[str]] = defaultdict(set)
    for login, id in united.ids(backend).items():
        listed[alike(login)].add(id)
    return People(
        people=tuple(_with_own_users(p, backend, free, similar, listed) for p in united.people)
    )


def _without_users(people: People, backend: str, users: Mapping[str, User]) -> dict[str, str]:
    """Login → person, of listed logins that no known user of the person's will take along."""
    return {
        login: person.id
        for person in people.people
        for login in person.logins(backend)
        if not any(known == login and key in users for key, known in person.users.items())
    }


def _with_new_logins(
    person: Person, users: Mapping[str, User], taken: Mapping[str, str], backend: str, root: Path
) -> Person:
    """The person with the present logins of known users; ids made of the old ones stay theirs.

    Where somebody else is listed with the new login, the old one stays in the list.
    """
    for key, login in person.users.items():
        if key in users and users[key].login != login:
            current, first_id = users[key].login, pseudonym(root, login)
            is_anothers = taken.get(current, person.id) != person.id
            listed = login if is_anothers else current
            logins = [listed if old == login else old for old in person.logins(backend)]
            old_ids = (*person.formerly, *([first_id] if first_id != person.id else ()))
            person = person.with_logins(backend, logins).model_copy(
                update={
                    "users": {**person.users, key: current},
                    "formerly": tuple(dict.fromkeys(old_ids)),
                }
            )
    return person


def _united(
    people: Iterable[Person], backend: str, on_server: Collection[str], similar: Mapping[str, int]
) -> list[Person]:
    """The people; a named one whose login is spelt like a pseudonym's is that person.

    A login that once had a user of its own is nobody else's.
    """
    by_id = {person.id: person for person in people}
    for person in [person for person in by_id.values() if person.is_named]:
        for login in sorted(set(person.logins(backend)) - set(person.users.values())):
            twins = [
                other
                for other in by_id.values()
                if not other.is_named and alike(login) in map(alike, other.logins(backend))
            ]
            is_plain = login not in on_server and similar.get(alike(login), 0) <= 1
            if is_plain and len(twins) == 1:
                twin = by_id.pop(twins[0].id)
                others = [other for other in by_id[person.id].logins(backend) if other != login]
                by_id[person.id] = merged(by_id[person.id].with_logins(backend, others), twin)
    return list(by_id.values())


def _with_own_users(
    person: Person,
    backend: str,
    free: Iterable[User],
    similar: Mapping[str, int],
    listed: Mapping[str, Collection[str]],
) -> Person:
    """The person with the users of their logins.

    `similar` counts the server's logins by their spelling (`alike`), and `listed` holds the people
    who are listed with it. Where these are several, it takes the exact login.
    """
    for login in person.logins(backend):
        exact = [user for user in free if user.login == login]
        candidates = exact or [
            user
            for user in free
            if alike(user.login) == alike(login)
            and similar[alike(login)] == len(listed[alike(login)]) == 1
            and login not in _known_logins(person, user.server)
        ]
        if len(candidates) == 1:
            user = candidates[0]
            logins = [user.login if old == login else old for old in person.logins(backend)]
            person = _with_user(person.with_logins(backend, logins), backend, user)
    return person


def _known_logins(person: Person, server: str) -> list[str]:
    return [login for key, login in person.users.items() if key.startswith(f"{server}/")]


def _with_user(person: Person, backend: str, user: User) -> Person:
    logins = (*person.logins(backend), *([user.login] if user.login else ()))
    updated = person.with_logins(backend, logins) if logins else person
    return updated.model_copy(update={"users": {**person.users, user.key: user.login}})
