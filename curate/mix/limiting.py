"""The limits of a recipe: of groups by name, of columns by value, of all that `*` stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING

from curate.errors import RecipeError
from curate.mix.spec import EVERY_OTHER, MixSpec, ShareLimit
from curate.mixture.cells import REST, Cells, Part, lean, numbered_cells
from curate.mixture.groups import Groups, name_of
from curate.mixture.limits import TOLERANCE, Limit
from curate.names import unknown
from curate.workspace.documents import DocumentShard
from curate.workspace.readers import Reader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

Offered = Mapping[str, Collection[str]]
"""The values that a key may have; those of other keys are not known."""

MOST_CELLS = 1_000_000

EARLIER = "earlier"
"""What binds a group that earlier exports drew more of than is wanted."""


@dataclass(frozen=True)
class ValueLimits:
    """Limits by value: `own` of the values that are named, `every` of all others."""

    own: Mapping[str, ShareLimit] = field(default_factory=dict)
    every: ShareLimit | None = None

    def of(self, value: str) -> ShareLimit | None:
        """The limit of a value."""
        return self.own.get(value, self.every)


@dataclass(frozen=True)
class LimitsByKey:
    """The limits of a recipe: of groups by name, and of the values of each column."""

    groups: ValueLimits
    columns: Mapping[str, ValueLimits]

    @staticmethod
    def of(spec: MixSpec, is_key: Callable[[str], bool]) -> LimitsByKey:
        """The limits of a recipe; `COLUMN=VALUE` is one of a column if that is a key."""
        own: dict[str, dict[str, ShareLimit]] = {}
        for name, limit in spec.limits.items():
            column, equals, value = name.partition("=")
            is_column = bool(equals) and is_key(column)
            own.setdefault(column if is_column else "", {})[value if is_column else name] = limit
        return LimitsByKey(
            _by_value(own.pop("", {})), {column: _by_value(each) for column, each in own.items()}
        )

    def apart_from(self, groups: Sequence[str]) -> dict[str, ValueLimits]:
        """The limits of columns that make no groups: only they tell documents of a group apart."""
        return {name: limits for name, limits in self.columns.items() if name not in groups}

    def names(self, keys: Sequence[str], groups: Groups) -> set[str]:
        """The groups that a limit names, by their name or by a value of a key that makes groups.

        `*` names them all.
        """
        own = [self.columns.get(key, ValueLimits()) for key in keys]
        if any(limits.every is not None for limits in (self.groups, *own)):
            return set(groups.names)
        return set(self.groups.own) | {
            name
            for name, values in zip(groups.names, groups.values, strict=True)
            if any(value in limits.own for value, limits in zip(values, own, strict=True))
        }


def _by_value(limits: Mapping[str, ShareLimit]) -> ValueLimits:
    own = {value: limit for value, limit in limits.items() if value != EVERY_OTHER}
    return ValueLimits(own, limits.get(EVERY_OTHER))


@dataclass(frozen=True)
class Told:
    """Reads the values that limits tell apart; `kept` are those of each column, None for all."""

    readers: tuple[Reader, ...] = ()
    kept: tuple[frozenset[str] | None, ...] = ()

    def cells(
        self,
        shard: DocumentShard,
        table: pa.Table,
        group: NDArray[np.int64],
        tokens: NDArray[np.int64],
        before: NDArray[np.int64] | None,
        is_drawable: Mask,
    ) -> tuple[NDArray[np.int64], Part]:
        """The number of each document's cell in its shard, and these cells."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = []
        for reader, kept in zip(self.readers, self.kept, strict=True):
            values = reader(shard, table)
            if kept is not None:
                is_kept = pc.is_in(values, pa.array(sorted(kept), pa.string()))
                values = pc.if_else(is_kept, values, pa.scalar(None, pa.string()))
            columns.append(values)
        return numbered_cells(group, columns, tokens, before, is_drawable)


@dataclass(frozen=True)
class Past:
    """What earlier exports drew that counts towards promises, in tokens.

    `gone` are those of documents that are no candidates any more, by group. `counts` says whether
    the copies that candidates have do; else they count towards epochs alone.
    """

    counts: bool = False
    gone: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreachable:
    """A promise that what was drawn before made unreachable: what was asked, and what can be."""

    limit: str
    side: str
    asked: float
    reachable: float


