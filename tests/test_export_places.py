"""Images that a source holds as data leave no place in an export, in any format."""

import base64
import json
import re
import sqlite3

import pytest

from curate.errors import DataError
from curate.export.formats import read_shard
from curate.export.media.addresses import plain_row
from curate.export.verify import verify
from curate.media.metadata import tells_place, without_places
from tests.media_small import jpeg

FORMATS = ("jsonl", "jsonl.gz", "parquet", "datasets", "webdataset", "mds")
TOLD = [jpeg(number, place=True) for number in range(4)]
UNTOLD = jpeg(9)


def raw(data):
    return base64.b64encode(data).decode()


def coded(data):
    return f"data:image/jpeg;base64,{raw(data)}"


@pytest.fixture
def drawn(offline):
    """A table of a database whose images stand in it as data."""
    database = sqlite3.connect(offline.root / "photos.db")
    database.execute("create table photos (text, img, again)")
    told = [(f"A caption of number {n}.", coded(data)) for n, data in enumerate([*TOLD, UNTOLD])]
    rows = [(text, image, image) for text, image in told]
    database.executemany("insert into photos values (?, ?, ?)", rows)
    database.commit()
    database.close()
    address = {"address": f"sqlite:///{offline.root}/photos.db", "query": "select * from photos"}
    source = {"name": "photos", "database": address, "media": {"image": "img"}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget=100)
    return offline


def images_in(text):
    """All images that stand in a text as data."""
    return [base64.b64decode(own) for own in re.findall(r"data:image/jpeg;base64,([\w+/=]+)", text)]


@pytest.mark.parametrize("format", FORMATS)
def test_no_address_tells_a_place(drawn, format):
    drawn.run("export", format=format)
    folder = drawn.root / "export"
    lines = []
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        lines += read_shard(folder / entry["path"])
    assert len(lines) == 5
    images = images_in(json.dumps(lines, default=str))
    assert len(images) == 10  # the address, and the field
    assert not any(map(tells_place, images))
    assert sorted({*images}) == sorted({*map(without_places, TOLD), UNTOLD})
    assert verify(folder).problems == ()


def test_original_rows_and_meta_tell_no_place(drawn):
    drawn.run("export", format="jsonl", original=True, meta=["again"])
    lines = "".join(path.read_text() for path in (drawn.root / "export").rglob("*.jsonl"))
    images = images_in(lines)
    assert len(images) == 25  # two columns of the row, the address, the field and the meta
    assert not any(map(tells_place, images))
    assert verify(drawn.root / "export").problems == ()


def test_rows_are_cleaned_however_deep():
    told, plain = TOLD[0], without_places(TOLD[0])
    row = {
        "turns": [{"content": [{"image": coded(told)}, {"bytes": told}]}],
        "n": 3,
        "t": "data: x",
        "spaced": "\n da\nta:image/jpeg;base64," + raw(told),
        "audio": {"data": raw(told)},
        "json": json.dumps([{"url": coded(told)}, raw(told)]).replace("/", "\\/"),
    }
    assert plain_row(row, "rows:1") == {
        "turns": [{"content": [{"image": coded(plain)}, {"bytes": plain}]}],
        "n": 3,
        "t": "data: x",
        "spaced": coded(plain),
        "audio": {"data": raw(plain)},
        "json": json.dumps([{"url": coded(plain)}, raw(plain)]),
    }


def test_a_row_that_tells_no_place_stays_as_it_was_written():
    plain = without_places(TOLD[0])
    spaced = f'{{ "a":  "{coded(plain)}" }}'
    deep = "[" * 100_000
    row = {"json": spaced, "broken": '{"a": ' + raw(plain), "deep": deep + raw(plain)}
    assert plain_row(row, "rows:1") == row


def test_a_place_that_would_stay_stops_the_export(monkeypatch):
    from curate.media import MediumError

    def refuse(address):
        raise MediumError("its metadata tell a place, and cannot be cleaned")

    monkeypatch.setattr("curate.export.media.addresses.placeless_text", refuse)
    with pytest.raises(DataError, match="rows:1: its metadata tell a place"):
        plain_row({"image": coded(TOLD[0])}, "rows:1")
