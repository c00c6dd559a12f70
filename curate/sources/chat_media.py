"""The media of a conversation: parts of its messages, and marks in their texts.

A part such as `{type: image, image: a.png}` has a path, an address, base64 or bytes, by any of its
usual names (`image_url`, `input_audio`, `source`, …). Of `{type: image}` alone, and of the mark
`<image>` in a text, a column of the row has the medium: the next one each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from curate.media.medium import KINDS

_KIND_OF = {
    type: kind for kind in KINDS for type in (kind, f"{kind}_url", f"input_{kind}", f"{kind}_file")
}
"""The kinds of the types of parts that are media."""

_VALUES = ("source", "url", "path", "file", "data", "base64", "bytes")
"""Keys that hold a medium, or lead to it, where none is called as the part's type."""

_MARK = re.compile(
    r"^<(image|audio|video)>\n|\n<(image|audio|video)>\Z|<(image|audio|video)>", re.MULTILINE
)
"""A mark, with the end of its line where nothing else stands there."""


class Place(NamedTuple):
    """A place for a medium in a message; without a `value`, a column of the row has that."""

    kind: str
    value: Any = None


class PartMedium(NamedTuple):
    """A part that is a medium: its place, and what else the part says, by key."""

    place: Place
    more: dict[str, Any]


def medium_of_part(part: Any) -> PartMedium | None:
    """The medium that a part of a content is; None for any other part."""
    if not isinstance(part, Mapping):
        return None
    type = part.get("type")
    kind = _KIND_OF.get(type) if isinstance(type, str) else None
    if kind is None:
        return None
    own = (str(type), kind, f"{kind}_url", *_VALUES)
    key = next((key for key in own if part.get(key)), None)
    more = {k: v for k, v in part.items() if k not in ("type", key) and v is not None}
    return PartMedium(Place(kind, None if key is None else _innermost(part[key])), more)


def _innermost(value: Any) -> Any:
    """The medium that a mapping names; a struct of bytes stays as it is."""
    if isinstance(value, Mapping) and not isinstance(value.get("bytes"), bytes):
        return next((_innermost(value[key]) for key in _VALUES if value.get(key)), value)
    return value


def cut_at_marks(text: str, kinds: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    """Yield the pieces of a text: words, and marks of some kinds with their kind."""
    at = 0
    for match in _MARK.finditer(text):
        kind = next(filter(None, match.groups()))
        if kind in kinds:
            if at < match.start():
                yield text[at : match.start()], None
            yield match.group(), kind
            at = match.end()
    if at < len(text):
        yield text[at:], None


def without_marks(text: str) -> list[str]:
    """The words of a text that stand between marks."""
    return [piece.strip("\n") for piece, kind in cut_at_marks(text, frozenset(KINDS)) if not kind]
