"""From measurements to verdicts: limits, instruments, near-duplicates, passages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.clean.by_source import check_sources
from curate.clean.deciding import decide
from curate.clean.duplicates import older
from curate.clean.duplicates.meaning import semantic_duplicates
from curate.clean.duplicates.media import media_duplicates
from curate.clean.duplicates.near import Gone, Shard, near_duplicates
from curate.clean.duplicates.spec import ComparingSpec
from curate.clean.instruments import registry
from curate.clean.measuring import POOL_COLUMNS
from curate.clean.passages.applying import Found
from curate.clean.passages.finding import find
from curate.clean.planning import Measured
from curate.clean.rules.norms import norms
from curate.clean.rules.registry import named, ranges
from curate.clean.rules.signals import Range
from curate.clean.spec import CleanSpec
from curate.errors import RecipeError
from curate.names import unknown
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def limits_of(spec: CleanSpec) -> dict[str, Range]:
    """The range of every signal of the chosen rules: the recipe's, else the rule's own.

    Raises RecipeError where a limit of the recipe is for no such signal, or lets nothing pass.
    """
    limits = ranges(named(spec.rules))
    for name, limit in spec.limits.items():
        if name not in limits:
            raise unknown(f"clean.limits: no signal {name} in the chosen rules", name, limits)
        if not limit.model_fields_set:
            raise RecipeError(f"clean.limits: {name} is empty", hint="give `min`, `max` or both")
        limits[name] = _possible(name, limit.instead_of(limits[name]))
    return limits


def _possible(name: str, bounds: Range) -> Range:
    """The range of a signal. Raises RecipeError if nothing can pass it."""
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise RecipeError(f"clean.limits: nothing passes {name}, from {low:g} to {high:g}")
    return bounds


def limits_by_language(spec: CleanSpec) -> dict[str, dict[str, Range]]:
    """Signal → language → range, where it is not that of `limits_of`; the recipe's limits hold."""
    signals = ranges(named(spec.rules))
    limits: dict[str, dict[str, Range]] = {}
    for language, norm in norms().items():
        for signal, bounds in norm.limits.items():
            if signal in signals:
                limit = spec.limits.get(signal)
                own = limit.instead_of(bounds) if limit else bounds
                limits.setdefault(signal, {})[language] = _possible(f"{signal} in {language}", own)
    return limits


def decide_shards(
    workspace: Workspace,
    spec: CleanSpec,
    limits: Mapping[str, Range],
    measured: Measured,
    target: Path,
) -> list[Path]:
    """Write id and reason of every document; return the files, one a shard."""
    import pyarrow as pa

    target.mkdir(exist_ok=True)
    instruments, by_language = registry.deciding(spec, measured.shards), limits_by_language(spec)
    for pool, shard in zip(workspace.tables.shards("pool"), measured.shards, strict=True):
        table = measurements(pool, shard)
        reasons = decide(
            table,
            rules=spec.rules,
            limits=limits,
            instruments=instruments,
            by_language=by_language,
        )
        storage.write_parquet(target / shard.name, pa.table({"id": table["id"], "reason": reasons}))
    return storage.shards(target)


def measurements(pool: Path, measured: Path) -> pa.Table:
    """The measurements of a shard, and the columns of its pool that verdicts need.

    The language is the detected one where it was measured and none is declared.
    """
    import pyarrow.parquet as pq

    names = [name for name in pq.read_schema(measured).names if not name.startswith("_")]
    table = storage.read_parquet(measured, columns=names)
    for name in POOL_COLUMNS:
        if name not in names:
            table = table.append_column(name, storage.read_parquet(pool, columns=[name])[name])
    return table


def near(
    workspace: Workspace,
    spec: CleanSpec,
    measured: Measured,
    reasons: list[Path],
    folder: Path,
) -> Gone:
    """Settle near-duplicates among passed documents and against older corpora, step by step.

    Texts by their words, then media by their fingerprints, then texts by meaning.
    """
    gone = Gone()
    if spec.near is not None:
        shards = _shards(workspace, measured, reasons, spec.near)
        gone += _near_texts(workspace, spec, shards, spec.near.similarity, folder)
    if spec.near_media is not None:
        shards = _shards(workspace, measured, reasons, spec.near_media)
        older_shards = older.pieces(workspace.root, spec.against)
        with workspace.watch("comparing media", None):
            gone += media_duplicates(
                workspace.engine, shards, gone, spec.near_media, older_shards, folder / "media"
            )
    if spec.semantic is not None:
        shards = _shards(workspace, measured, reasons, spec.semantic)
        gone += semantic_duplicates(workspace, shards, gone, spec.semantic, folder / "semantic")
    return gone


def passages(
    workspace: Workspace,
    spec: CleanSpec,
    measured: Measured,
    reasons: list[Path],
    gone: Gone,
    folder: Path,
) -> tuple[Found | None, list[Shard]]:
    """Find passages among the documents that are left, and in which shards; None without them."""
    if spec.passages is None:
        return None, []
    check_sources(workspace, spec.passages.sources, "clean.passages.sources")
    shards = _shards(workspace, measured, reasons, spec.passages)
    with workspace.watch("looking for passages", None) as advance:
        buckets = find(workspace.engine, shards, gone, spec.passages, folder, advance=advance)
    tokenizer = workspace.tables.made("pool").facts["tokenizer"]
    return Found(spec.passages, tokenizer, buckets, gone), shards


def _shards(
    workspace: Workspace, measured: Measured, reasons: list[Path], how: ComparingSpec
) -> list[Shard]:
    """The shards of the pool, to be compared as `how` says."""
    ranks = {name: at for at, name in enumerate(workspace.tables.made("pool").facts["sources"])}
    # Only near-duplicates by their words need signatures.
    signed = measured.signatures or measured.shards
    files = zip(workspace.tables.shards("pool"), signed, measured.shards, reasons, strict=True)
    return [Shard(number, *paths, ranks, how) for number, paths in enumerate(files)]


def _near_texts(
    workspace: Workspace, spec: CleanSpec, shards: list[Shard], threshold: float, folder: Path
) -> Gone:
    engine, pieces = workspace.engine, older.pieces(workspace.root, spec.against)
    with workspace.watch("comparing", workspace.tables.rows("pool")) as advance:
        corpora = older.sign(engine, pieces, folder / "older", len(shards)) if pieces else []
        return near_duplicates(engine, shards, threshold, folder, older=corpora, advance=advance)
