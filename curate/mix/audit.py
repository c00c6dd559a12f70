"""What each group was promised, what was drawn, and what the probabilities let expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.mix.candidates import COLUMNS, column_of
from curate.mix.spec import MixSpec
from curate.mixture.projection import Projected

if TYPE_CHECKING:
    import pandas as pd


def audited(
    drawn: pd.DataFrame,
    wanted: dict[str, float],
    projected: Projected,
    supply: pd.Series[int],
    spec: MixSpec,
) -> list[dict[str, Any]]:
    taken = drawn["copies"] * drawn["tokens"]
    total = int(taken.sum())
    expected = _expected(drawn.assign(taken=taken), spec)
    rows = []
    for group, part in drawn.assign(taken=taken).groupby("group", sort=True):
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


def _expected(drawn: pd.DataFrame, spec: MixSpec) -> dict[str, float]:
    """Return the share of tokens that the probabilities foresee of each group's class.

    Of the other keys of a group (its source, say) nothing has to be foreseen.
    """
    questions = [name for name in spec.groups if name not in COLUMNS]
    if not questions:
        return {}
    others = [name for name in spec.groups if name in COLUMNS]
    total = drawn["taken"].sum()
    found = {}
    for group, part in drawn.groupby("group", sort=True):
        values = part.iloc[0]
        mass = drawn["taken"].astype(float)
        for other in others:
            mass = mass.where(drawn[other] == values[other], 0.0)
        for question in questions:
            mass = mass * drawn[f"{question}:{values[column_of(question)]}"]
        found[str(group)] = float(mass.sum() / total)
    return found
