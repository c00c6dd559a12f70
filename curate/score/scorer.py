"""What predicts: the heads of every question, and the quality that follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.annotated.quality import Quality
from curate.heads import InPieces, Learned, Predicted, pieces_at
from curate.score.spec import WindowsSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


CHUNK = 1024
"""The documents that are predicted at once."""


@dataclass(frozen=True)
class Scorer:
    """All that predicts: it travels to workers, and is stored beside the scores.

    `learned` are the heads by question; `half_width` is that of `low` and `high` around the
    quality, None where it is not known. Documents whose value of the column `group_by` is among
    `abstaining` get no trusted prediction.
    """

    learned: Mapping[str, Learned]
    quality: Quality | None = None
    windows: WindowsSpec | None = None
    half_width: float | None = None
    group_by: str | None = None
    abstaining: frozenset[str] = frozenset()

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders whose vectors are needed."""
        names = (learned.encoder for learned in self.learned.values())
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def reads_text(self) -> bool:
        """Whether some head reads the texts themselves."""
        return any(learned.reads_text for learned in self.learned.values())

    def predict(self, chunk: Chunk) -> Scored:
        """The predictions for some documents; pieces of labelled ones have theirs out of fold."""
        import numpy as np

        pieces = {
            name: chunk.with_labelled(
                name, learned.predict(chunk.vectors, chunk.texts, chunk.groups)
            )
            for name, learned in self.learned.items()
        }
        documents = {name: InPieces(own, chunk.starts).means() for name, own in pieces.items()}
        if self.quality is None:
            return Scored(documents, None, None)
        quality, *samples = (
            joined(own, chunk.starts, self.windows) for own in qualities(self.quality, pieces)
        )
        return Scored(documents, quality, np.stack(samples))


def qualities(quality: Quality, predicted: Mapping[str, Predicted]) -> Iterator[Array]:
    """Yield the quality of each row, then that by each resampled head."""
    own = {name: predicted[name] for name in quality.questions}
    yield quality({name: one.probabilities for name, one in own.items()})
    for head in range(min(len(one.samples) for one in own.values())):
        yield quality({name: one.samples[head] for name, one in own.items()})


def joined(quality: Array, starts: NDArray[np.int64], windows: WindowsSpec | None) -> Array:
    """The quality of each document from those of its pieces, which start at `starts`."""
    import numpy as np

    if windows is not None and windows.by == "minimum":
        return np.asarray(np.minimum.reduceat(quality, starts[:-1]))
    own = of_pieces(quality, windows)
    return np.asarray(np.add.reduceat(own, starts[:-1]) / np.diff(starts))


def of_pieces(quality: Array, windows: WindowsSpec | None) -> Array:
    """What each piece adds to its document: its quality, or whether that reaches the bound.

    NaN stays NaN.
    """
    import numpy as np

    if windows is None or windows.by != "share_below":
        return quality
    reaches = (quality >= windows.bound).astype(np.float64)
    return np.where(np.isnan(quality), np.nan, reaches)


def put(predicted: Predicted, rows: NDArray[np.int64], others: Predicted) -> Predicted:
    """The predictions, with those of some rows replaced."""
    probabilities, decided = predicted.probabilities.copy(), predicted.decided.copy()
    samples = predicted.samples.copy()
    probabilities[rows], decided[rows] = others.probabilities, others.decided
    samples[:, rows] = others.samples
    return Predicted(probabilities, decided, samples)


@dataclass(frozen=True)
class LabelledRows:
    """Labelled documents for one question: their rows, and their pieces as predicted out of fold.

    `settled` says whether people settled their labels.
    """

    rows: NDArray[np.int64]
    pieces: InPieces
    settled: NDArray[np.bool_]

    def between(self, first: int, end: int) -> LabelledRows:
        """Those of the rows from `first` to before `end`, counted from `first`."""
        import numpy as np

        own = np.flatnonzero((self.rows >= first) & (self.rows < end))
        return LabelledRows(self.rows[own] - first, self.pieces.take(own), self.settled[own])


@dataclass(frozen=True)
class Chunk:
    """Some documents: vectors by encoder, texts and groups of their pieces.

    `starts` are where each document's pieces start; their number stands at the end. `labelled` are
    the labelled documents among them, by question.
    """

    vectors: Mapping[str, NDArray[np.float32]]
    texts: list[str] | None
    groups: NDArray[np.str_] | None
    starts: NDArray[np.int64]
    labelled: Mapping[str, LabelledRows] = field(default_factory=dict)

    def with_labelled(self, name: str, pieces: Predicted) -> Predicted:
        """The predictions of pieces, with those of labelled documents out of fold."""
        labelled = self.labelled.get(name)
        if labelled is None:
            return pieces
        places, _ = pieces_at(self.starts, labelled.rows)
        return put(pieces, places, labelled.pieces.predicted)


@dataclass(frozen=True)
class Scored:
    """The predictions of some documents by question.

    `quality` and its `samples` (heads x documents) are None without a quality.
    """

    predicted: Mapping[str, Predicted]
    quality: Array | None
    samples: Array | None
