"""Cells: groups, told apart by the values of columns that limits name.

A cell is what is drawn as one. Without limits of columns every group is one cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

WAITING = 200_000
"""The cells of parts that are joined at once, at least."""

DENSE = 4
"""Numbers of which the largest is at most so many times their count are ranked without sorting."""

REST = -1
"""The code of the values that no limit tells apart."""


@dataclass(frozen=True)
class Part:
    """The cells of some documents: arrays of one length, in the order of the cells' numbers.

    `group` is a cell's group. `values` are its values of each column, strings; null stands for all
    that no limit tells apart. `levels` are the tokens of documents that have 0, 1, … copies so far
    (cells x levels), `documents` their number, of what can be drawn. `before` are the tokens of the
    copies that all documents have already, those that can no longer be drawn too.
    """

    group: Numbers
    values: tuple[pa.Array, ...]
    levels: Numbers
    documents: Numbers
    before: Numbers


def numbered_cells(
    group: Numbers,
    values: Sequence[pa.Array | pa.ChunkedArray],
    tokens: Numbers,
    before: Numbers | None = None,
    is_drawable: NDArray[np.bool_] | None = None,
) -> tuple[Numbers, Part]:
    """The number of each document's cell, and these cells.

    `group`, `values`, `tokens`, `before` (the copies that it has already; None for 0) and
    `is_drawable` (None for all) are those of the documents.
    """
    import numpy as np
    import pyarrow as pa

    keys = group
    for column in values:
        codes, size = _codes(column)
        keys = ranked(keys * size + codes)
    numbers = ranked(keys)
    first = _one_of_each(numbers)
    rows = pa.array(first)
    own = [column.take(rows) for column in values]
    drawable = tokens if is_drawable is None else np.where(is_drawable, tokens, 0)
    had = 0 * tokens if before is None else tokens * before
    return numbers, Part(
        group[first],
        tuple(part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part for part in own),
        _levels(numbers, drawable, before, len(first)),
        np.bincount(numbers, drawable > 0, len(first)).astype(np.int64),
        np.bincount(numbers, had, len(first)).astype(np.int64),
    )


def ranked(keys: Numbers) -> Numbers:
    """The rank of each number, 0 or more, among the distinct ones."""
    import numpy as np

    top = int(keys.max(initial=-1)) + 1
    if top > DENSE * len(keys):
        return np.unique(keys, return_inverse=True)[1]
    is_there = np.zeros(top, bool)
    is_there[keys] = True
    return np.asarray((np.cumsum(is_there) - 1)[keys])


def _one_of_each(numbers: Numbers) -> Numbers:
    """A place of each of the numbers from 0 on."""
    import numpy as np

    places = np.empty(int(numbers.max(initial=-1)) + 1, np.int64)
    places[numbers] = np.arange(len(numbers))
    return places


def _levels(numbers: Numbers, tokens: Numbers, before: Numbers | None, cells: int) -> Numbers:
    import numpy as np

    if before is None:
        return np.bincount(numbers, tokens, cells).astype(np.int64)[:, None]
    width = int(before.max(initial=0)) + 1
    sums = np.bincount(numbers * width + before, tokens, cells * width)
    return sums.astype(np.int64).reshape(cells, width)


def _codes(column: pa.Array | pa.ChunkedArray) -> tuple[Numbers, int]:
    """A number for each value, 0 for null, and how many numbers there are."""
    import numpy as np
    import pyarrow as pa

    encoded = column.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes + 1, len(encoded.dictionary) + 1


@dataclass(frozen=True)
class Cells:
    """All cells, by group, then by their values; a cell's number is its place.

    `codes` are the places of their values in `words`, columns x cells, or REST; `words` are sorted.
    `levels`, `documents` and `before` are as in `Part`.
    """

    group: Numbers
    codes: tuple[Numbers, ...]
    words: tuple[tuple[str, ...], ...]
    levels: Numbers
    documents: Numbers
    before: Numbers

    @property
    def tokens(self) -> Numbers:
        """The tokens of each cell's documents, each counted once."""
        import numpy as np

        return np.asarray(self.levels.sum(axis=1))

    def __len__(self) -> int:
        """The number of cells."""
        return len(self.group)

    @staticmethod
    def of(parts: Iterable[Part]) -> Cells:
        """The cells of all parts, in memory that depends on cells and not on parts.

        The groups of the parts are numbered alike.
        """
        joined: Cells | None = None
        waiting: list[Cells] = []
        codes: list[dict[str, int]] = []
        for part in parts:
            codes = codes or [{} for _ in part.values]
            own = tuple(map(_coded, part.values, codes))
            waiting.append(Cells(part.group, own, (), part.levels, part.documents, part.before))
            if sum(map(len, waiting)) > max(WAITING, len(joined or ())):
                joined = _whole(joined, waiting, codes)
                waiting = []
        return _whole(joined, waiting, codes)._in_order()

    def _in_order(self) -> Cells:
        """The same with sorted words, in their order."""
        import numpy as np

        codes, words = [], []
        for column, names in zip(self.codes, self.words, strict=True):
            order = np.argsort(np.array(names, object), kind="stable")
            rank = np.full(len(names) + 1, REST)
            rank[order] = np.arange(len(names))
            codes.append(rank[column])
            words.append(tuple(names[row] for row in order))
        return replace(self, codes=tuple(codes), words=tuple(words))._joined()[0]

    def told_apart(self, kept: Sequence[NDArray[np.bool_]]) -> tuple[Cells, Numbers]:
        """The cells if only some values are told apart, and the new number of each cell.

        `kept` says for each column which words are.
        """
        import numpy as np

        codes = tuple(
            np.where(np.append(own, False)[column], column, REST)
            for own, column in zip(kept, self.codes, strict=True)
        )
        return replace(self, codes=codes)._joined()

    def _joined(self) -> tuple[Cells, Numbers]:
        """Equal cells as one, in their order, and the number of each."""
        import numpy as np

        keys = self.group
        for column, words in zip(self.codes, self.words, strict=True):
            keys = ranked(keys * (len(words) + 1) + column + 1)
        numbers = ranked(keys)
        first = _one_of_each(numbers)
        size = len(first)
        return Cells(
            self.group[first],
            tuple(column[first] for column in self.codes),
            self.words,
            np.stack(
                [np.bincount(numbers, level, size).astype(np.int64) for level in self.levels.T],
                axis=1,
            ),
            np.bincount(numbers, self.documents, size).astype(np.int64),
            np.bincount(numbers, self.before, size).astype(np.int64),
        ), numbers

    def with_empty(self, groups: Sequence[int]) -> Cells:
        """The cells with one more of each of these groups, without documents."""
        import numpy as np

        more = len(groups)
        return Cells(
            np.append(self.group, np.array(groups, np.int64)),
            tuple(np.append(column, np.full(more, REST)) for column in self.codes),
            self.words,
            np.pad(self.levels, ((0, more), (0, 0))),
            np.append(self.documents, np.zeros(more, np.int64)),
            np.append(self.before, np.zeros(more, np.int64)),
        )

    def by_value(self, column: int, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over cells by the value of a column, in the order of its words."""
        import numpy as np

        known = self.codes[column] >= 0
        sums_by_value = np.bincount(self.codes[column][known], sums[known], len(self.words[column]))
        return np.asarray(sums_by_value, np.float64)

    def by_group(self, sums: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
        """Sums over cells by group."""
        import numpy as np

        return np.asarray(np.bincount(self.group, sums, groups), np.float64)


def _coded(column: pa.Array, codes: dict[str, int]) -> Numbers:
    """The code of each value; those that are new get the next ones, null gets REST."""
    import numpy as np
    import pyarrow as pa

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    own = [codes.setdefault(word, len(codes)) for word in encoded.dictionary.to_pylist()]
    places = encoded.indices.fill_null(len(own)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*own, REST], np.int64)[places])


def _whole(joined: Cells | None, more: Sequence[Cells], codes: Sequence[dict[str, int]]) -> Cells:
    """Cells that are joined and those that came behind them as one."""
    import numpy as np

    parts = [*([joined] if joined else []), *more]
    width = max(part.levels.shape[1] for part in parts)
    levels = [np.pad(own, ((0, 0), (0, width - own.shape[1]))) for own in
              (part.levels for part in parts)]  # fmt: skip
    whole = Cells(
        np.concatenate([part.group for part in parts]),
        tuple(map(np.concatenate, zip(*(part.codes for part in parts), strict=True))),
        tuple(map(tuple, codes)),
        np.concatenate(levels),
        np.concatenate([part.documents for part in parts]),
        np.concatenate([part.before for part in parts]),
    )
    return whole._joined()[0]


def lean(values: Numbers) -> Numbers:
    """The same values, not to be written to; without memory of their own where all are equal."""
    import numpy as np

    is_constant = len(values) > 0 and bool((values == values[0]).all())
    return np.broadcast_to(values[0], values.shape) if is_constant else values


@dataclass(frozen=True)
class Finder:
    """Finds the numbers of cells by their groups and values.

    `codes` are the places of words by column, `steps` the distinct keys of groups, then of groups
    and the first column, and so on: each key is the place of the one before, and a code.
    """

    codes: tuple[dict[str, int], ...]
    steps: tuple[Numbers, ...]

    @staticmethod
    def of(cells: Cells) -> Finder:
        """Those of some cells."""
        import numpy as np

        steps = [np.unique(cells.group)]
        places = np.searchsorted(steps[0], cells.group)
        for codes, words in zip(cells.codes, cells.words, strict=True):
            keys = places * (len(words) + 1) + codes + 1
            steps.append(np.unique(keys))
            places = np.searchsorted(steps[-1], keys)
        own = tuple({word: code for code, word in enumerate(words)} for words in cells.words)
        return Finder(own, tuple(steps))

    def numbers(self, part: Part) -> Numbers:
        """The numbers of the cells of a part, all of which are there."""
        import numpy as np

        places = np.searchsorted(self.steps[0], part.group)
        for column, codes, step in zip(part.values, self.codes, self.steps[1:], strict=True):
            own = _coded(column, codes)
            places = np.searchsorted(step, places * (len(codes) + 1) + own + 1)
        return places
