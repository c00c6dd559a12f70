"""Media in the pool: folders, tables, shards, interleaved texts; copies, changes and budgets."""

import json
from hashlib import md5, sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import older, tables
from curate.errors import CurateError, DataError
from curate.media import Medium, opening
from curate.mix.candidates import thousandths
from curate.pool import batches
from curate.pool.stage import inputs
from curate.sources.media_spec import Interleaved, MediaColumn
from curate.sources.readers import webdataset
from curate.sources.reading import Bad, SourceSpec, content, parts, read
from curate.spec import refuse_unused
from curate.text import content_id
from tests.media_made import film, lines, picture, sound, tar, written
from tests.test_broken_files import PACK


def everything(root, **source):
    """Return the rows and the bad rows of one source."""
    spec = SourceSpec.model_validate({"paths": ["data"], "name": "all", **source})
    found = [row for part in parts([spec], root) for row in read(spec, part, strict=False)]
    return [r for r in found if not isinstance(r, Bad)], [r for r in found if isinstance(r, Bad)]


def digest(data):
    return sha256(data).hexdigest()


# ── folders


def test_a_folder_of_images_audio_and_video_with_captions(tmp_path):
    files = {
        "data/cats/a.png": picture(1),
        "data/cats/a.txt": " A cat. ",
        "data/cats/b.png": picture(2),
        "data/dogs/c.wav": sound(0.5),
        "data/dogs/c.caption": "A bark.",
        "data/dogs/d.mp4": film(10),
        "data/notes.txt": "A text of its own.",
    }
    written(tmp_path, files)
    fields = {"caption": {"from": "caption", "optional": True}, "label": "folder"}
    rows, bad = everything(tmp_path, captions=[".txt", ".caption"])
    assert {row.file: row.reason for row in bad} == {
        "data/cats/a.txt": "the caption of a file beside it",
        "data/dogs/c.caption": "the caption of a file beside it",
    }
    assert all(row.skipped for row in bad)
    assert [dict(row.fields) for row in rows] == [
        {"text": "A text of its own."},
        {"caption": "A cat.", "image": "data/cats/a.png"},
        {"image": "data/cats/b.png"},
        {"caption": "A bark.", "audio": "data/dogs/c.wav"},
        {"video": "data/dogs/d.mp4"},
    ]
    assert [json.loads(row.meta).get("folder") for row in rows[1:]] == ["cats"] * 2 + ["dogs"] * 2
    (audio,) = rows[3].media
    assert (audio["kind"], audio["seconds"], audio["rate"]) == ("audio", 0.5, 8000)
    named, _ = everything(tmp_path, paths=["data/cats"], captions=[".txt"], fields=fields)
    assert [dict(row.fields) for row in named] == [
        {"caption": "A cat.", "label": "cats", "image": "data/cats/a.png"},
        {"label": "cats", "image": "data/cats/b.png"},
    ]
    own = {"caption": "A cat.", "label": "cats", "image": digest(picture(1))}
    assert content(named[0]).id == content_id(own)
    assert content(named[0]).text == "A cat.\n\ncats"


def test_a_declared_format_holds_no_other_kind(tmp_path):
    written(tmp_path, {"data/a.dat": picture(), "data/b.dat": sound(0.1)})
    rows, bad = everything(tmp_path, format="image")
    assert [row.origin for row in rows] == ["data/a.dat:1"]
    assert [row.reason for row in bad] == ["it is of the kind audio, not image"]
    rows, _ = everything(tmp_path, format="audio")
    assert [row.origin for row in rows] == ["data/b.dat:1"]
    written(tmp_path, {"data/c.png.gz": b"packed"})
    _, bad = everything(tmp_path, paths=["data/c.png.gz"])
    assert [row.reason for row in bad] == ["it is packed (.gz): unpack it"]


def test_a_caption_that_is_no_text_costs_its_own_file(tmp_path):
    written(tmp_path, {"data/a.png": picture(), "data/a.txt": b"\x00\xff\xfe\x81" * 9})
    rows, bad = everything(tmp_path, captions=[".txt"], encoding="utf-8")
    assert rows == []
    assert any(row.reason.startswith("its caption, a.txt: ") for row in bad)


# ── tables


