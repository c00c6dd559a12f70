"""The texts of the mixture in strata: those of a group that limits treat alike.

Limits move cells within a group: documents of a host, say. What they multiply a cell by stands
beside each document, so texts of one group and one factor are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.mixture import drawing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

MOST = 20
"""Strata of a group. Where there are more factors, near ones are drawn together."""

UNLIMITED = 1 << 62
"""Copies without a limit."""


class Shortfall(ValueError):
    """The texts cannot fill an arm; the message says what is short, and what makes room."""


@dataclass(frozen=True)
class Texts:
    """The texts that arms are drawn from; arrays of one length.

    `weight` is that of the mixture within its groups. `factor` is what limits multiply the share of
    a text's cell in its group by (None: nothing), `epochs` its most copies (None: the budget's).
    """

    ids: list[str]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    tokens: NDArray[np.int64]
    weight: NDArray[np.float64]
    factor: NDArray[np.float64] | None = None
    epochs: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Budget:
    """What every arm gets: so many tokens, no text more than `max_copies` times."""

    tokens: float
    max_copies: int


@dataclass(frozen=True)
class Strata:
    """The strata of all groups, by name: shares of tokens, rows, and the most copies of a text."""

    shares: Mapping[str, float]
    rows: Mapping[str, Rows]
    most: Mapping[str, int]


def strata_of(
    texts: Texts,
    budget: Budget,
    promised: Mapping[str, float],
    *,
    is_noiseless: bool,
    seed: int = 0,
) -> Strata:
    """The strata of the texts; a group of one stratum has its name.

    Within a group shares are those that `mix` promises: what a draw without limits takes of each
    stratum, times its factor. That draw has the noise of `mix`, whose seed is `seed`.
    """
    import numpy as np

    noise = chance.gumbel(texts.ids, seed, "draw") * (not is_noiseless)
    groups = rows_by(texts.group)
    shares: dict[str, float] = {}
    rows: dict[str, Rows] = {}
    most: dict[str, int] = {}
    for name, share in promised.items():
        own = groups.get(name, np.zeros(0, np.intp)) if share else np.zeros(0, np.intp)
        strata = list(_split(texts, own))
        parts = _parts(texts, strata, share * budget.tokens, noise)
        for number, (stratum, part) in enumerate(zip(strata, parts, strict=True), 1):
            key = name if len(strata) == 1 else f"{name} (stratum {number})"
            shares[key], rows[key] = share * part, stratum
            if texts.epochs is not None and len(stratum):
                most[key] = int(texts.epochs[stratum].min())
    return Strata(shares, rows, most)


def _split(texts: Texts, rows: Rows) -> Iterator[Rows]:
    """Yield the rows of a group by factor and most copies; one stratum if it has no rows."""
    import numpy as np

    if texts.factor is None or not len(rows):
        yield rows
        return
    factor = np.round(np.log(texts.factor[rows]), 6)
    epochs = np.zeros(len(rows)) if texts.epochs is None else texts.epochs[rows]
    kinds, kind = np.unique(np.stack([factor, epochs], axis=1), axis=0, return_inverse=True)
    kind = kind.ravel()
    if len(kinds) > MOST:
        before = np.cumsum(np.bincount(kind)) - np.bincount(kind)
        kind = (MOST * before[kind]) // len(rows)
    for number in np.unique(kind):
        yield rows[kind == number]


def _parts(
    texts: Texts, strata: list[Rows], target: float, noise: NDArray[np.float64]
) -> list[float]:
    """The part of its group that each stratum has; they sum to 1."""
    import numpy as np

    if len(strata) == 1 or texts.factor is None:
        return [1.0] * len(strata)
    rows = np.concatenate(strata)
    drawn = drawing.draw(
        texts.weight[rows], texts.tokens[rows], target, max_copies=UNLIMITED, noise=noise[rows]
    )
    taken = drawn if drawn.any() else np.ones(len(rows), np.int64)
    mass = taken * texts.tokens[rows] * texts.factor[rows]
    ends = np.cumsum([len(own) for own in strata])
    sums = np.array([part.sum() for part in np.split(mass, ends[:-1])])
    return list((sums / sums.sum()).tolist())


def rows_by(names: NDArray[np.str_]) -> dict[str, Rows]:
    """The rows of each name, by the order of the names."""
    import numpy as np

    return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}
