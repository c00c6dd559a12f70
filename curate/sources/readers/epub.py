"""EPUB: a book is one document, its chapters in the order of reading.

An EPUB is a ZIP archive of XHTML pages (https://www.w3.org/TR/epub-33/): `lxml` reads them. The
library for EPUB is under the AGPL, which does not go with the licence of this package.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile

from curate.sources.readers.archives import member
from curate.sources.readers.opening import Numbered, Reading, whole_bytes
from curate.sources.readers.unpacking import Lost
from curate.text import TEXT

CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
PAGES = ("application/xhtml+xml", "text/html")

_BLOCKS = frozenset(
    {
        *(
            "p",
            "div",
            "section",
            "article",
            "blockquote",
            "pre",
            "li",
            "ul",
            "ol",
            "dl",
            "dt",
            "dd",
        ),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "figure", "figcaption", "hr", "aside"),
        *("header", "footer", "nav", "body", "html", "main", "address", "dd"),
    }
)
_LEFT_OUT = frozenset({"script", "style", "head", "svg", "math"})


def read(reading: Reading) -> Numbered:
    """Yield the one document of a book."""
    from lxml.etree import LxmlError

    try:
        data = whole_bytes(reading)
        if isinstance(data, str):
            raise ValueError(data)
        with ZipFile(io.BytesIO(data)) as archive:
            yield 1, {**_book(archive, reading), "path": reading.name}
    except (BadZipFile, LxmlError, KeyError) as error:
        yield 1, f"not an EPUB file ({error})"
    except ValueError as error:
        yield 1, str(error)


def _book(archive: ZipFile, reading: Reading) -> dict[str, Any]:
    limit = reading.max_bytes
    container = _xml(member(archive, CONTAINER, limit))
    package_path = next((own.get("full-path", "") for own in container.iter("{*}rootfile")), "")
    package = _xml(member(archive, package_path, limit))
    chapters, length = [], 0
    locked = _encrypted(archive, limit)
    for path in _spine(package, posixpath.dirname(package_path)):
        if path in locked:
            raise ValueError("encrypted: a reader with its key opens it")
        text = _chapter(archive, path, reading)
        length += len(text)
        if length > limit:
            raise ValueError(f"longer than max_bytes ({limit})")
        chapters += [text] if text else []
    if not chapters:
        raise ValueError("it holds no text")
    return {TEXT: "\n\n".join(chapters), **_about(package), "chapters": len(chapters)}


def _chapter(archive: ZipFile, path: str, reading: Reading) -> str:
    """The text of a chapter; nothing of one that is not there or damaged, which goes to `lost`."""
    try:
        data = member(archive, path, reading.max_bytes)
    except (BadZipFile, KeyError) as error:
        reading.lost.append(Lost(f"a chapter cannot be read ({error})", row=1))
        return ""
    return page_text(reading.decoder.whole(data))


def _xml(data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(data, parser)
    if root is None:
        raise ValueError("not an EPUB file (a part is not XML)")
    return root


def _spine(package: Any, folder: str) -> Iterator[str]:
    """Yield the paths of the pages in the order of reading."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in PAGES:
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))


def _encrypted(archive: ZipFile, limit: int) -> set[str]:
    """The paths of what is encrypted."""
    if ENCRYPTION not in archive.namelist():
        return set()
    told = _xml(member(archive, ENCRYPTION, limit))
    return {unquote(own.get("URI", "")) for own in told.iter("{*}CipherReference")}


def _about(package: Any) -> dict[str, str]:
    """Title, author and language of a book."""
    names = {"title": "title", "creator": "author", "language": "language"}
    about: dict[str, str] = {}
    for name, key in names.items():
        words = next((own.text for own in package.iter(f"{{*}}{name}") if own.text), None)
        about |= {key: " ".join(words.split())} if words else {}
    return about


def page_text(page: str) -> str:
    """The text of a page of XHTML: a blank line between its blocks."""
    from lxml import etree

    # A walk over many comments in a row would take the square of their number.
    plain = {"remove_comments": True, "remove_pis": True}
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, **plain)
    root = etree.fromstring(page.encode(), parser) if page.strip() else None
    if root is None:
        return ""
    lines = "".join(_words(root)).split("\n")
    tidy = (" ".join(line.split()) for line in lines)
    return "\n\n".join(filter(None, tidy))


def _words(root: Any) -> Iterator[str]:
    """Yield the words of an element and a newline around each block, without recursion."""
    from lxml import etree

    hidden = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag.rpartition("}")[2].lower()
        if event == "start":
            hidden += name in _LEFT_OUT
            yield "\n" if name in _BLOCKS or name == "br" else ""
            yield "" if hidden else _flat(element.text)
        else:
            hidden -= name in _LEFT_OUT
            yield "\n" if name in _BLOCKS else "\t" if name in ("td", "th") else ""
            yield "" if hidden else _flat(element.tail)


def _flat(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")
