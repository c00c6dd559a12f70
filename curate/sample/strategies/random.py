"""Every document with the same chance."""

from __future__ import annotations

from collections.abc import Mapping

from curate.sample.strategies.strategy import Drawn, Stratum


def shares(strata: Mapping[str, Stratum], n: int, allocation: str) -> dict[str, int]:
    """All from the whole frame, which is the one stratum."""
    return {name: min(n, stratum.documents) for name, stratum in strata.items()}


STRATEGY = Drawn(by_stratum=False, shares=shares)
