"""Where the sources of a pool come from, by its settings: a hub, a database, or files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

Kind = Literal["hub", "database", "files"]

WORDS: dict[Kind, str] = {
    "hub": "data set of a hub",
    "database": "query of a database",
    "files": "files",
}


@dataclass(frozen=True)
class Place:
    """Where a source comes from; `hub` is the name of its data set on a hub."""

    kind: Kind
    hub: str | None = None

    @property
    def words(self) -> str:
        """The place in words."""
        return WORDS[self.kind] + (f": {self.hub}" if self.hub else "")


def places(specs: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Place]:
    """The place of every source by its name; what no setting names is files.

    A hub's data set or a database without a name is called after itself, with a number behind it
    where that is taken.
    """
    named: dict[str, Place] = {}
    unnamed: list[tuple[str, Place]] = []
    for spec in specs:
        place, base = _place(spec)
        if name := spec.get("name"):
            named[name] = place
        elif place.kind != "files":
            unnamed.append((base, place))
    found = {}
    for name in names:
        base = re.sub(r"-\d+$", "", name)
        other = next((place for own, place in unnamed if own in (name, base)), Place("files"))
        found[name] = named.get(name, other)
    return found


def _place(spec: Mapping[str, Any]) -> tuple[Place, str]:
    """The place of a source, and what it is called if it has no name."""
    if hub := spec.get("dataset"):
        return Place("hub", hub["name"]), hub["name"].rstrip("/").rsplit("/", 1)[-1]
    if database := spec.get("database"):
        is_file = database["address"].startswith("sqlite")
        return Place("database"), PurePosixPath(database["address"]).stem if is_file else "database"
    return Place("files"), ""
