"""Give every document a verdict and a reason; the text itself is never changed.

    pool ──clean──▶ clean

Signals are stored, verdicts derive from them: every rule measures numbers and states the range in
which a document passes, so a limit can change without measuring again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from curate import storage, tables
from curate.clean import gopher_repetition, length
from curate.clean.duplicates import Near, near_duplicates, signatures
from curate.errors import RecipeError
from curate.spec import Spec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

READS = ("pool",)
WRITES = ("clean",)

Measure = Callable[[str], Mapping[str, float]]
Range = tuple[float | None, float | None]
RuleName = Literal["length", "gopher_repetition"]

RULES: dict[str, tuple[Measure, Mapping[str, Range]]] = {
    "length": (length.measure, length.LIMITS),
    "gopher_repetition": (gopher_repetition.measure, gopher_repetition.LIMITS),
}


class Limit(Spec):
    """The range of a signal in which a document passes; null is open."""

    min: Annotated[float | None, Field(description="Smallest value that passes.")] = None
    max: Annotated[float | None, Field(description="Largest value that passes.")] = None


class CleanSpec(Spec):
    """What is measured, and what is decided from it."""

    rules: Annotated[tuple[RuleName, ...], Field(description="Rule sets, in order.")] = ("length",)
    limits: dict[str, Limit] = Field(
        default_factory=dict, description="Other limits, as in `length:words: {min: 5}`."
    )
    near_duplicates: Annotated[
        float | None, Field(gt=0, le=1, description="Jaccard similarity from which one goes.")
    ] = None


@dataclass(frozen=True)
class CleanResult:
    """How many documents go on, and why the others do not."""

    documents: int
    kept: int
    tokens: int
    reasons: dict[str, int]


def run(workspace: Workspace, spec: CleanSpec) -> CleanResult:
    """Measure every document, then settle the near-duplicates among those that pass."""
    limits = limits_of(spec)
    inputs = workspace.inputs(READS)
    made = workspace.provenance("clean", spec, inputs)
    shards = workspace.shards("pool")
    with workspace.building("clean", made) as folder:
        measured = folder / "_measured"
        measured.mkdir(exist_ok=True)
        with workspace.watch("measuring", workspace.rows("pool")) as advance:
            work = partial(judge, rules=spec.rules, limits=limits, sign=bool(spec.near_duplicates))
            workspace.engine.map(work, shards, measured, advance)
        near = _near(workspace, measured, spec.near_duplicates)
        for path in storage.shards(measured):
            storage.write_parquet(folder / path.name, _settled(path, near))
        shutil.rmtree(measured)
    return _result(workspace)


def limits_of(spec: CleanSpec) -> dict[str, Range]:
    """Return the range of every signal of the chosen rules, as the rules and the recipe say."""
    limits = {name: limit for rule in spec.rules for name, limit in RULES[rule][1].items()}
    for name, limit in spec.limits.items():
        if name not in limits:
            raise RecipeError(
                f"clean.limits: no signal {name} in the chosen rules",
                hint=f"there are: {', '.join(limits)}",
            )
        limits[name] = (limit.min, limit.max)
    return limits


def verdict(signals: Mapping[str, float], limits: Mapping[str, Range]) -> str | None:
    """Return the first signal, in the order of `limits`, outside its range; None passes."""
    for name, (low, high) in limits.items():
        value = signals[name]
        if (low is not None and value < low) or (high is not None and value > high):
            return name
    return None


def judge(
    pool: pa.Table, *, rules: Iterable[str], limits: Mapping[str, Range], sign: bool
) -> pa.Table:
    """Return the verdicts and signals of one shard; pure.

    With `sign`, the column `_signature` holds MinHash signatures, null where a rule failed.
    """
    import pyarrow as pa

    texts = pool["text"].to_pylist()
    measures = [RULES[rule][0] for rule in rules]
    signals = [{k: v for measure in measures for k, v in measure(text).items()} for text in texts]
    reasons = [verdict(each, limits) for each in signals]
    columns = {name: pool[name] for name in ("id", "tokens")}
    columns["reason"] = pa.chunked_array([pa.array(reasons, pa.string())])
    table = pa.table(columns)
    for name in limits:
        values = pa.array([each[name] for each in signals], pa.float32())
        table = table.append_column(name, values)
    if sign:
        passed = [None if reason else text for text, reason in zip(texts, reasons, strict=True)]
        table = table.append_column("_signature", pa.array(signatures(passed), pa.binary()))
    return table


def _near(workspace: Workspace, measured: Path, threshold: float | None) -> dict[str, Near]:
    if threshold is None:
        return {}
    import pyarrow as pa
    import pyarrow.parquet as pq

    marks = [pq.read_table(path, columns=["_signature"]) for path in storage.shards(measured)]
    pool = workspace.read("pool", ["id", "source", "batch"]).to_pandas()
    pool["signature"] = pa.concat_tables(marks)["_signature"].to_pylist()
    pool["source"] = pool["source"].map(workspace.made("pool").facts["sources"].index)
    ordered = pool[pool["signature"].notna()].sort_values(["batch", "source", "id"])
    ids, signed = ordered["id"].tolist(), ordered["signature"].tolist()
    return near_duplicates(ids, signed, partial(_texts, workspace), threshold)


def _texts(workspace: Workspace, ids: set[str]) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, str] = {}
    for path in workspace.shards("pool"):
        table = pq.read_table(path, columns=["id", "text"])
        chosen = table.filter(pc.is_in(table["id"], wanted))
        found.update(zip(*(chosen[name].to_pylist() for name in ("id", "text")), strict=True))
    return found


def _settled(measured: Path, near: Mapping[str, Near]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(measured)
    twins = [near.get(id) for id in table["id"].to_pylist()]
    reasons = [
        "near_duplicate" if twin else reason
        for twin, reason in zip(twins, table["reason"].to_pylist(), strict=True)
    ]
    settled = {
        "id": table["id"],
        "kept": [reason is None for reason in reasons],
        "reason": reasons,
        "duplicate_of": [twin and twin.kept for twin in twins],
        "similarity": [twin and twin.similarity for twin in twins],
        "edits": [None] * len(reasons),
        "tokens": table["tokens"],
    }
    result = pa.table(settled, schema=tables.schema("clean"))
    for name in table.column_names:
        if ":" in name:
            result = result.append_column(name, table[name])
    return result


def _result(workspace: Workspace) -> CleanResult:
    clean = workspace.read("clean", ["kept", "reason", "tokens"])
    reasons = Counter(reason for reason in clean["reason"].to_pylist() if reason)
    kept = clean.filter(clean["kept"])
    tokens = sum(kept["tokens"].to_pylist())
    return CleanResult(clean.num_rows, kept.num_rows, tokens, dict(reasons.most_common()))
