"""What one person answered about one text in another tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from curate.records import Status


@dataclass(frozen=True)
class Made:
    """One person's answers to one text, as another tool has them.

    `id` is the tool's own unless it is ours. `texts` are the fields by the names of the form, as
    far as the tool keeps them; `loose` says that their white space is not the document's. `data` is
    the whole row, for a key of the user's. `parts` are the sentences of a text that the tool keeps
    apart: each may be a document of its own. A span may have its words beside it (`text`).
    """

    where: str
    annotator: str
    answers: Mapping[str, Any]
    id: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    status: Status = "submitted"
    reason: str | None = None
    at: str | None = None
    seconds: float | None = None
    loose: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Made, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A text that is asked: its task's id, and the fields that the form shows."""

    id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Columns:
    """Columns that the user declares: `id`, `annotator`, a field or a question → the column.

    `of_people` are questions that have a column for each person.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    of_people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def applied(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with each declared column under the name that it is declared for.

        A name that is declared stands for nothing else, also where its column is empty. A column
        that is declared answers nothing else.
        """
        used = {*self.names, *self.names.values()}
        others = {name: value for name, value in row.items() if name not in used}
        return others | self.declared(row)

    def declared(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the row has in declared columns, under the names that they are declared for."""
        named = {name: value_at(row, column) for name, column in self.names.items()}
        return {name: value for name, value in named.items() if value is not None}


def value_at(data: Mapping[str, Any], key: str) -> Any:
    """The value of a key such as `meta.url`: whole, by its path, or without its beginning."""
    if key in data:
        return data[key]
    name, _, rest = key.partition(".")
    inner = data.get(name)
    if rest and isinstance(inner, Mapping) and (value := value_at(inner, rest)) is not None:
        return value
    return value_at(data, rest) if rest else None


def number_of(value: Any) -> float | None:
    """A number as a tool writes it, such as the seconds of an answer; None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def name_of(value: Any) -> str:
    """A value as the name of something: a number that is whole has no decimals (`7.0` is `7`)."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value)
