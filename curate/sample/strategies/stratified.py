"""So many documents of each stratum, drawn at random within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curate.sample.strategies.strategy import Drawn, Stratum


def shares(strata: Mapping[str, Stratum], n: int, allocation: str) -> dict[str, int]:
    """The documents of each stratum: as many of each, in proportion to its size, or by Neyman.

    Neyman's allocation (1934) is in proportion to size * standard deviation. It gives the smallest
    variance of the mean over all documents.
    """
    sizes = [stratum.documents for stratum in strata.values()]
    weights = {
        "equal": [1.0] * len(sizes),
        "proportional": [float(size) for size in sizes],
        "neyman": [stratum.documents * stratum.deviation for stratum in strata.values()],
    }
    return dict(zip(strata, allocate(sizes, n, weights[allocation]), strict=True))


def allocate(sizes: Sequence[int], n: int, weights: Sequence[float]) -> list[int]:
    """Share n among strata of these sizes by weight, in whole numbers; none exceeds its stratum.

    A part that a small stratum cannot fill goes to the others. The largest remainders are rounded
    up. Strata without weight share what is left over in proportion to their sizes.
    """
    total, allocated = min(n, sum(sizes)), [0] * len(sizes)
    while left := total - sum(allocated):
        open_strata = [place for place, size in enumerate(sizes) if allocated[place] < size]
        own = {place: weights[place] for place in open_strata}
        if not sum(own.values()):
            own = {place: float(sizes[place]) for place in open_strata}
        quotas = {place: left * weight / sum(own.values()) for place, weight in own.items()}
        for place, quota in quotas.items():
            allocated[place] += min(int(quota), sizes[place] - allocated[place])
        rest = [place for place in open_strata if allocated[place] < sizes[place] and own[place]]
        rest.sort(key=lambda place: int(quotas[place]) - quotas[place])
        for place in rest[: total - sum(allocated)]:
            allocated[place] += 1
    return allocated


STRATEGY = Drawn(by_stratum=True, shares=shares)
