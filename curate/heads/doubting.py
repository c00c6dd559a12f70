"""Which labels are doubtful: what heads and neighbours say against them, in one ranking.

The head speaks by its predictions out of fold: it never saw the label. The neighbours are the
labelled texts whose embeddings point the same way; their labels are averaged, and a few labels of
the overall shares are added. The geometric mean of both is the probability of each value. The doubt
is what it leaves to values other than the label (`cleanlab`'s self-confidence; Kuan and Mueller
2022). How many labels are probably wrong is the count of confident learning (Northcutt et al. 2021,
arXiv 1911.00068). Ratings are judged by standardised residuals: the doubt is the probability that
one comes from a wide normal distribution, of wrong ratings, and not from the usual one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Vectors = NDArray[np.float32]

NEIGHBOURS = 25
SHARE = 0.5
"""The share of the neighbours in the joint probability."""

PRIOR = 4.0
"""So many labels of the overall shares are added to those of the neighbours."""

WRONG, WIDER = 0.05, 5.0
"""The share of ratings that are wrong, and how many times farther off these lie."""


@dataclass(frozen=True)
class Doubts:
    """How doubtful each label is, one entry a row.

    `doubt` goes from 0 to 1: above .5 another value is more probable than the label. `by_head` and
    `by_neighbours` are what each says alone, on the same scale. The first `number` of the ranking
    are probably wrong. `predicted` is what both foresee: the place of a value, or of a rating the
    mean level, or of several labels the place of each.
    """

    doubt: Array
    by_head: Array
    by_neighbours: Array
    predicted: Array
    number: int

    def ranking(self, ids: Sequence[str]) -> list[int]:
        """The rows, the most doubtful first; of equal ones the smaller id first."""
        return sorted(range(len(ids)), key=lambda row: (-self.doubt[row], ids[row]))

    def spread(self, rows: NDArray[np.int64], number: int) -> Doubts:
        """The same among so many rows, of which these are known and the others beyond doubt."""
        import numpy as np

        def among(values: Array) -> Array:
            spread = np.zeros(number)
            spread[rows] = values
            return spread

        return Doubts(
            doubt=among(self.doubt),
            by_head=among(self.by_head),
            by_neighbours=among(self.by_neighbours),
            predicted=among(self.predicted),
            number=self.number,
        )

    def why(self, row: int) -> str:
        """What speaks against a label: `head`, `neighbours`, or `head, neighbours`."""
        spoke = {"head": self.by_head[row] > 0.5, "neighbours": self.by_neighbours[row] > 0.5}
        return ", ".join(name for name, has_spoken in spoke.items() if has_spoken)


def doubt_choices(truth: Array, predicted: Array, vectors: Vectors | None = None) -> Doubts:
    """Doubt the labels of a choice.

    `truth` and `predicted` are posteriors and predictions out of fold, rows x values, of settled
    rows alone; `vectors` are their embeddings, rows x dimension.
    """
    import numpy as np

    labels = truth.argmax(axis=1)
    nearby = predicted if vectors is None else neighbours(vectors, truth)
    logs = (1 - SHARE) * np.log(_positive(predicted)) + SHARE * np.log(_positive(nearby))
    joint = np.exp(logs - logs.max(axis=1, keepdims=True))
    joint /= joint.sum(axis=1, keepdims=True)
    return Doubts(
        doubt=unlikely(labels, joint),
        by_head=unlikely(labels, predicted),
        by_neighbours=unlikely(labels, nearby) if vectors is not None else np.zeros(len(labels)),
        predicted=joint.argmax(axis=1).astype(np.float64),
        number=number_wrong(labels, joint),
    )


def _positive(probabilities: Array) -> Array:
    import numpy as np

    return np.maximum(probabilities, 1e-6)


def unlikely(labels: NDArray[np.int64], probabilities: Array) -> Array:
    """1 - cleanlab's self-confidence: the probability of all values but the label."""
    import numpy as np
    from cleanlab.rank import get_label_quality_scores

    own = probabilities / probabilities.sum(axis=1, keepdims=True)
    scores = get_label_quality_scores(labels, own, method="self_confidence")
    return 1 - np.asarray(scores, np.float64)


def number_wrong(labels: NDArray[np.int64], predicted: Array) -> int:
    """How many labels are probably wrong, by confident learning; values without labels are out."""
    import numpy as np
    from cleanlab.filter import find_label_issues

    present, codes = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return 0
    own = _positive(predicted[:, present])
    own /= own.sum(axis=1, keepdims=True)
    return int(np.sum(find_label_issues(codes, own, filter_by="confident_learning", n_jobs=1)))


