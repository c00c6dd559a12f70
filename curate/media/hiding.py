"""Files that are two things at once: a picture for a viewer, and a page or program for another."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

BLOCK = 1 << 20

WHOLE = 64 << 20
"""A larger file is looked through at its two ends alone."""

_MARKUP = re.compile(rb"<script[\s>]|<!doctype\s+html|<html[\s>]|<\?php\s|<iframe\s", re.IGNORECASE)

LONGEST = 32
"""No mark is longer, so that blocks overlap by as much."""


def hidden(file: BinaryIO, format: str) -> str:
    """What a medium hides besides itself, as a reason; empty for nothing.

    Marks of HTML and PHP anywhere (in EXIF, in a comment, after the end), a PDF in its first bytes,
    and a ZIP archive at its end. The marks are too long to stand in compressed data by chance.
    """
    file.seek(0)
    head = file.read(1024)
    if b"%PDF-" in head:
        return f"both {format} and a PDF"
    if _marked(file):
        return "it holds HTML or a script beside its content"
    file.seek(0)
    return f"both {format} and a ZIP archive" if zipfile.is_zipfile(file) else ""


def _marked(file: BinaryIO) -> bool:
    file.seek(0, 2)
    size = file.tell()
    ranges = [(0, size)] if size <= WHOLE else [(0, BLOCK), (size - BLOCK, size)]
    return any(_marked_between(file, start, end) for start, end in ranges)


def _marked_between(file: BinaryIO, start: int, end: int) -> bool:
    file.seek(start)
    tail = b""
    while start < end and (block := file.read(min(BLOCK, end - start))):
        if _MARKUP.search(tail + block):
            return True
        tail = block[-LONGEST:]
        start += len(block)
    return False
