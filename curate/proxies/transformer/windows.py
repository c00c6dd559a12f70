"""A mixture as windows of tokens, in an order by chance that depends on nothing but the seed.

An epoch is a stream: every text as often as `copies` says, shuffled, an end of text after each. The
stream is cut into windows, whose order is shuffled again, since neighbours in a long text are
alike. Each token of an epoch is predicted exactly once, from those before it in its window. A batch
follows from its number alone: training that goes on after a kill reads what it would have read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.errors import DataError
from curate.proxies.transformer.tokenizing import Tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Windows = tuple[NDArray[np.int64], NDArray[np.int64]]
    Order = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

NO_TARGET = -100
"""Stands where a window has nothing more to predict; torch's loss leaves it out."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of texts as windows of `context` tokens.

    Raises DataError for a mixture without texts.
    """

    tokens: Tokens
    copies: NDArray[np.int64]
    context: int
    seed: int
    _orders: dict[int, Order] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.copies.any():
            raise DataError("a proxy was given no text to learn", hint="raise the budget of `mix`")

    @property
    def size(self) -> int:
        """The tokens of an epoch, ends of texts included."""
        return int((self.copies * (self.tokens.sizes + 1)).sum())

    @property
    def windows(self) -> int:
        """The windows of an epoch; the last one can be shorter."""
        return -(-self.size // self.context)

    def batch(self, number: int, size: int) -> Windows:
        """What the batch of that number shows, and what is to be predicted: size x context each.

        `NO_TARGET` stands after the end of an epoch's last window.
        """
        import numpy as np

        epochs, places = np.divmod(np.arange(number * size, (number + 1) * size), self.windows)
        parts = [self._of_epoch(int(n), places[epochs == n]) for n in np.unique(epochs)]
        shown, wanted = zip(*parts, strict=True)
        return np.concatenate(shown), np.concatenate(wanted)

    def _of_epoch(self, epoch: int, places: NDArray[np.int64]) -> Windows:
        """The windows at some places of the order of one epoch."""
        import numpy as np

        order, ends, windows = self._order(epoch)
        targets = windows[places][:, None] * self.context + np.arange(self.context)
        shown = self._read(order, ends, targets - 1)
        wanted = np.where(targets < ends[-1], self._read(order, ends, targets), NO_TARGET)
        return shown, wanted

    def _read(
        self, order: NDArray[np.int64], ends: NDArray[np.int64], places: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The tokens at places of a stream; outside of it, an end of text."""
        import numpy as np

        text = np.searchsorted(ends, places, side="right").clip(max=len(order) - 1)
        before_end = ends[text] - 1 - places  # tokens of the text from this place on
        is_token = (places >= 0) & (before_end > 0)
        source = self.tokens.starts[order[text] + 1] - before_end
        numbers = np.full(places.shape, self.tokens.end, np.int64)
        numbers[is_token] = self.tokens.numbers[source[is_token]]
        return numbers

    def _order(self, epoch: int) -> Order:
        """The texts of an epoch in their order, where each ends in the stream, and the windows."""
        import numpy as np

        if epoch not in self._orders:
            if len(self._orders) > 1:  # a batch seldom reaches into a third epoch
                self._orders.clear()
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(np.repeat(np.arange(len(self.copies)), self.copies))
            ends = np.cumsum(self.tokens.sizes[order] + 1)
            self._orders[epoch] = order, ends, rng.permutation(self.windows)
        return self._orders[epoch]
