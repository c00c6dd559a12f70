"""From a recipe and the documents to what can be drawn, within which limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from curate import tokens
from curate.clusters import fit
from curate.engine import in_order
from curate.errors import DataError, RecipeError
from curate.mix.before import Before
from curate.mix.budgets import amount_of, words
from curate.mix.candidates import Counting, Piece, Scan, candidates, check_quality, scan
from curate.mix.foreseen import Classes
from curate.mix.keys import (
    BUCKET,
    CLUSTER,
    KEYS,
    BucketReader,
    column_of,
    is_question,
    ranked,
    tie_of,
)
from curate.mix.limiting import LimitsByKey, Past, Told, check_limits, limited
from curate.mix.order import Order, with_abstained
from curate.mix.passes import find_boundaries
from curate.mix.places import Numbering
from curate.mix.planning import Supply
from curate.mix.ranking import rank
from curate.mix.spec import MixSpec
from curate.mixture.groups import Facts, Groups
from curate.mixture.selection import Boundary, Rows, Target
from curate.mixture.weights import RANKED, Qualities, Within
from curate.names import unknown
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.predictions import predicted_questions
from curate.workspace.readers import (
    HOST,
    META,
    ColumnReader,
    HostReader,
    MetaReader,
    Reader,
)

GONE = "gone"
"""The group of what earlier exports drew of groups that are no more."""


def needs_quality(spec: MixSpec) -> bool:
    """Whether shares, weights or buckets follow quality."""
    by_quality = spec.between.strategy == "quality" or spec.within.strategy != "equal"
    return by_quality or spec.names(BUCKET)


def needs_scores(spec: MixSpec) -> bool:
    """Whether the mixture depends on predictions or quality."""
    return needs_quality(spec) or any(map(is_question, spec.groups))


def uses_scores(workspace: Workspace, spec: MixSpec) -> bool:
    """Whether the mixture depends on scores, or they are there and not outdated."""
    return needs_scores(spec) or workspace.freshness.fits("scores")


@dataclass(frozen=True)
class Keys:
    """What documents can be grouped and limited by: the questions, and what each key may be.

    `ties` are the classes of documents that people left undecided, by question. `offered` are the
    values that a key may have; of other keys they are not known.
    """

    questions: tuple[str, ...]
    ties: Mapping[str, str]
    offered: Mapping[str, Sequence[str]]

    @staticmethod
    def of(workspace: Workspace) -> Keys:
        """Those of a workspace."""
        predicted = predicted_questions(workspace.tables)
        own = {name: known for name, known in predicted.items() if known.makes_groups}
        ties = {name: tie_of(known.values) for name, known in own.items()}
        offered: dict[str, Sequence[str]] = {
            name: (*known.values, ties[name]) for name, known in own.items()
        }
        offered["source"] = workspace.tables.made("pool").facts["sources"]
        return Keys(tuple(own), ties, offered)

    @property
    def names(self) -> tuple[str, ...]:
        """All keys but those of `meta`."""
        return (*KEYS, *self.questions)

    def has(self, key: str) -> bool:
        """Whether a key is one."""
        return key in KEYS or key.startswith(META) or key in self.questions

    def check(self, spec: MixSpec, asked: Collection[str] = ()) -> None:
        """Raise RecipeError for a group that is no key; `asked` are questions not learned yet."""
        for name in spec.groups:
            if not self.has(name) and name not in asked:
                raise unknown(f"mix.groups: nothing to group by is called {name}", name, self.names)


@dataclass(frozen=True)
class Prepared:
    """What a mixture is drawn from; `absent` are the limits of what no candidate is in.

    `tied` are the groups that people left undecided.
    """

    supply: Supply
    classes: Classes
    absent: list[str]
    tied: list[str]


@dataclass(frozen=True)
class Drawable:
    """Where the scratch files go, what was drawn before, and the groups that must not be merged.

    `counts` says whether what was drawn before counts towards promises, or towards epochs alone.
    """

    folder: Path
    before: Before
    counts: bool = True
    named: frozenset[str] = frozenset()


def prepare(workspace: Workspace, spec: MixSpec, keys: Keys, drawable: Drawable) -> Prepared:
    """Read all candidates into scratch files, and make groups, limits and order.

    Raises DataError where no document can be drawn, or the budget is less than a token; RecipeError
    for a name that is not there.
    """
    import numpy as np

    shards = workspace.documents.shards(scores=uses_scores(workspace, spec))
    by_key = LimitsByKey.of(spec, keys.has)
    if spec.names(CLUSTER):
        clusters = fit(workspace, spec.clusters, spec.seed)
        shards = clusters.assign(workspace, shards, drawable.folder / "clusters")
    reads = _scan(workspace, spec, keys, by_key, shards, drawable)
    pieces, groups = scan(workspace, shards, reads)
    check_quality(groups, spec, is_needed=needs_quality(spec))
    named = by_key.names(spec.groups, groups) | _shared(spec, groups) | drawable.named
    groups = groups.with_other(named)
    gone = _gone(drawable, pieces)
    groups, past = _with_gone(groups, gone, drawable.counts)
    budget = _budget(spec, groups)
    numbering = Numbering.of(pieces, groups)
    absent = check_limits(by_key, spec.groups, groups, numbering.cells, keys.offered, keys.names)
    limits, numbers = limited(spec, by_key, groups, numbering.cells, budget, past)
    if limits.past.sum() >= budget:
        raise DataError(
            f"earlier parts hold {words(int(limits.past.sum()), spec.unit)}: a budget of "
            f"{words(budget, spec.unit)} for all parts together leaves nothing to draw",
            hint="raise `mix.budget`",
        )
    places = numbering.places(pieces, limits, numbers)
    sizes = np.array([facts.documents for facts in groups.facts])
    order = Order(spec.within.strategy, _within(spec), Qualities.of(groups.facts), sizes)
    rank(workspace.engine, places, order, spec.within.columns)
    if any(facts.abstained for facts in groups.facts):
        order = with_abstained(workspace.engine, places, order)
    supply = Supply(places, groups, limits, order, budget, spec.unit)
    tied = [
        name
        for name, values in zip(groups.names, groups.values, strict=True)
        if any(value == keys.ties.get(key) for key, value in zip(spec.groups, values, strict=True))
    ]
    return Prepared(supply, Classes.of(spec.groups, groups), absent, tied)


def _gone(drawable: Drawable, pieces: Sequence[Piece]) -> dict[str, int]:
    """The tokens that earlier exports drew of what is no candidate any more, by their groups."""
    before = drawable.before
    matched = [sum(column) for column in zip(*(piece.matched.tolist() for piece in pieces
               if piece.matched is not None), strict=True)]  # fmt: skip
    if not before.groups:
        return {}
    rows = zip(before.groups, before.tokens, matched, strict=True)
    return {name: had - still for name, had, still in rows if had > still}


def _with_gone(groups: Groups, gone: Mapping[str, int], counts: bool) -> tuple[Groups, Past]:
    """The groups, with one for what is gone of groups that are no more; and what counts of it."""
    if not counts:
        return groups, Past()
    lost = sum(tokens for name, tokens in gone.items() if name not in groups.names)
    own = {name: tokens for name, tokens in gone.items() if name in groups.names}
    if not lost:
        return groups, Past(True, own)
    name = f"{GONE}:" if GONE in groups.names else GONE
    return groups.with_empty(name), Past(True, {**own, name: lost})


def _within(spec: MixSpec) -> Within:
    """The numbers of the strategy within groups."""
    names = [own.name for own in fields(Within)]
    return Within(**{name: getattr(spec.within, name) for name in names})


def _merged(workspace: Workspace, spec: MixSpec, shards: Sequence[DocumentShard]) -> list[str]:
    """The columns that are merged into one rank. Raises RecipeError for one that is no number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if spec.within.strategy not in RANKED or shards[0].scores is None:
        return []
    schema = pq.read_schema(shards[0].scores)
    numbers = [own.name for own in schema if pa.types.is_floating(own.type)]
    for name in spec.within.columns:
        if name not in numbers:
            raise unknown(
                f"mix.within.columns: no column of scores that holds numbers is called {name}",
                name,
                numbers,
            )
    return list(spec.within.columns)


