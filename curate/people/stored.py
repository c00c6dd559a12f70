"""Under which ids the answers of each user are stored, so that people.yaml can be edited by hand.

    rounds/people.json      {"label_studio/9f3ac210/7": ["kim", "kim_li"], "folder/Ann": ["anna"]}

Tables hold ids alone. Somebody who gives a person another id, or removes the person from
people.yaml, changes no table: the user behind the answers says whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from curate import storage
from curate.people.people import People
from curate.records import User

NAME = "rounds/people.json"

Stored = Mapping[str, Sequence[str]]
"""User → ids, the oldest first."""


def key_of(backend: str, user: User) -> str:
    """The key of a user in the file; on the folder backend the key of a user is a bare name."""
    return f"folder/{user.key}" if backend == "folder" else user.key


def read(root: Path) -> Stored:
    """Read the ids of each user; none if no answers came home yet."""
    return storage.read_record(root / NAME) or {}


def add(root: Path, ids: Mapping[str, str]) -> None:
    """Write down the ids under which answers of users are stored from now on."""
    before = read(root)
    after = {
        key: [*before.get(key, ()), id] for key, id in ids.items() if id not in before.get(key, ())
    }
    if after:
        storage.write_json(root / NAME, {**before, **after}, private=True)


def renamed(stored: Stored, people: People) -> dict[str, str]:
    """Today's id for each stored id of users who are listed; no id that two people share."""
    owners = people.users() | {f"folder/{name}": id for name, id in people.ids("folder").items()}
    todays_ids: dict[str, set[str]] = {}
    for key, ids in stored.items():
        for id in ids if key in owners else ():
            todays_ids.setdefault(id, set()).add(owners[key])
    return {id: next(iter(todays)) for id, todays in todays_ids.items() if len(todays) == 1}
