"""Texts with places for media, as the ordered parts of a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from curate.sources.media_spec import Interleaved
from curate.sources.paths import MISSING, look, no_column

TEXT_TYPES = ("text", "input_text", "output_text")
"""The types of parts that are texts."""

MOST_PARTS = 10_000


class Piece(NamedTuple):
    """A text, or a medium (`text` is None) with its value and its place in the row.

    `place` is the column and the item, from 0.
    """

    text: str | None
    value: Any = None
    place: tuple[str, int] | None = None


def pieces(row: Mapping[str, Any], setting: Interleaved) -> list[Piece]:
    """The texts and media of a row, in their order. ValueError if they are not as declared."""
    if setting.parts:
        own = list(_of_parts(_listed(row, setting.parts), setting))
    else:
        texts, media = _listed(row, setting.texts), _listed(row, setting.media)
        placing = _beside if setting.place is None else _placed
        own = list(placing(texts, media, setting))
    if len(own) > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS} parts")
    if not own:
        raise ValueError("it has neither texts nor media")
    return own


def _listed(row: Mapping[str, Any], path: str | None) -> Sequence[Any]:
    assert path is not None
    value = look(row, path)
    if value is MISSING:
        raise no_column(path, row)
    if not isinstance(value, list):
        raise ValueError(f"column {path} holds {type(value).__name__}, not a list")
    return value


def _of_parts(parts: Sequence[Any], setting: Interleaved) -> Iterator[Piece]:
    assert setting.parts
    for item, part in enumerate(parts):
        if isinstance(part, str):
            yield Piece(part)
            continue
        if not isinstance(part, Mapping):
            raise ValueError(f"part {item} is {type(part).__name__}, not a mapping")
        kind = part.get("type", "")
        if kind in TEXT_TYPES:
            yield Piece(_text(part.get("text"), item))
        else:
            yield Piece(None, _medium(part, str(kind), setting), (setting.parts, item))


def _medium(part: Mapping[str, Any], kind: str, setting: Interleaved) -> Any:
    """The value of a medium: under the name of its type, under `file`, or the part itself."""
    value = next((part[key] for key in (kind, setting.file) if part.get(key)), part)
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        return value["url"]
    return _file(value, setting)


def _file(value: Any, setting: Interleaved) -> Any:
    """The path that a mapping names under `file`; a struct of bytes stays as it is."""
    if isinstance(value, Mapping) and not value.get("bytes") and value.get(setting.file):
        return value[setting.file]
    return value


def _beside(texts: Sequence[Any], media: Sequence[Any], setting: Interleaved) -> Iterator[Piece]:
    if len(texts) != len(media):
        raise ValueError(f"{len(texts)} texts and {len(media)} media do not fit together")
    for item, (text, medium) in enumerate(zip(texts, media, strict=True)):
        if text is not None and medium is not None:
            raise ValueError(f"place {item} has a text and a medium")
        if medium is not None:
            yield Piece(None, _file(medium, setting), (str(setting.media), item))
        elif text is not None:
            yield Piece(_text(text, item))


def _placed(texts: Sequence[Any], media: Sequence[Any], setting: Interleaved) -> Iterator[Piece]:
    before: dict[int, list[Piece]] = {}
    for item, medium in enumerate(media):
        place = medium.get(setting.place) if isinstance(medium, Mapping) else None
        if not isinstance(place, int) or not 0 <= place <= len(texts):
            raise ValueError(f"medium {item} has no place among {len(texts)} texts")
        piece = Piece(None, _file(medium, setting), (str(setting.media), item))
        before.setdefault(place, []).append(piece)
    for number, text in enumerate(texts):
        yield from before.get(number, ())
        yield Piece(_text(text, number))
    yield from before.get(len(texts), ())


def _text(value: Any, item: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text {item} is {type(value).__name__}, not text")
    return value
