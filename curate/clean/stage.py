"""Give every document a verdict and a reason; the text itself is never changed.

    pool ──clean──▶ clean

Four steps, each in a module of its own: *measure* every document (signals, edits, signatures),
*decide* from what was measured and the limits, settle the *near-duplicates* among what passed, and
write. Signals are stored and verdicts derive from them: where nothing that is measured has changed,
another limit decides again without reading a text.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass

from curate import storage
from curate.clean.duplicates import older
from curate.clean.instruments.language import DIFFERS
from curate.clean.instruments.privacy.instrument import SIGNALS as PRIVATE
from curate.clean.planning import measure_shards, measured_before, plan_of, record_of
from curate.clean.rules.registry import named
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import decide_shards, limits_of, near
from curate.clean.writing import write
from curate.workspace import Workspace

READS = ("pool",)
WRITES = ("clean",)


@dataclass(frozen=True)
class CleanResult:
    """How many documents go on, and why the others do not.

    `measured` counts the documents that were read to be measured: none where only limits changed.
    `licenses` counts the documents that a licence dropped, by licence, `privacy` what is private,
    by kind, and `differing_languages` the documents whose declared language is not the detected.
    """

    documents: int
    measured: int
    kept: int
    tokens: int
    reasons: dict[str, int]
    licenses: dict[str, int]
    privacy: dict[str, int]
    differing_languages: int


def inputs(workspace: Workspace, spec: CleanSpec) -> dict[str, str | None]:
    """Return the digests of the pool, of older corpora, and of the files it is compared with."""
    found = workspace.inputs(READS)
    compared = [each.path for each in (spec.contamination.sets if spec.contamination else ())]
    compared += [each.path for each in (spec.relevance.target if spec.relevance else ())]
    compared += [spec.c4.bad_words] if spec.c4.bad_words and "c4" in named(spec.rules) else []
    if compared:
        paths = [workspace.path(each) for each in compared]
        marks = [storage.file_digest(path) if path.is_file() else None for path in paths]
        found["compared"] = storage.digest(marks)
    if spec.against:
        found["against"] = older.digest(older.pieces(workspace.root, spec.against))
    return found


def run(workspace: Workspace, spec: CleanSpec) -> CleanResult:
    """Measure what is not measured yet, decide, settle near-duplicates, write."""
    limits = limits_of(spec)
    plan = plan_of(workspace, spec)
    record = record_of(workspace, plan)
    made = workspace.provenance("clean", spec, inputs(workspace, spec), measured=record)
    before = measured_before(workspace, record)
    with workspace.building("clean", made) as folder:
        measured = before or measure_shards(workspace, plan, folder / "_measured")
        reasons = decide_shards(workspace, spec, limits, measured, folder / "_reasons")
        gone = near(workspace, spec, measured, reasons, folder / "near")
        write(workspace, folder, measured, reasons, gone)
        for scaffold in ("_measured", "_reasons", "near"):
            shutil.rmtree(folder / scaffold, ignore_errors=True)
    return _result(workspace, 0 if before else workspace.rows("pool"))


def _result(workspace: Workspace, measured: int) -> CleanResult:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    reasons: Counter[str] = Counter()
    licenses: Counter[str] = Counter()
    signals: Counter[str] = Counter()
    documents = kept = tokens = 0
    for pool, clean in zip(workspace.shards("pool"), workspace.shards("clean"), strict=True):
        names = pq.read_schema(clean).names
        summed = [name for name in names if name in (DIFFERS, *PRIVATE)]
        table = pq.read_table(clean, columns=["kept", "reason", "tokens", *summed])
        documents, kept = documents + table.num_rows, kept + (pc.sum(table["kept"]).as_py() or 0)
        tokens += pc.sum(table.filter(table["kept"])["tokens"]).as_py() or 0
        reasons.update(table["reason"].drop_null().to_pylist())
        for name in summed:
            numbers = table[name].to_numpy()
            signals[name] += int(numbers[numbers > 0].sum())
        refused = pc.fill_null(pc.equal(table["reason"], "license"), False)
        if pc.any(refused).as_py():
            found = pq.read_table(pool, columns=["license"])["license"].filter(refused)
            licenses.update(found.to_pylist())
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
    )
