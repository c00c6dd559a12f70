"""What the proxies read: a fixed part of every group, and held-out texts that stay the same.

A document is read if the noise of its id is below the part. So what is read of a group depends on
that group alone: when another grows, runs without it could be trained again to the same losses.
The supply is cut by the part as the budget is, so a proxy repeats a text as often as the target run
would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.engine import in_order
from curate.errors import DataError, MissingInput
from curate.evaluate.choosing import choose, read_training
from curate.evaluate.strata import Texts
from curate.swarm.contents import fingerprint, number_of
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

HINT = "set `pool: {holdout: .05}`, and run `curate pool`, `clean` and `mix` again"
OF_MIX = ("group", "weight", "max_epochs")
READ = ("id", "source", "tokens", "text", *OF_MIX)


@dataclass(frozen=True)
class Held:
    """Held-out texts by source: ids, texts, and a fingerprint of both together."""

    ids: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, tuple[str, ...]]

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each source's held-out texts."""
        return {
            source: fingerprint(
                number_of(id, text) for id, text in zip(self.ids[source], own, strict=True)
            )
            for source, own in self.texts.items()
        }


def part_of(workspace: Workspace, train_bytes: int) -> float:
    """The part of all candidates that holds about so many bytes, by the noise of ids."""
    shards = workspace.documents.shards(mix=True)
    chosen = choose(workspace, shards, train_bytes, 1)
    training = read_training(workspace, shards, chosen)
    groups = workspace.tables.read("mix", ["group"])
    if training.num_rows == groups.num_rows:
        return 1.0
    noise = chance.uniform(training["id"].to_pylist(), 0, "proxy")
    return float(noise.max())


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
    workspace: Workspace, holdout_bytes: int, kept: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The ids of the held-out documents of each source, up to so many bytes, in order of chance.

    A source keeps those that it had (`kept`), so that losses stay comparable. Raises MissingInput
    without any.
    """
    shards = workspace.documents.shards()
    own: dict[str, list[tuple[float, str, int]]] = {}
    with workspace.watch("choosing held-out texts", len(shards)) as advance:
        for rows in in_order(workspace.engine.each(_held_out, shards)):
            for noise, id, source, size in rows:
                own.setdefault(source, []).append((noise, id, size))
            advance(1)
    if not own:
        raise MissingInput("no text is held out: there is nothing to measure a run on", hint=HINT)
    return {
        source: tuple(kept[source]) if source in kept else _first(rows, holdout_bytes)
        for source, rows in sorted(own.items())
    }


def _first(rows: Sequence[tuple[float, str, int]], limit: int) -> tuple[str, ...]:
    """The ids of the first rows up to so many bytes; the first always counts."""
    first: list[str] = []
    total = 0
    for _, id, size in sorted(rows):
        total += size
        if first and total > limit:
            break
        first.append(id)
    return tuple(first)


def _held_out(shard: DocumentShard) -> list[tuple[float, str, str, int]]:
    """The noise, id, source and bytes of the held-out documents of a shard with a text."""
    import pyarrow.compute as pc

    table = shard.read(("id", "holdout"), dropped=False)
    if not pc.any(table["holdout"]).as_py():
        return []
    table = shard.read(("id", "source", "holdout", "text"))
    table = table.filter(table["holdout"])
    sizes = pc.binary_length(table["text"]).to_pylist()
    ids = table["id"].to_pylist()
    noise = chance.uniform(ids, 0, "proxy").tolist()
    rows = zip(noise, ids, table["source"].to_pylist(), sizes, strict=True)
    return [row for row in rows if row[3]]


def read_held_out(workspace: Workspace, ids: Mapping[str, Sequence[str]]) -> Held:
    """The held-out texts of a plan that are still kept.

    Raises DataError where a source has none any more.
    """
    wanted = [id for own in ids.values() for id in own]
    texts: dict[str, str] = {}
    for table in workspace.documents.lookup(wanted, ["id", "text"]):
        texts |= zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    kept = {source: tuple(id for id in own if id in texts) for source, own in ids.items()}
    gone = [source for source, own in kept.items() if not own]
    if gone:
        raise DataError(
            f"no held-out text of the plan is left of {', '.join(gone)}",
            hint="plan anew: `curate swarm plan --anew`",
        )
    return Held(kept, {source: tuple(texts[id] for id in own) for source, own in kept.items()})
