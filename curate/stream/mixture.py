"""`Mixture`: an iterable over the documents of an export that lies by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch.utils.data import (  # noqa: TID253 (a training loop imports this, no command does)
    IterableDataset,
    get_worker_info,
)

from curate.errors import DataError, RecipeError
from curate.names import unknown
from curate.stream.blocks import Document, Reader
from curate.stream.media import Locate, Media
from curate.stream.opening import open_export
from curate.stream.turns import Chunk, Turn, next_chunk, reweighted

AHEAD = 8_192
"""About so many documents are put into their order at once."""


@dataclass(frozen=True)
class State:
    """Where a stream is: after `done` documents of the chunk that begins with these turns.

    `documents` and `tokens` are those before that chunk.
    """

    weights: tuple[float, ...]
    turns: tuple[Turn, ...]
    documents: int = 0
    tokens: int = 0
    done: int = 0


class Mixture(IterableDataset[Document]):
    """The documents of an export by group, in the proportions that the mixture promised.

        for document in Mixture("export"):
            train(document["text"])

    It is a torch `IterableDataset` too. The order of documents does not depend on the number of
    workers of a `DataLoader`, nor on the number of ranks. `batch` has to be the loader's
    `batch_size`: rank r of n gets the batches r, r + n, … of the order. A loop ends after `tokens`,
    counted as the budget is, and the next loop goes on from there; None never ends.

    Parameters
    ----------
    path: the folder of the export.
    phase: the phase, where the mixture has several.
    columns: the columns that are wanted; None is all.
    media: what stands in `media` of a document: the `path` of each file, or its bytes (`data`) too.
    tokens: None, or a number; "budget" is what the mixture draws.
    seed: of the order of documents of each group in each epoch.

    Raises DataError for an export in another layout, RecipeError for an unknown phase or column.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        phase: str | None = None,
        columns: Sequence[str] | None = None,
        media: Media = "paths",
        tokens: int | str | None = "budget",
        seed: int = 0,
        batch: int = 1,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        super().__init__()
        if not 0 <= rank < ranks or batch < 1:
            raise RecipeError(f"there is no rank {rank} of {ranks} with batches of {batch}")
        opened = open_export(Path(path), phase, columns, seed)
        self.columns, self.batch, self.rank, self.ranks = columns, batch, rank, ranks
        self.tokens = opened.budget if tokens == "budget" else tokens
        self._groups = opened.groups
        self._locate = Locate(opened.folder, media)
        pairs = zip(self._groups, opened.weights, strict=True)
        documents = sum(weight / group.tokens.mean() for group, weight in pairs)
        self._ahead = AHEAD / float(documents)
        self._chunk: Chunk | None = None
        self._begin(State(opened.weights, tuple(Turn() for _ in self._groups)))
        self._first = 0

    # ── weights and state

    @property
    def weights(self) -> dict[str, float]:
        """The shares of tokens of all groups, from the next document on."""
        names = (group.name for group in self._groups)
        return dict(zip(names, self._state.weights, strict=True))

    @weights.setter
    def weights(self, weights: Mapping[str, float]) -> None:
        """Change them in the middle of a loop; a group that is not named gets nothing.

        Workers of a loader do not hear of it: `advance` and begin another loop there. Raises
        RecipeError for an unknown group, and for weights that are no shares.
        """
        names = [group.name for group in self._groups]
        for name in weights.keys() - set(names):
            raise unknown(f"the export has no group {name}", name, names)
        after = [float(weights.get(name, 0.0)) for name in names]
        if not sum(after) > 0 or not all(0 <= weight < float("inf") for weight in after):
            raise RecipeError("weights are numbers from 0 up, not all of them 0")
        self._align()
        chunk = self._current()
        now = float(chunk.time[max(0, self._done - 1)])
        shares = tuple(weight / sum(after) for weight in after)
        turns = reweighted(chunk.turns_after(self._done), now, self._state.weights, shares)
        self._begin(State(shares, turns, *self._read()))

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is, as plain values; with ranks, after the batch of the last rank."""
        self._align()
        return asdict(replace(self._state, done=self._done))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on exactly from a state of the same export, seed and phase.

        Raises DataError for one with other groups.
        """
        if len(state["turns"]) != len(self._groups):
            raise DataError("the state is of an export with other groups")
        turns = tuple(Turn(**turn) for turn in state["turns"])
        self._begin(State(**{**state, "weights": tuple(state["weights"]), "turns": turns}))

    def advance(self, documents: int) -> None:
        """Pass over so many documents of the whole order: those that workers have yielded."""
        while documents:
            some = min(documents, len(self._current()) - self._done)
            self._done += some
            documents -= some

    def _align(self) -> None:
        """Be where all ranks are that have read as many batches as this one."""
        if self.ranks > 1:
            self.advance((self._first - self._read()[0]) % (self.ranks * self.batch))

    def _begin(self, state: State) -> None:
        self._state, self._done, self._chunk = state, state.done, None

    def _current(self) -> Chunk:
        """The chunk that the state is in; it has documents that are not done."""
        state = self._state
        if self._chunk is not None and self._done == len(self._chunk):
            self._begin(State(state.weights, self._chunk.turns, *self._read()))
            state = self._state
        if self._chunk is None:
            self._chunk = next_chunk(self._groups, state.weights, state.turns, self._ahead)
        return self._chunk

    def _read(self) -> tuple[int, int]:
        """The documents and the tokens that were read."""
        state, chunk = self._state, self._chunk
        if chunk is None and self._done:
            chunk = self._current()
        tokens = 0 if chunk is None else int(chunk.tokens[: self._done].sum())
        return state.documents + self._done, state.tokens + tokens

    # ── reading

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents of this rank and worker, from the present state on."""
        import numpy as np

        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        turn, turns = self.rank + self.ranks * worker, self.ranks * workers
        readers = [Reader(group, self.columns) for group in self._groups]
        first = self._first = self._read()[0]
        end = self._end()
        while True:
            chunk = self._current()
            stop = self._stop(chunk, end)
            places = np.arange(self._done, stop)
            numbers = (self._state.documents + places - first) // self.batch
            mine = places[numbers % turns == turn]
            documents = _documents(readers, chunk, mine)
            for self._done, document in zip((mine + 1).tolist(), documents, strict=True):
                yield self._locate(document)
                if self._chunk is not chunk:
                    break  # the loop changed the weights, or the state
            else:
                self._done = stop
                if stop < len(chunk):
                    return

    def _end(self) -> float:
        """The number of tokens after which the present loop ends."""
        if self.tokens is None:
            return float("inf")
        return int(self.tokens) * (1 + self._read()[1] // int(self.tokens))

    def _stop(self, chunk: Chunk, end: float) -> int:
        """The documents of a chunk that begin before so many tokens."""
        import numpy as np

        before = self._state.tokens + np.cumsum(chunk.tokens) - chunk.tokens
        return int(np.searchsorted(before, end))


def _documents(readers: Sequence[Reader], chunk: Chunk, places: Any) -> Iterator[Document]:
    """Yield the documents at some places of a chunk, in order; they are read before."""
    group, epoch, number = chunk.group[places], chunk.epoch[places], chunk.number[places]
    of_groups = [
        iter(reader.read(epoch[group == one], number[group == one]))
        for one, reader in enumerate(readers)
    ]
    return map(next, map(of_groups.__getitem__, group.tolist()))