def test_a_column_names_files_beside_the_table(tmp_path):
    rows = [
        {"alt": "One.", "file": "img/a.png", "sound": "s.wav"},
        {"alt": "Two.", "file": "img/none.png", "sound": "s.wav"},
        {"alt": "Three.", "file": "img/a.png", "sound": "img/a.png"},
    ]
    written(tmp_path, {"data/a.jsonl": lines(rows), "data/img/a.png": picture(3)})
    written(tmp_path, {"data/s.wav": sound(0.25)})
    media = {"image": "file", "voice": "sound"}
    good, bad = everything(tmp_path, paths=["data/a.jsonl"], fields=["alt"], media=media)
    assert [row.reason for row in bad] == ["the file img/none.png is not there"]
    first, third = good
    image, voice = (Medium.of(medium) for medium in first.media)
    assert (image.field, image.kind, image.address) == ("image", "image", "data/img/a.png")
    assert (voice.field, voice.kind, voice.seconds) == ("voice", "audio", 0.25)
    assert [medium["kind"] for medium in third.media] == ["image", "image"]
    assert opening.read_checked(image, tmp_path) == picture(3)
    assert first.meta is None


def test_addresses_whose_files_lie_on_disk(tmp_path):
    urls = ["https://a.example/x/cat%201.jpg?w=3", "https://a.example/x/dog", "https://b.example/"]
    name = md5(urls[1].encode(), usedforsecurity=False).hexdigest()
    table = pa.table({"alt": ["A cat.", "A dog.", "None."], "url": urls})
    written(tmp_path, {"data/files/cat 1.jpg": picture(4, format="JPEG")})
    written(tmp_path, {f"data/files/{name}.png": picture(5)})
    pq.write_table(table, tmp_path / "data/a.parquet")
    source = {"paths": ["data/a.parquet"], "fields": ["alt"]}
    column = {"from": "url", "folder": "files"}
    good, bad = everything(tmp_path, **source, media={"image": column})
    assert [row.media[0]["address"] for row in good] == ["data/files/cat 1.jpg"]
    assert json.loads(good[0].meta) == {"url": urls[0]}
    assert [row.reason for row in bad] == [
        "the file files/dog is not there",
        "its address ends in no name of a file",
    ]
    good, _ = everything(tmp_path, **source, media={"image": {**column, "named": "md5"}})
    assert [row.media[0]["address"] for row in good] == [f"data/files/{name}.png"]
    with pytest.raises(ValueError, match="or below it"):
        MediaColumn(column="url", folder="../x")


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_bytes_in_tables_are_found_again_by_their_address(tmp_path, kind):
    images = [{"bytes": picture(number), "path": f"{number}.jpg"} for number in range(5)]
    images[3] = {"bytes": picture(3)[:60], "path": None}
    table = pa.table({"image": images, "raw": [sound(0.1)] * 5, "text": list("abcde")})
    (tmp_path / "data").mkdir()
    path = tmp_path / f"data/a.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=2)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as out:
            out.write_table(table, max_chunksize=2)
    good, bad = everything(tmp_path, media={"image": "image", "sound": "raw"})
    assert [row.media[0]["address"] for row in good] == [
        f"data/a.{kind}!/image/{number}" for number in (0, 1, 2, 4)
    ]
    assert [(row.row, row.reason) for row in bad] == [(4, "the image is cut off")]
    for row in good:
        for medium in row.media:
            data = opening.read_checked(Medium.of(medium), tmp_path)
            assert digest(data) == medium["sha256"]
    assert good[3].media[0]["sha256"] == digest(picture(4))
    assert {row.media[1]["kind"] for row in good} == {"audio"}
    assert [dict(row.fields)["text"] for row in good] == ["a", "b", "c", "e"]


def test_a_saved_data_set_with_images(tmp_path):
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    rows = {"image": [{"bytes": picture(n), "path": None} for n in range(3)], "label": ["a"] * 3}
    made = datasets.Dataset.from_dict(rows, features=features)
    made.save_to_disk(str(tmp_path / "data"))
    good, bad = everything(tmp_path, media=["image"], fields={"label": "label"})
    assert bad == []
    assert [row.media[0]["sha256"] for row in good] == [digest(picture(n)) for n in range(3)]
    for row in good:
        opening.checked(Medium.of(row.media[0]), tmp_path)


# ── shards of WebDataset


