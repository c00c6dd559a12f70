"""The sampling strategies: how many documents of which strata, and with what probability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from curate.sample.frame import Candidate, Frame
from curate.sample.spec import SampleSpec


@dataclass(frozen=True)
class Strategy:
    """How n documents are shared out over cells, which are drawn from at random.

    A cell is a stratum, or the whole frame if not `by_stratum`. `shares` returns the number of
    documents of each cell, from the sizes of the cells and n.
    """

    by_stratum: bool
    shares: Callable[[Sequence[int], int, SampleSpec], list[int]]


def whole(sizes: Sequence[int], n: int, spec: SampleSpec) -> list[int]:
    """All from one cell."""
    return [min(n, size) for size in sizes]


def stratified(sizes: Sequence[int], n: int, spec: SampleSpec) -> list[int]:
    """So many from each stratum as the allocation says."""
    return allocate(sizes, n, spec.allocation)


STRATEGIES: dict[str, Strategy] = {
    "random": Strategy(False, whole),
    "stratified": Strategy(True, stratified),
}


@dataclass(frozen=True)
class Choice:
    """A document that was chosen, and the probability with which it was."""

    id: str
    stratum: str
    propensity: float


def choose(frame: Frame, n: int, strategy: Strategy, spec: SampleSpec) -> list[Choice]:
    """Choose n documents of the frame, best first, without repeats.

    The frame has to hold its first n candidates, of each stratum if the strategy goes by stratum.
    """
    names = sorted(frame.sizes) if strategy.by_stratum else [""]
    sizes = [frame.sizes[name] for name in names] if strategy.by_stratum else [frame.documents]
    shares = dict(zip(names, strategy.shares(sizes, n, spec), strict=True))
    propensities = {
        name: shares[name] / size for name, size in zip(names, sizes, strict=True) if size
    }
    left, chosen = dict(shares), []
    for candidate in frame.first:
        cell = _cell(candidate, strategy)
        if left[cell]:
            left[cell] -= 1
            chosen.append(Choice(candidate.id, candidate.stratum, propensities[cell]))
    return chosen


def _cell(candidate: Candidate, strategy: Strategy) -> str:
    return candidate.stratum if strategy.by_stratum else ""


def allocate(
    sizes: Sequence[int], n: int, allocation: Literal["equal", "proportional"]
) -> list[int]:
    """Share n among strata of these sizes, in whole numbers; no share exceeds its stratum.

    A part that a small stratum cannot fill goes to the others. The largest remainders are
    rounded up.
    """
    total, shares = min(n, sum(sizes)), [0] * len(sizes)
    while left := total - sum(shares):
        open_strata = [place for place, size in enumerate(sizes) if shares[place] < size]
        weights = [1 if allocation == "equal" else sizes[place] for place in open_strata]
        quotas = {
            place: left * weight / sum(weights)
            for place, weight in zip(open_strata, weights, strict=True)
        }
        for place, quota in quotas.items():
            shares[place] += min(int(quota), sizes[place] - shares[place])
        rest = [place for place in open_strata if shares[place] < sizes[place]]
        rest.sort(key=lambda place: int(quotas[place]) - quotas[place])
        for place in rest[: total - sum(shares)]:
            shares[place] += 1
    return shares
