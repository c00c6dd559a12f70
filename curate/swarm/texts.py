"""What the proxies read: a fixed part of every group, and held-out texts that stay the same.

A document is read if the noise of its id is below the part. So what is read of a group depends on
that group alone: when another grows, runs without it could be trained again to the same losses.
The supply is cut by the part as the budget is, so a proxy repeats a text as often as the target run
would.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.engine import in_order
from curate.errors import DataError, MissingInput
from curate.evaluate.strata import Texts
from curate.mix.keys import BUCKET, CLUSTER, is_question
from curate.mix.preparing import Keys, reader_of
from curate.mixture.groups import OTHER, name_of
from curate.swarm.contents import fingerprint, number_of
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.readers import Reader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

HINT = "set `pool: {holdout: .05}`, and run `curate pool`, `clean` and `mix` again"
OF_MIX = ("group", "weight", "max_epochs")
READ = ("id", "source", "tokens", "text", *OF_MIX)


@dataclass(frozen=True)
class Held:
    """Held-out texts by metric: ids, texts, and a fingerprint of both together."""

    ids: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, tuple[str, ...]]

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each metric's held-out texts."""
        return {
            metric: fingerprint(
                number_of(id, text) for id, text in zip(self.ids[metric], own, strict=True)
            )
            for metric, own in self.texts.items()
        }


def part_of(workspace: Workspace, train_bytes: int) -> float:
    """The part of all candidates that holds so many bytes at most, by the noise of ids.

    The first document is always in. A token has a byte at least: as many tokens as bytes are read.
    """
    import numpy as np

    shards = workspace.documents.shards(mix=True)
    tokens = sum(in_order(workspace.engine.each(_tokens, shards)))
    below = min(1.0, 2 * train_bytes / max(1, tokens))
    with workspace.watch("choosing texts", len(shards)) as advance:
        parts = []
        for part in in_order(workspace.engine.each(_Sizes(below), shards)):
            parts.append(part)
            advance(1)
    noise, sizes = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(noise)
    inside = max(1, int((np.cumsum(sizes[order]) <= train_bytes).sum()))
    if inside >= len(order):
        return below
    return float(noise[order[inside - 1]])


def _tokens(shard: DocumentShard) -> int:
    import pyarrow.compute as pc

    table = shard.read(("tokens", "group"))
    return int(pc.sum(table["tokens"].filter(pc.is_valid(table["group"]))).as_py() or 0)