def test_samples_of_a_shard(tmp_path):
    shard = tar(
        {
            "x/000.png": picture(1),
            "x/000.txt": "One.",
            "x/000.cls": "7",
            "x/001.left.png": picture(2),
            "x/001.wav": sound(0.1),
            "x/001.json": json.dumps({"caption": "Two.", "lang": "en"}),
            "x/002.txt": "A text alone.",
        }
    )
    written(tmp_path, {"data/s-0.tar": shard})
    rows, bad = everything(tmp_path)
    assert bad == []
    assert [dict(row.fields) for row in rows] == [
        {"text": "One.", "image": "data/s-0.tar!/x/000.png"},
        {"image": "data/s-0.tar!/x/001.left.png", "audio": "data/s-0.tar!/x/001.wav"},
        {"text": "A text alone."},
    ]
    assert json.loads(rows[0].meta) == {"__key__": "x/000", "cls": "7"}
    assert json.loads(rows[1].meta)["json"] == {"caption": "Two.", "lang": "en"}
    assert opening.read(rows[0].media[0]["address"], tmp_path) == picture(1)
    caption = {"caption": {"from": "json.caption", "optional": True}}
    named, bad = everything(tmp_path, fields=caption, media={"view": "left.png"})
    assert [dict(row.fields) for row in named] == [
        {"caption": "Two.", "view": "data/s-0.tar!/x/001.left.png"}
    ]
    assert [row.reason[:18] for row in bad] == ["no column left.png"] * 2


@pytest.mark.parametrize("packing", ["gz", "zst", "xz", "bz2"])
def test_a_packed_shard_is_read_if_media_are_copied(offline, packing):
    shard = tar({"a.png": picture(1), "a.txt": "One.", "b.wav": sound(0.1), "c.txt": "A text."})
    written(offline.root, {f"data/s.tar.{packing}": PACK[packing](shard)})
    source = {
        "name": "shards",
        "paths": ["data"],
        "fields": {"text": {"from": "txt", "optional": True}},
    }
    made = offline.run("pool", sources=[source], tokenizer="bytes", media="copy")
    assert made.documents == 3
    media = {own["kind"]: own for row in offline.rows("pool") for own in row["media"] or ()}
    assert opening.read(media["image"]["address"], offline.root) == picture(1)
    assert opening.read(media["audio"]["address"], offline.root) == sound(0.1)
    rows, bad = everything(offline.root)
    assert [dict(row.fields) for row in rows] == [{"text": "A text."}]
    assert {row.reason.partition(": its")[2] for row in bad} == {
        " bytes are not in a file of yours: set `pool: {media: copy}`"
    }


def test_a_packed_shard_that_is_cut_off_or_a_bomb_costs_itself(offline, monkeypatch):
    shard = PACK["gz"](tar({"a.png": picture(1), "b.png": picture(2)}))
    written(offline.root, {"data/s.tar.gz": shard[:-40], "data/good.png": picture(3)})
    made = offline.run("pool", sources=[{"paths": ["data"]}], tokenizer="bytes", media="copy")
    assert (made.documents, made.bad_rows) == (1, 1)
    monkeypatch.setattr(webdataset, "MOST_UNPACKED", 1000)
    written(offline.root, {"data/s.tar.gz": shard})
    again = offline.run("pool", sources=[{"paths": ["data"]}], tokenizer="bytes", media="copy")
    assert (again.documents, again.bad_rows) == (1, 1)
    assert any("unpacks to more than 1000 bytes" in reason for reason in again.reasons)


def test_media_in_an_object_store_are_copied(offline, tmp_path_factory):
    far = tmp_path_factory.mktemp("store")
    written(
        far,
        {"in/a.png": picture(1), "in/b.wav": sound(0.1), "in/t.tar": tar({"x.png": picture(2)})},
    )
    sources = [{"name": "far", "paths": [f"file://{far}/in"]}]
    made = offline.run("pool", sources=sources, tokenizer="bytes", media="copy")
    assert made.documents == 3
    addresses = [own["address"] for row in offline.rows("pool") for own in row["media"]]
    assert all(address.startswith("media/") for address in addresses)
    read = {opening.read(address, offline.root) for address in addresses}
    assert read == {picture(1), sound(0.1), picture(2)}
    with pytest.raises(DataError, match=r"set `pool: \{media: copy\}`"):
        offline.run("pool", sources=sources, tokenizer="bytes")


# ── interleaved


