"""Draw one part of a mixture: the whole, or a phase of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.engine import in_order
from curate.mix.audit import group_rows, limit_rows
from curate.mix.doubts import (
    doubts,
    few_labels,
    not_apart,
    unfilled_shares,
    unreachable,
    unused_limits,
)
from curate.mix.evidence import Evidence
from curate.mix.keys import is_question
from curate.mix.mapped import mapped
from curate.mix.offered import offers
from curate.mix.planning import Drawing, drawing_of, fifths_of, prior_of, problem_of
from curate.mix.preparing import Drawable, Keys, Prepared, needs_quality, needs_scores, prepare
from curate.mix.sharing import Wish, wish_of
from curate.mix.spec import MixSpec
from curate.mix.truth import asks_for_truth, drawing_for_truth
from curate.mix.writing import Drawn, Factors, Write
from curate.mixture.groups import SMALL
from curate.rounding import rounded
from curate.warning import StageWarning, named
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Part:
    """What was drawn: shards of `mix` in a folder, rows of `groups`, and what is to be told.

    `name` is that of the phase; None for the whole. `offers` are what groups offer (see `offered`).
    """

    name: str | None
    folder: Path
    prepared: Prepared
    rows: list[dict[str, Any]]
    limits: list[dict[str, Any]]
    notes: tuple[str, ...]
    warnings: tuple[StageWarning, ...]
    offers: list[dict[str, Any]]


def draw_part(
    workspace: Workspace, spec: MixSpec, keys: Keys, drawable: Drawable, name: str | None
) -> Part:
    """Draw a part, its shards into a folder beside its scratch files.

    Raises DataError for a budget that buys no document, or that the limits do not allow.
    """
    wish = wish_of(workspace, spec)
    shards = drawable.folder / "drawn"
    shards.mkdir(parents=True)
    prepared = prepare(workspace, spec, keys, replace(drawable, named=wish.named))
    absent = wish.unfilled(keys, prepared)
    evidence = Evidence.of(workspace, prepared, wish) if needs_scores(spec) else Evidence()
    wanted = wish.shares(prepared, evidence.means)
    drawing = _drawing(workspace, prepared, keys, wish, wanted)
    drawn = _written(workspace, prepared, drawing, shards)
    certainty = evidence.certainty(workspace, prepared, drawing, wish)
    rows = group_rows(spec.groups, prepared, drawing, drawn, wanted, certainty)
    limits = limit_rows(prepared.supply, drawing)
    warnings = (
        *_doubts(spec, keys, prepared, rows),
        *unfilled_shares(absent),
        *unused_limits(prepared.absent),
        *unreachable(prepared.supply.limited.unreachable),
        *few_labels(certainty.few),
        *not_apart(certainty.alike),
    )
    return Part(
        name,
        shards,
        prepared,
        [{**row, "phase": name} for row in rows],
        [{**row, "phase": name} for row in limits],
        _notes(prepared, rows, spec),
        warnings,
        offers(spec, prepared, evidence.means),
    )


def _drawing(
    workspace: Workspace, prepared: Prepared, keys: Keys, wish: Wish, wanted: Mapping[str, float]
) -> Drawing:
    """Move the wanted shares within the limits, and find where each draw ends."""
    if asks_for_truth(wish):
        return drawing_for_truth(workspace, prepared, keys, wish)
    prior = prior_of(workspace, prepared.supply, wanted)
    return drawing_of(workspace, prepared.supply, prior, problem_of(prepared.supply, prior))


def _written(workspace: Workspace, prepared: Prepared, drawing: Drawing, folder: Path) -> Drawn:
    """Write the shards; the sums of what was drawn."""
    supply, groups = prepared.supply, prepared.supply.groups
    names = dict(enumerate(path.name for path in workspace.tables.shards("clean")))
    fifths = fifths_of(workspace, supply)
    factors = mapped(folder.parent / "factors", Factors, factor=drawing.factors)
    write = Write(
        folder, names, groups.names, prepared.classes, supply.order, drawing.cuts, factors, fifths
    )
    documents = sum(facts.documents for facts in groups.facts)
    parts = []
    with workspace.watch("drawing", documents) as advance:
        for drawn in in_order(workspace.engine.each(write, supply.places)):
            parts.append(drawn)
            advance(drawn.candidates)
    return reduce(Drawn.joined, parts)


def join_parts(workspace: Workspace, parts: Sequence[Part], folder: Path) -> None:
    """Bring the shards of all parts into one folder.

    Several parts are phases: `copies` are then those of all, and each has columns of its own,
    `copies:NAME` and `group:NAME`; group, bucket and weight are those of the first.
    """
    if len(parts) == 1:
        for path in sorted(parts[0].folder.iterdir()):
            path.replace(folder / path.name)
        return
    names = [path.name for path in sorted(parts[0].folder.iterdir())]
    join = JoinPhases({str(part.name): part.folder for part in parts}, folder)
    for _ in workspace.engine.each(join, names):
        pass


@dataclass(frozen=True)
class JoinPhases:
    """Joins a shard of all phases; `folders` are where they lie, by phase."""

    folders: Mapping[str, Path]
    folder: Path

    def __call__(self, name: str) -> None:
        """Write one shard, by the name of its file."""
        import numpy as np
        import pyarrow as pa

        own = {phase: storage.read_parquet(folder / name) for phase, folder in self.folders.items()}
        first = next(iter(own.values()))
        copies = np.sum([table["copies"].to_numpy() for table in own.values()], axis=0)
        columns: dict[str, pa.ChunkedArray] = {
            column: first[column] for column in tables.schema("mix").names
        }
        epochs = np.max([table["max_epochs"].to_numpy() for table in own.values()], axis=0)
        columns["copies"] = pa.chunked_array([pa.array(copies, pa.int64())])
        columns["max_epochs"] = pa.chunked_array([pa.array(epochs, pa.int64())])
        for phase, table in own.items():
            columns |= {f"copies:{phase}": table["copies"], f"group:{phase}": table["group"]}
        storage.write_parquet(self.folder / name, pa.table(columns))


def _notes(prepared: Prepared, rows: Sequence[Mapping[str, Any]], spec: MixSpec) -> tuple[str, ...]:
    groups, notes = prepared.supply.groups, []
    facts_of = dict(zip(groups.names, groups.facts, strict=True))
    unknown = [name for name, facts in facts_of.items() if not facts.known and facts.documents]
    if unknown and spec.between.strategy == "quality":
        notes.append(f"no document of {named(unknown)} has a quality: it counts as average")
    if abstained := sum(facts.abstained for facts in groups.facts):
        notes.append(
            f"{abstained:,} candidates abstained: their quality is the mean, and their weight "
            "that of their group"
        )
    if tied := sum(facts.documents for name, facts in facts_of.items() if name in prepared.tied):
        notes.append(f"{tied} candidates are undecided: they are a group of their own")
    if groups.merged:
        notes.append(
            f"{len(groups.merged)} groups of less than {rounded(SMALL, '.1%')} of the {spec.unit} "
            f"are one, {groups.names[-1]}"
        )
    moved = [row["group"] for row in rows if row["bound"]]
    if moved:
        notes.append(f"limits moved {named(moved)}")
    return tuple(notes)


def _doubts(
    spec: MixSpec, keys: Keys, prepared: Prepared, rows: Sequence[Mapping[str, Any]]
) -> Iterator[StageWarning]:
    """Yield what is doubtful in the part."""
    offered = {
        place: [value for value in keys.offered[name] if value != keys.ties[name]]
        for place, name in enumerate(spec.groups)
        if is_question(name)
    }
    supply = prepared.supply
    yield from doubts(
        supply.groups,
        rows,
        supply.budget,
        offered,
        follows_quality=needs_quality(spec),
        unit=supply.unit,
    )