def neighbours(vectors: Vectors, truth: Array, number: int = NEIGHBOURS) -> Array:
    """What the nearest labelled texts are called: rows x values; rows sum to 1.

    Similarity is the cosine of centred vectors; a text is no neighbour of its own.
    """
    import numpy as np

    near, closeness = _nearest(vectors, min(number, len(vectors) - 1))
    weights = closeness / max(float(closeness.mean()), 1e-9)
    votes = np.einsum("ij,ijk->ik", weights, truth[near])
    votes += PRIOR * truth.mean(axis=0)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def _nearest(vectors: Vectors, number: int) -> tuple[NDArray[np.int64], Array]:
    """The nearest rows of each row, and their cosine (at least 0): rows x number."""
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    directions = centred / np.where(lengths > 0, lengths, 1.0)
    near = np.empty((len(vectors), number), np.int64)
    closeness = np.empty((len(vectors), number))
    for start in range(0, len(vectors), 1000):
        block = np.arange(start, min(start + 1000, len(vectors)))
        cosines = directions[block] @ directions.T
        cosines[np.arange(len(block)), block] = -np.inf
        near[block] = np.argpartition(-cosines, number - 1, axis=1)[:, :number]
        closeness[block] = np.take_along_axis(cosines, near[block], axis=1)
    return near, np.maximum(closeness, 0.0)


def doubt_ratings(
    levels: Sequence[float], truth: Array, predicted: Array, vectors: Vectors | None = None
) -> Doubts:
    """Doubt ratings by how many standard deviations their mean lies off (see `doubt_choices`)."""
    import numpy as np

    values = np.array(levels, np.float64)
    rated, foreseen = truth @ values, predicted @ values
    nearby = foreseen if vectors is None else neighbours(vectors, truth) @ values
    joint = (1 - SHARE) * foreseen + SHARE * nearby
    doubt = from_residuals(rated - joint)
    return Doubts(
        doubt=doubt,
        by_head=from_residuals(rated - foreseen),
        by_neighbours=(
            from_residuals(rated - nearby) if vectors is not None else np.zeros(len(rated))
        ),
        predicted=joint,
        number=int((doubt > 0.5).sum()),
    )


def from_residuals(residuals: Array) -> Array:
    """The probability that a rating is wrong, by its distance in standard deviations.

    The standard deviation is told by the median distance, so wrong ratings hardly change it.
    """
    import numpy as np
    from scipy.special import expit

    spread = float(np.median(np.abs(residuals))) / 0.6745
    squares = (residuals / (spread or 1.0)) ** 2
    odds = np.log(WRONG / (1 - WRONG) / WIDER) + squares / 2 * (1 - 1 / WIDER**2)
    return np.asarray(expit(odds))


def doubt_several(parts: Sequence[Doubts], present: NDArray[np.bool_]) -> Doubts:
    """Doubt a question of several labels by its parts, each `absent` or `present` (its places).

    `present` (rows x parts) is what people said. The score of a row is `cleanlab`'s for several
    labels: a moving average of those of the parts, .8 of it the worst. The worst part says why.
    `predicted` holds the place that is foreseen of each part: rows x parts.
    """
    import numpy as np
    from cleanlab.multilabel_classification import get_label_quality_scores

    doubts = np.stack([part.doubt for part in parts], axis=1)
    joint = doubts[:, 0]
    if len(parts) > 1:  # cleanlab takes one label for none of several
        probabilities = np.where(present, 1 - doubts, doubts)  # that each label is present
        labels = [np.flatnonzero(row).tolist() for row in present]
        joint = 1 - np.asarray(get_label_quality_scores(labels, probabilities), np.float64)
    worst, rows = doubts.argmax(axis=1), np.arange(len(doubts))
    wrong = np.zeros(doubts.shape, bool)
    for place, part in enumerate(parts):
        wrong[np.argsort(-part.doubt, kind="stable")[: part.number], place] = True
    return Doubts(
        doubt=joint,
        by_head=np.stack([part.by_head for part in parts])[worst, rows],
        by_neighbours=np.stack([part.by_neighbours for part in parts])[worst, rows],
        predicted=np.stack([part.predicted for part in parts], axis=1),
        number=int(wrong.any(axis=1).sum()),
    )
