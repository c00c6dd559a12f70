"""Read texts from files, predict them a chunk at a time, and write a line for each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from curate.embed import encoder_of, windows
from curate.embed.blocks import digest_of
from curate.embed.encoders import Encoder
from curate.embed.joined import is_joined
from curate.errors import DataError, StaleInput
from curate.score.labelled import UNKNOWN
from curate.score.predicting import columns_of, table_of
from curate.score.scorer import CHUNK, Chunk, Scorer
from curate.score.storing import load_scorer
from curate.sources.reading import File, Part, find, read
from curate.sources.rows import Bad, Row, content
from curate.sources.source_spec import SourceSpec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class PredictResult:
    """The numbers of texts that were scored, and of rows that could not be used."""

    file: str
    documents: int
    skipped: int
    mean_quality: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Text:
    id: str
    origin: str
    text: str
    group: str


def predict(workspace: Workspace, source: SourceSpec, out: IO[str]) -> PredictResult:
    """Score the texts of a source, in the order of its rows, and write a line of JSON for each.

    Texts are taken as they are: the rules and masks of `clean` are not applied. Raises MissingInput
    if nothing has been learned, DataError if the source holds no text.
    """
    scorer, digests = load_scorer(workspace.tables.folder("scores"))
    encoders = {name: _encoder(workspace, name, digests[name]) for name in scorer.encoders}
    files = find((source,), Path())
    rows = _Rows(source, files, scorer)
    documents, total, known = 0, 0.0, 0
    with workspace.watch("predicting", None) as advance:
        texts = iter(rows)
        while chunk := list(islice(texts, CHUNK)):
            table = _predicted(scorer, encoders, chunk)
            documents += len(chunk)
            for text, row in zip(chunk, table.to_pylist(), strict=True):
                out.write(json.dumps(_line(text, row), ensure_ascii=False) + "\n")
                if row["quality"] is not None:
                    total, known = total + row["quality"], known + 1
            advance(len(chunk))
    if not documents:
        raise DataError(
            f"{', '.join(file.address for file in files)}: no text to score{rows.why()}",
            hint="name the column of the text with --text" if rows.skipped else "it is empty",
        )
    names = ", ".join(dict.fromkeys(file.label for file in files))
    notes = (f"rows that were not scored: {rows.skipped:,}{rows.why()}",) if rows.skipped else ()
    return PredictResult(names, documents, rows.skipped, total / known if known else None, notes)


def _encoder(workspace: Workspace, name: str, digest: str) -> Encoder:
    """The encoder that heads were learned with.

    Raises StaleInput if it is another one today, DataError if it reads media.
    """
    if is_joined(name):
        raise DataError(
            f"heads read media by {name}, and `curate predict` reads only texts",
            hint="put the files into the pool, and run `curate score`",
        )
    encoder = encoder_of(workspace, name)
    if digest_of(encoder.about) != digest:
        raise StaleInput(
            f"the encoder {name} has changed since heads were learned with it",
            hint="run `curate score` again",
        )
    return encoder


@dataclass
class _Rows:
    """The texts of files, read one after the other.

    `skipped` counts rows that are none, `first` is the first of them.
    """

    source: SourceSpec
    files: Sequence[File]
    scorer: Scorer
    skipped: int = 0
    first: Bad | None = None

    def why(self) -> str:
        """Why the first of the skipped rows is none, in brackets; empty without any."""
        if self.first is None:
            return ""
        return f" (the first: {self.first.file}, row {self.first.row}: {self.first.reason})"

    def __iter__(self) -> Iterator[_Text]:
        for file in self.files:
            part = Part(
                file.source, file.name, file.address, file.label, format=file.format, skip=file.skip
            )
            for row in read(self.source, part, strict=False):
                if isinstance(row, Bad):
                    self.skipped += 1
                    self.first = self.first or row
                else:
                    yield self._text(row)

    def _text(self, row: Row) -> _Text:
        own = content(row)
        groups = {"source": row.source, "language": row.language, "license": row.license}
        return _Text(
            own.id, row.origin, own.text, groups.get(self.scorer.group_by or "") or UNKNOWN
        )


def _predicted(scorer: Scorer, encoders: Mapping[str, Encoder], texts: Sequence[_Text]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    size = scorer.windows.size if scorer.windows else None
    cut = [windows(text.text, size) for text in texts]
    counts = np.array([len(own) for own in cut])
    pieces = [piece for own in cut for piece in own]
    groups = np.array([text.group for text in texts], np.str_) if scorer.group_by else None
    chunk = Chunk(
        {name: encoder.encode(pieces) for name, encoder in encoders.items()},
        pieces,
        None if groups is None else groups.repeat(counts),
        np.concatenate([[0], np.cumsum(counts)]),
    )
    ids = pa.chunked_array([pa.array([text.id for text in texts], pa.string())])
    parts = [columns_of(scorer, scorer.predict(chunk))]
    return table_of(scorer, ids, parts, groups, np.zeros(len(texts), bool), {})


def _line(text: _Text, row: Mapping[str, Any]) -> dict[str, Any]:
    """What is written about a text: where it stood, and its row of `scores`."""
    values = {name: value for name, value in row.items() if name != "out_of_fold"}
    return {"id": values.pop("id"), "origin": text.origin, **values}
