"""Media in an export: their bytes in every format, and what is made of them afterwards."""

import io
import json
import shutil
import struct
import tarfile
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from PIL import Image

from curate.errors import DataError
from curate.export.formats import mds, read_shard
from curate.export.media import beside
from curate.export.verify import verify
from tests.conftest import Offline
from tests.media_small import digest, film, has_place, jpeg, png, put, wav

PICTURES = {f"p{n}.png": png(n) for n in range(10)}
FILES = {**PICTURES, "walk.jpg": jpeg(11, place=True), "plain.jpg": jpeg(12)}
FORMATS = ("jsonl", "jsonl.gz", "parquet", "datasets", "webdataset", "mds")


@pytest.fixture(scope="module")
def _album(tmp_path_factory):
    """Captioned pictures; one stands in two documents, one has a place, and two texts have none."""
    offline = Offline(tmp_path_factory.mktemp("album") / "run")
    put(offline.root / "data" / "pictures", FILES)
    rows = [
        {"caption": f"A picture called {name}, number {n}.", "picture": f"pictures/{name}"}
        for n, name in enumerate([*FILES, "p0.png"])
    ]
    offline.lines("album.jsonl", rows)
    offline.lines("words.jsonl", ["A text without a picture.", "另一段没有图片的文字。"])
    captioned = {"fields": ["caption"], "media": {"image": "picture"}}
    sources = [{"paths": ["data/album.jsonl"], **captioned}, {"paths": ["data/words.jsonl"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", groups=["source"], budget="100%")
    return offline.root


@pytest.fixture
def album(_album, tmp_path):
    """A copy of it."""
    shutil.copytree(_album, tmp_path / "run")
    return Offline(tmp_path / "run")


def lines_of(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [line for file in manifest["files"] for line in read_shard(folder / file["path"])]


def told(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["media"]


def source_bytes(line):
    """The bytes of a line's picture as they were in the source, by its caption."""
    (medium,) = line["media"]
    return FILES[Path(medium["address"]).name]


def without_place(line, data):
    """Whether bytes are those of the source, but for the place of the one picture that has one."""
    own = source_bytes(line)
    if not has_place(own):
        return data == own
    pixels = [Image.open(io.BytesIO(b)).tobytes() for b in (own, data)]
    return data != own and not has_place(data) and pixels[0] == pixels[1]


# ── formats


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_media_of_all_lines(album, format):
    album.run("export", format=format, shard_documents=6)
    folder = album.root / "export"
    assert verify(folder).problems == ()
    lines = lines_of(folder)
    with_media = [line for line in lines if line["media"]]
    assert (len(lines), len(with_media)) == (15, 13)
    assert {line["text"] for line in lines if not line["media"]} == {
        *("A text without a picture.", "另一段没有图片的文字。")
    }
    for line in with_media:
        (medium,) = line["media"]
        assert medium["sha256"] == digest(source_bytes(line))
        is_same = medium["exported_sha256"] == medium["sha256"]
        assert is_same == (not has_place(source_bytes(line)))
    size = sum(len(source_bytes(line)) for line in with_media)
    about = told(folder)
    assert about["kinds"] == {"image": {"media": 13, "bytes": size}}
    assert about["without_places"] == 1
    assert about.get("files") == (12 if format in ("jsonl", "jsonl.gz", "parquet") else None)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_files_lie_beside_the_shards_once_each(album, format):
    album.run("export", format=format)
    folder = album.root / "export"
    for line in lines_of(folder):
        for medium in line["media"] or ():
            data = (folder / medium["path"]).read_bytes()
            assert without_place(line, data)
            assert digest(data) == medium["exported_sha256"] == Path(medium["path"]).stem
            assert Path(medium["path"]).suffix == Path(medium["address"]).suffix
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    assert sums.count("  media/") == 12 == len([*(folder / "media").rglob("*.*")])
    assert not list((folder / "media").rglob(".*"))


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_tar_shards_are_read_by_webdataset(album):
    webdataset = pytest.importorskip("webdataset")
    album.run("export", format="webdataset", shard_documents=6)
    folder = album.root / "export"
    shards = sorted(map(str, folder.glob("data-*.tar")))
    assert len(shards) == 3
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    lines = lines_of(folder)
    assert [sample["__key__"] for sample in samples] == [
        f"{line['id']}-{line['copy']}" for line in lines
    ]
    for sample, line in zip(samples, lines, strict=True):
        assert sample["txt"].decode() == line["text"]
        assert json.loads(sample["json"])["source"] == line["source"]
        names = {name for name in sample if not name.startswith("__")}
        pictures = names - {"txt", "json"}
        assert len(pictures) == (1 if line["media"] else 0)
        for name in pictures:
            assert without_place(line, sample[name])


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_energon_finds_every_sample_by_index_and_split(album, layout):
    album.run("export", format="webdataset", layout=layout, shard_documents=6)
    export = album.root / "export"
    lines, found = lines_of(export), []
    for meta in sorted(path.parent for path in export.rglob(".nv-meta/.info.json")):
        counts = json.loads((meta / ".info.json").read_text(encoding="utf-8"))["shard_counts"]
        split = yaml.safe_load((meta / "split.yaml").read_text(encoding="utf-8"))
        assert split == {"split_parts": {"train": list(counts)}, "exclude": []}
        for name, count in counts.items():
            shard = meta.parent / name
            data = shard.read_bytes()
            index = (shard.parent / f"{name}.idx").read_bytes()
            places = struct.unpack(f"<{len(index) // 8}Q", index)
            assert len(places) == count + 1
            for start, end in pairwise(places):
                with tarfile.open(fileobj=io.BytesIO(data[start:end] + bytes(1024))) as tar:
                    keys = {member.name.partition(".")[0] for member in tar}
                assert len(keys) == 1
                found += keys
            assert not any(data[places[-1] :])
    assert sorted(found) == sorted(f"{line['id']}-{line['copy']}" for line in lines)


def samples_of_mds(folder):
    """Read a folder of MDS as its documentation describes it, by `index.json` alone."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index["version"] == 2
    for shard in index["shards"]:
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(data) == shard["raw_data"]["bytes"]
        assert struct.unpack_from("<I", data) == (shard["samples"],)
        places = struct.unpack_from(f"<{shard['samples'] + 1}I", data, 4)
        assert places[-1] == len(data)
        names = shard["column_names"]
        for place in places[:-1]:
            sizes = struct.unpack_from(f"<{len(names)}I", data, place)
            place, sample = place + 4 * len(names), {}
            for name, size, encoding in zip(names, sizes, shard["column_encodings"], strict=True):
                value = data[place : place + size]
                sample[name] = value if encoding == "bytes" else value.decode()
                place += size
            yield sample


def test_shards_of_mosaicml_hold_the_bytes_of_media(album):
    album.run("export", format="mds", shard_documents=6)
    folder = album.root / "export"
    assert len(list((folder / "train").glob("data-*.mds"))) == 3
    samples, lines = list(samples_of_mds(folder / "train")), lines_of(folder)
    assert [sample["id"] for sample in samples] == [line["id"] for line in lines]
    for sample, line in zip(samples, lines, strict=True):
        assert sorted(sample) == ["id", "image", "line", "text"]
        assert sample["text"] == line["text"]
        assert json.loads(sample["line"])["source"] == line["source"]
        assert bool(sample["image"]) == bool(line["media"])
        assert not line["media"] or without_place(line, sample["image"])
    shard = folder / "train" / "data-00000.mds"
    data = shard.read_bytes()
    for wrong in (data[:-1], data + b"x", data[:3], data[: len(data) // 2]):
        shard.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"not a complete shard|cut off"):
            list(read_shard(shard))


@pytest.mark.parametrize("count", [(1 << 32) - 1, (1 << 32) - 2, 1 << 20, 400])
def test_a_damaged_shard_of_mosaicml_is_told_before_what_it_asks_for_is_read(album, count):
    album.run("export", format="mds", shards=1, validation=False)
    (shard,) = (album.root / "export" / "train").glob("*.mds")
    data = bytearray(shard.read_bytes())
    struct.pack_into("<I", data, 0, count)
    shard.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"cut off|not a complete shard|codec|Expecting"):
        list(read_shard(shard))
    assert tracemalloc.get_traced_memory()[1] < len(data) + 1_000_000
    tracemalloc.stop()
    about = [problem for problem in verify(album.root / "export").problems if "read" in problem]
    assert len(about) == 1
    assert about[0].startswith(f"train/{shard.name} cannot be read: ")
    assert "\n" not in about[0]


def test_sizes_within_a_damaged_shard_are_not_believed(tmp_path):
    shard = tmp_path / "data-00000.mds"
    config = b'{"column_names": ["id", "line", "text"]}'
    first, huge = 12 + len(config), (1 << 32) - 13
    sizes = struct.pack("<III", huge - first - 12, 0, 0)
    shard.write_bytes(struct.pack("<III", 1, first, huge) + config + sizes)
    tracemalloc.start()
    with pytest.raises(ValueError, match="cut off"):
        list(read_shard(shard))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"shards": 1}, "raise `export.shards`"),
        ({"shard_tokens": 10**6}, "lower `export.shard_tokens`"),
        ({"shard_documents": 500}, "lower `export.shard_documents`"),
    ],
)
def test_a_shard_of_mosaicml_that_is_too_large_is_told_at_once(album, monkeypatch, settings, hint):
    monkeypatch.setattr(mds, "MOST", 2_000)
    with pytest.raises(DataError) as caught:
        album.run("export", format="mds", **settings)
    words = "data-00000.mds would have more bytes than a shard of MDS can have, 2,000"
    assert (caught.value.message, caught.value.hint) == (words, hint)


def test_the_bytes_of_a_shard_are_counted_exactly(monkeypatch, tmp_path):
    lines = pa.table({"id": ["a", "b"], "text": ["x" * 50, "字"], "n": [1, 2]})
    path = tmp_path / "data-00000.mds"

    def write():
        with mds.WriteMds()(path, lines.schema) as append:
            append(lines)

    write()
    size = path.stat().st_size
    assert [line["n"] for line in read_shard(path)] == [1, 2]
    for most, is_too_large in ((size, False), (size - 1, True)):
        described = dict(mds.WriteMds().described())
        monkeypatch.setattr(mds, "MOST", most)
        monkeypatch.setattr(mds.WriteMds, "described", lambda self, own=described: own)
        if is_too_large:
            with pytest.raises(DataError, match="would have more bytes"):
                write()
        else:
            write()


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_streaming_of_mosaicml_reads_its_shards(album, layout):
    streaming = pytest.importorskip("streaming", reason="mosaicml-streaming is not installed")
    album.run("export", format="mds", layout=layout)
    folders = {path.parent for path in (album.root / "export").rglob("index.json")}
    for folder in sorted(folders):
        read = streaming.StreamingDataset(local=str(folder), shuffle=False, batch_size=1)
        own = list(samples_of_mds(folder))
        for number, sample in enumerate(own):
            row = read[number]
            assert (row["id"], row["text"]) == (sample["id"], sample["text"])
            assert row["line"] == json.loads(sample["line"])
            assert row.get("image", b"") == sample.get("image", b"")


def test_folders_of_groups_are_streams_of_mosaicml(album):
    album.run("export", format="mds", layout="by_group")
    folder = album.root / "export"
    assert sorted(path.name for path in (folder / "trainers").iterdir()) == [
        *("mosaicml.json", "rows.json")
    ]
    streams = json.loads((folder / "trainers" / "mosaicml.json").read_text(encoding="utf-8"))
    assert sum(own["proportion"] for own in streams) == pytest.approx(1)
    found = [len(list(samples_of_mds(folder / own["local"]))) for own in streams]
    assert sorted(found) == [2, 13]
    assert verify(folder).problems == ()


def test_the_bytes_of_a_tar_depend_on_the_lines_alone(album):
    album.run("export", format="webdataset")
    first = digest((album.root / "export" / "data-00000.tar").read_bytes())
    for path in (album.root / "data" / "pictures").iterdir():
        path.touch()
    album.run("export", format="webdataset", seed=1)
    album.run("export", format="webdataset")
    assert digest((album.root / "export" / "data-00000.tar").read_bytes()) == first
    with tarfile.open(album.root / "export" / "data-00000.tar") as tar:
        assert {(member.mtime, member.uid, member.uname, member.mode) for member in tar} == {
            (0, 0, "", 0o644)
        }


def test_a_folder_of_datasets_has_a_column_of_images(album):
    datasets = pytest.importorskip("datasets")
    album.run("export", format="datasets", shard_documents=6)
    folder = album.root / "export"
    rows = datasets.load_from_disk(str(folder))["train"]
    assert rows.features["image"] == datasets.Image()
    raw = rows.cast_column("image", datasets.Image(decode=False))
    lines = lines_of(folder)
    for row, decoded, line in zip(raw, rows, lines, strict=True):
        assert row["id"] == line["id"]
        if line["media"]:
            assert without_place(line, row["image"]["bytes"])
            assert decoded["image"].size == (32, 32)
        else:
            assert row["image"] is None


def test_token_shards_refuse_media_by_name(album):
    with pytest.raises(DataError, match="format tokens holds only texts, and 13 media were drawn"):
        album.run("export", format="tokens")
    assert not (album.root / "export").exists()


# ── files that changed, and kills


@pytest.mark.parametrize("format", ["jsonl", "datasets", "webdataset", "mds"])
def test_a_file_that_changed_or_is_gone_stops_the_export_by_its_name(album, format):
    path = album.root / "data" / "pictures" / "p3.png"
    path.write_bytes(png(99))
    with pytest.raises(DataError, match=r"data/pictures/p3\.png: it is not the file that `pool`"):
        album.run("export", format=format)
    path.unlink()
    with pytest.raises(DataError, match=r"data/pictures/p3\.png: the file is not there"):
        album.run("export", format=format)
    assert not (album.root / "export").exists()
    path.write_bytes(PICTURES["p3.png"])
    album.run("export", format=format)
    assert verify(album.root / "export").problems == ()


def test_an_export_that_was_killed_copies_no_file_twice(album, monkeypatch):
    copied = []
    real = beside.CopyMedia._copy

    def copy(self, medium, suffix):
        if len(copied) == 5:
            raise KeyboardInterrupt
        copied.append(medium["address"])
        return real(self, medium, suffix)

    monkeypatch.setattr(beside.CopyMedia, "_copy", copy)
    with pytest.raises(KeyboardInterrupt):
        album.run("export")
    (leftover,) = (album.root / ".building").glob("export-*/export/media")
    (leftover / ".x.123.tmp").write_bytes(b"of a killed writer")
    monkeypatch.setattr(
        beside.CopyMedia,
        "_copy",
        lambda self, medium, suffix: copied.append(medium["address"]) or real(self, medium, suffix),
    )
    album.run("export")
    assert len(copied) == len(set(copied)) == 12
    assert verify(album.root / "export").problems == ()


# ── verify


def resummed(folder, name):
    """Write the new sum of a file of an export, as one who changes it on purpose would."""
    sums = folder / "SHA256SUMS"
    rows = [line.split("  ", 1) for line in sums.read_text(encoding="utf-8").splitlines()]
    new = [
        f"{digest((folder / own).read_bytes()) if own == name else old}  {own}\n"
        for old, own in rows
    ]
    sums.write_text("".join(new), encoding="utf-8")


def test_verify_finds_media_that_are_not_those_of_the_lines(album):
    album.run("export")
    folder = album.root / "export"
    path = next((folder / "media").rglob("*.png"))
    name = path.relative_to(folder).as_posix()
    own = path.read_bytes()
    path.write_bytes(png(77))
    assert f"{name} is not the file that SHA256SUMS names" in verify(folder).problems
    resummed(folder, name)
    (problem,) = {problem.partition(": ")[2] for problem in verify(folder).problems}
    assert problem == f"the medium image is not the file {name}"
    path.write_bytes(own)
    resummed(folder, name)
    (folder / "media" / "more.png").write_bytes(own)
    assert verify(folder).problems == ("media/more.png is not in SHA256SUMS",)
    (folder / "media" / "more.png").unlink()
    path.unlink()
    assert f"{name} is missing" in verify(folder).problems


def test_verify_reads_the_media_within_tar_shards(album):
    album.run("export", format="webdataset")
    folder = album.root / "export"
    shard = folder / "data-00000.tar"
    data = shard.read_bytes()
    with tarfile.open(shard) as tar:
        member = next(m for m in tar if m.name.endswith(".png"))
    place = member.offset_data + member.size - 1
    shard.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    problems = verify(folder).problems
    assert any("is not the one that its line names" in problem for problem in problems)
    shard.write_bytes(data[: len(data) // 2])
    assert any("cannot be read" in problem for problem in verify(folder).problems)


# ── what follows an export


def test_trace_says_where_a_medium_is_and_whether_it_is_as_it_was(album):
    from curate.trace.forward import trace

    album.run("export")
    row = next(row for row in lines_of(album.root / "export") if "walk.jpg" in row["text"])
    (medium,) = trace(album.workspace, row["id"]).media
    assert (medium.kind, medium.address) == ("image", "data/pictures/walk.jpg")
    assert medium.state == "as `pool` read it"
    assert medium.exported == row["media"][0]["path"]
    (album.root / "data" / "pictures" / "walk.jpg").write_bytes(png(55))
    (medium,) = trace(album.workspace, row["id"]).media
    assert medium.state.startswith("the file has changed")


@pytest.mark.parametrize("format", ["jsonl", "webdataset", "datasets"])
def test_a_replay_has_the_same_media(album, format):
    from curate.replay.replay import replay

    album.run("export", format=format)
    before = lines_of(album.root / "export")
    kept = album.root / "before"
    (album.root / "export").rename(kept)
    assert replay(album.workspace, kept / "draw.parquet").same
    after = lines_of(album.root / "export")
    assert [line["media"] for line in after] == [line["media"] for line in before]
    assert verify(album.root / "export").problems == ()


def test_card_and_croissant_tell_of_media(album):
    album.run("export")
    card = (album.root / "export" / "README.md").read_text(encoding="utf-8")
    assert "12 files" in card
    assert "Of 1 files the metadata told a place" in card
    croissant = json.loads((album.root / "export" / "croissant.json").read_text(encoding="utf-8"))
    sets = {own["@id"]: own for own in croissant["distribution"]}
    assert sets["files-media"]["includes"] == "media/**"
    assert "image" in croissant["keywords"]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_stream_gives_paths_or_bytes(album, format):
    from curate.stream import Mixture

    album.run("export", format=format, layout="by_group")
    folder = album.root / "export"
    for media in ("paths", "bytes"):
        documents = list(Mixture(folder, media=media))
        own = [document for document in documents if document["media"]]
        assert len(own) >= 12
        for document in own:
            (medium,) = document["media"]
            assert Path(medium["path"]).is_absolute()
            data = Path(medium["path"]).read_bytes()
            assert without_place(document, medium.get("data", data))
            assert ("data" in medium) == (media == "bytes")


@pytest.mark.parametrize("format", ["webdataset", "datasets", "mds"])
def test_a_stream_refuses_other_formats_by_name(album, format):
    from curate.stream import Mixture

    album.run("export", format=format, layout="by_group")
    with pytest.raises(DataError, match="cannot be streamed"):
        Mixture(album.root / "export")


# ── takedowns


def test_a_takedown_deletes_copies_that_no_other_document_holds(offline):
    from curate.takedown import takedown
    from curate.takedown.naming import cluster

    names = ["a.png", "b.png", "both.png"]
    put(offline.root / "media", {name: png(n) for n, name in enumerate(names)})
    put(offline.root / "elsewhere", {"c.png": png(9)})
    rows = [("first", "media/a.png"), ("second", "media/b.png"), ("third", "media/both.png")]
    rows += [("fourth", "media/both.png"), ("fifth", "elsewhere/c.png")]
    lines = [json.dumps({"caption": words, "picture": path}) for words, path in rows]
    (offline.root / "album.jsonl").write_text("\n".join(lines), encoding="utf-8")
    captioned = {"fields": ["caption"], "media": {"image": "picture"}}
    offline.run("pool", sources=[{"paths": ["album.jsonl"], **captioned}], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export")
    offline.run("report")
    ids = {row["text"]: row["id"] for row in offline.rows("pool")}
    gone = [ids["first"], ids["third"], ids["fifth"]]
    result = takedown.run(offline.workspace, cluster(offline.workspace, gone), gone, "asked for")
    assert (result.removed, result.media) == (3, 1)
    left = {path.name for path in (offline.root / "media").iterdir()}
    assert left == {"b.png", "both.png"}
    assert (offline.root / "elsewhere" / "c.png").is_file()  # a source
    assert not (offline.root / "export").exists()
    assert not (offline.root / "report.html").exists()
    gone = [ids["fourth"]]
    result = takedown.run(offline.workspace, cluster(offline.workspace, gone), gone, "asked for")
    assert (result.media, (offline.root / "media" / "both.png").exists()) == (1, False)
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export")
    assert [line["text"] for line in lines_of(offline.root / "export")] == ["second"]
    assert verify(offline.root / "export").problems == ()


# ── images, sounds and films together

COUNTED = {"image": 16, "audio": "25/s", "video": "100/s"}


@pytest.fixture
def mixed(offline):
    """Pictures in a folder, pictures in a tar, sounds and films, each of its own source."""
    pytest.importorskip("av")
    data = offline.root / "data"
    put(data / "pictures", {f"{n}.png": png(n) for n in range(12)})
    put(data / "sounds", {f"{n}.wav": wav(n, seconds=0.5 + n / 8) for n in range(6)})
    put(data / "films", {f"{n}.mp4": film(n, frames=8 + n) for n in range(4)})
    with tarfile.open(data / "shard.tar", "w") as tar:
        for n in range(20, 26):
            for name, content in ((f"{n}.png", png(n)), (f"{n}.txt", b"Drawn %d." % n)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    sources = [
        {"name": "pictures", "paths": ["data/pictures/*.png"]},
        {"name": "sounds", "paths": ["data/sounds/*.wav"]},
        {"name": "films", "paths": ["data/films/*.mp4"]},
        {"name": "shards", "paths": ["data/shard.tar"], "format": "webdataset"},
    ]
    offline.run("pool", sources=sources, tokenizer="bytes", media_tokens=COUNTED)
    offline.run("clean", rules=[], near_duplicates=None)
    return offline


def source_of(offline, medium):
    """The bytes of a medium in its source."""
    path, _, member = medium["address"].partition("!/")
    if not member:
        return (offline.root / path).read_bytes()
    with tarfile.open(offline.root / path) as tar:
        return tar.extractfile(member).read()


@pytest.mark.parametrize("format", FORMATS)
def test_media_of_every_kind_are_exported_within_one_item_of_their_shares(mixed, format):
    shares = {"pictures": 0.3, "sounds": 0.3, "films": 0.2, "shards": 0.2}
    between = {"shares": {"source": shares}}
    mixed.run("mix", groups=["source"], between=between, budget=400, max_epochs=2)
    mixed.run("export", format=format, shard_documents=7)
    folder = mixed.root / "export"
    assert verify(folder).problems == ()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for group in manifest["groups"]:
        assert abs(group["tokens"] - 400 * shares[group["group"]]) <= group["longest"]
    assert set(manifest["media"]["kinds"]) == {"image", "audio", "video"}
    seconds = manifest["media"]["kinds"]["audio"]["seconds"]
    lines = lines_of(folder)
    media = [medium for line in lines for medium in line["media"]]
    assert seconds == pytest.approx(sum(m["seconds"] for m in media if m["kind"] == "audio"))
    assert {m["format"] for m in media} == {"png", "wav", "mp4"}
    for medium in media:
        assert medium["sha256"] == digest(source_of(mixed, medium)) == medium["exported_sha256"]
        if format in ("jsonl", "parquet"):
            assert (folder / medium["path"]).read_bytes() == source_of(mixed, medium)


def test_verify_counts_the_tokens_of_media(mixed):
    mixed.run("mix", groups=["source"], budget=200)
    mixed.run("export")
    path = mixed.root / "export" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["media_tokens"]["image"] == 16
    manifest["media_tokens"]["image"] = 15
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert any("tokens, not" in problem for problem in verify(path.parent).problems)


def test_datasets_opens_sounds_and_films(mixed):
    datasets = pytest.importorskip("datasets")
    mixed.run("mix", groups=["source"], budget="100%")
    mixed.run("export", format="datasets")
    rows = datasets.load_from_disk(str(mixed.root / "export"))["train"]
    kinds = {name: type(rows.features[name]).__name__ for name in ("audio", "video", "image")}
    assert kinds == {"audio": "Audio", "video": "Video", "image": "Image"}
    raw = rows.cast_column("audio", datasets.Audio(decode=False)).select_columns(["id", "audio"])
    sounds = [row["audio"]["bytes"] for row in raw if row["audio"]]
    assert sorted(map(digest, sounds)) == sorted(
        digest(wav(n, seconds=0.5 + n / 8)) for n in range(6)
    )


def test_copies_of_the_pool_go_with_a_takedown(offline):
    from curate.takedown import takedown
    from curate.takedown.naming import cluster

    put(offline.root.parent / "far", {"a.png": png(1), "b.png": png(2)})
    sources = [{"name": "far", "paths": [str(offline.root.parent / "far" / "*.png")]}]
    offline.run("pool", sources=sources, tokenizer="bytes", media="copy", media_tokens=COUNTED)
    offline.run("clean", rules=[], near_duplicates=None)
    copies = {path.stem: path for path in (offline.root / "media").rglob("*.png")}
    assert {digest(path.read_bytes()) for path in copies.values()} == {
        digest(png(1)),
        digest(png(2)),
    }
    (row,) = [row for row in offline.rows("pool") if row["media"][0]["sha256"] == digest(png(1))]
    result = takedown.run(
        offline.workspace, cluster(offline.workspace, [row["id"]]), [row["id"]], "asked for"
    )
    assert result.media == 1
    left = [digest(path.read_bytes()) for path in (offline.root / "media").rglob("*.png")]
    assert left == [digest(png(2))]


@pytest.mark.parametrize("budget", ["12 items", "3 s"])
def test_budgets_in_items_and_seconds_are_kept_and_verified(mixed, budget):
    mixed.run("pool", sources=mixed.workspace.tables.made("pool").spec["sources"], holdout=0.2)
    mixed.run("clean", rules=[], near_duplicates=None)
    mixed.run("mix", groups=["source"], budget=budget, max_epochs=2)
    mixed.run("export", format="webdataset")
    folder = mixed.root / "export"
    assert verify(folder).problems == ()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    unit, total = ("items", 12) if "items" in budget else ("seconds", 3000)
    assert manifest["budget_unit"] == unit
    drawn = sum(group["tokens"] for group in manifest["groups"])
    assert abs(drawn - total) <= max(group["longest"] for group in manifest["groups"])
    held = [row for row in mixed.rows("pool") if row["holdout"]]
    assert manifest["validation"]["documents"] == len(held) > 0


def test_summaries_tell_kinds_of_media_apart(mixed):
    from curate.cards.californian import californian
    from curate.cards.european import european
    from curate.cards.summary import markdown
    from curate.summaries.gathering import gather

    mixed.run("mix", groups=["source"], budget="100%")
    mixed.run("export")
    facts = gather(mixed.workspace)
    heard = sum(0.5 + n / 8 for n in range(6))
    seen = sum((8 + n) / 8 for n in range(4))
    assert (facts.images, facts.audio, facts.video) == (
        18,
        pytest.approx(heard),
        pytest.approx(seen),
    )
    text = markdown(european(facts))
    assert "Image: less than 1 million images (18)." in text
    assert "Audio: less than 10,000 hours (0.1 minutes)." in text
    assert "18 images in the documents." in markdown(californian(facts))
