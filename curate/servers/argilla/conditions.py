"""Argilla's filters and sorts as SQL over its own tables; `r` is the record in question.

A filter on a list holds if it holds for any item. Values arrive as strings, also ratings and
scores. Only ratings and labels can be filtered, as on Argilla's own engines. A `+` before a column
keeps SQLite from using an index of all statuses, which is seven times slower on 10,000 records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from uuid import UUID

PENDING = "pending"
PARTS = ("value", "score", "agent", "type")
SCALAR = "v.type NOT IN ('object', 'null')"
NUMBER = "v.type IN ('integer', 'real')"
FILTERABLE = "('rating', 'label_selection', 'multi_label_selection')"

ITEMS = (
    "json_each(r.metadata) m, json_each(CASE m.type WHEN 'array' THEN m.value"
    " ELSE json_array(m.value) END) v"
)
"""The metadata `m` of a record and their items `v`: a JSON path cannot hold every name."""
OF_PROPERTY = "m.key = ? AND m.type <> 'object'"


@dataclass(frozen=True)
class Sql:
    """A piece of SQL together with the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Sql | str) -> Sql:
        other = Sql(other) if isinstance(other, str) else other
        return Sql(self.text + other.text, self.values + other.values)


@dataclass(frozen=True)
class OfRecord:
    """The record's own `id`, `external_id`, `status`, `inserted_at` or `updated_at`."""

    name: str


@dataclass(frozen=True)
class OfMetadata:
    """A property of the record's metadata."""

    name: str


@dataclass(frozen=True)
class OfSuggestion:
    """The `value`, `score`, `agent` or `type` of the suggestion for a question."""

    question: str
    part: str


@dataclass(frozen=True)
class OfResponse:
    """The answers to a question, or the responses' status if it is None; of one user or of all."""

    question: str | None
    user: str | None


Scope = OfRecord | OfMetadata | OfSuggestion | OfResponse


@dataclass(frozen=True)
class Terms:
    """The scope is one of these values."""

    scope: Scope
    values: Sequence[str]


@dataclass(frozen=True)
class Range:
    """The scope lies between two ends, both included."""

    scope: Scope
    low: float | str | None
    high: float | str | None


@dataclass(frozen=True)
class Sort:
    """An order by the scope; records without a value come last in both directions."""

    scope: Scope
    is_descending: bool


Filter = Terms | Range


def every(parts: Iterable[Sql]) -> Sql:
    """The condition that all parts hold."""
    parts = tuple(parts)
    return _joined(" AND ", parts) if parts else Sql("1")


def condition(criterion: Filter, dataset: str) -> Sql:
    """The condition of a filter. Raises ValueError for values that cannot be compared."""
    scope = criterion.scope
    if isinstance(scope, OfRecord):
        return _of_record(scope.name, criterion)
    if isinstance(scope, OfMetadata):
        return _exists(Sql(ITEMS), Sql(OF_PROPERTY, (scope.name,)), _item(criterion))
    if isinstance(scope, OfSuggestion):
        return _of_suggestion(scope, criterion, dataset)
    if scope.question is None:
        return _of_status(scope.user, criterion)
    return _exists(
        *_answers(scope, scope.question),
        Sql("EXISTS ") + _question(scope.question, dataset, filterable=True),
        _item(criterion),
    )


def order(by: Sort, dataset: str) -> Sql:
    """The term of an ORDER BY.

    A list counts as its smallest item, in descending order as its largest. The ratings of several
    people count as their mean.
    """
    extreme = "max" if by.is_descending else "min"
    direction = "DESC" if by.is_descending else "ASC"
    return _sorted_by(by.scope, extreme, dataset) + f" {direction} NULLS LAST"


def _of_record(name: str, criterion: Filter) -> Sql:
    column = f"+r.{name}" if name == "status" else f"r.{name}"
    as_stored = _moment if name.endswith("_at") else _key if name == "id" else str
    if isinstance(criterion, Terms):
        return _among(column, [as_stored(value) for value in criterion.values])
    if name == "id":
        raise ValueError("a record's id has no range")
    return _between(column, criterion, as_stored)


def _of_suggestion(scope: OfSuggestion, criterion: Filter, dataset: str) -> Sql:
    question = _question(scope.question, dataset, filterable=scope.part == "value")
    where = Sql("s.record_id = r.id AND s.question_id = ") + question
    if scope.part in ("agent", "type"):
        if not isinstance(criterion, Terms):
            raise ValueError(f"a suggestion's {scope.part} has no range")
        return _exists(Sql("suggestions s"), where, _among(f"s.{scope.part}", criterion.values))
    return _exists(Sql(f"suggestions s, json_each(s.{scope.part}) v"), where, _item(criterion))


