"""PDF: every page is a document with its number, or the file is one; text in reading order.

A page whose text is turned, or written downwards as in Chinese and Japanese, is read as it is held.

Text is what the file holds as text: a page that is a picture has none, and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import pi
from typing import Any, NamedTuple

from curate.sources.readers.layout import Piece, text_of
from curate.sources.readers.opening import Numbered, Reading, Skip, whole_bytes
from curate.text import TEXT, canonical

LOCKED = (4, 5)
"""PDFium's codes for a file that asks for a password, or is encrypted in an unknown way."""

ENCRYPTED = "encrypted: it opens only with a password"
NO_TEXT = "a page without text"

LOOKED_AT = 200
"""So many characters of a page tell how its text is turned."""

FIRST_VERTICAL = 0x2E80
"""The scripts that are written downwards begin here."""

GAP = 1.5
"""A gap of so many line heights parts two columns that stand in one line."""


def read(reading: Reading) -> Numbered:
    """Yield the document of every page with text; `reading.query` is `joined` for one of all."""
    import pypdfium2

    data = whole_bytes(reading)
    if isinstance(data, str):
        yield 1, data
        return
    try:
        with pypdfium2.PdfDocument(data) as file:
            yield from _documents(file, reading)
    except pypdfium2.PdfiumError as error:
        is_locked = getattr(error, "err_code", None) in LOCKED
        yield 1, ENCRYPTED if is_locked else f"not a PDF that can be read ({error})"


def _documents(file: Any, reading: Reading) -> Numbered:
    from pypdfium2 import PdfiumError

    about = {"path": reading.name, **_about(file), "pages": len(file)}
    starts: list[int | None] = []
    joined = ""
    for number in range(1, len(file) + 1):
        try:
            text = _text(file, number - 1)
        except PdfiumError as error:
            yield number, f"a page that cannot be read ({error})"
            starts.append(None)
            continue
        if not text:
            yield number, Skip(NO_TEXT)
            starts.append(None)
        elif reading.query == "joined":
            joined += "\n\n" if joined else ""
            starts.append(len(joined))
            joined += text
        else:
            yield number, {TEXT: text, **about, "page": number}
    if joined:
        yield 1, {TEXT: joined, **about, "page_starts": starts}


def _about(file: Any) -> dict[str, str]:
    """Title and author, as far as the file names them."""
    told = file.get_metadata_dict(skip_empty=True)
    return {name.lower(): told[name] for name in ("Title", "Author") if told.get(name)}


def _text(file: Any, place: int) -> str:
    """The text of a page, in its canonical form."""
    page = file[place]
    try:
        characters = page.get_textpage()
        try:
            return canonical(text_of(list(_pieces(characters)))).strip()
        finally:
            characters.close()
    finally:
        page.close()


class _Box(NamedTuple):
    """Where a character stands, in points."""

    left: float
    bottom: float
    right: float
    top: float

    def turned(self, quarters: int) -> _Box:
        """Where it stands on a page that is turned back by so many quarters."""
        left, bottom, right, top = self
        if quarters == 1:
            return _Box(-top, left, -bottom, right)
        if quarters == 2:
            return _Box(-right, -top, -left, -bottom)
        return _Box(bottom, -right, top, -left) if quarters == 3 else self


def _pieces(characters: Any) -> Iterator[Piece]:
    """Yield the pieces of a page as it draws them: up to the end of a line, or to a wide gap."""
    words: list[str] = []
    boxes: list[_Box] = []
    is_space = is_hyphen = False
    for letter, box in _letters(characters):
        if letter is None:
            is_hyphen = True
        elif letter in "\r\n":
            yield from _piece(words, boxes)
            words, boxes, is_space, is_hyphen = [], [], False, False
        elif letter.isspace():
            is_space = True
        else:
            if boxes and box and not is_hyphen and _is_apart(boxes[-1], box):
                yield from _piece(words, boxes)
                words, boxes, is_space = [], [], False
            words.append(f" {letter}" if is_space and words else letter)
            boxes += [box] if box else []
            is_space = is_hyphen = False
    yield from _piece(words, boxes)


def _letters(characters: Any) -> Iterator[tuple[str | None, _Box | None]]:
    """Yield every character of a page with its box; None is a hyphen at the end of a line."""
    from ctypes import byref

    from pypdfium2 import raw

    page, rectangle = characters.raw, raw.FS_RECTF()
    quarters = _quarters(characters)
    for place in range(characters.count_chars()):
        code = raw.FPDFText_GetUnicode(page, place)
        if raw.FPDFText_IsHyphen(page, place) == 1:
            yield None, None
        elif code and raw.FPDFText_GetLooseCharBox(page, place, byref(rectangle)):
            box = _Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
            yield chr(code), box.turned(quarters)
        elif code:
            yield chr(code), None


def _quarters(characters: Any) -> int:
    """By how many quarters most text of a page is turned clockwise; 1 if it is written downwards.

    Some characters of the page tell it.
    """
    count = characters.count_chars()
    votes = Counter(
        own
        for place in range(0, count, max(1, count // LOOKED_AT))
        if (own := _quarters_of(characters.raw, place)) is not None
    )
    return votes.most_common(1)[0][0] if votes else 0


def _quarters_of(page: Any, place: int) -> int | None:
    """By how many quarters a character is turned; None where that cannot be told."""
    from pypdfium2 import raw

    angle = raw.FPDFText_GetCharAngle(page, place)
    if angle < 0 or not chr(raw.FPDFText_GetUnicode(page, place)).isalnum():
        return None
    quarters = round(angle / (pi / 2)) % 4
    return quarters or int(_goes_down(page, place))


def _goes_down(page: Any, place: int) -> bool:
    """Whether a character of an unturned page stands above the next one, as in vertical writing."""
    from ctypes import byref

    from pypdfium2 import raw

    if raw.FPDFText_GetUnicode(page, place) < FIRST_VERTICAL:
        return False
    this, after = raw.FS_RECTF(), raw.FS_RECTF()
    is_known = raw.FPDFText_GetLooseCharBox(page, place, byref(this))
    is_known = is_known and raw.FPDFText_GetLooseCharBox(page, place + 1, byref(after))
    if not is_known or raw.FPDFText_GetUnicode(page, place + 1) < FIRST_VERTICAL:
        return False
    height, width = this.top - this.bottom, this.right - this.left
    return bool(abs(after.left - this.left) < width / 2 and after.top < this.top - height / 2)


def _is_apart(before: _Box, box: _Box) -> bool:
    """Whether a character does not follow another one in its line."""
    height = max(before.top - before.bottom, box.top - box.bottom)
    across = max(box.left - before.right, before.left - box.right)
    down = max(box.bottom - before.top, before.bottom - box.top)
    return across > GAP * height or down > height / 2


def _piece(words: list[str], boxes: list[_Box]) -> Iterator[Piece]:
    if not boxes:
        return
    heights = sorted(box.top - box.bottom for box in boxes)
    yield Piece(
        "".join(words),
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
        heights[len(heights) // 2],
    )
