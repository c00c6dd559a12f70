"""Files made to keep a reader busy: each takes at most `MOST` times plain prose of its size.

Sizes are those of the unpacked bytes. Prose is measured beside each, on the same machine.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time

from curate.sources.reading import Row, SourceSpec, content, parts, read
from curate.tokens import DEFAULT, counter
from tests.attack.files import MOST, PROSE

SIZE = 400_000

COUNT = counter(DEFAULT)

Content = Callable[[str], bytes]
"""Makes a file of a text that is repeated to its size."""


def plain(text: str) -> bytes:
    return text.encode()


def row(text: str) -> bytes:
    return json.dumps({"text": text}).encode() + b"\n"


def inside(before: str, after: str = "") -> Content:
    return lambda text: f"{before}{text}{after}".encode()


def page(text: str) -> bytes:
    return f"<html><body><p>{PROSE * 3}</p>{text}</body></html>".encode()


def answer(text: str, head: str = "") -> bytes:
    body = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}\r\n".encode() + page(text)
    return record(body)


def record(body: bytes) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n\r\n"


def chunked(text: str) -> bytes:
    chunks = "".join(f"1\r\n{letter}\r\n" for letter in text[: len(text) // 6])
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    return record((head + chunks + "0\r\n\r\n").encode())


def notebook(text: str) -> bytes:
    cell = {"cell_type": "code", "source": [text], "metadata": {}, "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


def members(pack: Callable[[bytes], bytes], size: int) -> Content:
    """A file of packed members of so many bytes each."""

    def packed(text: str) -> bytes:
        data = text.encode()
        return b"".join(pack(data[at : at + size]) for at in range(0, len(data), size))

    return packed


def on(make: Content, *runs: str) -> tuple[tuple[Content, str], ...]:
    """Files of one making, each of another run."""
    return tuple((make, run) for run in runs)


def latin(text: str) -> bytes:
    return text.encode("latin-1")


def after_a_member(text: str) -> bytes:
    return gzip.compress(b"a", mtime=0) + latin(text)


def zipped(name: str, before: str, after: str) -> Content:
    """An office file whose one large part is the text."""

    def content(text: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, part in OFFICE[name].items():
                archive.writestr(path, part)
            archive.writestr(LARGE[name], before + text + after)
        return file.getvalue()

    return content


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OFFICE = {
    "docx": {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATED}"><Relationship Id="r" '
        f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
    },
    "epub": {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        'container"><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" '
        'href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref '
        'idref="a"/></spine></package>',
    },
}
LARGE = {"docx": "word/document.xml", "epub": "a.xhtml"}
DOCX = (f'<w:document xmlns:w="{_WORD}"><w:body>', "</w:body></w:document>")
EPUB = ('<html xmlns="http://www.w3.org/1999/xhtml"><body>', "</body></html>")
BOMB = (
    '<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)

READERS: dict[str, tuple[str, Content, tuple[tuple[Content, str], ...]]] = {
    "jsonl": (
        "a.jsonl",
        lambda text: b"".join(row(line) for line in text.splitlines()),
        (
            *on(plain, "[", '{"a":', "1", "\n", " ", "{}\n", '"', "\r", "[]\n"),
            *on(row, "a", "\\", "字", "\u0001", '"', "😀", "\ud83d", "\u202e", "\u0301"),
            (inside('{"text": "x", "n": ', "}"), "1"),
            (inside('{"text": "x", "n": [', "0]}"), "1,"),
            (inside('{"text": "x", ', '"z": 1}'), '"a": 1, '),
            (inside('{"text": "x", "n": ', "}"), "1e"),
        ),
    ),
    "json": (
        "a.json",
        lambda text: json.dumps([{"text": line} for line in text.splitlines()]).encode(),
        (
            *on(plain, "[", '{"a":', "[{", " ", "{}", '"', "[]", "{},\n"),
            (inside('[{"text": "a"}', "]"), ',{"text":"a"}'),
            (inside('{"a": [', "]}"), "[],"),
            (inside("[", "1]"), "[1],"),
        ),
    ),
    "csv": (
        "a.csv",
        lambda text: b"text,n\n" + b"".join(b'"%s",1\n' % x.encode() for x in text.splitlines()),
        (
            *on(
                inside("text,n\n"),
                '"',
                ",",
                '"\n',
                "a\n",
                '",',
                "\0",
                "\r",
                '""',
                'a"b\n',
                'a,"\\"b\n',
                '"a\n"b,\n',
            ),
            *on(plain, ";", ",", "|;\t,", "a\tb;c|d,e\n"),
        ),
    ),
    "markdown": (
        "a.md",
        plain,
        (
            *on(inside("---\n", "\n---\nx"), "[", "{a: ", "- ", "? ", "a: \n", "!"),
            *on(inside("---\n", "\n---\nx"), "&a ", "*a ", "'", "a: |\n", " ", "#"),
            *on(inside("+++\n", "\n+++\nx"), "[", "a.", "a=[", "'", "#\n", "[[a]]\n"),
            (plain, "---\n"),
            (plain, "+++\n"),
        ),
    ),
    "html": (
        "a.html",
        lambda text: page("".join(f"<p>{line}</p>" for line in text.splitlines())),
        on(
            page,
            *("<div>", "<p>", "<b>", "<a href=x>", "<table><tr><td>", "<ul><li>", "<br>", "</p>"),
            *("<!--", "<", "&amp;", "&#", "<script>", "<a ", "a=1 ", "<p>a</p>", "<h1>x", "\n"),
            *("<table>", "<td>x", "<span>x</span>", "<font><div>", "<![CDATA[", "<title>", "]]>"),
            *("<i><p>", "<form>", "<select>", "<q>", "<pre>\n", "<li>x", "<blockquote>", "<math>"),
        ),
    ),
    "warc": (
        "a.warc",
        lambda text: answer("".join(f"<p>{line}</p>" for line in text.splitlines())),
        (
            *(
                (plain, run)
                for run in ("WARC/1.0\r\n", "\r\n", "a: b\r\n", "WARC/1.0\r\n\r\n", "a")
            ),
            (lambda text: record(text.encode()), "HTTP/1.1 200 OK\r\n"),
            (chunked, "<p>x"),
            (partial(answer, head="Content-Encoding: gzip\r\n"), "x"),
            (partial(answer, head="a: b\r\n" * 5000), "x"),
            (partial(answer, head="Transfer-Encoding: chunked\r\n"), "1\r\na\r\n"),
            (inside("WARC/1.0\r\n", "\r\n\r\nx"), "a: b\r\n"),
        ),
    ),
    "code": (
        "a.pl",
        plain,
        on(plain, "#!", "%", "use ", "\n", "=pod\n", ":-", "sub {", "a." * 3),
    ),
    "notebook": (
        "a.ipynb",
        notebook,
        (
            *on(notebook, "a", "\n", "\\", "%%"),
            *on(plain, "[", '{"cells":', "{"),
            (inside('{"cells": [', "{}]}"), '{"cell_type": "code", "source": []},'),
        ),
    ),
    "text": (
        "a.txt",
        plain,
        (
            *(
                (plain, run)
                for run in ("\n", "\r", "a", "\u0301", "\x00", "é", "字", "\ufeff", "\u200b")
            ),
            (latin, "é"),
            (latin, "caf\xe9 \n"),
            (lambda text: text.encode("gb18030"), "字\n"),
            (lambda text: text.encode("gb18030") + b"\xff", "字"),
            (latin, "\xff\xfe"),
            (lambda text: text.encode("utf-16-le"), "a"),
            (latin, "\x1b$B"),
            (latin, "+A"),
            (latin, "~{"),
        ),
    ),
    "gzip": (
        "a.txt.gz",
        lambda text: gzip.compress(text.encode(), mtime=0),
        (
            (members(partial(gzip.compress, mtime=0), 100), "a"),
            (plain, "\x1f"),
            (latin, "\x1f\x8b\x08\x00"),
            (
                after_a_member,
                "\x1f\x8b\x08\x00",
            ),
            (after_a_member, "a"),
            (lambda text: gzip.compress(text.encode(), mtime=0)[:-9] + b"\0" * 9, "a"),
            (lambda text: gzip.compress(gzip.compress(text.encode())), "a"),
        ),
    ),
    "bzip2": (
        "a.txt.bz2",
        lambda text: bz2.compress(text.encode()),
        (
            (members(bz2.compress, 1000), "a"),
            (latin, "BZh91AY&SY"),
            (lambda text: bz2.compress(b"a") + text.encode("latin-1"), "BZh9"),
        ),
    ),
    "xz": (
        "a.txt.xz",
        lambda text: lzma.compress(text.encode()),
        (
            (members(lzma.compress, 2000), "a"),
            (latin, "\xfd7zXZ\x00"),
            (lambda text: lzma.compress(b"a") + text.encode("latin-1"), "\xfd7zXZ\x00"),
        ),
    ),
    "docx": (
        "a.docx",
        lambda text: zipped(
            "docx",
            DOCX[0],
            DOCX[1],
        )("".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.splitlines())),
        (
            *on(zipped("docx", *DOCX), "<w:p>", "<w:p/>", "<w:tbl>", "a", "&amp;"),
            *on(zipped("docx", *DOCX), "<w:tbl><w:tr><w:tc>", "<w:p><w:r><w:br/>"),
            *on(zipped("docx", *DOCX), "<w:sdt>", "<w:p><w:r><w:footnoteReference/></w:r></w:p>"),
            *on(
                zipped("docx", f"{DOCX[0]}<w:tbl>", f"</w:tbl>{DOCX[1]}"),
                "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr>",
            ),
            (zipped("docx", *DOCX), "<w:p><w:r><w:tab/></w:r></w:p>"),
            (zipped("docx", BOMB + DOCX[0], DOCX[1]), "<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>"),
            (plain, "PK\x03\x04"),
        ),
    ),
    "epub": (
        "a.epub",
        lambda text: zipped("epub", *EPUB)("".join(f"<p>{line}</p>" for line in text.splitlines())),
        (
            *(
                (zipped("epub", *EPUB), run)
                for run in ("<p>", "<div>", "<p/>", "a", "&amp;", "<b>", "<?a?>", "<!-- -->")
            ),
            (zipped("epub", BOMB + EPUB[0], EPUB[1]), "<p>&a9;</p>"),
            (zipped("epub", *EPUB), "<table><tr><td>"),
            (zipped("epub", "", ""), "<!-- "),
        ),
    ),
    "pdf": (
        "a.pdf",
        plain,
        tuple(
            (inside("%PDF-1.4\n"), run) for run in ("1 0 obj\n", "<<", "[", "(", "stream\n", "%\n")
        ),
    ),
}
"""By reader: the name of a file, how a plain one is made, and the makers and runs of the others."""


def tries(folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield each try: its name, and what returns None if it held, else what went wrong."""
    for reader, (name, usual, others) in READERS.items():
        for number, (make, run) in enumerate(others):
            place = folder / reader / str(number)
            yield f"{reader}: {number} {run!r}", partial(_try, place, name, usual, make, run)


