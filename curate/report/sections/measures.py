"""How well people's answers are foretold: measures with their intervals, and what is confused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate import storage
from curate.report.section import Section, section
from curate.workspace import Workspace

MATRIX = 8
"""With more classes, or several questions, pairs are listed instead of a matrix."""

PAIRS = 24
"""The most pairs that are listed."""

TOLD = {
    "spans": "entity F1: strict wants borders and label, exact borders, partial half for overlaps, "
    "type overlaps of one label",
    "labels": "F1 of whether each label occurs",
}
"""What a kind of question is measured by, in words."""


def measures(workspace: Workspace) -> Section | None:
    """Every question's measures beside the trivial baseline; None where none was measured."""
    people: Mapping[str, Mapping[str, Any]] = _evaluation(workspace).get("people") or {}
    rows = [_row(name, own, one) for name, own in people.items() for one in own["measures"]]
    if not rows:
        return None
    kinds = dict.fromkeys(own["of"] for own in people.values())
    about = "; ".join(TOLD[kind] for kind in kinds if kind in TOLD)
    words = (
        "Out of fold on settled labels, with 95 % bootstrap intervals over texts or comparisons. "
        "The trivial baseline says the most frequent class, the class shares, the mean rating, no "
        "rare label, no span. The model is better by more than chance where the interval of the "
        "gain lies above 0. Of cross-entropy, Brier score and errors less is better."
        + (f" Measured: {about}." if about else "")
    )
    return section("Beside the trivial baseline", words, rows=rows)


def _evaluation(workspace: Workspace) -> Mapping[str, Any]:
    return storage.read_json(workspace.root / "evaluate.json") or {}


def _row(name: str, own: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "question": name,
        "of": own["items"],
        "measure": one["measure"],
        "model": one["value"],
        "low": one["low"],
        "high": one["high"],
        "trivial baseline": one["trivial"],
        "gain": one["better"],
        "gain, low": one["better_low"],
        "gain, high": one["better_high"],
    }


def confusion(workspace: Workspace) -> Section | None:
    """Which classes are taken for which; None where no classes were measured."""
    models = {
        name: own
        for name, own in (_evaluation(workspace).get("models") or {}).items()
        if own and own.get("confusion")
    }
    if not models:
        return None
    words = "Settled texts by what people said and what was predicted out of fold."
    (name, own), *others = models.items()
    values = [one["value"] for one in own["classes"]]
    if others or len(values) > MATRIX:
        rows = _pairs(models)
        return section("What is confused", f"{words} {_LISTED if rows else _NOTHING}", rows=rows)
    rows = _matrix(own["confusion"], values)
    return section(f"What is confused in {name}", words, rows=rows)


_LISTED = "Only pairs that differ are listed, the most frequent first."
_NOTHING = "Nothing is confused."


def _matrix(pairs: Sequence[Mapping[str, Any]], values: Sequence[str]) -> list[dict[str, Any]]:
    texts = {(pair["people"], pair["predicted"]): pair["texts"] for pair in pairs}
    return [
        {"people said": value}
        | {f"predicted {other}": _texts(texts.get((value, other), 0.0)) for other in values}
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
