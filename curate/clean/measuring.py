"""Measure a shard of the pool: signals, edits, the tokens of the edited text, signatures.

Thresholds play no part here, so one measurement serves every verdict.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import tables, tokens
from curate.clean.duplicates.near import signatures
from curate.clean.duplicates.units import compared, joined
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
POOL_COLUMNS = ("id", "source", "license", "language", "batch")

AT_ONCE = 512
"""Texts whose words are in memory at a time."""

_EDIT = ("start", "end", "replacement")


@dataclass(frozen=True)
class Plan:
    """Everything that the measurements depend on besides the pool; small and picklable.

    `rules` and `instruments` hold what each has prepared. Instruments measure in this order, rule
    sets in the order that `chosen` names for a source. `signed` asks for the MinHash signatures of
    near-duplicates; of these, `fields` are compared, or the whole text. `language` is the one in
    which rule sets judge every document; None: its own.
    """

    rules: tuple[tuple[RuleName, Any], ...]
    chosen: Rules
    instruments: tuple[tuple[str, Any], ...]
    tokenizer: str
    signed: bool
    fields: tuple[str, ...] = ()
    language: str | None = None


def measure(pool: pa.Table, *, plan: Plan) -> pa.Table:
    """The measurements that `plan` asks of one shard of the pool; pure.

    The columns are id, source, license, language and batch as in pool, edits, tokens and
    rules_language as in clean, the signals, the columns of the instruments, and the signatures if
    asked for.
    """
    import pyarrow as pa

    batch = Batch(pool)
    measurements = rule_signals(batch, dict(plan.rules), plan.chosen, plan.language)
    for name, prepared in plan.instruments:
        measurements.update(INSTRUMENTS[name].measure(batch, prepared))
    if plan.signed:
        measurements[SIGNATURE] = pa.array(signatures(_compared(batch, plan.fields)), pa.binary())
    records = [[dict(zip(_EDIT, edit, strict=True)) for edit in edits] for edits in batch.edits]
    documents = {name: pool[name] for name in POOL_COLUMNS}
    edits_type = tables.schema("clean", "edits").field("edits").type
    documents["edits"] = pa.array([edits or None for edits in records], edits_type)
    documents["tokens"] = pa.array(_tokens(batch, plan.tokenizer), pa.int64())
    return pa.table({**documents, **measurements})


def _compared(batch: Batch, fields: Sequence[str]) -> list[str]:
    """What near-duplicates are compared by: the edited texts, or some fields of them."""
    if not fields:
        return batch.edited
    return [joined(parts) for parts in compared(batch.pool, batch.edits, fields)]


def rule_signals(
    batch: Batch, prepared: Mapping[RuleName, Any], chosen: Rules, language: str | None = None
) -> dict[str, pa.Array]:
    """The columns of the rule sets; the sets that remove lines edit the batch.

    `language` takes the place of every document's own.

    The sets of a source run in order: each sees the texts without what earlier sets removed. A
    signal is null where the document's source does not have its set.
    """
    import numpy as np
    import pyarrow as pa

    places = {name: at for at, name in enumerate(columns(prepared))}
    whole = np.full((len(batch.texts), len(places)), np.nan, np.float32)
    absent = np.ones(whole.shape, bool)
    judged_as: list[str | None] = [None] * len(batch.texts)
    declared = batch.pool["language"].to_pylist() if len(places) else []
    for names, rows in rows_by_rules(chosen, batch.pool["source"].to_pylist()).items():
        own_places = [places[name] for name in columns(names)]
        sets = [(RULES[name], prepared[name]) for name in names]
        for start in range(0, len(rows) if sets else 0, AT_ONCE):
            block = rows[start : start + AT_ONCE]
            documents = [Features(batch.texts[row], language or declared[row]) for row in block]
            values, removals = measure_documents(documents, sets)
            whole[np.ix_(block, own_places)] = values
            absent[np.ix_(block, own_places)] = False
            for row, edits, document in zip(block, removals, documents, strict=True):
                judged_as[row] = document.judged_as
                if edits:
                    batch.edit(row, edits)
    signals = {name: pa.array(whole[:, at], mask=absent[:, at]) for name, at in places.items()}
    return signals | {"rules_language": pa.array(judged_as, pa.string())}


def measure_texts(
    texts: Sequence[str], rules: Iterable[tuple[Rule, Any]]
) -> tuple[NDArray[np.float64], list[list[Edit]]]:
    """As `measure_documents`, of texts without a declared language."""
    return measure_documents([Features(text) for text in texts], rules)


def measure_documents(
    documents: Sequence[Features], rules: Iterable[tuple[Rule, Any]]
) -> tuple[NDArray[np.float64], list[list[Edit]]]:
    """The signals of texts, rule set by rule set, and the removals from each text.

    Shapes: (n texts, n signals), n texts.
    """
    tidy()
    with _uncollected():
        return _measured(documents, rules)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause Python's search for reference cycles: it is slow, and millions of words hold none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _measured(
    documents: Sequence[Features], rules: Iterable[tuple[Rule, Any]]
) -> tuple[NDArray[np.float64], list[list[Edit]]]:
    import numpy as np

    batch = list(documents)
    edits: list[list[Edit]] = [[] for _ in documents]
    blocks = [np.empty((len(documents), 0))]
    for rule, prepared in rules:
        block = np.full((len(documents), len(rule.signals)), np.nan)
        fitting = [at for at, features in enumerate(batch) if rule.fits(features)]
        if fitting:
            block[fitting], removals = rule.measure([batch[at] for at in fitting], prepared)
            for at, removed in zip(fitting, removals, strict=True):
                if removed:
                    edits[at] = merged(edits[at], home(removed, edits[at]))
                    document = documents[at]
                    batch[at] = document.edited(apply_edits(document.text, edits[at]))
        blocks.append(block)
    return np.hstack(blocks), edits


def _tokens(batch: Batch, tokenizer: str) -> list[int]:
    """The tokens of each edited text, and of media; the pool's count where a text has no edits."""
    pool_counts = batch.pool["tokens"].to_pylist()
    if not any(batch.edits):
        return list(pool_counts)
    count, of_media = tokens.counter(tokenizer), tables.media_tokens(batch.pool)
    rows = zip(batch.edits, batch.edited, pool_counts, of_media, strict=True)
    return [count(text) + own if edits else known for edits, text, known, own in rows]
