"""Texts as tokens: bytes, a BPE learned from the texts, or the tokenizer of a model in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1_000
"""So many texts are tokenized at once."""


class Tokenizer(Protocol):
    """Texts to numbers and back. `end` is the number of the end of a text, `size` of all tokens."""

    end: int
    size: int

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """The tokens of each text, without an end."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some tokens. Bytes that are no UTF-8 are replaced."""


class Bytes:
    """A token for each byte of UTF-8, and the end of a text."""

    end, size = 256, 257

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """The bytes of each text."""
        return [text.encode() for text in texts]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some bytes."""
        return bytes(tokens).decode(errors="replace")


class Bpe:
    """A byte-level BPE learned from texts (Sennrich et al. 2016; byte level: Radford et al. 2019).

    It loses nothing: every byte has a token, and `decode` undoes `encode`.
    """

    def __init__(self, texts: Sequence[str], vocabulary: int) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer as Fast
        from tokenizers import decoders, models, pre_tokenizers, trainers

        self._fast = Fast(models.BPE())
        self._fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self._fast.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary - 1,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        self._fast.train_from_iterator(texts, trainer)
        self.end = self._fast.get_vocab_size()
        self.size = self.end + 1

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text."""
        return [encoding.ids for encoding in self._fast.encode_batch_fast(list(texts))]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some tokens."""
        return str(self._fast.decode(list(tokens)))


class Own:
    """The tokenizer that belongs to a model in a folder."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.end = int(tokenizer.eos_token_id)
        self.size = len(tokenizer)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, without those that its model begins or ends a text with."""
        encoded = self._tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some tokens."""
        return str(self._tokenizer.decode(list(tokens)))


@dataclass(frozen=True)
class Tokens:
    """The tokens of all texts in one array; text n has those from `starts[n]` to `starts[n + 1]`.

    `end` is the number of the end of a text, which stands in no text.
    """

    numbers: NDArray[np.unsignedinteger[Any]]
    starts: NDArray[np.int64]
    end: int

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of tokens of each text."""
        import numpy as np

        return np.diff(self.starts)


def tokens_of(texts: Sequence[str], tokenizer: Tokenizer) -> Tokens:
    """The tokens of all texts; texts are tokenized block by block."""
    import numpy as np

    parts, sizes = [], [0]
    dtype = np.min_scalar_type(tokenizer.size)
    for block in _blocks(texts):
        encoded = tokenizer.encode(block)
        sizes += map(len, encoded)
        parts += [_numbers(tokens, dtype) for tokens in encoded]
    numbers = np.concatenate(parts) if parts else np.zeros(0, dtype)
    return Tokens(numbers, np.cumsum(np.array(sizes, np.int64)), tokenizer.end)


def _numbers(tokens: Sequence[int], dtype: np.dtype[Any]) -> NDArray[np.unsignedinteger[Any]]:
    import numpy as np

    if isinstance(tokens, bytes):
        return np.frombuffer(tokens, np.uint8).astype(dtype)
    return np.array(tokens, dtype)


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK))
