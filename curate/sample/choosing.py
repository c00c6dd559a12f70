"""Choose the documents of a round by a strategy: what is read for it, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from curate import chance
from curate.sample.candidates import Candidates
from curate.sample.context import Context
from curate.sample.drawing import Choice, blended, drawn
from curate.sample.frame import Frame, Item, Scan, read_frame, read_vectors, sent_before
from curate.sample.measuring import measure
from curate.sample.picking import pick
from curate.sample.stopping import Standing, standing
from curate.sample.strategies import STRATEGIES, Chosen, Drawn, Strategy
from curate.sample.strategies.registry import AFTER, BEFORE
from curate.sample.values import value_of


@dataclass(frozen=True)
class Selection:
    """The documents of a round in the order in which they are shown, and how they were chosen.

    `sizes` counts the frame by stratum. `notes` say what was decided. `standing` is what the scores
    at hand say of the labels so far.
    """

    strategy: str
    rows: list[Choice]
    sizes: dict[str, int]
    notes: tuple[str, ...] = ()
    standing: Standing = field(default_factory=Standing)


@dataclass(frozen=True)
class _Plan:
    """What is to be chosen: n documents for a round, `picked` of them by the strategy."""

    context: Context
    number: int
    n: int
    picked: int
    items: Sequence[Item]


def choose(context: Context, number: int, n: int) -> Selection:
    """Choose n documents for round `number`.

    Raises DataError if the strategy needs scores, labels or vectors that are not there.
    """
    name, notes = _resolved(context)
    strategy = STRATEGIES[name]
    _require(context, name)
    picked = 0 if isinstance(strategy, Drawn) else _picked(n, context.spec.random_share)
    with_vectors = isinstance(strategy, Chosen) and strategy.reads_vectors and picked > 0
    plan = _Plan(context, number, n, picked, _items(context, with_vectors=with_vectors))
    frame = read_frame(context.workspace, _scan(plan, strategy), plan.items)
    if isinstance(strategy, Drawn):
        rows = _drawn(plan, frame, strategy)
    else:
        rows, told = _blended(plan, frame, strategy)
        notes = (*notes, *told)
    return Selection(name, rows, dict(frame.sizes), notes, standing(context, frame.seen))


def _resolved(context: Context) -> tuple[str, tuple[str, ...]]:
    """The strategy, and what `auto` says of its choice."""
    if context.spec.strategy != "auto":
        return context.spec.strategy, ()
    if context.question:
        return AFTER, (f"strategy: {AFTER}, by the scores of {context.question.question}",)
    why = "the scores are of other documents" if context.learned else "there are no scores yet"
    return BEFORE, (f"strategy: {BEFORE}, because {why}",)


def _require(context: Context, name: str) -> None:
    """Raise DataError or MissingInput if the strategy lacks scores or labels, before long work."""
    strategy = STRATEGIES[name]
    is_neyman = name == "stratified" and context.spec.allocation == "neyman"
    if is_neyman or strategy.reads_scores:
        context.require_scores(f"{name} with allocation neyman" if is_neyman else name)
    if isinstance(strategy, Chosen) and strategy.value == "disagreement":
        context.require_disagreement()


def _picked(n: int, random_share: float) -> int:
    """How many of n documents a strategy picks; at least one is drawn at random."""
    return n - min(n, max(1, round(n * random_share)))


def _items(context: Context, *, with_vectors: bool) -> list[Item]:
    documents = context.workspace.documents.shards(scores=context.question is not None)
    if not with_vectors:
        return [(place, shard, None) for place, shard in enumerate(documents)]
    vectors = context.vectors.shards(context.workspace)
    return list(zip(range(len(documents)), documents, vectors, strict=True))


def _scan(plan: _Plan, strategy: Strategy) -> Scan:
    context, spec = plan.context, plan.context.spec
    scan = Scan(
        by=spec.by,
        sent=sent_before(context.workspace),
        seed=spec.seed,
        purpose=f"sample {plan.number}",
        n=plan.n,
        by_stratum=isinstance(strategy, Drawn) and strategy.by_stratum,
        columns=context.question.outputs if context.question else (),
        has_quality=context.question is not None,
    )
    if isinstance(strategy, Drawn) or not plan.picked:
        return scan
    value = value_of(context, strategy, plan.number, plan.items)
    return replace(scan, value=value, most=strategy.most(plan.picked))


def _drawn(plan: _Plan, frame: Frame, strategy: Drawn) -> list[Choice]:
    """The documents that are drawn at random, of each stratum or of the whole frame."""
    if not frame.documents:
        return []
    if not strategy.by_stratum:
        return drawn(frame, min(plan.n, frame.documents))
    labelled = plan.context.labelled_quality if strategy.reads_scores else None
    strata = measure(frame, plan.context.seconds, labelled)
    return drawn(frame, strategy.shares(strata, plan.n, plan.context.spec.allocation))


def _blended(plan: _Plan, frame: Frame, strategy: Chosen) -> tuple[list[Choice], tuple[str, ...]]:
    """What the strategy picks and a random share, in random order; and what there is to tell."""
    candidates = frame.best
    notes: tuple[str, ...] = ()
    if strategy.value == "random" and 0 < len(candidates) < frame.documents:
        notes = (
            f"strategy: {len(candidates):,} of {frame.documents:,} documents, drawn at random, "
            "were compared with each other",
        )
    if strategy.reads_vectors and len(candidates):
        candidates = _with_vectors(plan, frame, candidates)
    picked = pick(candidates, plan.picked, strategy.select, _texts(plan.context))
    rows = blended(frame, picked, plan.n)
    noise = chance.uniform([row.id for row in rows], plan.context.spec.seed, f"show {plan.number}")
    return [rows[place] for place in noise.argsort(kind="stable")], notes


def _with_vectors(plan: _Plan, frame: Frame, candidates: Candidates) -> Candidates:
    """Candidates with their vectors and those of what people have seen; without a vector none."""
    import numpy as np

    workspace, seen = plan.context.workspace, list(frame.seen.values())
    places = np.array([document.shard for document in seen], np.int64)
    rows = np.array([document.row for document in seen], np.int64)
    known = read_vectors(workspace, plan.items, places, rows)
    vectors = read_vectors(workspace, plan.items, candidates.shards, candidates.rows)
    candidates = replace(candidates, vectors=vectors, known=known)
    return candidates.take(np.flatnonzero(vectors.any(axis=1)))


def _texts(context: Context) -> Callable[[Sequence[str]], list[str]]:
    """Reads the texts of documents by id, each once."""
    known: dict[str, str] = {}

    def read(ids: Sequence[str]) -> list[str]:
        missing = [id for id in ids if id not in known]
        for table in context.workspace.documents.lookup(missing, ["id", "text"]):
            known.update(zip(*(table[name].to_pylist() for name in ("id", "text")), strict=True))
        return [known[id] for id in ids]

    return read