def _try(folder: Path, name: str, usual: Content, make: Content, run: str) -> str | None:
    seconds = _seconds(folder / "run", name, make(_repeated(run)))
    prose = _of_prose(folder / "prose", name, usual)
    is_slow = seconds > MOST * prose
    return f"{seconds:.1f} s, {seconds / prose:.0f} times prose" if is_slow else None


def _of_prose(folder: Path, name: str, usual: Content) -> float:
    """The seconds in which `pool` takes prose, in a format's own files or as JSON lines."""
    lines, make, _ = READERS["jsonl"]
    files = {name: usual, lines: make}
    return max(
        min(_seconds(folder, own, made(_repeated(PROSE)), whole=True) for _ in range(2))
        for own, made in files.items()
    )


def _repeated(run: str) -> str:
    return (run * (SIZE // len(run) + 1))[: SIZE // len(run) * len(run)]


def _seconds(folder: Path, name: str, made: bytes, *, whole: bool = False) -> float:
    """The processor seconds in which a file is read; with `whole` texts are hashed and counted."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(made)
    source = SourceSpec(paths=(str(path),), format="code" if path.suffix == ".pl" else "auto")
    began = process_time()
    for part in parts([source], folder):
        for row in read(source, part, strict=False):
            if whole and isinstance(row, Row):
                COUNT(content(row).text)
    return process_time() - began