def _shared(spec: MixSpec, groups: Groups) -> set[str]:
    """The groups with a value of which `between.shares` names a share."""
    shares = spec.between.shares or {}
    return {
        name
        for name, values in zip(groups.names, groups.values, strict=True)
        if any(value in shares.get(key, ()) for key, value in zip(spec.groups, values, strict=True))
    }


def _budget(spec: MixSpec, groups: Groups) -> int:
    budget = amount_of(spec.budget, sum(groups.supply.values()))
    if budget < 1:
        raise DataError(
            f"a budget of {spec.budget} is less than one of {spec.unit}", hint="raise it"
        )
    return budget


def _scan(
    workspace: Workspace,
    spec: MixSpec,
    keys: Keys,
    by_key: LimitsByKey,
    shards: Sequence[DocumentShard],
    drawable: Drawable,
) -> Scan:
    """What to read of every shard."""
    apart = by_key.apart_from(spec.groups)
    names = (*spec.groups, *apart)
    readers = {name: reader_of(workspace, name, keys, shards) for name in names}
    kept = [
        None if limits.every is not None else frozenset(limits.own) for limits in apart.values()
    ]
    predicted = predicted_questions(workspace.tables)
    asked = [name for name in spec.groups if is_question(name)]
    more = [column for name in asked for column in predicted[name].columns]
    more += [name for name in _merged(workspace, spec, shards) if name != "quality"]
    return Scan(
        folder=drawable.folder,
        groups=tuple(readers[name] for name in spec.groups),
        told=Told(tuple(readers[name] for name in apart), tuple(kept)),
        more=tuple(dict.fromkeys(more)),
        counting=_counting(workspace, spec),
        before=drawable.before,
        at_least=spec.within.at_least if spec.within.strategy == "threshold" else None,
        seed=spec.seed,
    )