@pytest.mark.parametrize(
    ("row", "setting"),
    [
        (
            {"all": [{"type": "text", "text": "Before."}, {"type": "image", "image": "a.png"},
                     {"type": "text", "text": "After."}, {"type": "image", "path": "b.png"}]},
            {"parts": "all"},
        ),
        (
            {"texts": ["Before.", None, "After.", None],
             "images": [None, "a.png", None, "b.png"]},
            {"texts": "texts", "media": "images"},
        ),
        (
            {"text_list": ["Before.", "After."],
             "image_info": [{"image_name": "a.png", "matched_text_index": 1},
                            {"image_name": "b.png", "matched_text_index": 2}]},
            {"texts": "text_list", "media": "image_info", "file": "image_name",
             "place": "matched_text_index"},
        ),
    ],
)  # fmt: skip
def test_texts_with_places_for_images(tmp_path, row, setting):
    written(tmp_path, {"data/a.jsonl": lines([{**row, "url": "https://a.example"}])})
    written(tmp_path, {"data/a.png": picture(1), "data/b.png": picture(2)})
    rows, bad = everything(tmp_path, paths=["data/a.jsonl"], interleaved=setting)
    assert bad == []
    assert rows[0].fields == (
        ("text_1", "Before."),
        ("image_1", "data/a.png"),
        ("text_2", "After."),
        ("image_2", "data/b.png"),
    )
    assert [medium["field"] for medium in rows[0].media] == ["image_1", "image_2"]
    assert json.loads(rows[0].meta) == {"url": "https://a.example"}
    assert content(rows[0]).text == "Before.\n\nAfter."


def test_interleaved_bytes_have_an_address(tmp_path):
    images = [[None, {"bytes": picture(7), "path": "x.png"}], [{"bytes": picture(8), "path": ""}]]
    table = pa.table({"texts": [["One.", None], [None]], "images": images})
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data/a.parquet")
    setting = {"texts": "texts", "media": "images"}
    rows, _ = everything(tmp_path, interleaved=setting)
    addresses = [row.media[0]["address"] for row in rows]
    assert addresses == ["data/a.parquet!/images/0/1", "data/a.parquet!/images/1/0"]
    assert [opening.read(own, tmp_path) for own in addresses] == [picture(7), picture(8)]


