"""Exact token counts: the unit of mixtures and budgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from curate.errors import RecipeError
from curate.names import absent, unknown
from curate.yamls import HUGE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Counter = Callable[[str], int]

DEFAULT = "o200k_base"

ENCODINGS = ("cl100k_base", "o200k_base", "voyage3_base")
"""The encodings whose tokens `bpe-openai` brings. It names others that it cannot load."""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}


def number_of(tokens: str | int) -> int:
    """A number of tokens, as people write it: `250000`, `20M`, `1.5B`.

    Raises ValueError for anything else, and for 0.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgGbBtT]?)\s*", str(tokens))
    number = Fraction(match[1]) * _UNITS[match[2].lower()] if match else 0
    if number <= 0:
        raise ValueError(f"{tokens!r} is no number of tokens: write 250000, 20M or 1.5B")
    if number >= HUGE:
        raise ValueError(f"{str(tokens)[:20]} is more than any corpus holds")
    return round(number)


@cache
def counter(tokenizer: str) -> Counter:
    """Return the function that counts the tokens of a text.

    `tokenizer` is an encoding of `bpe-openai` (`o200k_base`, `cl100k_base`, …), `bytes`, or the
    path of a Hugging Face `tokenizer.json`. Special tokens in the text count as plain text.
    Raises RecipeError if there is no such encoding or file.
    """
    if tokenizer == "bytes":
        return _count_bytes
    if tokenizer.endswith(".json"):
        return _from_file(Path(tokenizer))
    return _from_encoding(tokenizer)


def _count_bytes(text: str) -> int:
    return len(text.encode())


def from_file(path: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json, set to encode a whole text, and as plain text.

    Raises RecipeError if there is no such file.
    """
    from tokenizers import Tokenizer

    try:
        is_file = path.is_file()
    except OSError as error:
        raise RecipeError(f"pool.tokenizer: {str(path)[:80]}…: {error.strerror}") from None
    if not is_file:
        hint = "give the path of a tokenizer.json"
        raise absent(f"pool.tokenizer: no file {path}", path, hint=hint)
    try:
        model = Tokenizer.from_file(str(path))
    except Exception as error:  # the binding raises bare Exceptions
        raise RecipeError(f"pool.tokenizer: {path} is not a tokenizer.json ({error})") from None
    model.encode_special_tokens = True
    model.no_truncation()
    model.no_padding()
    return model


def _from_file(path: Path) -> Counter:
    model = from_file(path)
    return lambda text: len(model.encode(text, add_special_tokens=False).ids)


def _from_encoding(name: str) -> Counter:
    encode = encoding_of(name)
    return lambda text: len(encode(text))


def encoding_of(name: str) -> Callable[[str], list[int]]:
    """Return what encodes a text by an encoding of `bpe-openai`, without special tokens.

    Raises RecipeError if there is no such encoding.
    """
    import bpe_openai

    if name not in bpe_openai.list_encoding_names():
        names = (*ENCODINGS, "bytes", "PATH/tokenizer.json")
        raise unknown(f"pool.tokenizer: no encoding named {name}", name, names)
    try:
        encode = bpe_openai.get_encoding(name).encode_ordinary
    except (RuntimeError, OSError):  # bpe-openai names encodings that it does not hold
        raise RecipeError(
            f"pool.tokenizer: {name} is not among the encodings on this machine",
            hint=f"save its tokenizer.json and give its path, or take {DEFAULT}",
        ) from None
    return lambda text: [id for piece in pieces(text) for id in encode(piece)]


MOST_CHARACTERS = 50_000
"""Longer texts are encoded in pieces: the encodings refuse a million characters, 200,000 tokens."""

BEFORE_A_WORD = re.compile(r"(?<=\w)(?= [^\W\d_])|(?<=\n)(?=[^\W\d_])")
"""No token of any encoding goes over these places: a word begins with the space before it."""


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of at most `MOST_CHARACTERS`.

    They end before a word, where the tokens of all pieces are those of the whole, or where there is
    no word, at any place.
    """
    start = 0
    while len(text) - start > MOST_CHARACTERS:
        end = start + MOST_CHARACTERS
        first = max(start + 1, end - 10_000)
        places = [match.start() for match in BEFORE_A_WORD.finditer(text, first, end)]
        end = places[-1] if places else end
        yield text[start:end]
        start = end
    yield text[start:]
