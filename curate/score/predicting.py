"""Predictions for every kept document, shard by shard, from what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.embed import Pieces, VectorShard, pieces_of
from curate.heads import Learned
from curate.score.labelled import UNKNOWN, Labelled
from curate.score.learning import Model
from curate.score.scorer import CHUNK, Chunk, LabelledRows, Scored, Scorer
from curate.score.spreading import spread
from curate.score.summing import Summed
from curate.threads import one_thread
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShardToScore:
    """The documents of a shard, their vectors by encoder, and what is labelled by question."""

    documents: DocumentShard
    vectors: Mapping[str, VectorShard]
    labelled: Mapping[str, LabelledRows] = field(default_factory=dict)

    def chunks(self, scorer: Scorer) -> Iterator[Chunk]:
        """Read the documents, CHUNK at a time."""
        window = scorer.windows.size if scorer.windows else None
        groups = _groups(self.documents, scorer.group_by)
        vectors = [self.vectors[name].chunks(CHUNK) for name in scorer.encoders]
        is_read = scorer.reads_text or not vectors
        texts = _of_texts(pieces_of(self.documents, window)) if is_read else _without_texts()
        for number, (own_texts, *parts) in enumerate(zip(texts, *vectors, strict=False)):
            starts = own_texts[0] if is_read else parts[0][0]
            own = {name: part[1] for name, part in zip(scorer.encoders, parts, strict=True)}
            first = number * CHUNK
            end = first + len(starts) - 1
            labelled = {name: rows.between(first, end) for name, rows in self.labelled.items()}
            repeated = (
                None if groups is None else groups[first:end].repeat(starts[1:] - starts[:-1])
            )
            yield Chunk(own, own_texts[1], repeated, starts, labelled)


def _of_texts(pieces: Pieces) -> Iterator[tuple[NDArray[np.int64], list[str] | None]]:
    """Yield the starts and the texts of the pieces, CHUNK documents at a time."""
    for first in range(0, len(pieces.starts) - 1, CHUNK):
        starts = pieces.starts[first : first + CHUNK + 1]
        texts = pieces.texts.slice(starts[0], starts[-1] - starts[0]).to_pylist()
        yield starts - starts[0], texts


def _without_texts() -> Iterator[tuple[NDArray[np.int64], list[str] | None]]:
    import numpy as np

    while True:
        yield np.zeros(1, np.int64), None


def _groups(shard: DocumentShard, column: str | None) -> NDArray[np.str_] | None:
    import numpy as np

    if column is None:
        return None
    values = shard.read([column])[column]
    return np.array(values.fill_null(UNKNOWN).to_pylist(), np.str_)


def items_of(
    documents: Sequence[DocumentShard],
    vectors: Mapping[str, Sequence[VectorShard]],
    models: Sequence[Model],
    labelled: Labelled,
) -> list[ShardToScore]:
    """The shards with the predictions of their labelled documents; `vectors` are by encoder."""
    return [
        ShardToScore(
            shard,
            {name: shards[place] for name, shards in vectors.items()},
            {
                model.name: _labelled_rows(model, labelled, place)
                for model in models
                if model.labels.is_of_documents
            },
        )
        for place, shard in enumerate(documents)
    ]


def _labelled_rows(model: Model, labelled: Labelled, place: int) -> LabelledRows:
    import numpy as np

    members = model.labels.members[:, 0]
    own = np.flatnonzero(labelled.shards[members] == place)
    return LabelledRows(
        labelled.rows[members[own]], model.in_pieces.take(own), model.labels.settled[own]
    )


# ── the table


@dataclass(frozen=True)
class Predict:
    """Writes the scores of a shard into a folder, unless they are there."""

    folder: Path
    scorer: Scorer

    def __call__(self, shard: ShardToScore) -> Summed:
        """Write them; their sums by source."""
        path = self.folder / shard.documents.name
        if not path.exists():
            storage.write_parquet(path, self._table(shard))
        quality = storage.read_parquet(path, columns=["quality", "abstained"])
        return Summed.of(shard.documents, quality)

    def _table(self, shard: ShardToScore) -> pa.Table:
        import numpy as np

        with one_thread():
            parts = [
                columns_of(self.scorer, self.scorer.predict(chunk))
                for chunk in shard.chunks(self.scorer)
            ]
        ids = shard.documents.read(["id"])["id"]
        is_labelled, is_open = np.zeros(len(ids), bool), {}
        for name, own in shard.labelled.items():
            is_labelled[own.rows] = True
            is_open[name] = np.zeros(len(ids), bool)
            is_open[name][own.rows[~own.settled]] = True
        groups = _groups(shard.documents, self.scorer.group_by)
        return table_of(self.scorer, ids, parts, groups, is_labelled, is_open)


def columns_of(scorer: Scorer, scored: Scored) -> dict[str, Array]:
    """The columns of some documents as arrays: quality with its ends, and each question's."""
    import numpy as np

    columns: dict[str, Any] = {}
    if scored.quality is not None and scored.samples is not None:
        low, high = spread(scored.quality, scored.samples)
        columns = {"quality": scored.quality, "spread_low": low, "spread_high": high}
        if scorer.half_width is not None:
            columns["low"] = np.clip(scored.quality - scorer.half_width, 0.0, 1.0)
            columns["high"] = np.clip(scored.quality + scorer.half_width, 0.0, 1.0)
    for name, own in scored.predicted.items():
        columns[_decided(name)] = own.decided
        columns |= {
            _answer(name, place): column for place, column in enumerate(own.probabilities.T)
        }
    return columns


