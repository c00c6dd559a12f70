"""DOCX: a file is one document, its paragraphs and tables in their order, its notes at the end."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

from curate.sources.readers.archives import check_size
from curate.sources.readers.opening import Numbered, Reading, whole_bytes
from curate.sources.readers.word_markup import Notes, blocks, value_of
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


def _blocks(file: Any) -> Iterator[str]:
    """Yield the blocks of a document, and then each note that they refer to, with its number."""
    notes = Notes()
    yield from blocks(file.element.body, notes)
    stored = {kind: _notes_of(file.part, kind) for kind in ("footnote", "endnote")}
    for (kind, identifier), number in notes.numbers.items():
        if (note := stored[kind].get(identifier)) is not None:
            words = "\n\n".join(filter(None, blocks(note, Notes())))
            yield f"[{number}] {words}"


def _notes_of(part: Any, kind: str) -> dict[str, Any]:
    """The notes of a kind that are stored beside a document, by their identifiers."""
    from docx.opc.oxml import parse_xml

    ends = f"/{kind}s"
    own = (relation for relation in part.rels.values() if relation.reltype.endswith(ends))
    relation = next((one for one in own if not one.is_external), None)
    if relation is None:
        return {}
    notes = parse_xml(relation.target_part.blob).iter(f"{{*}}{kind}")
    return {value_of(note, "id") or "": note for note in notes}
