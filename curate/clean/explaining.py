"""Show what a limit does: documents on both sides of it, and what other limits would keep.

Both read the table clean and write nothing. Excerpts are of the edited text, so no masked value is
shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Literal

from curate.clean.deciding import JUDGED_IN, ByLanguage, decide, outside, rows_by_language
from curate.clean.instruments import registry
from curate.clean.passages.applying import REASON as PASSAGES
from curate.clean.rules.signals import Range
from curate.clean.spec import CleanSpec
from curate.clean.verdicts import limits_by_language, limits_of, measurements
from curate.errors import RecipeError
from curate.names import unknown
from curate.storage import read_parquet
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
"""Shares of documents to drop, for a wish that names no value."""


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
    """What some limits keep of a source; the source `all` is all of them together.

    `documents`, `kept` and `change` count documents; `change` is against the limits in force.
    `tokens` are those of the documents kept. Near-duplicates and passages are not settled again.
    """

    limits: str
    source: str
    documents: int
    kept: int
    tokens: int
    change: int


# ── examples


def explain(workspace: Workspace, name: str, *, each_side: int = EACH_SIDE) -> list[Example]:
    """The documents nearest to the limits of `rule` or `rule:signal`, on both sides.

    Limit by limit, in the order of the verdict. Those that pass come first, the nearest first.
    Raises RecipeError where nothing was measured under that name.
    """
    spec = _made_with(workspace)
    limits, by_language = _limits_named(spec, name), limits_by_language(spec)
    nearest: dict[tuple[str, str, bool], list[tuple[float, int, int, float]]] = defaultdict(list)
    for number, path in enumerate(workspace.tables.shards("clean")):
        for key, rows in _nearest(path, number, limits, each_side, by_language).items():
            nearest[key] = nsmallest(each_side, [*nearest[key], *rows])
    places = {(shard, row) for rows in nearest.values() for _, shard, row, _ in rows}
    texts = _excerpts(workspace, places)
    return [
        Example(signal, limit, "fails" if failed else "passes", value, *texts[number, row])
        for (signal, limit, failed), rows in nearest.items()
        for _, number, row, value in rows
    ]


def _limits_named(spec: CleanSpec, name: str) -> dict[str, Range]:
    """The limits of the rule set or of the signal `name`. Raises RecipeError if there are none."""
    limits = limits_of(spec)
    matching = {
        signal: bounds
        for signal, bounds in limits.items()
        if name in (signal, signal.split(":")[0])
    }
    if not matching:
        names = (*limits, *dict.fromkeys(signal.split(":")[0] for signal in limits))
        raise unknown(f"nothing was measured under the name {name}", name, names)
    return matching


def _nearest(
    path: Path,
    number: int,
    limits: Mapping[str, Range],
    most: int,
    by_language: ByLanguage,
) -> dict[tuple[str, str, bool], list[tuple[float, int, int, float]]]:
    """The rows of a shard nearest to each limit, by (signal, limit, whether they fail).

    A row is (distance, shard, row, value).
    """
    import numpy as np
    import pyarrow.parquet as pq

    judged = [name for name in (JUDGED_IN,) if name in pq.read_schema(path).names]
    table = read_parquet(path, columns=[*limits, *judged])
    nearest = {}
    for signal, word, bound, where, among in bounds_of(table, limits, by_language):
        values = table[signal].to_numpy()
        failed = outside(values, (bound, None) if word == "min" else (None, bound))
        for fails in (False, True):
            rows = np.flatnonzero((failed == fails) & ~np.isnan(values) & among)
            distance = np.abs(values[rows] - bound)
            order = np.argsort(distance, kind="stable")[:most]
            nearest[signal, f"{word} {bound:g}{where}", fails] = [
                (float(distance[at]), number, int(rows[at]), float(values[rows[at]]))
                for at in order
            ]
    return nearest


def bounds_of(
    table: pa.Table, limits: Mapping[str, Range], by_language: ByLanguage
) -> Iterator[tuple[str, str, float, str, NDArray[np.bool_]]]:
    """Yield each bound: signal, `min` or `max`, value, the language it is for, and its rows."""
    import numpy as np

    for signal, bounds in limits.items():
        others = by_language.get(signal, {})
        rest = np.ones(table.num_rows, bool)
        groups = []
        for language, rows in rows_by_language(table, others).items():
            among = np.zeros(table.num_rows, bool)
            among[rows] = True
            rest &= ~among
            groups.append((f" in {language}", others[language], among))
        for where, own, among in [("", bounds, rest), *groups]:
            for word, bound in zip(("min", "max"), own, strict=True):
                if bound is not None:
                    yield signal, word, bound, where, among


def _excerpts(
    workspace: Workspace, places: set[tuple[int, int]]
) -> dict[tuple[int, int], tuple[str, str, str]]:
    """The (source, id, excerpt) of documents, by (shard, row)."""
    excerpts = {}
    pools, cleans = workspace.tables.shards("pool"), workspace.tables.shards("clean")
    for number in sorted({shard for shard, _ in places}):
        rows = [row for shard, row in sorted(places) if shard == number]
        pool = read_parquet(pools[number], columns=["source", "id", "text"]).take(rows)
        column = read_parquet(cleans[number], columns=["edits"])["edits"].take(rows).to_pylist()
        for row, document, edits in zip(rows, pool.to_pylist(), column, strict=True):
            text = apply_edits(document["text"], (tuple(edit.values()) for edit in edits or ()))
            excerpts[number, row] = (document["source"], document["id"], excerpt(text))
    return excerpts


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    beginning = " ".join(text[: 4 * EXCERPT].split())
    return beginning if len(beginning) <= EXCERPT else f"{beginning[:EXCERPT]}…"


# ── other limits


def what_if(workspace: Workspace, wishes: Sequence[str]) -> list[Outcome]:
    """What other limits would keep, by source, beside the limits in force.

    A wish is `rule:signal.min=30` or `.max=…`; commas separate several values. Without a value
    (`rule:signal.min`) it is for limits that drop the shares `STEPS`. Every limit is tried alone.
    Several wishes of one value each are also tried together. Raises RecipeError where a wish is no
    limit, or its signal was not measured.
    """
    spec = _made_with(workspace)
    limits = limits_of(spec)
    by_language = limits_by_language(spec)
    changes = [_parsed(workspace, wish, limits) for wish in wishes]
    as_it_is: Case = (limits, by_language)
    cases = {"as it is": as_it_is}
    for signal, word, values in changes:
        for value in values:
            cases[f"{signal}.{word}={value:g}"] = _with(as_it_is, signal, word, value)
    if len(changes) > 1 and all(len(values) == 1 for _, _, values in changes):
        together = as_it_is
        for signal, word, values in changes:
            together = _with(together, signal, word, values[0])
        cases["all together"] = together
    return _outcomes(workspace, spec, cases)


_WISH = re.compile(r"(?P<signal>[\w]+:[\w]+)\.(?P<word>min|max)(?:=(?P<values>.+))?")


def _parsed(
    workspace: Workspace, wish: str, limits: Mapping[str, Range]
) -> tuple[str, str, list[float]]:
    """The signal, `min` or `max`, and the values that a wish names. Raises RecipeError."""
    match = _WISH.fullmatch(wish.strip())
    if not match:
        raise RecipeError(
            f"--what-if {wish}: not a limit", hint="write it as in gopher_quality:words.min=30"
        )
    signal, word, values = match.groups()
    if signal not in limits:
        raise unknown(
            f"--what-if {wish}: nothing was measured under the name {signal}", signal, limits
        )
    if values is None:
        return signal, word, _steps(workspace, signal, word)
    try:
        return signal, word, [float(value) for value in values.split(",")]
    except ValueError:
        raise RecipeError(f"--what-if {wish}: {values} is not a number") from None


def _steps(workspace: Workspace, signal: str, word: str) -> list[float]:
    """The limits that would drop the shares `STEPS`, to three digits."""
    import numpy as np

    values = workspace.tables.read("clean", [signal])[signal].to_numpy()
    shares = STEPS if word == "min" else [1 - share for share in STEPS]
    quantiles = np.nanquantile(values, shares) if np.isfinite(values).any() else np.zeros(0)
    return sorted({float(f"{value:.3g}") for value in quantiles})


Case = tuple[Mapping[str, Range], ByLanguage]
"""Limits that are tried: by signal, and those of languages with others."""


def _with(case: Case, signal: str, word: str, value: float) -> Case:
    """A case with another limit, in every language."""

    def moved(bounds: Range) -> Range:
        return (value, bounds[1]) if word == "min" else (bounds[0], value)

    limits, by_language = case
    own = {language: moved(bounds) for language, bounds in by_language.get(signal, {}).items()}
    return {**limits, signal: moved(limits[signal])}, {**by_language, signal: own}


def _outcomes(workspace: Workspace, spec: CleanSpec, cases: Mapping[str, Case]) -> list[Outcome]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    shards = workspace.tables.shards("clean")
    instruments = registry.deciding(spec, shards)
    totals: dict[tuple[str, str], NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, np.int64))
    for pool, clean in zip(workspace.tables.shards("pool"), shards, strict=True):
        table = measurements(pool, clean)
        stored = read_parquet(clean, columns=["reason"])["reason"]
        settled = pc.is_in(stored, pa.array(["near_duplicate", PASSAGES])).to_numpy()
        for case, (limits, by_language) in cases.items():
            reasons = decide(
                table,
                rules=spec.rules,
                limits=limits,
                instruments=instruments,
                by_language=by_language,
            )
            kept = reasons.is_null().to_numpy(zero_copy_only=False) & ~settled
            for source, counts in _counts(table, kept):
                totals[case, "all"] += counts
                totals[case, source] += counts
    sources = dict.fromkeys(source for _, source in totals)
    base = {source: int(totals["as it is", source][1]) for source in sources}
    several = len(sources) > 2
    outcomes = []
    for case in cases:
        for source in sources if several else ("all",):
            documents, kept, tokens = totals[case, source].tolist()
            outcomes.append(Outcome(case, source, documents, kept, tokens, kept - base[source]))
    return outcomes


def _counts(table: pa.Table, kept: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each source of a shard with [documents, documents kept, tokens of those kept]."""
    import numpy as np

    sources = table["source"].combine_chunks().dictionary_encode()
    names, codes = sources.dictionary.to_pylist(), sources.indices.to_numpy()
    weights = (np.ones(len(kept)), kept, kept * table["tokens"].to_numpy())
    columns = [np.bincount(codes, weight, len(names)).astype(np.int64) for weight in weights]
    yield from zip(names, np.column_stack(columns), strict=True)


def _made_with(workspace: Workspace) -> CleanSpec:
    """The settings that the table clean was made with."""
    return CleanSpec.model_validate(workspace.tables.made("clean").spec)