@dataclass(frozen=True)
class _Sizes:
    below: float

    def __call__(self, shard: DocumentShard) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The noise and the bytes of the candidates of a shard whose noise is not above `below`."""
        import numpy as np
        import pyarrow.compute as pc

        table = _ReadPart(self.below)(shard)
        sizes = pc.binary_length(table["text"]).to_numpy().astype(np.int64)
        return chance.uniform(table["id"].to_pylist(), 0, "proxy"), sizes


def read_texts(workspace: Workspace, part: float) -> tuple[Texts, list[str]]:
    """The candidates that the proxies read, and their texts, in the order of the pool.

    Limits within groups are left out: every stratum of a group has the share of its draw.
    """
    import numpy as np
    import pyarrow as pa

    shards = workspace.documents.shards(mix=True)
    parts: list[pa.Table] = []
    with workspace.watch("reading texts", len(shards)) as advance:
        for table in in_order(workspace.engine.each(_ReadPart(part), shards)):
            parts.append(table)
            advance(1)
    table = pa.concat_tables(parts)
    texts = Texts(
        ids=table["id"].to_pylist(),
        source=table["source"].to_numpy().astype(str),
        group=table["group"].to_numpy().astype(str),
        tokens=table["tokens"].to_numpy().astype(np.int64),
        weight=table["weight"].to_numpy().astype(np.float64),
        factor=np.ones(table.num_rows),
        epochs=table["max_epochs"].to_numpy().astype(np.int64),
    )
    return texts, table["text"].to_pylist()


@dataclass(frozen=True)
class _ReadPart:
    part: float

    def __call__(self, shard: DocumentShard) -> pa.Table:
        """The columns READ of the candidates of a shard that are read."""
        import numpy as np
        import pyarrow.compute as pc

        table = shard.read(("id", "kept", "group"), dropped=True)
        is_candidate = pc.and_(table["kept"], pc.is_valid(table["group"])).to_numpy()
        rows: NDArray[np.intp] = np.flatnonzero(is_candidate)
        ids = table["id"].take(rows).to_pylist()
        return shard.read(READ, rows=rows[chance.uniform(ids, 0, "proxy") <= self.part])


def choose_held_out(
    workspace: Workspace,
    keys: Sequence[str],
    groups: Collection[str],
    holdout_bytes: int,
    kept: Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, ...]]:
    """The ids of the held-out documents of each metric, up to so many bytes, in order of chance.

    A metric is a group, or a source where groups are clusters or buckets: only candidates have
    these. Metrics that were planned (`kept`) stay as they are, so that losses stay comparable; only
    a source that is new gets new ones. Raises MissingInput without any.
    """
    is_by_source = bool({CLUSTER, BUCKET} & set(keys))
    own_keys = Keys.of(workspace)
    readers = (
        reader_of(workspace, key, own_keys, ()) for key in (("source",) if is_by_source else keys)
    )
    reads = _HeldOut(tuple(readers), None if is_by_source else groups, holdout_bytes)
    is_scored = any(map(is_question, keys))
    shards = workspace.documents.shards(scores=is_scored)
    rows: list[_Row] = []
    with workspace.watch("choosing held-out texts", len(shards)) as advance:
        for own in in_order(workspace.engine.each(reads, shards)):
            rows += own
            advance(1)
    if not rows:
        raise MissingInput("no text is held out: there is nothing to measure a run on", hint=HINT)
    known = {id for ids in kept.values() for id in ids}
    sources = {
        source
        for table in workspace.documents.lookup(known, ["source"])
        for source in table["source"].to_pylist()
    }
    by_metric: dict[str, list[_Row]] = {}
    for row in rows:
        if row.source not in sources:
            by_metric.setdefault(row.metric, []).append(row)
    new = {
        metric: _first(own, holdout_bytes)
        for metric, own in by_metric.items()
        if metric not in kept
    }
    return dict(sorted(({metric: tuple(ids) for metric, ids in kept.items()} | new).items()))


@dataclass(frozen=True, order=True)
class _Row:
    """A held-out document: its noise, id, source, metric and bytes."""

    noise: float
    id: str
    source: str
    metric: str
    size: int


def _first(rows: Sequence[_Row], limit: int) -> tuple[str, ...]:
    """The ids of the first rows up to so many bytes; the first always counts."""
    first: list[str] = []
    total = 0
    for row in sorted(rows):
        total += row.size
        if first and total > limit:
            break
        first.append(row.id)
    return tuple(first)


@dataclass(frozen=True)
class _HeldOut:
    """Reads the held-out documents of a shard, up to so many bytes of each metric.

    `groups` are those of the mixture; None where metrics are sources.
    """

    readers: tuple[Reader, ...]
    groups: Collection[str] | None
    limit: int

    def __call__(self, shard: DocumentShard) -> list[_Row]:
        """Those with a text and a metric that may be among the first: a token has a byte at least.

        Only their texts are read.
        """
        import numpy as np
        import pyarrow.compute as pc

        columns = {"id", "source", "kept", "holdout", "tokens"}
        columns.update(*(reader.columns for reader in self.readers))
        table = shard.read(sorted(columns), dropped=True)
        places = np.flatnonzero(pc.and_(table["kept"], table["holdout"]).to_numpy())
        table = table.take(places)
        values = [reader(shard, table).to_pylist() for reader in self.readers]
        metrics = [self._metric(name_of(own)) for own in zip(*values, strict=True)]
        ids, tokens = table["id"].to_pylist(), table["tokens"].to_pylist()
        noise = chance.uniform(ids, 0, "proxy")
        first = [
            place
            for place in self._first(metrics, noise.argsort().tolist(), tokens)
            if metrics[place]
        ]
        texts = shard.read(("text",), rows=places[first])["text"]
        sizes = pc.binary_length(texts).to_pylist()
        sources = table["source"].to_pylist()
        return [
            _Row(float(noise[place]), ids[place], sources[place], metrics[place] or "", size)
            for place, size in zip(first, sizes, strict=True)
            if size
        ]

    def _first(
        self, metrics: Sequence[str | None], order: Sequence[int], tokens: Sequence[int]
    ) -> list[int]:
        """The places of each metric's documents, in an order, until their tokens pass the limit."""
        sums: dict[str | None, int] = {}
        first = []
        for place in order:
            had = sums.get(metrics[place], 0)
            if had <= self.limit:
                first.append(place)
            sums[metrics[place]] = had + tokens[place]
        return sorted(first)

    def _metric(self, name: str) -> str | None:
        """The metric of a group or source; None for a group of which nothing is mixed."""
        if self.groups is None or name in self.groups:
            return name
        return OTHER if OTHER in self.groups else None


def read_held_out(workspace: Workspace, ids: Mapping[str, Sequence[str]]) -> Held:
    """The held-out texts of a plan that are still kept.

    Raises DataError where a metric has none any more.
    """
    wanted = [id for own in ids.values() for id in own]
    texts: dict[str, str] = {}
    for table in workspace.documents.lookup(wanted, ["id", "text"]):
        texts |= zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    kept = {metric: tuple(id for id in own if id in texts) for metric, own in ids.items()}
    gone = [metric for metric, own in kept.items() if not own]
    if gone:
        raise DataError(
            f"no held-out text of the plan is left of {', '.join(gone)}",
            hint="plan again: `curate swarm plan --anew`",
        )
    return Held(kept, {metric: tuple(texts[id] for id in own) for metric, own in kept.items()})
