"""Exact token counts: the unit of mixtures and budgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import chain
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
        raise ValueError(f"{tokens!r} is not a number of tokens: write 250000, 20M or 1.5B")
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
    count = _counted(name)

    def tokens_of(text: str) -> int:
        if count is None or len(text) > MOST_CHARACTERS:
            return len(encode(text))
        try:
            return count(text)
        except UnicodeEncodeError:  # a lone surrogate
            return len(encode(text))

    return tokens_of


def _counted(name: str) -> Counter | None:
    """What counts the tokens of a short text without listing them; None if the package has none."""
    import bpe_openai

    backend = getattr(bpe_openai.get_encoding(name), "_backend", None)
    count: Counter | None = getattr(backend, "count", None)
    return count


def encoding_of(name: str) -> Callable[[str], list[int]]:
    """Return what encodes a text by an encoding of `bpe-openai`, without special tokens.

    Raises RecipeError if there is no such encoding.
    """
    import bpe_openai

    if name not in bpe_openai.list_encoding_names():
        names = (*ENCODINGS, "bytes", "PATH/tokenizer.json")
        raise unknown(f"pool.tokenizer: no encoding named {name}", name, names)
    try:
        encoding = bpe_openai.get_encoding(name)
    except (RuntimeError, OSError):  # bpe-openai names encodings that it does not hold
        raise RecipeError(
            f"pool.tokenizer: {name} is not among the encodings on this machine",
            hint=f"save its tokenizer.json and give its path, or take {DEFAULT}",
        ) from None
    whole: Callable[[str], list[int]] = encoding.encode_ordinary
    bytes_of = encoding.decode_single_token_bytes

    def encode(text: str) -> list[int]:
        if len(text) <= MOST_CHARACTERS:
            return whole(text)
        return list(chain.from_iterable(_of_run(run, whole, bytes_of) for run in runs(text)))

    return encode


# ── long texts


MOST_CHARACTERS = 50_000
"""Longer texts are encoded in pieces: the encodings refuse a million characters, 200,000 tokens."""

OVERLAP = 50
"""So many tokens of a piece are encoded again with the next one, to see that both agree."""

BREAK = re.compile(
    r"(?<=[^\W_])(?=[ \t\n.,;:!?\"()\u3001\u3002\uff0c\uff1b\uff1a\uff01\uff1f])"
    r"|(?<=\n)(?=[^\W\d_])"
)
"""Places that no token of an encoding goes over: between a letter or digit and a mark after it."""


def runs(text: str) -> Iterator[str]:
    """Yield a text in runs of at most `MOST_CHARACTERS`, where it has breaks.

    The tokens of all runs are those of the whole text. A run without a `BREAK` may be longer.
    """
    start = 0
    while len(text) - start > MOST_CHARACTERS:
        limit = start + MOST_CHARACTERS
        late = BREAK.finditer(text, max(start + 1, limit - 1000), limit)
        places = [match.start() for match in late]
        end = places[-1] if places else _first_break(text, start, limit)
        yield text[start:end]
        start = end
    yield text[start:]


def _first_break(text: str, start: int, limit: int) -> int:
    """The last break before a limit, or else the first one after it."""
    end = start
    for match in BREAK.finditer(text, start + 1, limit):
        end = match.start()
    if end > start:
        return end
    after = BREAK.search(text, limit)
    return after.start() if after else len(text)


def _of_run(
    run: str, whole: Callable[[str], list[int]], bytes_of: Callable[[int], bytes]
) -> Iterator[int]:
    """Yield the tokens of a run, encoded piece by piece where it is long.

    A sequence of tokens is the encoding of a text exactly if each pair of neighbours is that of
    its own bytes (https://github.com/github/rust-gems/tree/main/crates/bpe). So two pieces may be
    joined at a token that both have. Pieces that share none are joined as they are: the sum may
    then be a token more than that of the whole.
    """
    start = 0
    while len(run) - start > MOST_CHARACTERS:
        piece = run[start : start + MOST_CHARACTERS]
        ids = whole(piece)
        rest = run[start : start + 2 * MOST_CHARACTERS]
        kept, size = _agreed(piece, ids, rest, whole, bytes_of)
        yield from ids[:kept]
        start += size
    yield from whole(run[start:])


def _agreed(
    piece: str,
    ids: list[int],
    rest: str,
    whole: Callable[[str], list[int]],
    bytes_of: Callable[[int], bytes],
) -> tuple[int, int]:
    """How many tokens and characters of a piece stay, so that what follows agrees with it.

    That is up to a token with which the encoding of the following characters begins as well.
    """
    data = piece.encode()
    at, kept = len(data), len(ids)
    for place in range(len(ids) - 1, max(0, len(ids) - OVERLAP), -1):
        at -= len(bytes_of(ids[place]))
        is_far = len(ids) - place > OVERLAP // 2
        if is_far and data[at] & 0xC0 != 0x80 and data.startswith(bytes_of(ids[place]), at):
            size = len(data[:at].decode())
            if whole(rest[size : size + MOST_CHARACTERS])[:1] == ids[place : place + 1]:
                return place, size
    return kept, len(piece)