@pytest.mark.parametrize(
    ("row", "setting", "reason"),
    [
        ({"p": "text"}, {"parts": "p"}, "column p holds str, not a list"),
        ({"p": []}, {"parts": "p"}, "it has neither texts nor media"),
        ({"p": [3]}, {"parts": "p"}, "part 0 is int, not a mapping"),
        ({"p": [{"type": "text"}]}, {"parts": "p"}, "text 0 is NoneType, not text"),
        (
            {"t": ["a"], "m": []},
            {"texts": "t", "media": "m"},
            "1 texts and 0 media do not fit together",
        ),
        ({"t": ["a"], "m": ["b"]}, {"texts": "t", "media": "m"}, "place 0 has a text and a medium"),
        ({"t": ["a"], "m": [{"i": 5}]}, {"texts": "t", "media": "m", "place": "i"},
         "medium 0 has no place among 1 texts"),
        ({"x": 1}, {"parts": "p"}, "no column p (there are: x)"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_interleaved_as_declared(tmp_path, row, setting, reason):
    written(tmp_path, {"data/a.jsonl": lines([row])})
    rows, bad = everything(tmp_path, paths=["data/a.jsonl"], interleaved=setting)
    assert rows == []
    assert [own.reason for own in bad] == [reason]


def test_interleaved_is_one_way_or_the_other():
    for setting in ({}, {"parts": "a", "texts": "b", "media": "c"}, {"texts": "b"}):
        with pytest.raises(ValueError, match="give either parts, or texts and media"):
            Interleaved(**setting)


# ── the stage


def images_of(offline, *numbers):
    written(offline.root, {f"data/{number}.png": picture(number) for number in numbers})


SOURCE = {"paths": ["data"], "name": "all"}


def test_media_are_counted_and_told(offline):
    images_of(offline, 1, 2)
    written(offline.root, {"data/a.wav": sound(2), "data/b.txt": "Some words.", "data/x.png": ""})
    counted = {"image": 576, "audio": "25/s", "video": "144/s"}
    made = offline.run("pool", sources=[SOURCE], tokenizer="bytes", media_tokens=counted)
    assert (made.media, made.media_tokens) == ({"audio": 1, "image": 2}, 1202)
    assert (made.tokens, made.bad_rows) == (1202 + len("Some words."), 1)
    assert made.reasons == {"an empty file": 1}
    rows = {row["origin"]: row for row in offline.rows("pool")}
    assert [row["media_tokens"] for row in rows.values()] == [576, 576, 50, 0]
    assert rows["data/a.wav:1"]["tokens"] == 50
    medium = Medium.of(rows["data/1.png:1"]["media"][0])
    assert (medium.width, medium.height, medium.frames) == (12, 8, 1)
    by_area = {"image": {"per": "4x4"}, "audio": "10/s"}
    again = offline.run("pool", sources=[SOURCE], tokenizer="bytes", media_tokens=by_area)
    assert (again.read, again.media_tokens) == (0, 6 + 6 + 20)
    assert again.tokens == 32 + len("Some words.")
    none = offline.run("pool", sources=[SOURCE], tokenizer="o200k_base")
    assert (none.read, none.media_tokens, none.tokens) == (0, 0, 3)


def test_copies_are_named_by_their_content(offline):
    table = pa.table({"image": [{"bytes": picture(n), "path": None} for n in (1, 1, 2)]})
    (offline.root / "data").mkdir()
    pq.write_table(table, offline.root / "data/a.parquet")
    images_of(offline, 3)
    sources = [{"paths": ["data/a.parquet"], "media": ["image"]}, {"paths": ["data/3.png"]}]
    offline.run("pool", sources=sources, media="copy")
    rows = offline.rows("pool")
    marks = [digest(picture(n)) for n in (1, 2, 3)]
    addresses = [row["media"][0]["address"] for row in rows]
    assert addresses == [f"media/{mark[:2]}/{mark}.png" for mark in marks]
    kept = sorted(path.name for path in (offline.root / "media").rglob("*") if path.is_file())
    assert kept == sorted(f"{mark}.png" for mark in marks)
    for row in rows:
        opening.checked(Medium.of(row["media"][0]), offline.root)
    ids = [row["id"] for row in rows]
    offline.run("pool", sources=sources)
    assert [row["id"] for row in offline.rows("pool")] == ids


def test_a_file_that_a_row_names_and_that_changed_makes_the_pool_stale(offline):
    written(offline.root, {"data/a.jsonl": lines([{"file": "x/1.png"}, {"file": "x/2.png"}])})
    written(offline.root, {"data/x/1.png": picture(1), "data/x/2.png": picture(2)})
    source = {"paths": ["data/a.jsonl"], "media": {"image": "file"}}
    before = offline.spec("pool", sources=[source])
    offline.run("pool", sources=[source])
    fresh = inputs(offline.workspace, before)
    assert "media" not in fresh
    (offline.root / "data/x/1.png").write_bytes(picture(9))
    moved = inputs(offline.workspace, before)
    assert moved["media"]
    made = offline.run("pool", sources=[source])
    assert (made.read, made.documents) == (2, 2)
    assert offline.rows("pool")[0]["media"][0]["sha256"] == digest(picture(9))
    assert inputs(offline.workspace, before) == fresh
    (offline.root / "data/x/2.png").unlink()
    made = offline.run("pool", sources=[source])
    assert made.reasons == {"the file x/2.png is not there": 1}


def test_a_file_of_a_folder_that_changed_is_read_again_and_new_ones_are_added(offline):
    images_of(offline, 1, 2)
    offline.run("pool", sources=[SOURCE])
    images_of(offline, 3)
    made = offline.run("pool", sources=[SOURCE])
    assert (made.read, made.added, made.documents) == (1, 1, 3)
    (offline.root / "data/1.png").write_bytes(picture(8))
    made = offline.run("pool", sources=[SOURCE])
    assert (made.read, made.documents) == (3, 3)


def test_limits_of_media_are_settings(offline):
    images_of(offline, 1)
    written(offline.root, {"data/large.png": picture(5, (40, 40)), "data/long.wav": sound(3)})
    limits = {"pixels": 1000, "seconds": 2}
    made = offline.run("pool", sources=[SOURCE], media_limits=limits)
    assert made.documents == 1
    assert made.reasons == {
        "40 x 40 pixels, and 1000 are allowed": 1,
        "3 s, and 2 are allowed": 1,
    }
    assert offline.run("pool", sources=[SOURCE]).documents == 3


def test_strict_stops_at_a_broken_image(offline):
    written(offline.root, {"data/a.png": picture()[:60]})
    with pytest.raises(DataError, match=r"data/a.png, line 1: the image is cut off"):
        offline.run("pool", sources=[SOURCE], strict=True)


def test_an_old_pool_is_read_on(offline):
    """One whose media have four values, and which has no column of their tokens."""
    images_of(offline, 1)
    written(offline.root, {"data/b.txt": "Some words."})
    offline.run("pool", sources=[SOURCE])
    (path,) = sorted((offline.root / "pool").glob("*.parquet"))
    table = pq.read_table(path)
    old = pa.list_(pa.struct([("field", pa.string()), ("address", pa.string())]))
    media = [
        row and [{name: medium[name] for name in ("field", "address")} for medium in row]
        for row in table["media"].to_pylist()
    ]
    at = table.column_names.index("media")
    table = table.set_column(at, "media", pa.array(media, old)).drop_columns(["media_tokens"])
    assert older.has_types("pool", table.schema)
    assert tables.media_tokens(table) == [0, 0]
    assert Medium.of(table["media"].to_pylist()[0][0]).kind == "image"
    pq.write_table(table, path)
    assert batches.before(offline.root / "pool").files is None
    wrong = table.set_column(at, "media", pa.array([None, None], pa.list_(pa.int64())))
    assert not older.has_types("pool", wrong.schema)


# ── mixtures


def mixed(offline, **mix):
    offline.run("clean", rules=[], near_duplicates=None)
    made = offline.run("mix", groups=["source"], **mix)
    return made, offline.rows("mix")


def test_media_alone_are_mixed_by_their_tokens(offline):
    images_of(offline, *range(10))
    offline.lines("b.jsonl", ["Twelve bytes"] * 1 + [f"Number {n:05}" for n in range(9)])
    sources = [{"paths": ["data/*.png"], "name": "images"}, {"paths": ["data/b.jsonl"]}]
    settings = {"sources": sources, "tokenizer": "bytes"}
    offline.run("pool", **settings)
    with pytest.raises(DataError, match="10 of the documents have only media") as told:
        mixed(offline, budget="50%")
    assert "media_tokens" in told.value.hint
    offline.run("pool", **settings, media_tokens={"image": 12})
    made, rows = mixed(offline, budget="50%")
    assert (made.supply, made.tokens, made.documents) == (240, 120, 10)
    assert {group.group: group.tokens for group in made.groups} == {"images": 60, "b": 60}
    assert {row["size"] for row in rows} == {12}


def test_a_budget_in_items(offline):
    images_of(offline, *range(8))
    offline.lines("b.jsonl", [f"A text of the number {n}." * (n + 1) for n in range(8)])
    sources = [{"paths": ["data/*.png"], "name": "images"}, {"paths": ["data/b.jsonl"]}]
    offline.run("pool", sources=sources)
    made, rows = mixed(offline, budget="4 items", between={"strategy": "uniform"})
    assert (made.budget, made.tokens, made.documents, made.supply) == (4, 4, 4, 16)
    assert sorted(group.documents for group in made.groups) == [2, 2]
    assert made.notes[0].startswith("budget, tokens and supply are in items")
    assert sum(row["copies"] for row in rows) == 4
    assert {row["size"] for row in rows} == {1}
    spec = offline.spec("mix", budget="4 items", extra_tokens=2)
    with pytest.raises(CurateError, match="no effect with a budget in items or time"):
        refuse_unused(spec, where="mix")


def test_a_budget_in_time(offline):
    for number in range(8):
        written(offline.root, {f"data/{number}.wav": sound(0.5, pitch=200 + number)})
    written(offline.root, {"data/a.png": picture()})
    offline.run("pool", sources=[SOURCE])
    made, rows = mixed(offline, budget="2 s")
    assert (made.budget, made.supply, made.documents) == (2000, 4000, 4)
    drawn = [row for row in rows if row["copies"]]
    assert [row["size"] for row in drawn] == [500] * 4
    assert [row["copies"] for row in rows if row["size"] == 0] == [0]


def test_seconds_of_a_document_are_summed():
    kind = tables.schema("pool").field("media").type
    media = [
        None,
        [{"seconds": 1.5}, {"seconds": None}, {"seconds": 0.25}],
        [],
        [{"seconds": 0.0004}],
        [{"seconds": 3600.0}],
    ]
    column = pa.chunked_array([pa.array(media[:2], kind), pa.array(media[2:], kind)])
    assert thousandths(column).tolist() == [0, 1750, 0, 0, 3_600_000]
