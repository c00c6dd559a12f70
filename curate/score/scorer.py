"""What predicts: the heads of every question, and the quality that follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.heads import Learned, Predicted
from curate.score.quality import Quality
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
        """The predictions for some documents; labelled ones have theirs out of fold."""
        pieces = {
            name: learned.predict(chunk.vectors, chunk.texts, chunk.groups)
            for name, learned in self.learned.items()
        }
        documents = {name: chunk.with_labelled(name, own) for name, own in pieces.items()}
        return Scored(documents, *self._qualities(pieces, documents, chunk))

    def _qualities(
        self,
        pieces: Mapping[str, Predicted],
        documents: Mapping[str, Predicted],
        chunk: Chunk,
    ) -> tuple[Array | None, Array | None]:
        """The quality of each document, and that by each resampled head: heads x documents.

        That of a labelled document follows from its predictions out of fold, as of one piece.
        """
        import numpy as np

        if self.quality is None:
            return None, None
        quality, *samples = (
            chunk.joined(own, self.windows) for own in qualities(self.quality, pieces)
        )
        spread_over = np.stack(samples)
        rows = chunk.labelled_rows(self.quality.questions)
        if len(rows):
            labelled = {name: documents[name].take(rows) for name in self.quality.questions}
            quality = quality.copy()
            quality[rows], *seen = (
                of_pieces(own, self.windows) for own in qualities(self.quality, labelled)
            )
            spread_over[:, rows] = np.stack(seen)
        return quality, spread_over


def qualities(quality: Quality, predicted: Mapping[str, Predicted]) -> Iterator[Array]:
    """Yield the quality of each row, then that by each resampled head."""
    own = {name: predicted[name] for name in quality.questions}
    yield quality({name: one.probabilities for name, one in own.items()})
    for head in range(min(len(one.samples) for one in own.values())):
        yield quality({name: one.samples[head] for name, one in own.items()})


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
    """Labelled documents for one question: their rows, and their predictions out of fold.

    `settled` says whether people settled their labels.
    """

    rows: NDArray[np.int64]
    predicted: Predicted
    settled: NDArray[np.bool_]

    def between(self, first: int, end: int) -> LabelledRows:
        """Those of the rows from `first` to before `end`, counted from `first`."""
        import numpy as np

        own = np.flatnonzero((self.rows >= first) & (self.rows < end))
        return LabelledRows(self.rows[own] - first, self.predicted.take(own), self.settled[own])


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

    @property
    def is_whole(self) -> bool:
        """Whether every document is one piece."""
        return len(self.starts) - 1 == int(self.starts[-1])

    def mean(self, values: Array) -> Array:
        """The mean over each document's pieces: pieces x values → documents x values."""
        import numpy as np

        if self.is_whole:
            return values
        sums = np.add.reduceat(values, self.starts[:-1], axis=0)
        return np.asarray((sums.T / np.diff(self.starts)).T)

    def with_labelled(self, name: str, pieces: Predicted) -> Predicted:
        """The predictions of documents: of their pieces on the mean, of labelled ones as known."""
        import numpy as np

        own = pieces
        if not self.is_whole:
            mean = self.mean(pieces.probabilities)
            samples = [self.mean(sample) for sample in pieces.samples]
            shape = (0, *mean.shape)
            decided = mean.argmax(axis=1)
            own = Predicted(mean, decided, np.stack(samples) if samples else np.zeros(shape))
        labelled = self.labelled.get(name)
        return own if labelled is None else put(own, labelled.rows, labelled.predicted)

    def labelled_rows(self, questions: Sequence[str]) -> NDArray[np.int64]:
        """The documents with a label of one of the questions."""
        import numpy as np

        rows = [self.labelled[name].rows for name in questions if name in self.labelled]
        return np.asarray(np.unique(np.concatenate([np.zeros(0, np.int64), *rows])))

    def joined(self, quality: Array, windows: WindowsSpec | None) -> Array:
        """The quality of each document from those of its pieces."""
        import numpy as np

        if windows is not None and windows.by == "minimum":
            return np.asarray(np.minimum.reduceat(quality, self.starts[:-1]))
        return self.mean(of_pieces(quality, windows))


@dataclass(frozen=True)
class Scored:
    """The predictions of some documents by question.

    `quality` and its `samples` (heads x documents) are None without a quality.
    """

    predicted: Mapping[str, Predicted]
    quality: Array | None
    samples: Array | None
