"""The tables of what was asked, promised and drawn: by group, and by limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.mix.certainty import Certainty
from curate.mix.foreseen import expected_by_group
from curate.mix.limiting import EARLIER
from curate.mix.planning import Drawing, Supply
from curate.mix.preparing import Prepared
from curate.mix.writing import Drawn
from curate.mixture.bounds import bounds_of


def group_rows(
    keys: Sequence[str],
    prepared: Prepared,
    drawing: Drawing,
    drawn: Drawn,
    wanted: Mapping[str, float],
    certainty: Certainty,
) -> list[dict[str, Any]]:
    """The rows of the table `groups`, in the order of their names; shares are of tokens.

    `wanted` are the shares before the limits.
    """
    supply, groups = prepared.supply, prepared.supply.groups
    cells, drawn_tokens = supply.limited.cells, int(drawn.tokens.sum())
    expected = expected_by_group(keys, groups, prepared.classes, drawn.foreseen)
    earlier = cells.by_group(supply.limited.past.astype(float), len(groups.names))
    total = drawn_tokens + int(earlier.sum())
    promised = cells.by_group(drawing.projected.shares, len(groups.names))
    documents = cells.by_group(cells.documents.astype(float), len(groups.names))
    bounds = bounds_of(
        groups.names,
        cells.group,
        supply.limited.limits,
        supply.top,
        drawing.problem.is_wanted,
        drawing.projected,
    )
    rows = []
    for number, name in enumerate(groups.names):
        tokens, own = int(drawn.tokens[number]), groups.facts[number].tokens
        lines = int(drawn.documents[number])
        rows.append(
            {
                "group": name,
                "wanted": wanted[name],
                "promised": float(promised[number]),
                **certainty.of(number),
                "realised": float(earlier[number] + tokens) / total,
                "expected": None if expected is None else float(expected[number] / drawn_tokens),
                "earlier": int(earlier[number]),
                "tokens": tokens,
                "pool_tokens": int(drawn.pool_tokens[number]),
                "documents": lines,
                "epochs": float(earlier[number] + tokens) / own if own else 0.0,
                "supply": own,
                "mean_tokens": tokens / lines if lines else None,
                "supply_mean_tokens": own / max(1.0, float(documents[number])),
                "low": float(bounds.low[number]),
                "high": float(bounds.high[number]),
                "bound": _bound(bounds.bound[number]),
            }
        )
    return rows


def _bound(name: str | None) -> str | None:
    """The limit that moved a group, by its name."""
    return EARLIER if name is not None and name.startswith(f"{EARLIER} ") else name


def limit_rows(supply: Supply, drawing: Drawing) -> list[dict[str, Any]]:
    """What each limit that the recipe names is, holds and costs, in the order of the recipe."""
    shares = drawing.projected.shares
    prices = {
        (price.name): price for price in drawing.problem.prices(drawing.prior, drawing.projected)
    }
    rows = []
    for limit in supply.limited.limits:
        if limit.is_written:
            price = prices.get(limit.name)
            rows.append(
                {
                    "limit": limit.name,
                    "low": limit.low,
                    "high": limit.high,
                    "share": float(shares[limit.cells].sum()),
                    "side": price.side if price else None,
                    "multiplier": price.multiplier if price else None,
                    "gain": price.gain if price else None,
                }
            )
    return rows
