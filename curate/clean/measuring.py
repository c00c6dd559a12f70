"""Measure a shard of the pool: signals, edits, the tokens of the edited text, signatures.

Nothing here knows of thresholds: what was measured serves every verdict.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import tables, tokens
from curate.clean.duplicates.near import signatures
from curate.clean.edits import Batch, home, merged
from curate.clean.instruments.registry import INSTRUMENTS
from curate.clean.rules.features import Features, tidy
from curate.clean.rules.registry import RULES, Rule, RuleName, Rules, columns, rows_by_rules
from curate.text import Edit, apply_edits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SIGNATURE = "_signature"


@dataclass(frozen=True)
class Plan:
    """Everything that what is measured depends on, but for the pool; small and picklable.

    `rules` and `instruments` hold what each has prepared: instruments measure in this order, rule
    sets in the order in which `chosen` names them for a source. `signed` asks for the MinHash
    signatures of near-duplicates.
    """

    rules: tuple[tuple[RuleName, Any], ...]
    chosen: Rules
    instruments: tuple[tuple[str, Any], ...]
    tokenizer: str
    signed: bool


def measure(pool: pa.Table, *, plan: Plan) -> pa.Table:
    """Return what `plan` asks of one shard of the pool; pure.

    The columns are id, source, license, language and batch as in pool, edits and tokens as in
    clean, the signals, what the instruments measured, and the signatures if they are asked for.
    """
    import pyarrow as pa

    batch = Batch(pool)
    found = rule_signals(batch, dict(plan.rules), plan.chosen)
    for name, prepared in plan.instruments:
        found.update(INSTRUMENTS[name].measure(batch, prepared))
    if plan.signed:
        found[SIGNATURE] = pa.array(signatures(batch.edited), pa.binary())
    edits = [[dict(zip(_EDIT, edit, strict=True)) for edit in each] for each in batch.edits]
    kept = {name: pool[name] for name in KEPT}
    shape = tables.schema("clean", "edits").field("edits").type
    kept["edits"] = pa.array([each or None for each in edits], shape)
    kept["tokens"] = pa.array(_tokens(batch, plan.tokenizer), pa.int64())
    return pa.table({**kept, **found})


KEPT = ("id", "source", "license", "language", "batch")
_EDIT = ("start", "end", "replacement")


AT_ONCE = 512
"""Texts whose words are held at a time."""


def rule_signals(
    batch: Batch, prepared: Mapping[RuleName, Any], chosen: Rules
) -> dict[str, pa.Array]:
    """Return the columns of the rule sets; those that remove lines edit the batch.

    The sets of a source run in order: one sees each text without what those before it have removed.
    What a document's source does not have is null.
    """
    import numpy as np
    import pyarrow as pa

    places = {name: at for at, name in enumerate(columns(prepared))}
    whole = np.full((len(batch.texts), len(places)), np.nan, np.float32)
    absent = np.ones(whole.shape, bool)
    for names, rows in rows_by_rules(chosen, batch.pool["source"].to_pylist()).items():
        ours = [places[name] for name in columns(names)]
        sets = [(RULES[name], prepared[name]) for name in names]
        for start in range(0, len(rows) if sets else 0, AT_ONCE):
            some = rows[start : start + AT_ONCE]
            values, edits = measured([batch.texts[row] for row in some], sets)
            whole[np.ix_(some, ours)] = values
            absent[np.ix_(some, ours)] = False
            for row, each in zip(some, edits, strict=True):
                if each:
                    batch.edit(row, each)
    return {name: pa.array(whole[:, at], mask=absent[:, at]) for name, at in places.items()}


def measured(
    texts: Sequence[str], rules: Iterable[tuple[Rule, Any]]
) -> tuple[NDArray[np.float64], list[list[Edit]]]:
    """Return the signals of some texts, rule set by rule set, and what is removed from each."""
    tidy()
    with _uncollected():
        return _measured([Features(text) for text in texts], texts, rules)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Do without Python's search for circles: words by the million hold none, and it takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _measured(
    batch: list[Features], texts: Sequence[str], rules: Iterable[tuple[Rule, Any]]
) -> tuple[NDArray[np.float64], list[list[Edit]]]:
    import numpy as np

    edits: list[list[Edit]] = [[] for _ in texts]
    blocks = [np.empty((len(texts), 0))]
    for rule, prepared in rules:
        block = np.full((len(texts), len(rule.signals)), np.nan)
        ours = [at for at, each in enumerate(batch) if rule.fits(each)]
        if ours:
            block[ours], removed = rule.measure([batch[at] for at in ours], prepared)
            for at, each in zip(ours, removed, strict=True):
                if each:
                    edits[at] = merged(edits[at], home(each, edits[at]))
                    batch[at] = Features(apply_edits(texts[at], edits[at]))
        blocks.append(block)
    return np.hstack(blocks), edits


def _tokens(batch: Batch, tokenizer: str) -> list[int]:
    count = tokens.counter(tokenizer) if any(batch.edits) else len
    known = batch.pool["tokens"].to_pylist()
    rows = zip(batch.edits, batch.edited, known, strict=True)
    return [count(text) if edits else stated for edits, text, stated in rows]
