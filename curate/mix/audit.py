"""The table `groups`: what each group was promised, what was drawn, and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.mix.writing import Drawn
from curate.mixture.boxes import Shares
from curate.mixture.groups import Groups


def group_rows(
    groups: Groups,
    drawn: Drawn,
    wanted: Mapping[str, float],
    projected: Shares,
) -> list[dict[str, Any]]:
    """The rows of the table `groups`, sorted by name; shares are of tokens.

    `wanted` are the shares before the limits.
    """
    total = int(drawn.tokens.sum())
    rows = []
    for number, name in enumerate(groups.names):
        tokens, supply = int(drawn.tokens[number]), groups.facts[number].tokens
        expected = None if drawn.expected is None else float(drawn.expected[number] / total)
        rows.append(
            {
                "group": name,
                "wanted": wanted[name],
                "promised": projected.shares[name],
                "realised": tokens / total,
                "expected": expected,
                "tokens": tokens,
                "documents": int(drawn.documents[number]),
                "epochs": tokens / supply,
                "supply": supply,
                "low": projected.low[name],
                "high": projected.high[name],
                "bound": projected.bound[name],
            }
        )
    return rows
