"""How well people's answers are predicted: measures with their intervals, and what is confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from curate import storage
from curate.report.section import (
    Key,
    Say,
    Section,
    Table,
    as_written,
    say,
    section,
)
from curate.workspace import Workspace

MATRIX = 8
"""With more classes, or several questions, pairs are listed instead of a matrix."""

PAIRS = 24
"""The most pairs that are listed."""

TOLD = ("spans", "labels")
"""The kinds of questions whose measures are explained."""

OF_RATINGS = ("squared error", "absolute error", "rank correlation")


def measures(workspace: Workspace) -> Section | None:
    """Every question's measures beside the trivial baseline; None where none was measured.

    Those of ratings stand in a section of their own.
    """
    people: Mapping[str, Mapping[str, Any]] = _evaluation(workspace).get("people") or {}
    rows = [
        _row(name, own, one)
        for name, own in people.items()
        for one in own["measures"]
        if not _is_of_ratings(own, one)
    ]
    if not rows:
        return None
    kinds = dict.fromkeys(own["of"] for own in people.values())
    about = [say(f"measures.{kind}") for kind in kinds if kind in TOLD]
    return section("measures", say("measures.words"), *about, rows=rows)


def _evaluation(workspace: Workspace) -> Mapping[str, Any]:
    return storage.read_json(workspace.root / "evaluate.json") or {}


def _row(name: str, own: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "question": name,
        "of": own["items"],
        "measure": named(one["measure"]),
        "model": one["value"],
        "low": one["low"],
        "high": one["high"],
        "trivial baseline": one["trivial"],
        "gain": one["better"],
        "gain, low": one["better_low"],
        "gain, high": one["better_high"],
    }


def named(measure: str) -> Key | Say:
    """A measure's name; that of one label has the label in it."""
    of, mark, label = measure.partition("F1 of ")
    return say("measures.of_label", scheme=of, label=label) if mark else Key(measure)


def ratings(workspace: Workspace) -> Section | None:
    """Ratings by their errors and their rank correlation; None where no rating was measured."""
    evaluation = _evaluation(workspace)
    people: Mapping[str, Mapping[str, Any]] = evaluation.get("people") or {}
    rated = {name: own for name, own in people.items() if own["of"] == "rating"}
    rows = [
        _row(name, own, one)
        for name, own in rated.items()
        for one in own["measures"]
        if _is_of_ratings(own, one)
    ]
    models = evaluation.get("models") or {}
    off = [_off(name, models[name]["confusion"]) for name in rated if models.get(name)]
    return section("ratings", say("ratings.words"), rows=rows, tables=off) if rows else None


def _is_of_ratings(own: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether a measure of a question takes its answers as numbers."""
    return bool(own["of"] == "rating" and one["measure"] in OF_RATINGS)


def _off(name: str, pairs: Sequence[Mapping[str, Any]]) -> Table:
    """How many texts are off by how many steps of the scale."""
    texts: Counter[int] = Counter()
    for pair in pairs:
        texts[round(float(pair["predicted"]) - float(pair["people"]))] += pair["texts"]
    column = say("ratings.off", question=name)
    rows = [{column: f"{step:+d}" if step else "0", "texts": _texts(texts[step])}
            for step in sorted(texts)]  # fmt: skip
    return Table(tuple(rows))


def confusion(workspace: Workspace) -> Section | None:
    """Which classes are taken for which; None where no classes were measured."""
    models = {
        name: own
        for name, own in (_evaluation(workspace).get("models") or {}).items()
        if own and own.get("confusion")
    }
    if not models:
        return None
    words = say("confusion.words")
    (name, own), *others = models.items()
    values = [one["value"] for one in own["classes"]]
    if others or len(values) > MATRIX:
        rows = _pairs(models)
        more = say("confusion.listed" if rows else "confusion.nothing")
        return section("confusion", words, more, rows=rows)
    matrix = Table(tuple(_matrix(own["confusion"], values)), is_matrix=True)
    only = say("confusion.only", question=name)
    return section("confusion", words, heading=only, tables=[matrix])


def _matrix(pairs: Sequence[Mapping[str, Any]], values: Sequence[str]) -> list[dict[Any, Any]]:
    texts = {(pair["people"], pair["predicted"]): pair["texts"] for pair in pairs}
    columns: dict[str, Say] = {
        value: say("confusion.predicted", value=as_written(value)) for value in values
    }
    return [
        {"people said": value}
        | {columns[other]: _texts(texts.get((value, other), 0.0)) for other in values}
        for value in values
    ]


def _texts(number: float) -> float | int:
    """A number of texts; a part of one counts where people tie."""
    return int(number) if float(number).is_integer() else float(number)


def _pairs(models: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [
        {
            "question": name,
            "people said": pair["people"],
            "predicted": pair["predicted"],
            "texts": _texts(pair["texts"]),
        }
        for name, own in models.items()
        for pair in own["confusion"]
        if pair["people"] != pair["predicted"]
    ]
    return sorted(rows, key=lambda row: -float(row["texts"]))[:PAIRS]
