"""DOCX: a file is one document, its paragraphs and tables in their order."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

from curate.sources.readers.archives import check_size
from curate.sources.readers.opening import Numbered, Reading, whole_bytes
from curate.text import TEXT

OLD = b"\xd0\xcf\x11\xe0"
"""How a file of the time before DOCX begins, and one that is encrypted."""

BROKEN = (zlib.error, EOFError, RuntimeError, LookupError, AttributeError, TypeError)
"""What the library raises for a package that lacks a part or holds another one."""


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file."""
    from zipfile import BadZipFile

    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        data = whole_bytes(reading)
        if isinstance(data, str):
            raise ValueError(data)
        if data.startswith(OLD):
            raise ValueError("encrypted, or a Word file of before 2007")
        check_size(data, reading.max_bytes)
        yield 1, _document(data, reading.name)
    except (*BROKEN, BadZipFile, OpcError, LxmlError) as error:
        yield 1, f"not a DOCX file ({error})"
    except ValueError as error:
        yield 1, str(error)


def _document(data: bytes, name: str) -> dict[str, Any]:
    from docx import Document

    file = Document(io.BytesIO(data))
    about = {"title": file.core_properties.title, "author": file.core_properties.author}
    text = "\n\n".join(filter(None, _blocks(file)))
    if not text:
        raise ValueError("it holds no text")
    return {TEXT: text, "path": name, **{key: value for key, value in about.items() if value}}


def _blocks(holder: Any) -> Iterator[str]:
    """Yield paragraphs and tables; a row of a table is a line with a tab between cells."""
    from docx.table import Table

    for block in holder.iter_inner_content():
        if isinstance(block, Table):
            yield "\n".join("\t".join(_cells(row)) for row in block.rows)
        else:
            yield block.text.strip()


def _cells(row: Any) -> Iterator[str]:
    """Yield the text of every cell; one that spans several columns comes once."""
    before = None
    for cell in row.cells:
        if cell._tc is not before:
            yield " ".join(" ".join(_blocks(cell)).split())
        before = cell._tc
