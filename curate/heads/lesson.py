"""What a head is learned from: the labelled texts of one question, and the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from curate.heads.calibration import Calibration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Kind = Literal["choice", "rating", "preference"]


@dataclass(frozen=True)
class Options:
    """How a question is learned; `auto` is chosen out of fold.

    `class_weights` are those of the decision: `balanced` divides each value's probability by its
    share among the labels, `root` by the root of that. `centred` learns from differences within
    groups alone. `inner_folds` are those of the choice inside each of the `folds`.
    """

    features: Literal["auto", "embeddings", "characters", "both"] = "auto"
    class_weights: Literal["auto", "none", "root", "balanced"] = "auto"
    calibration: Calibration = "auto"
    calibrate_by_group: bool = False
    centred: bool = False
    folds: int = 5
    inner_folds: int = 3
    resamples: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Pieces:
    """The pieces in which the texts of a lesson are predicted: vectors by encoder, and texts.

    `starts` are where the pieces of each text start; their number stands at the end.
    """

    vectors: Mapping[str, NDArray[np.float32]]
    texts: Sequence[str]
    starts: NDArray[np.int64]

    def owners(self) -> NDArray[np.int64]:
        """The text that each piece is of, by its place."""
        import numpy as np

        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def take(self, rows: NDArray[np.int64]) -> Pieces:
        """The pieces of some texts, in their order."""
        places, starts = pieces_at(self.starts, rows)
        return Pieces(
            {encoder: own[places] for encoder, own in self.vectors.items()},
            [self.texts[place] for place in places.tolist()] if self.texts else (),
            starts,
        )


def pieces_at(
    starts: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the pieces of some texts, in their order, and where each text's start there."""
    import numpy as np

    counts = np.diff(starts)[rows]
    edges = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(starts[rows] - edges[:-1], counts) + np.arange(edges[-1]), edges


@dataclass(frozen=True)
class Lesson:
    """The labelled rows of one question.

    `truth` holds posteriors, rows x values; each row sums to 1. The values of a preference are
    first, second and perhaps tie; its `vectors` are rows x 2 x dimension, its `texts` are pairs.
    Rows that people left undecided (not `settled`) count by their posterior. Folds and resamples
    follow the `ids`, never the order of the rows. `groups` names the group of each row that
    calibration goes by, `centres` the one that training is centred in (None: the same).

    `background` are texts of the corpus, labelled or not: how rare their n-grams are is the idf.
    `pieces` are those in which the labelled texts are predicted (None: as a whole); heads learn
    from whole texts all the same.
    """

    kind: Kind
    values: tuple[str, ...]
    ids: tuple[str, ...]
    truth: Array
    settled: NDArray[np.bool_]
    vectors: Mapping[str, NDArray[np.float32]]
    texts: Sequence[str] | Sequence[tuple[str, str]]
    groups: NDArray[np.str_]
    background: Sequence[str] = ()
    centres: NDArray[np.str_] | None = None
    pieces: Pieces | None = None

    def take(self, rows: NDArray[np.int64]) -> Lesson:
        """The lesson of some rows, in their order."""
        texts: Any = [self.texts[row] for row in rows.tolist()] if self.texts else ()
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows.tolist()),
            truth=self.truth[rows],
            settled=self.settled[rows],
            vectors={encoder: own[rows] for encoder, own in self.vectors.items()},
            texts=texts,
            groups=self.groups[rows],
            centres=None if self.centres is None else self.centres[rows],
            pieces=None if self.pieces is None else self.pieces.take(rows),
        )

    def targets(self) -> Array:
        """What is learned: the posteriors; a tie of a preference counts half for either side."""
        import numpy as np

        if self.kind != "preference":
            return self.truth
        ties = self.truth[:, 2:].sum(axis=1, keepdims=True)
        return np.asarray(self.truth[:, :2] + ties / 2)

    def documents(self) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
        """Vectors and texts of documents; the first ones of all pairs, then the second ones."""
        import numpy as np

        if self.kind != "preference":
            return dict(self.vectors), [str(text) for text in self.texts]
        vectors = {
            encoder: np.concatenate([own[:, 0], own[:, 1]]) for encoder, own in self.vectors.items()
        }
        return vectors, [str(pair[side]) for side in (0, 1) for pair in self.texts]
