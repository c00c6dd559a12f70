"""Token ids of texts: each tokenizer that `tokens` counts by, as ids that a trainer reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from curate import tokens
from curate.errors import RecipeError
from curate.names import suggestion

Decode = Callable[[Sequence[int]], str]
"""The text of ids; ValueError if they are those of no text."""


@dataclass(frozen=True)
class Encoder:
    """Makes ids of texts, and texts of ids.

    Attributes:
        encode: The ids of a text; special tokens in the text are plain text.
        decode: The text of ids.
        size: The number of ids: they are 0 to `size` less 1.
        special: The ids of special tokens.
        exact: Whether `decode` always gives back the text.
    """

    encode: Callable[[str], list[int]]
    decode: Decode
    size: int
    special: dict[str, int]
    exact: bool


@cache
def encoder(tokenizer: str) -> Encoder:
    """The encoder of a tokenizer, which `tokens.counter` takes too.

    Raises RecipeError if there is no such encoding or file.
    """
    tokens.counter(tokenizer)
    if tokenizer == "bytes":
        return Encoder(_encode_bytes, _decode_bytes, 256, {}, exact=True)
    if tokenizer.endswith(".json"):
        return _from_file(Path(tokenizer))
    return _from_encoding(tokenizer)


def _encode_bytes(text: str) -> list[int]:
    return list(text.encode())


def _decode_bytes(ids: Sequence[int]) -> str:
    return bytes(ids).decode()


def _from_encoding(name: str) -> Encoder:
    import bpe_openai

    encoding = bpe_openai.get_encoding(name)
    special = {token: encoding.encode_single_token(token) for token in encoding.special_tokens_set}

    def decode(ids: Sequence[int]) -> str:
        return str(encoding.decode(ids, errors="strict"))

    return Encoder(tokens.encoding_of(name), decode, encoding.n_vocab, special, exact=True)


def _from_file(path: Path) -> Encoder:
    model = tokens.from_file(path)
    about = json.loads(model.to_str())
    added = {token.content: id for id, token in model.get_added_tokens_decoder().items()}

    def encode(text: str) -> list[int]:
        ids: list[int] = model.encode(text, add_special_tokens=False).ids
        return ids

    def decode(ids: Sequence[int]) -> str:
        return str(model.decode(list(ids), skip_special_tokens=False))

    size = 1 + max(model.get_vocab(with_added_tokens=True).values(), default=0)
    return Encoder(encode, decode, size, added, exact=is_exact(about))


def is_exact(about: dict[str, Any]) -> bool:
    """Whether a tokenizer.json gives every text back: it cuts bytes, and changes and drops none.

    That holds for byte-level BPE without a normalizer. `about` is the file's JSON.
    """
    model, cuts = about["model"], about["pre_tokenizer"] or {}
    steps = cuts.get("pretokenizers", [cuts])
    plain = [token for token in about["added_tokens"] if not token["special"]]
    return (
        model["type"] == "BPE"
        and about["normalizer"] is None
        and (about["decoder"] or {}).get("type") == "ByteLevel"
        and any(step.get("type") == "ByteLevel" for step in steps)
        and all(map(_changes_nothing, steps))
        and not any(token["lstrip"] or token["rstrip"] for token in plain)
        and not (model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"))
        and byte_letters() <= set(model["vocab"])
    )


def _changes_nothing(step: dict[str, Any]) -> bool:
    """Whether a pre-tokenizer only cuts a text, or writes its bytes as letters."""
    kind = step.get("type")
    cuts = kind == "Digits" or (kind == "Split" and step.get("behavior") != "Removed")
    return cuts or (kind == "ByteLevel" and not step.get("add_prefix_space"))


@cache
def byte_letters() -> frozenset[str]:
    """The 256 letters that stand for bytes in byte-level BPE (GPT-2, `bytes_to_unicode`)."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    return frozenset(map(chr, shown)) | frozenset(chr(256 + n) for n in range(256 - len(shown)))


def end_id(encoder: Encoder, token: str | int | None) -> int | None:
    """The id of the token that ends a document; RecipeError if the tokenizer has no such token."""
    if token is None or isinstance(token, int):
        return token
    if token not in encoder.special:
        raise RecipeError(
            f"export.end_of_text: the tokenizer has no special token {token}",
            hint=f"{suggestion(token, sorted(encoder.special))}; or give the number of a token",
        )
    return encoder.special[token]
