"""The stage `clean`: run its four steps (see the package), and count what they kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.clean.doubts import doubts
from curate.clean.duplicates import older
from curate.clean.duplicates.units import check_fields
from curate.clean.examples import examples_of
from curate.clean.instruments.contamination import searched_of
from curate.clean.instruments.language import DIFFERS
from curate.clean.instruments.privacy.instrument import SIGNALS as PRIVATE
from curate.clean.passages.losses import PassageCounts, lost_to_passages
from curate.clean.planning import measure_shards, measured_before, plan_of, record_of, unpassaged
from curate.clean.rules.registry import named
from curate.clean.sharing import template
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import decide_shards, limits_of, near, passages
from curate.clean.writing import write
from curate.stage import Cost, Stage
from curate.warning import StageWarning
from curate.workspace import Workspace, examples

if TYPE_CHECKING:
    import pyarrow as pa

READS = ("pool",)
WRITES = ("clean",)


@dataclass(frozen=True)
class CleanResult:
    """How many documents are kept, and why the others are not.

    `measured` counts the documents that were measured in this run: none where only limits changed.
    `licenses` counts the documents that a licence dropped, by licence. `privacy` counts private
    values, by kind. `differing_languages` counts documents whose declared language is not the
    detected one. `passages` are what sources lost to passages, if these are looked for. `searched`
    has the items of each evaluation set: all of them, those that are too short to search for, and
    those that are like too many others.
    """

    documents: int
    measured: int
    kept: int
    tokens: int
    reasons: dict[str, int]
    licenses: dict[str, int]
    privacy: dict[str, int]
    differing_languages: int
    passages: dict[str, PassageCounts] = field(default_factory=dict)
    searched: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: tuple[StageWarning, ...] = ()


def inputs(workspace: Workspace, spec: CleanSpec) -> dict[str, str | None]:
    """The digests of the pool, of older corpora, and of the files that `clean` compares with."""
    digests = workspace.tables.fingerprints(READS)
    files = [texts.path for texts in (spec.contamination.sets if spec.contamination else ())]
    files += [texts.path for texts in (spec.relevance.target if spec.relevance else ())]
    files += [spec.c4.bad_words] if spec.c4.bad_words and "c4" in named(spec.rules) else []
    if files:
        paths = [workspace.path(file) for file in files]
        marks = [storage.file_digest(path) if path.is_file() else None for path in paths]
        digests["compared"] = storage.digest(marks)
    if spec.against:
        digests["against"] = older.digest(older.pieces(workspace.root, spec.against))
    return digests


def run(workspace: Workspace, spec: CleanSpec) -> CleanResult:
    """Measure what is not measured yet, decide, settle near-duplicates and passages, write."""
    limits = limits_of(spec)
    for name, how in spec.comparing():
        check_fields(workspace.tables.shards("pool"), how.fields, f"clean.{name}.fields")
    plan = plan_of(workspace, spec)
    record = record_of(workspace, plan)
    made = workspace.freshness.provenance("clean", spec, inputs(workspace, spec), measured=record)
    before = measured_before(workspace, record)
    with workspace.tables.building("clean", made) as folder:
        scratch = folder / "_measured"
        measured = (
            unpassaged(workspace, before, scratch)
            if before
            else measure_shards(workspace, plan, scratch)
        )
        reasons = decide_shards(workspace, spec, limits, measured, folder / "_reasons")
        gone = near(workspace, spec, measured, reasons, folder / "near")
        found, shards = passages(workspace, spec, measured, reasons, gone, folder / "_runs")
        write(workspace, folder, measured, reasons, gone, found, shards)
        for scaffold in ("_measured", "_reasons", "near", "_runs"):
            storage.remove(folder / scaffold)
    measured_rows = 0 if before else workspace.tables.rows("pool")
    result = _result(workspace, measured_rows, searched_of(dict(plan.instruments)))
    shown = examples_of(workspace, spec, result.reasons)
    examples.write(workspace.tables.folder("clean"), shown)
    return result


def _result(
    workspace: Workspace, measured: int, searched: dict[str, dict[str, int]]
) -> CleanResult:
    """The counts over the tables pool and clean, shard by shard."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    reasons: Counter[str] = Counter()
    by_source: dict[str, PassageCounts] = {}
    verdicts: Counter[tuple[str, str]] = Counter()
    licenses: Counter[str] = Counter()
    signals: Counter[str] = Counter()
    documents = kept = tokens = 0
    for pool, clean in zip(
        workspace.tables.shards("pool"), workspace.tables.shards("clean"), strict=True
    ):
        names = pq.read_schema(clean).names
        counters = [name for name in names if name in (DIFFERS, *PRIVATE)]
        table = storage.read_parquet(clean, columns=["kept", "reason", "tokens", *counters])
        documents, kept = documents + table.num_rows, kept + (pc.sum(table["kept"]).as_py() or 0)
        tokens += pc.sum(table.filter(table["kept"])["tokens"]).as_py() or 0
        reasons.update(table["reason"].drop_null().to_pylist())
        verdicts.update(_verdicts(pool, table["reason"]))
        for source, counts in lost_to_passages(pool, clean):
            by_source[source] = by_source.get(source, PassageCounts()) + counts
        for name in counters:
            numbers = table[name].to_numpy()
            signals[name] += int(numbers[numbers > 0].sum())
        refused = pc.fill_null(pc.equal(table["reason"], "license"), False)
        if pc.any(refused).as_py():
            column = storage.read_parquet(pool, columns=["license"])["license"].filter(refused)
            licenses.update(column.to_pylist())
    losses = {source: (counts.removed, counts.left) for source, counts in by_source.items()}
    template_of = partial(template, workspace)
    private = {name.removeprefix("privacy:"): signals[name] for name in PRIVATE if signals[name]}
    return CleanResult(
        documents=documents,
        measured=measured,
        kept=kept,
        tokens=tokens,
        reasons=dict(reasons.most_common()),
        licenses=dict(licenses.most_common()),
        privacy=private,
        differing_languages=signals[DIFFERS],
        passages=by_source,
        searched=searched,
        warnings=tuple(doubts(verdicts, signals[DIFFERS], losses, template_of, searched)),
    )


def _verdicts(pool: Path, reasons: pa.ChunkedArray) -> Counter[tuple[str, str]]:
    """The documents of a shard by source and reason; that of kept ones is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sources = storage.read_parquet(pool, columns=["source"])["source"]
    pairs = pa.table({"source": sources, "reason": pc.fill_null(reasons, "")})
    counts = pairs.group_by(["source", "reason"]).aggregate([([], "count_all")])
    rows = zip(*(counts[name].to_pylist() for name in counts.column_names), strict=True)
    return Counter({(source, reason): number for source, reason, number in rows})


def _scratch(spec: CleanSpec) -> int:
    """Bytes of disk a document that the search for near-duplicates needs for a time."""
    near = 1400 if spec.near_duplicates is not None else 0
    near += 3500 if spec.near_media is not None else 0
    return near + (3000 if spec.passages is not None else 0)


def _pairs(spec: CleanSpec) -> int:
    """Bytes of memory a document, if each is in one pair of near-duplicates."""
    return 70 * ((spec.near_duplicates is not None) + (spec.near_media is not None))


STAGE = Stage(
    name="clean",
    spec=CleanSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=(
        "curate clean --rules length --near-duplicates 0.7 --languages en --languages zh",
        "curate clean --explain length:words --what-if length:words.min=10,20",
    ),
    inputs=inputs,
    bulk=True,
    cost=Cost(run, writes="clean", scratch=_scratch, grows=_pairs),
)
