"""The mixture as it would be without a source, without some answers, or without some labels.

It is planned beside the workspace, as `mix --what-if` does: nothing is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.errors import CurateError, DataError
from curate.mix.keys import BUCKET, CLUSTER, is_question
from curate.mix.preparing import needs_scores
from curate.mix.spec import MixSpec
from curate.run.stages import find
from curate.run.whatif import (
    STAGES,
    Case,
    Trial,
    beside,
    check,
    compared,
    content,
    impossible,
)
from curate.spec import Spec, validated
from curate.workspace import Workspace
from curate.workspace.index import FOLDER as INDEX

if TYPE_CHECKING:
    import pyarrow as pa

WITHOUT = "without"
"""The name of the mixture that is planned."""


def without_answers(workspace: Workspace, excluded: Mapping[str, tuple[str, ...]]) -> Case:
    """The mixture if some answers did not count; `excluded` are settings of `agree` to add to."""
    own = dict(workspace.tables.made("labels").spec)
    own |= {key: [*own.get(key, ()), *names] for key, names in excluded.items()}
    return _planned(workspace, ("agree", "score", "mix"), {"agree": own})


def without_labels(workspace: Workspace, is_gone: Callable[[Mapping[str, Any]], bool]) -> Case:
    """The mixture if some settled labels were not there; `is_gone` tells by a row of labels."""

    def prepare(other: Workspace) -> None:
        labels, made = workspace.tables.read("labels"), workspace.tables.made("labels")
        rows = [row for row in labels.to_pylist() if not is_gone(row)]
        other.tables.write("labels", tables.rows("labels", rows), made)

    return _planned(workspace, ("score", "mix"), {}, ("labels",), prepare)


def without_source(workspace: Workspace, source: str) -> Case:
    """The mixture if a source were not in the recipe.

    A document that other sources hold too stays, as one of the first of them. Its licence and its
    place are not read again, near-duplicates are not settled again, and heads learn nothing new.
    """
    is_scored = workspace.freshness.fits("scores")

    def prepare(other: Workspace) -> None:
        _write_pool(workspace, other, source)
        _write_clean(workspace, other, source)
        if is_scored:
            _write_scores(workspace, other, source)

    return _planned(workspace, ("mix",), {}, ("pool", "clean", "scores"), prepare)


def is_independent(workspace: Workspace) -> bool:
    """Whether no share and no weight follows scores, so that no answer has moved the mixture."""
    made = workspace.tables.made("mix")
    spec = MixSpec.model_validate(dict(made.spec))
    return made.inputs.get("scores") is None or not any(_follows(own) for _, own in spec.parts())


def _follows(spec: MixSpec) -> bool:
    """Whether a part of the mixture follows scores: by groups, shares, weights or limits.

    Clusters are made of the vectors that heads have chosen.
    """
    columns = {*spec.groups, *(limit.partition("=")[0] for limit in spec.limits if "=" in limit)}
    of_scores = any(is_question(name) or name in (BUCKET, CLUSTER) for name in columns)
    return of_scores or needs_scores(spec)


def _planned(
    workspace: Workspace,
    stages: tuple[str, ...],
    settings: Mapping[str, Mapping[str, Any]],
    own: tuple[str, ...] = (),
    prepare: Callable[[Workspace], None] = lambda other: None,
) -> Case:
    """Run stages beside a workspace, with today's settings or others, and compare the mixture.

    `own` are tables that `prepare` writes there. Raises what `whatif.check` does, and DataError
    where another command has changed the workspace meanwhile.
    """
    check(workspace)
    before = content(workspace)
    specs = {stage: _spec(workspace, stage, settings.get(stage)) for stage in stages}
    try:
        with beside(workspace, stages, own) as other:
            prepare(other)
            case = compared(workspace, other, Trial(WITHOUT, specs))
    except CurateError as error:
        case = impossible(WITHOUT, error)
    if content(workspace) != before:
        raise DataError("the workspace was changed by another command", hint="ask again")
    return case


def _spec(workspace: Workspace, stage: str, settings: Mapping[str, Any] | None) -> Spec:
    own = settings or dict(workspace.tables.made(STAGES[stage]).spec)
    model: type[Spec] = find(stage).spec
    return validated(model, dict(own), where="trace")


# ── the tables of documents, without a source


def _leaves(documents: pa.Table, source: str) -> tuple[pa.Array, pa.Array]:
    """Which documents go with a source, and which of it stay, since others hold them too."""
    import pyarrow.compute as pc

    is_own = pc.equal(documents["source"], source)
    has_others = pc.fill_null(pc.greater(pc.list_value_length(documents["also"]), 0), False)
    is_shared = pc.and_(is_own, has_others)
    return pc.and_(is_own, pc.invert(is_shared)), is_shared


def _write_pool(workspace: Workspace, other: Workspace, source: str) -> None:
    """Write the pool with shared documents given to the other source; most shards are links."""
    import pyarrow.compute as pc

    folder = other.root / "pool"
    folder.mkdir()
    for path in workspace.tables.shards("pool"):
        about = storage.read_parquet(path, ["source", "also"])
        if pc.any(_leaves(about, source)[1]).as_py():
            _write_sources(path, folder / path.name, source)
        else:
            (folder / path.name).symlink_to(path)
    _record(workspace, "pool", folder, {}, source)


def _write_sources(path: Path, target: Path, source: str) -> None:
    """Write a shard of the pool with other sources, some rows at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches(10_000):
            rows = pa.Table.from_batches([batch])
            shared = _leaves(rows, source)[1].combine_chunks()
            firsts = [names[0] for names in rows["also"].filter(shared).to_pylist()]
            sources = rows["source"].combine_chunks()
            column = pc.replace_with_mask(sources, shared, pa.array(firsts, pa.string()))
            place = rows.column_names.index("source")
            writer.write_table(rows.set_column(place, "source", column))


