"""Trace documents: where each came from, and why it is drawn as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.measuring import POOL_COLUMNS
from curate.trace import naming
from curate.trace.checks import Asked
from curate.trace.media import media_of
from curate.trace.naming import Named
from curate.trace.origins import OF_POOL, exact_copies, near_copies, origin_of
from curate.trace.people import Said
from curate.trace.results import Line, Score, State, Trace, Weight
from curate.trace.teaching import Teaching
from curate.trace.weights import Mixture, held_out_line, lines, says_lines
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class Tracer:
    """Traces documents of a workspace; what is common to all of them is read once.

    A table that is outdated, or not there, is left out, and `notes` say so.
    """

    workspace: Workspace
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace.tables.require("pool")
        self._has = {name: self._fits(name) for name in ("clean", "labels", "scores", "mix")}
        for warning in self.workspace.freshness.newer_answers("trace"):
            self.notes.append(warning.words)

    def _fits(self, name: str) -> bool:
        """Whether a table is there and is not outdated; a note says why not."""
        if self.workspace.tables.stored(name) is None:
            return False
        for outdated in self.workspace.freshness.outdated(name)[:1]:
            self.notes.append(f"{name} is left out: {outdated.words} ({outdated.hint})")
            return False
        return True

    def __call__(self, word: str) -> Trace:
        """Trace the document with this id, or the only one whose id begins so.

        Raises what `naming.name` does.
        """
        named = naming.name(self.workspace, word)
        if named.removed is not None:
            return self._removed(named)
        return self._present(named)

    def _removed(self, named: Named) -> Trace:
        """The trace of a document that was taken down: its answers are kept, by its id."""
        assert named.removed is not None
        about = named.removed
        says = f"taken down at {about['at']}: {about['reason']}"
        answers, labels = self.said.of_document(named.id)
        return Trace(named.id, "removed", says, answers=answers, labels=labels, notes=self._told())

    def _told(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.notes))

    # ── what is common to all documents

    @cached_property
    def said(self) -> Said:
        """All answers and labels."""
        return Said.of(self.workspace)

    @cached_property
    def asked(self) -> Asked:
        """What `clean` decided by."""
        return Asked.of(self.workspace)

    @cached_property
    def teaching(self) -> Teaching:
        """What the heads were learned from."""
        return Teaching.of(self.workspace, self.said)

    @cached_property
    def mixture(self) -> Mixture:
        """The groups of the mixture."""
        return Mixture.of(self.workspace)

    @cached_property
    def shards(self) -> list[DocumentShard]:
        """The shards of the documents, with scores and the mixture as far as they fit."""
        return self.workspace.documents.shards(scores=self._has["scores"], mix=self._has["mix"])

    @cached_property
    def exported(self) -> Path | None:
        """The export's table of lines, if it has one; a note says what is wrong with it."""
        draw = self.workspace.root / "export" / "draw.parquet"
        if not draw.is_file():
            return None
        if not says_lines(draw):
            self.notes.append("the export is of an older version: it does not say where lines are")
            return None
        if self.workspace.freshness.outdated("export"):
            self.notes.append("the export was not made from the present mixture: `curate export`")
        return draw

    # ── one document

    def _present(self, named: Named) -> Trace:
        assert named.shard is not None
        path = self.workspace.tables.shards("pool")[named.shard]
        of_pool = storage.read_parquet(path, OF_POOL).slice(named.row, 1).to_pylist()[0]
        duplicates = [*exact_copies(self.workspace, named.id)]
        answers, labels = self.said.of_document(named.id)
        origin = origin_of(of_pool)
        if not self._has["clean"]:
            says = "in the pool; `curate clean` has not judged it"
            return Trace(
                id=named.id,
                state="unjudged",
                says=says,
                origin=origin,
                media=tuple(media_of(self.workspace, of_pool["media"] or (), ())),
                duplicates=tuple(duplicates),
                answers=answers,
                labels=labels,
                notes=self._told(),
            )
        verdict = self._verdict(named)
        row = verdict.to_pylist()[0]
        duplicates += near_copies(self.workspace, named.id, row)
        weights = self._weights(named, row, of_pool)
        state, says = self._state(row, of_pool, weights)
        lines = tuple(self._lines(named.id, of_pool))
        return Trace(
            id=named.id,
            state=state,
            says=says,
            origin=origin,
            media=tuple(media_of(self.workspace, of_pool["media"] or (), lines)),
            duplicates=tuple(duplicates),
            checks=tuple(self.asked.checks(verdict)),
            edits=tuple(row["edits"] or ()),
            tokens=row["tokens"],
            answers=answers,
            labels=labels,
            score=self._score(named, row),
            weights=weights,
            lines=lines,
            notes=self._told(),
        )

    def _verdict(self, named: Named) -> pa.Table:
        """The row of clean, with the columns of the pool that verdicts need."""
        assert named.shard is not None
        shard = self.shards[named.shard]
        verdict = storage.read_parquet(shard.clean).slice(named.row, 1)
        missing = [name for name in POOL_COLUMNS if name not in verdict.column_names]
        documents = storage.read_parquet(shard.pool, missing).slice(named.row, 1)
        for name in missing:
            verdict = verdict.append_column(name, documents[name])
        return verdict

    def _score(self, named: Named, row: Mapping[str, Any]) -> Score | None:
        if not self._has["scores"] or not row["kept"]:
            return None
        assert named.shard is not None
        shard = self.shards[named.shard]
        assert shard.scores is not None
        kept = storage.read_parquet(shard.clean, ["kept"])["kept"].to_numpy()
        place = int(kept[: named.row].sum())
        scores = storage.read_parquet(shard.scores).slice(place, 1).to_pylist()[0]
        return self.teaching.score(scores, named.shard, place)

    def _weights(
        self, named: Named, row: Mapping[str, Any], of_pool: Mapping[str, Any]
    ) -> tuple[Weight, ...]:
        """Why a candidate was drawn as it was; nothing for what is no candidate."""
        has_content = row["tokens"] > 0 or of_pool.get("media") is not None
        is_candidate = row["kept"] and not of_pool["holdout"] and has_content
        if not self._has["mix"] or not is_candidate:
            return ()
        assert named.shard is not None
        columns = ["id", *self.mixture.columns]
        table = self.shards[named.shard].read(columns, dropped=True, rows=[named.row])
        return tuple(self.mixture.weights(table.to_pylist()[0]))

    def _state(
        self, row: Mapping[str, Any], of_pool: Mapping[str, Any], weights: tuple[Weight, ...]
    ) -> tuple[State, str]:
        """Where a document is today, and one sentence that says it."""
        if not row["kept"]:
            of = f" of {row['duplicate_of']}" if row["duplicate_of"] else ""
            return "dropped", f"dropped by `clean`: {row['reason']}{of}"
        if of_pool["holdout"]:
            return "held_out", "in the holdout: no person, mixture or training shard holds it"
        if not self._has["mix"]:
            return "not_mixed", "kept by `clean`; there is no mixture yet"
        copies = sum(weight.copies for weight in weights)
        if copies:
            return "drawn", f"drawn {copies} times" if copies > 1 else "drawn once"
        if not weights:
            return "not_drawn", "no candidate: nothing of its text is left after the edits"
        return "not_drawn", "a candidate that the mixture did not draw"

    def _lines(self, id: str, of_pool: Mapping[str, Any]) -> Iterator[Line]:
        """Yield where its lines lie in the export, those of the validation split too."""
        draw = self.exported
        if draw is None:
            return
        held_out = held_out_line(draw.parent, id) if of_pool["holdout"] else None
        if held_out is not None:
            yield held_out
        yield from (line for _, line in lines(draw, [id]))


def trace(workspace: Workspace, word: str) -> Trace:
    """Trace one document; see `Tracer`."""
    return Tracer(workspace)(word)
