"""From a frame to the documents of a round, each with the probability with which it was drawn.

A document that a strategy picked is certain: its propensity is 1. The others are drawn at random
from what is left, so that every document of the frame has a known chance above 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from curate.sample.frame import Frame

CERTAINTY = "certainty"
"""The stratum of what a strategy picked."""

SMALL = "small strata"
"""The stratum of all strata that are too small for a document of their own."""


@dataclass(frozen=True)
class Choice:
    """A document that was chosen, and the probability with which it was."""

    id: str
    stratum: str
    propensity: float


def drawn(frame: Frame, shares: Mapping[str, int] | int) -> list[Choice]:
    """Draw documents at random, best first: so many of each stratum, or of the whole frame.

    Strata with a share of 0 are drawn from together. They get one document, from the largest share.
    The frame has to hold its first candidates, of each stratum if they are drawn by stratum.
    """
    if isinstance(shares, int):
        return _drawn(frame, {"": shares}, {"": frame.documents}, {})
    shares, cell_of = _with_all(frame.sizes, shares)
    sizes: Counter[str] = Counter()
    for name, size in frame.sizes.items():
        sizes[cell_of.get(name, name)] += size
    return _drawn(frame, shares, sizes, {name: cell_of.get(name, name) for name in frame.sizes})


def _drawn(
    frame: Frame,
    shares: Mapping[str, int],
    sizes: Mapping[str, int],
    cell_of: Mapping[str, str],
) -> list[Choice]:
    """Draw from cells; without `cell_of` there is one, and documents keep their own stratum."""
    left, chosen = dict(shares), []
    for candidate in frame.first:
        cell = cell_of.get(candidate.stratum, "")
        if left[cell]:
            left[cell] -= 1
            propensity = shares[cell] / sizes[cell]
            chosen.append(Choice(candidate.id, cell or candidate.stratum, propensity))
    return chosen


def _with_all(
    sizes: Mapping[str, int], shares: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, str]]:
    """Shares that reach every stratum, and the cell of those that share one."""
    shares = {name: share for name, share in shares.items() if sizes[name]}
    empty = [name for name, share in shares.items() if not share]
    if not empty or not any(shares.values()):
        return shares, {}
    largest = max(sorted(shares), key=lambda name: shares[name])
    shares[largest] -= 1
    empty += [largest] if not shares[largest] else []
    cell = SMALL if len(empty) > 1 else empty[0]
    rest = {name: share for name, share in shares.items() if name not in empty}
    return {**rest, cell: 1}, dict.fromkeys(empty, cell)


def blended(frame: Frame, picked: Collection[str], n: int) -> list[Choice]:
    """What a strategy picked, and documents drawn at random from the rest of the frame, n in all.

    Each of the rest has the propensity (drawn) / (rest). The frame has to hold its first n
    candidates.
    """
    certain = [Choice(id, CERTAINTY, 1.0) for id in picked]
    rest = frame.documents - len(certain)
    m = min(n - len(certain), rest)
    others = [candidate for candidate in frame.first if candidate.id not in set(picked)]
    return certain + [Choice(one.id, one.stratum, m / rest) for one in others[:m]]
