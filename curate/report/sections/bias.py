"""Whose documents are kept, scored and drawn: the differences between groups of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate import storage
from curate.report.section import Key, Say, Section, chart, say, section
from curate.workspace import Workspace

MOST = 16
"""The most differences in the chart: the largest come first."""

LISTED = 12
"""The most values of a key in the table."""

SHOWN = 5
"""The most differences that are told in words."""


def bias(workspace: Workspace) -> Section | None:
    """Who is kept, scored and drawn; None where that was not compared."""
    stored = (storage.read_json(workspace.root / "evaluate.json") or {}).get("bias")
    if not isinstance(stored, Mapping) or not stored.get("values"):
        return None
    differences = stored["differences"]
    certain = [own for own in differences if own["is_certain"]]
    marks = chart("differences", [_mark(own) for own in certain[:MOST]]) if certain else None
    words = (_largest(certain, len(differences)), say("bias.about"))
    return section("bias", *words, chart=marks, rows=_rows(stored["values"]))


def _largest(certain: Sequence[Mapping[str, Any]], looked_at: int) -> Say:
    if not certain:
        return say("bias.none", looked_at=looked_at)
    told = [_difference(own) for own in certain[:SHOWN]]
    if len(certain) <= SHOWN:
        return say("bias.certain", looked_at=looked_at, told=told)
    return say(
        "bias.certain_first", looked_at=looked_at, shown=SHOWN, certain=len(certain), told=told
    )


def _difference(own: Mapping[str, Any]) -> Say:
    """A difference in words: those of `evaluate`, or the page's where these are of a language."""
    figures = {name: own[name] for name in ("words", "here", "beside", "low", "high")}
    figures["value"] = _value(own)
    key = Key(own["key"].removeprefix("meta."))
    return say("bias.one", stage=own["stage"], key=key, difference=own["difference"], **figures)


def _value(own: Mapping[str, Any]) -> Say | str:
    """The value of a key; lengths are a range of tokens, in the language of the page."""
    low, to, high = str(own["value"]).removesuffix(" tokens").partition(" to ")
    if own["key"] != "length":
        return str(own["value"])
    return say("bias.between", low=low, high=high) if to else say("bias.tokens", tokens=low)


def _mark(own: Mapping[str, Any]) -> dict[str, Any]:
    """A difference as the chart draws it."""
    key = Key(own["key"].removeprefix("meta."))
    name = say("bias.mark", stage=own["stage"], key=key, value=_value(own))
    return {"name": name, **{key: own[key] for key in ("difference", "low", "high")}}


def _rows(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The values with the most documents of each key."""
    rows, seen = [], dict.fromkeys((own["key"] for own in values), 0)
    for own in values:
        seen[own["key"]] += 1
        if seen[own["key"]] <= LISTED:
            rows.append(_row(own))
    unmeasured = [name for name in rows[0] if all(row[name] is None for row in rows)]
    return [{name: row[name] for name in row if name not in unmeasured} for row in rows]


def _row(own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "by": Key(own["key"].removeprefix("meta.")),
        "value": _value(own),
        "documents": own["documents"],
        "kept": round(1000 * own["keep_rate"]),
        "low": round(1000 * own["keep_low"]),
        "high": round(1000 * own["keep_high"]),
        "mean quality": own["quality"],
        "could be drawn": own["share_of_candidates"],
        "drawn": own["share_of_mixture"],
    }
