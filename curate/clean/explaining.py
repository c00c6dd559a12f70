"""Show what a limit does: documents on both sides of it, and what other limits would keep.

Both read what the table clean holds, and write nothing. Excerpts are of the edited text, so that
no masked value is shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Literal

from curate.clean.deciding import decide, outside
from curate.clean.instruments import registry
from curate.clean.rules.signals import Range
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import limits_of, measurements
from curate.errors import RecipeError
from curate.text import apply_edits
from curate.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

EACH_SIDE = 3
EXCERPT = 160
"""Characters shown of a text."""

STEPS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)
"""Shares of the documents that a limit would drop, where none is named."""


@dataclass(frozen=True)
class Example:
    """A document near a limit."""

    signal: str
    limit: str
    side: Literal["passes", "fails"]
    value: float
    source: str
    id: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What limits keep of a source, `all` being every one of them.

    Near-duplicates count as they are now: which of them a document yields to is not settled again.
    """

    limits: str
    source: str
    documents: int
    kept: int
    tokens: int
    change: int


# ── examples


def explain(workspace: Workspace, name: str, *, each_side: int = EACH_SIDE) -> list[Example]:
    """Return the documents nearest to the limits of `rule` or `rule:signal`, on both sides.

    Limit by limit, in the order of the verdict; those that pass first, the nearest first.
    """
    limits = _chosen(_made_with(workspace), name)
    found: dict[tuple[str, str, bool], list[tuple[float, int, int, float]]] = defaultdict(list)
    for number, path in enumerate(workspace.shards("clean")):
        for key, near in _nearest(path, number, limits, each_side).items():
            found[key] = nsmallest(each_side, [*found[key], *near])
    texts = _excerpts(workspace, {(at[1], at[2]) for near in found.values() for at in near})
    return [
        Example(signal, limit, "fails" if failed else "passes", value, *texts[number, row])
        for (signal, limit, failed), near in found.items()
        for _, number, row, value in near
    ]


def _chosen(spec: CleanSpec, name: str) -> dict[str, Range]:
    limits = limits_of(spec)
    chosen = {key: range for key, range in limits.items() if name in (key, key.split(":")[0])}
    if not chosen:
        raise RecipeError(
            f"nothing was measured under the name {name}",
            hint=f"there are: {', '.join(limits) or 'no rules'}; `curate clean --rules` adds a set",
        )
    return chosen