@dataclass(frozen=True)
class Limited:
    """The limits over cells.

    `epochs` are the copies of a document at most, `past` the tokens that count as drawn already, by
    cell. Of each group that has some, what is gone is a cell of its own, without documents; these
    are the last ones, `gone` in number. `limits` are all others, with the groups by name first.
    """

    cells: Cells
    epochs: NDArray[np.int64]
    past: NDArray[np.int64]
    limits: tuple[Limit, ...]
    gone: int = 0
    unreachable: tuple[Unreachable, ...] = ()

    @property
    def room(self) -> NDArray[np.int64]:
        """The tokens of the copies that each cell's documents may still get."""
        import numpy as np

        levels = np.arange(self.cells.levels.shape[1])
        left = (self.epochs[:, None] - levels[None, :]).clip(0)
        return np.asarray((self.cells.levels * left).sum(axis=1))


def limited(
    spec: MixSpec, by_key: LimitsByKey, groups: Groups, cells: Cells, budget: int, past: Past
) -> tuple[Limited, NDArray[np.int64]]:
    """The limits over the cells that they need to tell apart, and each cell's new number.

    Values of `*` that can never reach its limit are one cell. Raises RecipeError for more cells
    than a million.
    """
    import numpy as np

    columns = list(by_key.apart_from(spec.groups).items())
    epochs = _epochs(spec, by_key, groups, cells, columns)
    reach = (epochs * cells.tokens + (cells.before if past.counts else 0)) / budget
    kept = [
        _told_apart(limits, cells.words[place], cells.by_value(place, reach), budget)
        for place, (_, limits) in enumerate(columns)
    ]
    cells, numbers = cells.told_apart(kept)
    if len(cells) > MOST_CELLS:
        raise RecipeError(
            f"mix.limits distinguish {len(cells):,} cells of documents, more than {MOST_CELLS:,}",
            hint="raise the limits of `*`: values that can never reach their limit are not counted",
        )
    gone = [(groups.names.index(name), tokens) for name, tokens in past.gone.items() if tokens]
    drawn = np.append(
        cells.before if past.counts else np.zeros(len(cells), np.int64),
        np.array([tokens for _, tokens in gone], np.int64),
    )
    cells = cells.with_empty([number for number, _ in gone])
    epochs = _epochs(spec, by_key, groups, cells, columns)
    limits = list(_limits(spec, by_key, groups, cells, budget))
    shares = drawn / budget
    kept_limits = [_reachable(limit, shares) for limit in limits]
    earlier = [
        Limit(EARLIER, np.array([cell]), low=float(shares[cell]), is_written=False)
        for cell in np.flatnonzero(drawn)
    ]
    unreachable = [lost for _, lost in kept_limits if lost is not None]
    own = (*(limit for limit, _ in kept_limits), *earlier)
    cells = replace(cells, before=lean(cells.before))
    return (
        Limited(cells, lean(epochs), lean(drawn), own, len(gone), tuple(unreachable)),
        numbers,
    )


def _reachable(limit: Limit, past: NDArray[np.float64]) -> tuple[Limit, Unreachable | None]:
    """The limit as near as what was drawn leaves it, and what is lost of it."""
    own, others = float(past[limit.cells].sum()), float(past.sum())
    most = 1 - (others - own)
    if own > limit.high + TOLERANCE:
        return replace(limit, high=own), Unreachable(limit.name, limit.high_name, limit.high, own)
    if limit.low > most + TOLERANCE:
        return replace(limit, low=most), Unreachable(limit.name, limit.low_name, limit.low, most)
    return limit, None


def _told_apart(
    limits: ValueLimits, words: Sequence[str], reach: NDArray[np.float64], budget: int
) -> Mask:
    """Which values of a column are told apart."""
    import numpy as np

    is_own = np.array([word in limits.own for word in words], bool)
    if limits.every is None:
        return is_own
    return is_own | (limits.every.min_share > 0) | (reach > limits.every.most(budget))


def _epochs(
    spec: MixSpec,
    by_key: LimitsByKey,
    groups: Groups,
    cells: Cells,
    columns: Sequence[tuple[str, ValueLimits]],
) -> NDArray[np.int64]:
    """The copies of a document at most, by cell: the fewest that are named, else `max_epochs`."""
    import numpy as np

    least = np.full(len(cells), np.iinfo(np.int64).max)
    for limits, codes, words in _columns(spec, by_key, groups, cells, columns):
        own = [limits.of(word) for word in words]
        rest = limits.every if REST in codes else None
        table = [limit.max_epochs if limit else None for limit in (*own, rest)]
        most = np.array([epochs or np.iinfo(np.int64).max for epochs in table], np.int64)
        least = np.minimum(least, most[codes])
    return np.where(least == np.iinfo(np.int64).max, spec.max_epochs, least)


