"""people.yaml: who annotates, under which accounts; tables and exports hold only their ids.

    people:
      - {id: anna, name: Anna Li, accounts: {label_studio: anna@example.org}}

An account that nobody listed gets an id that says nothing about the person, and is added.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from pydantic import Field

from curate import storage
from curate.errors import RecipeError
from curate.spec import Spec, validated

NAME = "people.yaml"


class Person(Spec):
    """One annotator: one id, whatever the accounts."""

    id: Annotated[str, Field(min_length=1, description="What tables and exports hold.")]
    name: Annotated[str | None, Field(description="For people to read.")] = None
    accounts: dict[str, str] = Field(default_factory=dict, description="Backend → account.")
    languages: Annotated[tuple[str, ...], Field(description="BCP 47 tags.")] = ()


class People(Spec):
    """Everyone who annotates."""

    people: tuple[Person, ...] = ()

    def ids(self, backend: str) -> dict[str, str]:
        """Return account → id on one backend."""
        return {p.accounts[backend]: p.id for p in self.people if backend in p.accounts}


def load(workspace: Path) -> People:
    """Return the people of a workspace; none if there is no file."""
    import yaml

    path = workspace / NAME
    if not path.exists():
        return People()
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise RecipeError(f"{NAME}: not YAML ({error})") from None
    people = validated(People, data, where=NAME)
    ids = [person.id for person in people.people]
    for each in ids:
        if ids.count(each) > 1:
            raise RecipeError(f"{NAME}: two people have the id {each}")
    return people


def identify(workspace: Path, backend: str, accounts: Iterable[str]) -> tuple[dict[str, str], int]:
    """Return account → id, and how many accounts were new and have been added to people.yaml.

    On the folder backend an account is an id already; people.yaml may still rename it.
    """
    people = load(workspace)
    known = people.ids(backend)
    new = sorted(set(accounts) - set(known))
    if backend == "folder":
        return known | {account: account for account in new}, 0
    added = [
        Person(id=pseudonym(workspace, account), accounts={backend: account}) for account in new
    ]
    if added:
        save(workspace, People(people=(*people.people, *added)))
    return known | {person.accounts[backend]: person.id for person in added}, len(added)


def save(workspace: Path, people: People) -> None:
    """Write people.yaml, readable by its owner alone."""
    import yaml

    data = people.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    storage.write_text(workspace / NAME, text, private=True)


def pseudonym(workspace: Path, account: str) -> str:
    """Return an id that is stable within a workspace and names nobody."""
    about = storage.read_json(workspace / "workspace.json") or {"id": ""}
    return "p-" + blake2b(f"{about['id']} {account}".encode(), digest_size=4).hexdigest()
