"""Damaged files: one bad thing costs itself alone, and is told."""

import bz2
import gzip
import json
import lzma
import os
import socket
import tracemalloc
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from curate.errors import DataError
from curate.sources.readers.csv_records import CELLS, NOT_CLOSED, records
from curate.sources.readers.unpacking import PACKINGS, Lost, unpacked
from curate.sources.reading import SourceSpec, parts, read
from curate.text import content_id
from tests.test_sources import everything, put, rows, texts

NUMBERED = [
    json.dumps({"text": f"Line {n} of the file: {Random(n).randbytes(12).hex()}"})
    for n in range(2000)
]
LINES = ("\n".join(NUMBERED) + "\n").encode()
SAID = [json.loads(line)["text"] for line in NUMBERED]

PACK = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def halves():
    middle = LINES.index(b"\n", len(LINES) // 2) + 1
    return LINES[:middle], LINES[middle:]


# ── packed files


@pytest.mark.parametrize("suffix", PACK)
def test_every_packing_is_read(tmp_path, suffix):
    put(tmp_path, f"data/a.jsonl.{suffix}", PACK[suffix](LINES))
    assert texts(rows(tmp_path)) == SAID


@pytest.mark.parametrize("suffix", PACK)
def test_what_was_unpacked_on_its_way_keeps_its_name(tmp_path, suffix):
    """A program that fetches files may unpack them; half a character ends the first block."""
    first = json.dumps({"text": "字" * 100_000}, ensure_ascii=False).encode() + b"\n"
    put(tmp_path, f"data/a.jsonl.{suffix}", first + LINES)
    assert texts(rows(tmp_path)) == ["字" * 100_000, *SAID]


@pytest.mark.parametrize("suffix", PACK)
def test_text_before_a_member_is_junk(tmp_path, suffix):
    put(tmp_path, f"data/a.jsonl.{suffix}", b"not found\n" + PACK[suffix](LINES))
    found, bad = everything(tmp_path, strict=False)
    assert texts(found) == SAID
    assert [row.lost for row in bad] == [10]


@pytest.mark.parametrize("suffix", PACK)
def test_members_one_after_another_with_zeros_between(tmp_path, suffix):
    first, second = map(PACK[suffix], halves())
    put(tmp_path, f"data/a.jsonl.{suffix}", first + bytes(512) + second + bytes(1024))
    assert texts(rows(tmp_path)) == SAID


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("junk", [b"\n", b"<html>404 not found</html>", b"x" * 300_000])
def test_junk_after_the_last_member(tmp_path, suffix, junk):
    put(tmp_path, f"data/a.jsonl.{suffix}", PACK[suffix](LINES) + junk)
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == SAID
    assert (bad.row, bad.lost) == (2000, len(junk))
    assert f"{len(junk):,} bytes behind member 1 are not " in bad.reason
    with pytest.raises(DataError, match=rf"a\.jsonl\.{suffix}, after line 2000: {len(junk):,} b"):
        everything(tmp_path)


@pytest.mark.parametrize("suffix", PACK)
def test_junk_behind_a_member_costs_no_line(tmp_path, suffix):
    cut = LINES.index(b"\n", len(LINES) // 2) + 20  # within a line
    put(tmp_path, f"data/a.jsonl.{suffix}", PACK[suffix](LINES[:cut]) + b"junk here")
    first, bad = everything(tmp_path, strict=False)
    put(tmp_path, f"data/a.jsonl.{suffix}", PACK[suffix](LINES[:-1]) + b"junk here")
    whole, (junk,) = everything(tmp_path, strict=False)
    assert texts(whole) == SAID  # the last line has no newline
    assert junk.lost == 9
    assert texts(first) == SAID[: len(first)]
    assert [own.lost for own in bad] == [9, 0]  # the line that the file ends in is told by itself


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.json", "a.warc"])
@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_under_a_plain_name_is_known_by_its_first_bytes(tmp_path, name, suffix):
    head = "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 4"
    content = {
        "a.jsonl": '{"text": "boat"}\n',
        "a.csv": "text,n\nboat,1\n",
        "a.txt": "boat",
        "a.json": '[{"text": "boat"}]',
        "a.warc": f"{head}\r\n\r\nboat\r\n\r\n",
    }
    put(tmp_path, f"data/{name}", PACK[suffix](content[name].encode()))
    assert texts(rows(tmp_path)) == ["boat"]


def test_a_large_packed_file_under_a_plain_name_is_not_cut(tmp_path):
    path = put(tmp_path, "data/a.jsonl", gzip.compress(LINES))
    source = SourceSpec(paths=(str(path),))
    (part,) = parts([source], tmp_path, size=10_000)
    assert texts(read(source, part, strict=True)) == SAID


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.txt", "a.csv", "a.parquet", "a.arrow", "a.pdf", "a.docx", "a.warc"]
)
def test_a_pointer_of_git_lfs_is_no_document(tmp_path, name):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12ab\nsize 9000\n"
    put(tmp_path, f"data/{name}", pointer)
    found, (bad,) = everything(tmp_path, strict=False)
    assert not found
    assert bad.reason == "a Git LFS pointer: the file itself was not fetched (`git lfs pull`)"


@pytest.mark.parametrize("suffix", PACK)
def test_junk_and_damage_between_members(tmp_path, suffix):
    first, second = map(PACK[suffix], halves())
    put(tmp_path, f"data/a.jsonl.{suffix}", first + b"junk" + second)
    found, (bad,) = everything(tmp_path, strict=False)
    assert (texts(found), bad.lost) == (SAID, 4)
    half = len(first) // 2
    put(
        tmp_path,
        f"data/a.jsonl.{suffix}",
        first[:half] + b"\xff" * 30 + first[half + 30 :] + second,
    )
    found, bad = everything(tmp_path, strict=False)
    tail = [text for text in SAID if text.encode() in halves()[1]]
    assert texts(found)[-len(tail) :] == tail
    assert any(each.lost for each in bad)


@pytest.mark.parametrize("suffix", PACK)
def test_a_text_with_junk_after_it_is_kept_and_a_damaged_one_is_not(tmp_path, suffix):
    whole = PACK[suffix](LINES)
    put(tmp_path, f"data/a.txt.{suffix}", whole + b"junk")
    (row,), (bad,) = everything(tmp_path, strict=False)
    assert texts([row]) == [LINES.decode()]
    assert (bad.lost, bad.skipped) == (4, False)
    put(tmp_path, f"data/a.txt.{suffix}", whole[: len(whole) // 2])
    found, (bad,) = everything(tmp_path, strict=False)
    assert found == []
    assert "ends too early" in bad.reason


@pytest.mark.parametrize("log", [27, 28, 30, 31])
def test_a_long_window_of_zstd(tmp_path, log):
    parameters = zstandard.ZstdCompressionParameters(window_log=log, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = packer.compress(LINES) + packer.flush()
    put(tmp_path, "data/a.jsonl.zst", data)
    assert texts(rows(tmp_path)) == SAID


def test_frames_that_zstd_skips(tmp_path):
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    put(tmp_path, "data/a.jsonl.zst", skipped + PACK["zst"](LINES) + skipped)
    assert texts(rows(tmp_path)) == SAID


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_passed_on_in_blocks(tmp_path, suffix):
    path = put(tmp_path, "bomb", PACK[suffix](bytes(64 << 20)))
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            size = sum(len(block) for block in unpacked(file, PACKINGS[f".{suffix}"]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 64 << 20
    assert peak < 150 << 20


@pytest.mark.parametrize("suffix", PACK)
def test_any_damage_leaves_a_whole_stream_of_blocks(tmp_path, suffix):
    rng = Random(4)
    data = b"".join(PACK[suffix](b"a member of it %d" % n * 40) for n in range(30))
    for _ in range(20):
        broken = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(broken))
            broken[at : at + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(9))
        path = put(tmp_path, "a", bytes(broken))
        with path.open("rb") as file:
            blocks = list(unpacked(file, PACKINGS[f".{suffix}"]))
        assert all(isinstance(block, Lost | bytes) for block in blocks)
        kept = b"".join(block for block in blocks if isinstance(block, bytes))
        assert sum(b"a member of it %d" % n * 40 in kept for n in range(30)) >= 25


# ── CSV


def of(text, limit=1000):
    return list(records([(f"{line}\n", "") for line in text.split("\n")], ",", limit))


@pytest.mark.parametrize(
    ("broken", "bad"),
    [
        ('"a quote that opens,2', NOT_CLOSED),
        ('x,"a quote that opens', NOT_CLOSED),
        ('"a ""quote"" that opens,2', NOT_CLOSED),
        ("one cell", CELLS),
        ("a,b,c,d", CELLS),
    ],
)
@pytest.mark.parametrize("others", ["plain {n},{n}", '"quoted {n}",{n}', '"two\nlines {n}",{n}'])
def test_a_broken_record_costs_itself(broken, bad, others):
    before = "\n".join(others.format(n=n) for n in range(5))
    after = "\n".join(others.format(n=n) for n in range(5, 50))
    made = of(f"text,n\n{before}\n{broken}\n{after}")
    good = [cells for _, cells in made if not isinstance(cells, str)]
    assert [cells[1] for cells in good[1:]] == [str(n) for n in range(50)]
    assert [cells for _, cells in made if isinstance(cells, str)] == [bad]


def test_what_a_loose_writer_wrote_is_read():
    made = of('text,n\n5" pipe,1\n"He said "hi" to me",2\nx\ry,3\n"two\n"lines" of it",4\n\nlast,5')
    assert [cells for _, cells in made if not isinstance(cells, str)] == [
        ["text", "n"],
        ['5" pipe', "1"],
        ['He said hi" to me"', "2"],
        ["x\ry", "3"],
        ['two\nlines" of it"', "4"],
        ["last", "5"],
    ]
    assert made[-1][0] == 8


@pytest.mark.parametrize(
    ("record", "cells"),
    [
        (r'"a \"red\" boat",1', ['a "red" boat', "1"]),
        (r'"it ends so: \"",1', ['it ends so: "', "1"]),
        ('"two \\"lines\nof\\" it",1', ['two "lines\nof" it', "1"]),
        (r'"{\"a\": \"x, y\"}",1', ['{"a": "x, y"}', "1"]),
        (r'"C:\boats\",1', ["C:\\boats\\", "1"]),
        (r'"C:\boats\\",1', ["C:\\boats\\\\", "1"]),
        (r'"a ""red"" \ boat",1', ['a "red" \\ boat', "1"]),
    ],
)
def test_a_backslash_may_escape_a_quote(record, cells):
    lines = [f"{line}\n" for line in f"text,n\n{record}\nlast,2".split("\n")]
    found = [own for _, own in records([(line, "") for line in lines], ",", 1000)]
    assert found == [["text", "n"], cells, ["last", "2"]]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.tsv"])
def test_lines_that_end_in_returns_alone(tmp_path, name):
    between = "\t" if name == "a.tsv" else ","
    lines = (
        NUMBERED
        if name == "a.jsonl"
        else ["text" + between + "n", *(f"{t}{between}1" for t in SAID)]
    )
    put(tmp_path, f"data/{name}", "\r".join(lines) + "\r")
    assert texts(rows(tmp_path)) == SAID


def test_a_line_that_is_no_text_costs_its_record(tmp_path):
    put(tmp_path, "data/a.csv", b'text,n\nThe t\xc3\xa9,1\n"two\nl\xffnes",2\nthree,3\n')
    found, (bad,) = everything(tmp_path, strict=False, encoding="utf-8")
    assert texts(found) == ["The té", "three"]
    assert (bad.row, bad.reason[:9]) == (4, "not UTF-8")


# ── tables


def test_a_damaged_row_group_costs_its_rows(tmp_path):
    table = pa.table({"text": SAID})
    path = put(tmp_path, "data/a.parquet", b"")
    pq.write_table(table, path, row_group_size=200, compression="snappy", use_dictionary=False)
    column = pq.read_metadata(path).row_group(3).column(0)
    data = bytearray(path.read_bytes())
    at = column.data_page_offset
    data[at : at + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(bytes(data))
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == SAID[:600] + SAID[800:]
    assert (bad.row, bad.rows) == (600, 200)
    assert bad.reason.startswith("after row 600: 200 rows of a damaged group")
    assert found[-1].origin == "data/a.parquet:2000"


# ── folders


def folder_of_oddities(root):
    for n in range(3):
        put(root, f"data/f{n}.jsonl", json.dumps({"text": f"Row {n}"}) + "\n")
    put(root, "data/deep/g.jsonl", json.dumps({"text": "Row 3"}) + "\n")
    put(root, "elsewhere/h.jsonl", json.dumps({"text": "Row 4"}) + "\n")
    data = root / "data"
    (data / "gone.jsonl").symlink_to("nowhere.jsonl")
    (data / "me.jsonl").symlink_to("me.jsonl")
    (data / "round").symlink_to(".", target_is_directory=True)
    (data / "out").symlink_to(root / "elsewhere", target_is_directory=True)
    os.mkfifo(data / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()  # noqa: PTH109 (an address of a socket is short)
        os.chdir(data)
        listening.bind("socket.jsonl")
        os.chdir(here)
    (data / os.fsdecode(b"caf\xe9.jsonl")).write_text('{"text": "Row 5"}\n')


@pytest.mark.parametrize("path", ["data", "data/**/*.jsonl", "data/*"])
def test_an_odd_entry_of_a_folder_costs_itself(offline, path):
    folder_of_oddities(offline.root)
    sources = [{"name": "s", "paths": [path]}]
    made = offline.run("pool", sources=sources, tokenizer="bytes")
    assert made.documents == (3 if path == "data/*" else 4)
    aside = json.loads((offline.root / "pool" / "_rejected.json").read_text())
    reasons = {row["file"].rpartition("/")[2]: row["reason"] for row in aside}
    folders = ["out", "round", *(["deep"] if path == "data/*" else [])]
    names = ["caf\ufffd.jsonl", "gone.jsonl", "me.jsonl", "pipe.jsonl", "socket.jsonl"]
    assert sorted(reasons) == sorted([*names, *folders])
    assert reasons["gone.jsonl"] == "cannot be read: No such file or directory"
    assert reasons["pipe.jsonl"] == reasons["socket.jsonl"] == "a pipe, a socket or a device"
    assert reasons["out"] == "a link that leaves the folder"
    (told,) = [each for each in made.warnings if each.key == "pool.not_read"]
    assert told.figures["count"] == len(aside)
    assert told.figures["example"] in told.words


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    put(tmp_path, "data/a.txt", "One text.")
    put(tmp_path, "data/shut/b.txt", "Another text.")
    scan = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found, (bad,) = everything(tmp_path, paths=["data"])
    assert texts(found) == ["One text."]
    assert (bad.file, bad.reason) == ("data/shut", "cannot be read: Permission denied")


def test_a_file_that_cannot_be_opened_costs_itself(offline, monkeypatch):
    from pathlib import Path

    put(offline.root, "data/a.jsonl", '{"text": "One text."}\n')
    put(offline.root, "data/b.jsonl", '{"text": "Another text."}\n')
    whole = Path.open

    def shut(self, *given, **more):
        if self.name == "b.jsonl":
            raise PermissionError(13, "Permission denied", str(self))
        return whole(self, *given, **more)

    monkeypatch.setattr(Path, "open", shut)
    made = offline.run("pool", sources=[{"name": "s", "paths": ["data/*"]}], tokenizer="bytes")
    assert (made.documents, made.bad_rows) == (1, 1)
    assert "Permission denied" in next(iter(made.reasons))


# ── what a pool tells


def test_what_was_lost_is_counted_with_an_example(offline):
    put(offline.root, "data/a.jsonl.gz", PACK["gz"](LINES) + b"x" * 77)
    put(offline.root, "data/b.csv", "text,n\n" + '"open,1\n' + "A good row,2\n" * 3)
    made = offline.run("pool", sources=[{"name": "s", "paths": ["data/*"]}], tokenizer="bytes")
    assert (made.documents, made.bad_rows, made.lost_bytes) == (2001, 2, 77)
    told = {each.key: each.words for each in made.warnings}
    assert (
        "such as data/a.jsonl.gz, line 2000: after line 2000: 77 bytes behind member 1"
        in told["pool.bad_rows"]
    )
    assert told["pool.lost_bytes"].startswith("bytes that could not be read: 77")


def test_ids_of_whole_files_are_as_before(tmp_path):
    put(tmp_path, "data/a.jsonl.gz", gzip.compress(LINES))
    from curate.sources.rows import content

    assert [content(row).id for row in rows(tmp_path)] == [
        content_id({"text": text}) for text in SAID
    ]