def _counting(workspace: Workspace, spec: MixSpec) -> Counting:
    """How the budget is counted."""
    if spec.unit != "tokens":
        return Counting(unit=spec.unit)
    check_tokenizer(workspace, spec)
    own = tokenizer_of(workspace, spec)
    is_the_pools = own == workspace.tables.made("pool").facts["tokenizer"]
    return Counting(None if is_the_pools else own, spec.extra_tokens)


def tokenizer_of(workspace: Workspace, spec: MixSpec) -> str | None:
    """The tokenizer of the budget, a file as an absolute path; None: the pool's."""
    if spec.tokenizer is None or not spec.tokenizer.endswith(".json"):
        return spec.tokenizer
    return str(workspace.path(spec.tokenizer).resolve())


def check_tokenizer(workspace: Workspace, spec: MixSpec) -> None:
    """Raise RecipeError for a tokenizer that is not there."""
    own = tokenizer_of(workspace, spec)
    if own is None:
        return
    try:
        tokens.counter(own)
    except RecipeError as error:
        words = error.message.replace("pool.tokenizer", "mix.tokenizer")
        raise RecipeError(words, hint=error.hint) from None


def reader_of(
    workspace: Workspace, key: str, keys: Keys, shards: Sequence[DocumentShard]
) -> Reader:
    """What reads the value of a key of every document of a shard."""
    if key == HOST:
        return HostReader()
    if key == BUCKET:
        return BucketReader(_fifths_of_pool(workspace, shards))
    if key.startswith(META):
        return MetaReader(key.removeprefix(META))
    return ColumnReader(column_of(key), keys.ties.get(key, "unknown"))


def _fifths_of_pool(
    workspace: Workspace, shards: Sequence[DocumentShard]
) -> tuple[Boundary | None, ...]:
    """Where the second to the fifth fifth of quality begin among all candidates."""
    import numpy as np

    with workspace.watch("finding the quality buckets", None):
        known = sum(in_order(workspace.engine.each(_count_ranked, shards)))
        ranks = Facts(known=known).fifths()
        targets = [Target(0, rank - 1) for rank in ranks]
        sizes = np.array([known])
        return tuple(find_boundaries(workspace.engine, shards, _ranked, targets, sizes))


def _count_ranked(shard: DocumentShard) -> int:
    return len(_ranked(shard).key)


def _ranked(shard: DocumentShard) -> Rows:
    columns = ["id", "tokens", "holdout", "media", "quality", "abstained"]
    return ranked(candidates(shard.read(columns)))[0]