def _write_clean(workspace: Workspace, other: Workspace, source: str) -> None:
    """Write the verdicts: what goes with the source is dropped. Signals are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    folder = other.root / "clean"
    folder.mkdir()
    schema = tables.schema("clean")
    for shard in workspace.documents.shards():
        verdicts = storage.read_parquet(shard.clean, schema.names)
        gone = _leaves(storage.read_parquet(shard.pool, ["source", "also"]), source)[0]
        columns = {name: verdicts[name] for name in schema.names}
        columns["kept"] = pc.and_(verdicts["kept"], pc.invert(gone))
        columns["reason"] = pc.if_else(gone, "source", verdicts["reason"])
        storage.write_parquet(folder / shard.name, pa.table(columns, schema=schema))
    index = workspace.root / "clean" / INDEX
    if index.is_dir():
        (folder / INDEX).symlink_to(index)
    _record(workspace, "clean", folder, other.tables.fingerprints(("pool",)), source)


def _write_scores(workspace: Workspace, other: Workspace, source: str) -> None:
    """Write the scores of the documents that stay."""
    import pyarrow.compute as pc

    folder = other.root / "scores"
    folder.mkdir()
    for shard in workspace.documents.shards(scores=True):
        kept = storage.read_parquet(shard.clean, ["kept"])["kept"]
        gone = _leaves(storage.read_parquet(shard.pool, ["source", "also"]), source)[0]
        assert shard.scores is not None
        scores = storage.read_parquet(shard.scores)
        stays = pc.invert(gone).filter(kept)
        storage.write_parquet(folder / shard.name, scores.filter(stays))
    fingerprints = other.tables.fingerprints(("pool", "clean"))
    _record(workspace, "scores", folder, fingerprints, source)


def _record(
    workspace: Workspace,
    name: str,
    folder: Path,
    inputs: Mapping[str, str | None],
    source: str,
) -> None:
    """Write the record of a table beside its shards: as it was made, from other inputs.

    Its content is named by what it follows from, so no shard is read for a digest.
    """
    import pyarrow.parquet as pq

    about = storage.read_json(workspace.tables.folder(name) / storage.MANIFEST)
    about["made"]["inputs"] |= inputs
    about["rows"] = sum(pq.read_metadata(path).num_rows for path in storage.shards(folder))
    about["content"] = storage.digest([about["content"], WITHOUT, source])
    storage.write_json(folder / storage.MANIFEST, about)