def _decided(question: str) -> str:
    return f"decided {question}"


def _answer(question: str, place: int) -> str:
    return f"answer {place} {question}"


QUALITIES = ("quality", "low", "high", "spread_low", "spread_high")


def table_of(
    scorer: Scorer,
    ids: pa.ChunkedArray,
    parts: Sequence[Mapping[str, Array]],
    groups: NDArray[np.str_] | None,
    is_labelled: NDArray[np.bool_],
    is_open: Mapping[str, NDArray[np.bool_]],
) -> pa.Table:
    """Rows of `scores`, from the columns of their chunks.

    `groups` are the documents' values of the column that calibration goes by. `is_open` says, by
    question, which documents people left undecided.
    """
    import numpy as np
    import pyarrow as pa

    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())
    }
    empty, abstaining = np.zeros(0), sorted(scorer.abstaining)
    made: dict[str, Any] = {"id": ids}
    for name in QUALITIES:
        made[name] = columns.get(name, pa.nulls(len(ids), pa.float64()))
    made["abstained"] = np.zeros(len(ids), bool)
    if groups is not None:
        made["abstained"] = np.isin(groups, abstaining)
    made["out_of_fold"] = is_labelled
    for name, learned in scorer.learned.items():
        answers = [columns.get(_answer(name, place), empty) for place in range(width_of(learned))]
        decided = columns.get(_decided(name), empty)
        made |= _answer_columns(name, learned, answers, decided, is_open.get(name))
    return pa.table(made)


def width_of(learned: Learned) -> int:
    """The number of probabilities of a document: one a value; a preference has one."""
    return 1 if learned.kind == "preference" else len(learned.values)


def _answer_columns(
    name: str,
    learned: Learned,
    answers: Sequence[Array],
    decided: Array,
    is_open: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """The columns of one question; a preference has its probability alone.

    Documents that people left open have no predicted value.
    """
    import pyarrow as pa

    if learned.kind == "preference":
        return {tables.predicted(name): answers[0]}
    best = pa.array(decided.astype("int64"), pa.int64(), mask=is_open)
    columns: dict[str, Any] = {
        tables.predicted(name): pa.array(learned.values, pa.string()).take(best)
    }
    own = zip(learned.values, answers, strict=True)
    return columns | {f"{name}:{value}": column for value, column in own}
