"""Facts of a group: what shares, weights and the draw need to know of its documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf, sqrt
from typing import TYPE_CHECKING

from curate.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

FIFTHS = 5

OTHER, SMALL = "other", 0.001
"""Groups with a smaller share of the tokens are one, of that name."""

SEPARATOR = "/"
"""Between the values in the name of a group."""

Values = tuple[str, ...]
"""What a group is: its value of each key that makes groups."""


def name_of(values: Values) -> str:
    """The name of a group: its values."""
    return SEPARATOR.join(values)


def grouped(
    table: pa.Table, columns: Sequence[str]
) -> tuple[tuple[Values, ...], NDArray[np.int64]]:
    """The groups that are in a table by some of its columns, and the number of each row's group.

    A null is `unknown`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = [pc.fill_null(table[name].cast(pa.string()), "unknown") for name in columns]
    return numbered(values, table.num_rows)


def numbered(
    columns: Sequence[pa.Array | pa.ChunkedArray], rows: int
) -> tuple[tuple[Values, ...], NDArray[np.int64]]:
    """The groups by columns of strings without nulls, and the number of each row's group."""
    import numpy as np
    import pyarrow as pa

    numbers = np.zeros(rows, np.int64)
    names: list[Values] = [()] if rows else []
    for column in columns if rows else ():
        encoded = column.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        words = encoded.dictionary.to_pylist()
        numbers = numbers * len(words) + encoded.indices.to_numpy().astype(np.int64)
        present, numbers = np.unique(numbers, return_inverse=True)
        names = [(*names[key // len(words)], words[key % len(words)]) for key in present.tolist()]
    return tuple(names), numbers


def _each(values: Values) -> str:
    return " + ".join(values)


@dataclass(frozen=True)
class Facts:
    """Sums over the documents of a group.

    `documents` and `tokens` are of all; `known` is the number of documents with a quality, of
    which `mean`, `squares` (the sum of squared differences from the mean), `low` and `high` are.
    `abstained` is the number of those whose quality is not trusted: it is not among the known.
    """

    documents: int = 0
    tokens: int = 0
    known: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = inf
    high: float = -inf
    abstained: int = 0

    @staticmethod
    def of(tokens: NDArray[np.int64], quality: NDArray[np.float64], abstained: int = 0) -> Facts:
        """The facts of some documents; a quality of NaN is unknown, or not trusted."""
        import numpy as np

        known = quality[~np.isnan(quality)]
        if not len(known):
            return Facts(len(tokens), int(tokens.sum()), abstained=abstained)
        mean = float(known.mean())
        squares = float(((known - mean) ** 2).sum())
        low, high = float(known.min()), float(known.max())
        sums = (len(tokens), int(tokens.sum()), len(known), mean, squares, low, high)
        return Facts(*sums, abstained)

    def joined(self, other: Facts) -> Facts:
        """The facts of both together (Chan et al. 1979, for mean and squares)."""
        known = self.known + other.known
        share = other.known / known if known else 0.0
        distance = other.mean - self.mean
        return Facts(
            self.documents + other.documents,
            self.tokens + other.tokens,
            known,
            self.mean + distance * share,
            self.squares + other.squares + distance**2 * self.known * share,
            min(self.low, other.low),
            max(self.high, other.high),
            self.abstained + other.abstained,
        )

    @property
    def spread(self) -> float:
        """The standard deviation of the qualities; 0 without any."""
        return sqrt(self.squares / self.known) if self.known and self.low < self.high else 0.0

    def fifths(self) -> list[int]:
        """The ranks, from 1, at which the second to the fifth fifth of the qualities begin.

        Of n documents that of rank r is in fifth 1 + ⌊5 · (r − 1) / n⌋: sizes differ by one at
        most. With fewer than five documents some fifths begin behind the last.
        """
        return [1 - (-fifth * self.known // FIFTHS) for fifth in range(1, FIFTHS)]


@dataclass(frozen=True)
class Groups:
    """All groups, sorted by name; a group's number is its place.

    `values` are a group's values of the keys that make groups, `facts` the sums over its documents.
    `merged` are the values of the small groups that are one, the last (see `with_other`).
    """

    names: tuple[str, ...]
    values: tuple[Values, ...]
    facts: tuple[Facts, ...]
    merged: tuple[Values, ...] = ()

    @staticmethod
    def of(parts: Iterable[tuple[Values, Facts]]) -> Groups:
        """The groups of many batches, in the order of the batches.

        Raises DataError where two have the same name: `a/b` and `c`, `a` and `b/c`.
        """
        values: dict[str, Values] = {}
        facts: dict[str, Facts] = {}
        for own, part in parts:
            name = name_of(own)
            if values.setdefault(name, own) != own:
                raise DataError(
                    f"two groups are called {name}: {_each(values[name])} and {_each(own)}",
                    hint=f"give one of them a name without {SEPARATOR}",
                )
            facts[name] = facts.get(name, Facts()).joined(part)
        names = tuple(sorted(facts))
        return Groups(
            names, tuple(values[name] for name in names), tuple(facts[name] for name in names)
        )

    def with_other(self, is_kept: Collection[str], least: float = SMALL) -> Groups:
        """The groups with those below a share of all tokens as one, called `other`.

        Those in `is_kept` stay. It is `other:` if a group is called `other`.
        """
        total = sum(facts.tokens for facts in self.facts)
        small = [
            place
            for place, (name, facts) in enumerate(zip(self.names, self.facts, strict=True))
            if name not in is_kept and facts.tokens < least * total
        ]
        if not small:
            return self
        left = [place for place in range(len(self.names)) if place not in set(small)]
        own = f"{OTHER}:" if OTHER in {self.names[place] for place in left} else OTHER
        return Groups(
            (*(self.names[place] for place in left), own),
            (*(self.values[place] for place in left), (own,) * len(self.values[0])),
            (
                *(self.facts[place] for place in left),
                reduce(Facts.joined, (self.facts[place] for place in small)),
            ),
            tuple(self.values[place] for place in small),
        )

    def with_empty(self, name: str) -> Groups:
        """The groups and one more, the last but for `other`, without documents."""
        place = len(self.names) - bool(self.merged)
        values = (name,) * len(self.values[0])
        return Groups(
            (*self.names[:place], name, *self.names[place:]),
            (*self.values[:place], values, *self.values[place:]),
            (*self.facts[:place], Facts(), *self.facts[place:]),
            self.merged,
        )

    @property
    def origins(self) -> tuple[Values, ...]:
        """The values of all groups, then those of the groups that are merged."""
        return self.values[: -1 if self.merged else None] + self.merged

    @property
    def number_of_origin(self) -> list[int]:
        """The number of the group of each of `origins`."""
        own = len(self.values) - bool(self.merged)
        return [*range(own), *([own] * len(self.merged))]

    def mean_qualities(self) -> list[float]:
        """The mean quality of each group; one without any counts as the average of all.

        So does every document that abstained.
        """
        average = reduce(Facts.joined, self.facts).mean
        return [
            (facts.known * facts.mean + facts.abstained * average) / (facts.known + facts.abstained)
            if facts.known
            else average
            for facts in self.facts
        ]

    @property
    def supply(self) -> dict[str, int]:
        """The tokens of each group, by name."""
        return {name: own.tokens for name, own in zip(self.names, self.facts, strict=True)}