def _nearest(
    path: Path, number: int, limits: Mapping[str, Range], most: int
) -> dict[tuple[str, str, bool], list[tuple[float, int, int, float]]]:
    """Return, by signal, limit and side, the rows of a shard with the smallest distances."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(limits))
    found = {}
    for signal, bounds in limits.items():
        values = table[signal].to_numpy()
        for word, bound in zip(("min", "max"), bounds, strict=True):
            if bound is None:
                continue
            failed = outside(values, (bound, None) if word == "min" else (None, bound))
            for side in (False, True):
                rows = np.flatnonzero((failed == side) & ~np.isnan(values))
                distance = np.abs(values[rows] - bound)
                order = np.argsort(distance, kind="stable")[:most]
                found[signal, f"{word} {bound:g}", side] = [
                    (float(distance[at]), number, int(rows[at]), float(values[rows[at]]))
                    for at in order
                ]
    return found


def _excerpts(
    workspace: Workspace, wanted: set[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str, str]]:
    """Return source, id and excerpt of rows, by shard and row."""
    import pyarrow.parquet as pq

    found = {}
    pools, cleans = workspace.shards("pool"), workspace.shards("clean")
    for number in sorted({shard for shard, _ in wanted}):
        rows = [row for shard, row in sorted(wanted) if shard == number]
        pool = pq.read_table(pools[number], columns=["source", "id", "text"]).take(rows)
        edits = pq.read_table(cleans[number], columns=["edits"])["edits"].take(rows).to_pylist()
        for row, document, each in zip(rows, pool.to_pylist(), edits, strict=True):
            text = apply_edits(document["text"], (tuple(edit.values()) for edit in each or ()))
            found[number, row] = (document["source"], document["id"], excerpt(text))
    return found


def excerpt(text: str) -> str:
    """Return how a text begins, on one line."""
    begin = " ".join(text[: 4 * EXCERPT].split())
    return begin if len(begin) <= EXCERPT else f"{begin[:EXCERPT]}…"


# ── other limits


def what_if(workspace: Workspace, wishes: Sequence[str]) -> list[Outcome]:
    """Return what other limits would keep, by source, beside those in force.

    A wish is `rule:signal.min=30` or `.max=…`, several values apart by commas; without a value,
    `rule:signal.min`, limits that drop some shares of the documents. Each is looked at alone, and,
    where several wishes have one value each, all together.
    """
    spec = _made_with(workspace)
    limits = limits_of(spec)
    asked = [_parsed(workspace, wish, limits) for wish in wishes]
    cases: dict[str, dict[str, Range]] = {"as it is": limits}
    for signal, word, values in asked:
        for value in values:
            cases[f"{signal}.{word}={value:g}"] = _with(limits, signal, word, value)
    if len(asked) > 1 and all(len(values) == 1 for _, _, values in asked):
        together = limits
        for signal, word, values in asked:
            together = _with(together, signal, word, values[0])
        cases["all together"] = together
    return _outcomes(workspace, spec, cases)


_WISH = re.compile(r"(?P<signal>[\w]+:[\w]+)\.(?P<word>min|max)(?:=(?P<values>.+))?")


def _parsed(
    workspace: Workspace, wish: str, limits: Mapping[str, Range]
) -> tuple[str, str, list[float]]:
    found = _WISH.fullmatch(wish.strip())
    if not found:
        raise RecipeError(
            f"--what-if {wish}: not a limit", hint="write it as in gopher_quality:words.min=30"
        )
    signal, word, values = found.groups()
    if signal not in limits:
        raise RecipeError(
            f"--what-if {wish}: nothing was measured under the name {signal}",
            hint=f"there are: {', '.join(limits) or 'no rules'}",
        )
    if values is None:
        return signal, word, _steps(workspace, signal, word)
    try:
        return signal, word, [float(value) for value in values.split(",")]
    except ValueError:
        raise RecipeError(f"--what-if {wish}: {values} is not a number") from None


def _steps(workspace: Workspace, signal: str, word: str) -> list[float]:
    import numpy as np

    values = workspace.read("clean", [signal])[signal].to_numpy()
    shares = STEPS if word == "min" else [1 - share for share in STEPS]
    found = np.nanquantile(values, shares) if np.isfinite(values).any() else np.zeros(0)
    return sorted({float(f"{value:.3g}") for value in found})


def _with(limits: Mapping[str, Range], signal: str, word: str, value: float) -> dict[str, Range]:
    low, high = limits[signal]
    return {**limits, signal: (value, high) if word == "min" else (low, value)}


def _outcomes(
    workspace: Workspace, spec: CleanSpec, cases: Mapping[str, Mapping[str, Range]]
) -> list[Outcome]:
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    shards = workspace.shards("clean")
    chosen = registry.deciding(spec, shards)
    totals: dict[tuple[str, str], NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, np.int64))
    for pool, clean in zip(workspace.shards("pool"), shards, strict=True):
        table = measurements(pool, clean)
        reasons = pq.read_table(clean, columns=["reason"])["reason"]
        twins = pc.fill_null(pc.equal(reasons, "near_duplicate"), False).to_numpy()
        for case, limits in cases.items():
            again = decide(table, rules=spec.rules, limits=limits, instruments=chosen)
            kept = again.is_null().to_numpy(zero_copy_only=False) & ~twins
            for source, counted in _counted(table, kept):
                totals[case, "all"] += counted
                totals[case, source] += counted
    sources = dict.fromkeys(source for _, source in totals)
    base = {source: int(totals["as it is", source][1]) for source in sources}
    several = len(sources) > 2
    found = []
    for case in cases:
        for source in sources if several else ("all",):
            documents, kept, tokens = totals[case, source].tolist()
            found.append(Outcome(case, source, documents, kept, tokens, kept - base[source]))
    return found


def _counted(table: pa.Table, kept: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each source of a shard with its documents, those kept, and their tokens."""
    import numpy as np

    sources = table["source"].combine_chunks().dictionary_encode()
    names, codes = sources.dictionary.to_pylist(), sources.indices.to_numpy()
    weights = (np.ones(len(kept)), kept, kept * table["tokens"].to_numpy())
    counted = [np.bincount(codes, each, len(names)).astype(np.int64) for each in weights]
    yield from zip(names, np.column_stack(counted), strict=True)


def _made_with(workspace: Workspace) -> CleanSpec:
    """Return the settings that the table clean was made with."""
    return CleanSpec.model_validate(workspace.made("clean").spec)
