"""What a strategy is: documents drawn within cells, or documents picked by how much they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from curate.embed import VectorShard
from curate.sample.candidates import Candidates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_COMPARED = 50_000
"""Diversity is sought among so many documents, drawn at random where there are more."""

PREFILTER = 10
"""Of uncertain documents, so many times the batch are compared with each other."""


@dataclass(frozen=True)
class Part:
    """The documents of one shard that can be sent, as a worker has them.

    `rows` are their rows among the kept documents. `probabilities` are documents x values, with no
    column where no question is read. `vectors` are those of the shard, where a strategy reads them.
    """

    ids: Sequence[str]
    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    vectors: VectorShard | None = None


class Value(Protocol):
    """How much each document is wanted; NaN for one that cannot be told. It travels to workers."""

    def __call__(self, part: Part) -> NDArray[np.float64]:
        """The value of each document of a part."""


@dataclass(frozen=True)
class Stratum:
    """What is known of a stratum before a round.

    `documents` and `tokens` are those that can be sent. `quality` and `deviation` are mean and
    standard deviation of the predicted qualities (NaN where there are none); `deviation` is that of
    the predicted answer where there is no quality. `residual` is the deviation of the quality by
    people's answers from the predicted one, None where too few labels tell it. People have answered
    `answered` documents of it, each in `seconds` (median).
    """

    documents: int
    tokens: float = 0.0
    quality: float = float("nan")
    deviation: float = float("nan")
    answered: int = 0
    seconds: float = 1.0
    residual: float | None = None


@dataclass(frozen=True)
class Drawn:
    """All documents at random, within strata or from the whole frame.

    `shares` returns how many to draw of each stratum: from what is known of the strata, the number
    of all, and the allocation. `reads_scores` says that it needs what was learned from people.
    """

    by_stratum: bool
    shares: Callable[[Mapping[str, Stratum], int, str], dict[str, int]]
    reads_scores: bool = False


@dataclass(frozen=True)
class Chosen:
    """Most documents by how much they say, beside a random share.

    `value` is what makes a document a candidate: uncertainty (`measure` of the probabilities),
    people's disagreement near it, or nothing, which draws candidates at random. Of the `most(n)`
    candidates that are wanted most, `select` picks n: places, best first. It may pick fewer.
    """

    value: Literal["random", "uncertainty", "disagreement"]
    most: Callable[[int], int]
    select: Callable[[Candidates, int], NDArray[np.int64]]
    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    reads_vectors: bool = False

    @property
    def reads_scores(self) -> bool:
        """Whether it needs what was learned from people."""
        return self.value == "uncertainty"


Strategy = Drawn | Chosen


def first(candidates: Candidates, n: int) -> NDArray[np.int64]:
    """The first n, which are those that are wanted most."""
    import numpy as np

    return np.arange(min(n, len(candidates)))


def itself(n: int) -> int:
    """As many candidates as are picked, and some more in place of near-duplicates."""
    return 2 * n + 50


def prefiltered(n: int) -> int:
    """Ten times the batch."""
    return PREFILTER * n


def compared(n: int) -> int:
    """All, or as many as can be compared with each other."""
    return max(MOST_COMPARED, n)
