"""The documents that can be drawn, read once: each shard's into a scratch file, with its facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import chance, tables
from curate.errors import DataError, RecipeError
from curate.mix.spec import MixSpec
from curate.mixture.groups import Facts, Values, grouped
from curate.names import unknown
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard, is_candidate
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

UNDECIDED = "undecided"

COLUMNS = ("source", "language", "license")
"""The columns that documents can be grouped by, beside the predicted class of a question."""


def needs_scores(spec: MixSpec) -> bool:
    """Whether the mixture depends on predictions or quality."""
    return any(name not in COLUMNS for name in spec.groups) or needs_quality(spec)


def uses_scores(workspace: Workspace, spec: MixSpec) -> bool:
    """Whether the mixture depends on scores, or they are there and not outdated."""
    return needs_scores(spec) or workspace.freshness.fits("scores")


def needs_quality(spec: MixSpec) -> bool:
    """Whether shares or weights follow quality."""
    return spec.within.strategy != "equal" or spec.between.strategy == "quality"


def ties_of(workspace: Workspace, spec: MixSpec) -> dict[str, str]:
    """What the class of documents that people left undecided is called, by question."""
    predicted = predicted_questions(workspace.tables)
    return {
        name: tie_of(predicted[name].values if name in predicted else ())
        for name in spec.groups
        if name not in COLUMNS
    }


def tie_of(values: Collection[str]) -> str:
    """The class of documents that people left undecided: `undecided`, or `undecided:`.

    The latter is for questions with a value `undecided`; `values` are those of the question.
    """
    return f"{UNDECIDED}:" if UNDECIDED in values else UNDECIDED


def column_of(name: str) -> str:
    """The column of a key in `mix.groups`: one of COLUMNS, or the predicted class of a question."""
    return name if name in COLUMNS else tables.predicted(name)


@dataclass(frozen=True)
class Piece:
    """The candidates of one shard: their scratch file, and their groups in its numbers."""

    number: int
    path: Path
    groups: tuple[Values, ...]
    facts: tuple[Facts, ...]
    images: int

    @property
    def documents(self) -> int:
        """The number of candidates."""
        return sum(facts.documents for facts in self.facts)


@dataclass(frozen=True)
class Scan:
    """Reads the candidates of a shard and writes those columns that the later passes need.

    The scratch file holds id, group (a number), tokens, quality (NaN: unknown, or not trusted),
    whether it abstained, noise, and the columns `more`. `groups` are the columns that make a group,
    `nulls` what a null is called in each; `seed` is that of the noise.
    """

    folder: Path
    groups: tuple[str, ...]
    more: tuple[str, ...]
    nulls: Mapping[str, str]
    seed: int

    def __call__(self, shard: DocumentShard) -> Piece:
        """The piece of one shard."""
        import numpy as np
        import pyarrow as pa

        table = shard.read(self._columns(shard))
        images, table = _candidates(table)
        groups, numbers = grouped(table, self.groups, self.nulls)
        tokens = table["tokens"].to_numpy().astype(np.int64)
        abstained = _flags(table, "abstained")
        quality = np.where(abstained, np.nan, _floats(table, "quality"))
        noise = chance.gumbel(table["id"].to_pylist(), self.seed, "draw")
        columns: dict[str, Any] = {"id": table["id"], "group": pa.array(numbers, pa.int32())}
        columns |= {"tokens": tokens, "quality": quality, "abstained": abstained, "noise": noise}
        path = self.folder / f"{shard.number:05}.arrow"
        _write(path, pa.table(columns | {name: table[name] for name in self.more}))
        facts = tuple(
            Facts.of(tokens[own], quality[own], int(abstained[own].sum()))
            for number in range(len(groups))
            for own in [numbers == number]
        )
        return Piece(shard.number, path, groups, facts, images)

    def _columns(self, shard: DocumentShard) -> list[str]:
        quality = [name for name in ("quality", "abstained") if name in shard.scored()]
        needed = ["id", "tokens", "holdout", "media", *quality, *self.groups, *self.more]
        return list(dict.fromkeys(needed))


def _candidates(table: pa.Table) -> tuple[int, pa.Table]:
    """The number of documents that are images alone, and the documents that can be drawn."""
    import pyarrow.compute as pc

    open_to_all = table.filter(pc.invert(table["holdout"]))
    without_tokens = pc.and_(pc.is_valid(open_to_all["media"]), pc.equal(open_to_all["tokens"], 0))
    kept = pc.is_valid(table["id"])
    candidates = table.filter(is_candidate(kept, table["holdout"], table["tokens"]))
    return int(pc.sum(without_tokens).as_py() or 0), candidates


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers, NaN for null; all NaN where there is no such column."""
    import numpy as np

    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    """A column of truth values, false for null; all false where there is no such column."""
    import numpy as np

    if name not in table.column_names:
        return np.zeros(table.num_rows, bool)
    return np.asarray(table[name].fill_null(False).to_numpy(), bool)


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def read(path: Path) -> pa.Table:
    """The rows of a scratch file, mapped into memory."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def scan(workspace: Workspace, spec: MixSpec, folder: Path) -> list[Piece]:
    """Read all candidates, in pool order; `folder` is for the scratch files.

    Raises DataError where a document is an image alone or has no scores, or where none is left;
    RecipeError for an unknown group, and where quality is needed and `score` has none.
    """
    shards = _shards(workspace, spec)
    columns = tuple(map(column_of, spec.groups))
    more = _probabilities(workspace, spec)
    nulls = {column_of(name): ties for name, ties in ties_of(workspace, spec).items()}
    pieces: list[Piece | None] = [None] * len(shards)
    total = workspace.tables.rows("pool")
    with workspace.watch("reading candidates", total) as advance:
        for place, piece in workspace.engine.each(
            Scan(folder, columns, more, nulls, spec.seed), shards
        ):
            pieces[place] = piece
            advance(piece.documents)
    whole = [piece for piece in pieces if piece is not None]
    _check(whole, spec)
    return whole


def _shards(workspace: Workspace, spec: MixSpec) -> list[DocumentShard]:
    """The shards, with their scores where the mixture uses them."""
    predicted = predicted_questions(workspace.tables)
    _check_groups(spec, [name for name, own in predicted.items() if own.makes_groups])
    return workspace.documents.shards(scores=uses_scores(workspace, spec))


def _check_groups(spec: MixSpec, questions: list[str]) -> None:
    for name in spec.groups:
        if name not in COLUMNS and name not in questions:
            raise unknown(
                f"mix.groups: nothing to group by is called {name}", name, (*COLUMNS, *questions)
            )


def _probabilities(workspace: Workspace, spec: MixSpec) -> tuple[str, ...]:
    """The columns that hold the probabilities of the questions that make groups."""
    predicted = predicted_questions(workspace.tables)
    return tuple(
        column for name in spec.groups if name not in COLUMNS for column in predicted[name].columns
    )


def _check(pieces: Sequence[Piece], spec: MixSpec) -> None:
    images = sum(piece.images for piece in pieces)
    if images:
        raise DataError(
            f"{images} of the documents are images alone: they have no tokens to mix",
            hint="they are for people to label; a rule of `clean` such as `length` leaves them out",
        )
    if not any(piece.documents for piece in pieces):
        raise DataError("no document is left to mix", hint="see the reasons in `clean`")
    known = sum(facts.known for piece in pieces for facts in piece.facts)
    if needs_quality(spec) and not known:
        raise RecipeError(
            "mix: the weights need quality, and `score` has none",
            hint="declare `score: {quality: …}`",
        )
