"""The table `groups`: what each group was promised, what was drawn, and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.mix.candidates import COLUMNS, column_of
from curate.mix.spec import MixSpec
from curate.mixture.projection import Projected

if TYPE_CHECKING:
    import pandas as pd


def group_rows(
    draw: pd.DataFrame,
    wanted: dict[str, float],
    projected: Projected,
    supply: pd.Series[int],
    spec: MixSpec,
) -> list[dict[str, Any]]:
    """The rows of the table `groups`, sorted by name; shares are of tokens.

    `draw` holds every candidate with its copies. `wanted` are the shares before the limits.
    `supply` is in tokens.
    """
    draw = draw.assign(taken=draw["copies"] * draw["tokens"])
    total = int(draw["taken"].sum())
    expected = _expected(draw, spec)
    rows = []
    for group, part in draw.groupby("group", sort=True):
        name, tokens = str(group), int(part["taken"].sum())
        rows.append(
            {
                "group": name,
                "wanted": wanted[name],
                "promised": projected.shares[name],
                "realised": tokens / total,
                "expected": expected.get(name),
                "tokens": tokens,
                "documents": int(part["copies"].sum()),
                "epochs": tokens / int(supply[name]),
                "supply": int(supply[name]),
                "low": projected.low[name],
                "high": projected.high[name],
                "bound": projected.bound[name],
            }
        )
    return rows


def _expected(draw: pd.DataFrame, spec: MixSpec) -> dict[str, float]:
    """The share of the tokens drawn that the probabilities foresee for each group's class.

    The other keys of a group (its source, say) are known: only rows with the same values count.
    """
    questions = [name for name in spec.groups if name not in COLUMNS]
    if not questions:
        return {}
    others = [name for name in spec.groups if name in COLUMNS]
    total = draw["taken"].sum()
    expected = {}
    for group, part in draw.groupby("group", sort=True):
        values = part.iloc[0]
        mass = draw["taken"].astype(float)
        for other in others:
            mass = mass.where(draw[other] == values[other], 0.0)
        for question in questions:
            mass = mass * draw[f"{question}:{values[column_of(question)]}"]
        expected[str(group)] = float(mass.sum() / total)
    return expected
