"""Files that hold something else than their names say: each costs itself alone."""

import gzip
import io
import json
import random
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.sources.readers.registry import FORMATS
from curate.sources.reading import Bad, SourceSpec, parts, read
from tests.media_made import picture


def _parquet():
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["tea"]}), sink)
    return sink.getvalue()


def _zip(name, content):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, content)
    return sink.getvalue()


def _tar(*members):
    """A tar file of (name, kind, target or content)."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind, what in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(what)
                archive.addfile(info, io.BytesIO(what))
            else:
                info.linkname = what
                archive.addfile(info)
    return sink.getvalue()


CONTENTS = {
    "nothing": b"",
    "a NUL": b"\0" * 5000,
    "drawn": random.Random(5).randbytes(5000),
    "a table": _parquet(),
    "half a table": _parquet()[:-20],
    "a picture": picture(),
    "packed": gzip.compress(b"tea" * 500, mtime=0),
    "an archive": _zip("word/document.xml", "<a>" * 900),
    "an archive that leads out": _zip("../../META-INF/container.xml", "<a/>"),
    "a tar of links": _tar(
        ("a.txt", tarfile.SYMTYPE, "/etc/hostname"),
        ("b.jpg", tarfile.LNKTYPE, "../other.txt"),
        ("c.json", tarfile.FIFOTYPE, ""),
        ("../d.txt", tarfile.REGTYPE, b"coffee"),
    ),
    "rows": json.dumps({"text": 7}).encode() + b"\n[]\nnull\n",
    "a notebook of nothing": b'{"cells": [7, null, {"cell_type": "code", "source": {}}]}',
    "a page of tags": b"<html>" + b"<p><table><!--" * 200,
    "a record without an end": b"WARC/1.0\r\nContent-Length: 99999999999\r\n\r\n",
    "a pdf of nothing": b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n"
    b"trailer<</Root 1 0 R>>",
    "right to left": "\u202e\u2067גי\u05b0\u200f\r\u0085".encode(),
}


@pytest.mark.parametrize("suffix", [suffixes[0] for suffixes in FORMATS.values()])
def test_what_a_file_holds_instead_costs_itself_alone(suffix, tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / f"{name}{suffix}").write_bytes(content)
    (tmp_path / "other.txt").write_text("rice")
    source = SourceSpec(paths=(str(tmp_path),))
    texts = []
    for part in parts([source], tmp_path):
        for row in read(source, part, strict=False):
            if isinstance(row, Bad):
                assert row.reason
                assert "Traceback" not in row.reason
            else:
                texts += [text for _, text in row.fields]
    assert texts.count("rice") == 1
    assert "/etc/hostname" not in texts
    with open("/etc/hostname", encoding="utf-8") as file:  # noqa: PTH123
        host = file.read().strip()
    assert host not in texts