def _of_status(user: str | None, criterion: Filter) -> Sql:
    """Pending means no response at all; several statuses are alternatives."""
    if not isinstance(criterion, Terms):
        raise ValueError("a response's status has no range")
    source, where = _answers(OfResponse(None, user))
    statuses = [status for status in criterion.values if status != PENDING]
    alternatives = [_exists(source, where, _among("+x.status", statuses))] if statuses else []
    if PENDING in criterion.values:
        alternatives.append(Sql("NOT ") + _exists(source, where))
    return Sql("(") + _joined(" OR ", alternatives) + ")" if alternatives else Sql("1")


def _sorted_by(scope: Scope, extreme: str, dataset: str) -> Sql:
    if isinstance(scope, OfRecord):
        return Sql(f"r.{scope.name}")
    if isinstance(scope, OfMetadata):
        return Sql(f"(SELECT {extreme}(v.value) FROM {ITEMS} WHERE {OF_PROPERTY})", (scope.name,))
    if isinstance(scope, OfSuggestion):
        where = Sql("s.record_id = r.id AND s.question_id = ") + _question(scope.question, dataset)
        if scope.part in ("agent", "type"):
            return Sql(f"(SELECT s.{scope.part} FROM suggestions s WHERE ") + where + ")"
        items = f"suggestions s, json_each(s.{scope.part}) v WHERE {SCALAR}"
        return Sql(f"(SELECT {extreme}(v.value) FROM {items} AND ") + where + ")"
    if scope.question is None:
        source, where = _answers(scope)
        return Sql("(SELECT min(x.status) FROM ") + source + " WHERE " + where + ")"
    source, where = _answers(scope, scope.question)
    mean = f"avg(CASE WHEN {NUMBER} THEN v.value END)"
    return (
        Sql(f"(SELECT coalesce({mean}, {extreme}(v.value)) FROM ")
        + source
        + f" WHERE {SCALAR} AND "
        + where
        + ")"
    )


def _answers(scope: OfResponse, question: str | None = None) -> tuple[Sql, Sql]:
    """The source of responses, with the answer's items as `v`, and the condition for them."""
    source, where = Sql("responses x"), Sql("x.record_id = r.id")
    if question is not None:
        source += ", json_each(x.\"values\") a, json_each(a.value, '$.value') v"
        where += Sql(" AND a.key = ?", (question,))
    if scope.user is not None:
        where += Sql(" AND x.user_id = ?", (scope.user,))
    return source, where


def _question(name: str, dataset: str, *, filterable: bool = False) -> Sql:
    kind = f" AND json_extract(settings, '$.type') IN {FILTERABLE}" if filterable else ""
    text = f"(SELECT id FROM questions WHERE dataset_id = ? AND name = ?{kind})"
    return Sql(text, (dataset, name))


def _exists(source: Sql, *conditions: Sql) -> Sql:
    return Sql("EXISTS (SELECT 1 FROM ") + source + " WHERE " + every(conditions) + ")"


def _item(criterion: Filter) -> Sql:
    if isinstance(criterion, Range):
        return Sql(f"{NUMBER} AND ") + _between("v.value", criterion, float)
    numbers = [number for text in criterion.values if (number := _number(text)) is not None]
    return Sql(f"{SCALAR} AND ") + _among("v.value", [*criterion.values, *numbers])


def _among(expression: str, values: Iterable[Any]) -> Sql:
    values = tuple(values)
    return Sql(f"{expression} IN ({', '.join('?' * len(values))})", values)


def _between(expression: str, criterion: Range, as_stored: Callable[[Any], Any]) -> Sql:
    ends = [(">=", criterion.low), ("<=", criterion.high)]
    return every(
        Sql(f"{expression} {sign} ?", (as_stored(end),)) for sign, end in ends if end is not None
    )


def _joined(word: str, parts: Sequence[Sql]) -> Sql:
    text = word.join(part.text for part in parts)
    return Sql(text, tuple(value for part in parts for value in part.values))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _key(text: str) -> str:
    """A record's id as it is stored; "", which no record has, for a text that is no id."""
    try:
        return UUID(text).hex
    except ValueError:
        return ""


def _moment(value: Any) -> str:
    """A time as it is stored: UTC without an offset."""
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