def _columns(
    spec: MixSpec,
    by_key: LimitsByKey,
    groups: Groups,
    cells: Cells,
    columns: Sequence[tuple[str, ValueLimits]],
) -> Iterator[tuple[ValueLimits, NDArray[np.int64], Sequence[str]]]:
    """Yield the limits of groups and columns: each cell's place among its words, and these."""
    yield by_key.groups, cells.group, groups.names
    for place, key in enumerate(spec.groups):
        if key in by_key.columns:
            words = [values[place] for values in groups.values]
            yield by_key.columns[key], cells.group, words
    for place, (_, limits) in enumerate(columns):
        yield limits, cells.codes[place], cells.words[place]


def _limits(
    spec: MixSpec, by_key: LimitsByKey, groups: Groups, cells: Cells, budget: int
) -> Iterator[Limit]:
    """Yield the limits of shares, each of the cells that it covers."""
    for number, name in enumerate(groups.names):
        limit, is_written = by_key.groups.of(name), name in by_key.groups.own
        yield from _limit(name, limit, cells.group == number, budget, is_written, "")
    apart = list(by_key.apart_from(spec.groups))
    for key, limits in by_key.columns.items():
        for value, mask in _masks(spec, key, apart, groups, cells, limits):
            is_written = value in limits.own
            yield from _limit(
                f"{key}={value}", limits.of(value), mask, budget, is_written, "_share"
            )


def _masks(
    spec: MixSpec,
    key: str,
    apart: Sequence[str],
    groups: Groups,
    cells: Cells,
    limits: ValueLimits,
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield the values of a key that have a limit, and the cells that have them."""
    import numpy as np

    if key in apart:
        place = apart.index(key)
        codes, words = cells.codes[place], cells.words[place]
    else:
        own = [values[spec.groups.index(key)] for values in groups.values]
        words = tuple(dict.fromkeys(own))
        codes = np.array([words.index(value) for value in own], np.int64)[cells.group]
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(words) + 1))
    for code, word in enumerate(words):
        rows = order[ends[code] : ends[code + 1]]
        if len(rows) and limits.of(word) is not None:
            yield word, rows


def _limit(
    name: str,
    limit: ShareLimit | None,
    cells: Mask | NDArray[np.int64],
    budget: int,
    is_written: bool,
    suffix: str,
) -> Iterator[Limit]:
    import numpy as np

    if limit is None or (limit.min_share <= 0 and limit.most(budget) >= 1):
        return
    is_by_tokens = limit.most(budget) < limit.max_share
    yield Limit(
        name=name,
        cells=np.flatnonzero(cells) if cells.dtype == bool else np.sort(cells),
        low=limit.min_share,
        high=limit.most(budget),
        low_name=f"min{suffix}",
        high_name="max_tokens" if is_by_tokens else f"max{suffix}",
        is_written=is_written,
    )


def check_limits(
    by_key: LimitsByKey,
    keys: Sequence[str],
    groups: Groups,
    cells: Cells,
    offered: Offered,
    names: Sequence[str],
) -> list[str]:
    """The limits of what no candidate is in: there is nothing of it to limit.

    `keys` are those that make groups, `names` are all there are. Raises RecipeError for a name that
    no group, and a value that no key, can have.
    """
    absent = [name for name in by_key.groups.own if name not in groups.names]
    known = _possible(groups, keys, offered) if absent else frozenset()
    for name in absent:
        if name not in known and "=" in name:
            column = name.partition("=")[0]
            raise unknown(f"mix.limits: no column {column}", column, names)
        if name not in known:
            raise unknown(f"mix.limits: no group {name}", name, groups.names)
    apart = list(by_key.apart_from(keys))
    for key, limits in by_key.columns.items():
        if key in apart:
            place = apart.index(key)
            present = {cells.words[place][code] for code in set(cells.codes[place]) if code >= 0}
        else:
            present = {values[keys.index(key)] for values in groups.values}
        for value in limits.own:
            if value not in present and value not in offered.get(key, (value,)):
                raise unknown(f"mix.limits: {key} has no value {value}", value, offered[key])
        absent += [f"{key}={value}" for value in limits.own if value not in present]
    return absent


def _possible(groups: Groups, keys: Sequence[str], offered: Offered) -> frozenset[str]:
    """The names of the groups that there could be."""
    present = [frozenset(values) for values in zip(*groups.values, strict=True)]
    values = [{*own, *offered.get(key, ())} for key, own in zip(keys, present, strict=True)]
    size = reduce(lambda product, own: product * len(own), values, 1)
    return frozenset(map(name_of, product(*values))) if size <= MOST_CELLS else frozenset()
