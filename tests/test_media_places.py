"""Places never leave: neither to a page, nor to a server, whatever the file is."""

import base64
import hashlib
import io
import json
import struct
from contextlib import suppress
from time import process_time

import numpy as np
import pytest
from PIL import Image

from curate.backends.showing import shown
from curate.errors import DataError
from curate.fetching.media import media_shown
from curate.forms import load_form
from curate.media import placeless
from curate.media.medium import Medium, MediumError
from curate.media.metadata import tells_place, without_places
from curate.media.placeless import placeless_data, tells_at_its_ends
from curate.records import Task
from curate.run.stages import maker
from curate.servers.shelf import Shelf, digest_of
from curate.workspace import Workspace
from tests.media_made import box
from tests.pages_made import PageServer
from tests.pictures_made import encoded, located, picture

WHERE = "+52.5200+013.4050/"
SHOWN = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}


def photo(format="JPEG", seed=0):
    """Return a picture whose EXIF tells where it was taken."""
    return encoded(picture(seed, (64, 48)), format, exif=located().tobytes())


def recorded(format, codec, metadata, *, is_film=False):
    """Return half a second of sound, or some frames, with tags."""
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format=format) as out:
        out.metadata.update(metadata)
        if is_film:
            stream = out.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
            frames = [np.full((16, 32, 3), 20 * n, np.uint8) for n in range(5)]
            made = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]
        else:
            stream = out.add_stream(codec, rate=48000, layout="mono")
            tone = (np.sin(np.arange(24000) / 20) * 9000).astype(np.int16)[None]
            made = [av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")]
            made[0].sample_rate = 48000
        for frame in made:
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return file.getvalue()


def tags_of(data):
    """Return all tags that FFmpeg reads, of the file and of its streams."""
    import av

    with av.open(io.BytesIO(data)) as file:
        own = {**file.metadata}
        for stream in file.streams:
            own |= stream.metadata
        return {key.lower(): value for key, value in own.items()}


def decoded(data):
    """Return what is heard or seen."""
    import av

    with av.open(io.BytesIO(data)) as file:
        return [frame.to_ndarray() for frame in file.decode(file.streams[0])]


RECORDED = {
    "mp4: loci": ("mp4", "mpeg4", True),
    "mov: ©xyz": ("mov", "mpeg4", True),
    "m4a": ("ipod", "aac", False),
    "mp3: ID3": ("mp3", "mp3", False),
    "flac": ("flac", "flac", False),
    "ogg: opus": ("ogg", "libopus", False),
    "webm": ("webm", "libvpx", True),
    "mkv": ("matroska", "mpeg4", True),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_place_of_a_recording_goes_and_what_is_heard_and_seen_stays(name):
    format, codec, is_film = RECORDED[name]
    tags = {"location": WHERE, "title": "a walk", "GPS_LATITUDE": "52.5200"}
    data = recorded(format, codec, tags, is_film=is_film)
    if name == "m4a":  # FFmpeg writes no place there: phones do, as free-form tags and in `loci`
        tag = box(b"mean", bytes(4), b"x"), box(b"name", bytes(4), b"LOCATION")
        value = box(b"data", struct.pack(">II", 1, 0), WHERE.encode())
        more = box(b"udta", box(b"meta", bytes(4), box(b"ilst", box(b"----", *tag, value))))
        data = data.replace(b"ftypM4A ", b"ftypM4A ") + box(b"moov", more)
    assert tells_place(data)
    assert b"52.52" in data or name == "mp4: loci"
    cleaned = without_places(data)
    assert not tells_place(cleaned)
    assert b"52.52" not in cleaned
    assert len(cleaned) == len(data)
    assert without_places(cleaned) is cleaned
    told = {key: value for key, value in tags_of(cleaned).items() if value.strip()}
    assert not any("location" in key or "gps" in key for key in told)
    if format not in ("webm", "matroska"):  # there all tags go together
        assert told["title"] == "a walk"
    before, after = decoded(data), decoded(cleaned)
    assert len(before) == len(after) > 0
    assert all(np.array_equal(*frames) for frames in zip(before, after, strict=True))
    untold = recorded(format, codec, {"title": "a walk"}, is_film=is_film)
    assert without_places(untold) is untold


def test_the_place_in_the_cover_of_a_song_goes():
    cover = photo()
    block = b"\0\0\0\3" + struct.pack(">I", 10) + b"image/jpeg" + bytes(20) + cover
    head = b"fLaC\0\0\0\x22" + bytes(34) + b"\x86" + len(block).to_bytes(3)
    data = head + block + b"\xff\xf8"
    cleaned = without_places(data)
    assert (len(cleaned), cleaned[:42], cleaned[42]) == (len(data), data[:42], 0x81)
    assert not any(cleaned[46:-2])
    frame = b"APIC" + (len(cover) + 14).to_bytes(4) + bytes(2) + b"\0image/jpeg\0\3\0" + cover
    kept = b"TIT2" + (5).to_bytes(4) + bytes(2) + b"\0walk"
    size = len(frame + kept)
    syncsafe = bytes((size >> 7 * place) & 0x7F for place in (3, 2, 1, 0))
    data = b"ID3\3\0\0" + syncsafe + frame + kept + b"\xff\xfb"
    assert tells_place(data)
    assert without_places(data) == b"ID3\3\0\0" + syncsafe + kept + bytes(len(frame)) + b"\xff\xfb"


def chunk_of(name, body, order="<"):
    return name + struct.pack(f"{order}I", len(body)) + body + bytes(len(body) & 1)


@pytest.mark.parametrize(
    "chunk",
    [
        chunk_of(b"iXML", b"<BWFXML><LOCATION><LOCATION_GPS>52.52, 13.40</LOCATION_GPS>"),
        chunk_of(b"_PMX", b'<x exif:GPSLatitude="52.52"/>'),
        chunk_of(b"LIST", b"ncdt" + chunk_of(b"nctg", b"52.52")),
        chunk_of(b"id3 ", b"ID3\3\0\0\0\0\0\x1aTXXX\0\0\0\x10\0\0\0location\x0052.52\0"),
    ],
    ids=["iXML", "XMP", "Nikon", "ID3"],
)
def test_the_place_in_a_wav_goes(chunk):
    from tests.media_made import sound

    plain = sound(0.2)
    data = plain[:4] + struct.pack("<I", len(plain) + len(chunk) - 8) + plain[8:] + chunk
    assert tells_place(data)
    cleaned = without_places(data)
    assert b"52.52" not in cleaned
    assert (len(cleaned), cleaned[: len(plain)]) == (len(data), data[: len(plain)])
    assert not tells_place(cleaned)
    silent = chunk_of(b"iXML", b"<BWFXML><LOCATION><LOCATION_GPS></LOCATION_GPS>")
    assert not tells_place(plain + silent)


def test_keys_of_apple_and_xmp_in_a_film_go():
    words = b"com.apple.quicktime.location.name", b"com.apple.quicktime.make"
    keys = box(b"keys", struct.pack(">II", 0, 2), *(box(b"mdta", key) for key in words))
    values = [
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), value))
        for number, value in ((1, b"Alexanderplatz"), (2, b"A maker"))
    ]
    moov = box(b"moov", box(b"meta", keys, box(b"ilst", *values)))
    xmp = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), b'exif:GPSLatitude="52"')
    data = box(b"ftyp", b"qt  \0\0\0\0") + moov + xmp + box(b"mdat", b"Alexanderplatz")
    cleaned = without_places(data)
    assert len(cleaned) == len(data)
    assert cleaned.count(b"Alexanderplatz") == 1  # in the pictures, which are not looked at
    assert b"A maker" in cleaned
    assert b"GPSLatitude" not in cleaned
    assert not tells_place(cleaned)


def telemetry(format, samples):
    """Return a film whose second track holds places, sample by sample, in two chunks."""
    head = box(b"ftyp", b"isom", bytes(4))
    place = len(head) + 8
    sizes = [len(sample) for sample in samples]
    tables = (
        box(b"stsd", struct.pack(">II", 0, 1), box(format, bytes(8))),
        box(b"stsz", struct.pack(f">III{len(sizes)}I", 0, 0, len(sizes), *sizes)),
        box(b"stsc", struct.pack(">II6I", 0, 2, 1, 2, 1, 2, 1, 1)),
        box(b"stco", struct.pack(">IIII", 0, 2, place + 10, place + 30 + sum(sizes[:2]))),
    )
    track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", *tables))))
    film = b"p" * 10 + b"".join(samples[:2]) + b"q" * 20 + samples[2] + b"r" * 10
    return head + box(b"mdat", film) + box(b"moov", track)


@pytest.mark.parametrize("format", [b"gpmd", b"camm", b"mebx"])
def test_a_track_of_places_goes_with_its_samples(format):
    samples = [b"GPS5:52.5200", b"GPS5:52.5", b"GPS5:13.40"]
    data = telemetry(format, samples)
    cleaned = without_places(data)
    assert tells_place(data)
    assert not tells_place(cleaned)
    assert len(cleaned) == len(data)
    assert b"GPS5" not in cleaned
    assert all(part in cleaned for part in (b"p" * 10, b"q" * 20, b"r" * 10))
    assert without_places(telemetry(b"avc1", samples)) == telemetry(b"avc1", samples)


EXIF_OF_MANY = b"Exif\0\0II*\0\x08\0\0\0\xff\x0f" + bytes(20)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"isom") + box(b"moov", b"\0\x10\0\0loci" * 200_000),
        box(b"ftyp", b"isom") + box(b"moov", b"\0\x10\0\0XMP_" * 200_000),
        box(b"ftyp", b"isom") + box(b"moov", b"\0\x10\0\0----" * 200_000),
        box(b"ftyp", b"heic") + box(b"mdat", EXIF_OF_MANY * 50_000),
        b"\x1aE\xdf\xa3" + b"\x12\x54\xc3\x67\x10\x40\0\0\x45\xa3" * 100_000,
        encoded(picture(size=(40, 30)), "JPEG") + EXIF_OF_MANY * 50_000,
        b"OggS" + bytes(22) + b"\xff" + b"\xff" * 255 + b"\x20\0\0\0LOCATION=" * 5000,
        b"fLaC\x04\xff\xff\xff" + b"\xff\0\0\0LOCATION=" * 60_000,
    ],
    ids=["places", "XMP", "free-form", "EXIF", "Matroska", "tail", "Ogg", "FLAC"],
)
def test_files_of_many_marks_cost_little(data):
    began = process_time()
    for work in (tells_place, without_places):
        with suppress(MediumError):
            work(data)
    assert process_time() - began < 3


# ── what reaches a page


@pytest.mark.parametrize("format", SHOWN)
def test_a_page_gets_a_copy_without_the_place(tmp_path, format):
    data = photo(format)
    (tmp_path / "a.bin").write_bytes(data)
    own = hashlib.sha256(data).hexdigest()
    medium = Medium("image", "image", "a.bin", own, len(data))
    task = Task("t", {"image": "a.bin"}, media={"image": medium}, folder=tmp_path)
    shelf = Shelf.of(tmp_path / "home" / "media", "secret")
    address = shown(load_form("image"), task, shelf, "7")["image"]
    served = b"".join(shelf.answer("GET", address, None).blocks())
    by_data = shown(load_form("image"), task, None, "7")["image"]
    assert digest_of(address) == own
    assert base64.b64decode(by_data.partition(",")[2]) == served == without_places(data)
    assert (tmp_path / "a.bin").read_bytes() == data
    with Image.open(io.BytesIO(served)) as image:
        assert not image.getexif().get_ifd(0x8825)


def test_a_film_reaches_its_page_without_the_place(tmp_path):
    data = recorded("mp4", "mpeg4", {"location": WHERE}, is_film=True)
    (tmp_path / "a.mp4").write_bytes(data)
    medium = Medium("video", "video", "a.mp4", hashlib.sha256(data).hexdigest(), len(data))
    task = Task("t", {"video": "a.mp4"}, media={"video": medium}, folder=tmp_path)
    shelf = Shelf.of(tmp_path / "home" / "media", "secret")
    address = shown(load_form("video"), task, shelf, "7")["video"]
    served = b"".join(shelf.answer("GET", address, None).blocks())
    assert "location" in tags_of(data)
    assert "location" not in tags_of(served)


def test_a_film_too_large_to_be_cleaned_is_refused_by_name(tmp_path, monkeypatch):
    data = recorded("mov", "mpeg4", {"location": WHERE}, is_film=True)
    (tmp_path / "a.mov").write_bytes(data)
    monkeypatch.setattr(placeless, "MOST", len(data) - 1)
    medium = Medium("video", "video", "a.mov", hashlib.sha256(data).hexdigest(), len(data))
    task = Task("t", {"video": "a.mov"}, media={"video": medium}, folder=tmp_path)
    shelf = Shelf.of(tmp_path / "home" / "media", "secret")
    with pytest.raises(DataError, match="tell a place, and a file of more than"):
        shown(load_form("video"), task, shelf, "7")
    assert not [path for path in shelf.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("end", ["head", "tail"])
def test_a_large_recording_is_looked_at_at_its_ends(monkeypatch, end):
    monkeypatch.setattr(placeless, "END", 20_000)
    data = recorded("webm", "libvpx", {"location": WHERE}, is_film=True)
    void = b"\xec\x01" + (200_000).to_bytes(7) + bytes(200_000)
    long = data + void if end == "head" else data[:4] + void + data
    assert tells_at_its_ends(io.BytesIO(long))
    assert not tells_at_its_ends(io.BytesIO(void + data[:4] + void))


def coded(data, head="data:image/jpeg;base64"):
    return f"{head},{base64.b64encode(data).decode()}"


def test_data_in_a_column_are_shown_without_the_place():
    data = photo()
    plain = coded(without_places(data))
    from urllib.parse import quote

    written = [
        coded(data),
        coded(data, "DATA:image/jpeg; base64 ").replace("/", "%2F"),
        coded(data).rstrip("="),
        "data:image/jpeg," + quote(data),
    ]
    for address in written:
        cleaned = placeless_data(address)
        assert cleaned.partition(",")[2] == plain.partition(",")[2]
        task = Task("t", {"image": address})
        assert shown(load_form("image"), task, None, "7")["image"] == cleaned
    for address in (plain, "https://example.org/a.jpg", "data:image/png;base64,§", "data:,x", ""):
        assert placeless_data(address) == address


class OwnServer(PageServer):
    """A server of the user's own: it gets images as data."""

    def __init__(self, root):
        super().__init__(root)
        self.shelf = None


@pytest.mark.parametrize("server", [PageServer, OwnServer])
def test_a_round_of_photos_comes_home_and_no_place_leaves(offline, server):
    (offline.root / "data").mkdir()
    for number in range(3):
        (offline.root / "data" / f"{number}.jpg").write_bytes(photo(seed=number))
    (offline.root / "data" / "3.jpg").write_bytes(encoded(picture(3, (64, 48)), "JPEG"))
    pages = server(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root, engine=offline.workspace.engine, connect=lambda name: pages, maker=maker
    )
    inline = offline.lines("inline.jsonl", [{"image": coded(photo(seed=9))}])
    sources = [{"paths": ["data/*.jpg"]}, {"paths": [str(inline)], "fields": ["image"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=5, seed=1)
    offline.run("push", backend="folder", overlap=1, form="image")
    told = [task["image"] for task in offline.tasks]
    by_address = [address for address in told if address.startswith("/curate")]
    pictures = [base64.b64decode(a.partition(",")[2]) for a in told if a.startswith("data:")]
    for address in by_address:
        pictures.append(b"".join(pages.shelf.answer("GET", address, None).blocks()))
    assert len(pictures) == 5
    assert len(by_address) == (4 if server is PageServer else 0)
    assert not any(map(tells_place, pictures))
    for number in range(3):
        assert without_places(photo(seed=number)) in pictures
    offline.say(
        *(
            {"id": task["id"], "question": "kind", "annotator": "ann", "value": "photo"}
            for task in offline.tasks
        )
    )
    offline.run("pull")
    rows = offline.workspace.rounds.current().answers()
    assert [row["status"] for row in rows] == ["submitted"] * 5
    media = [own["image"] for own in media_shown(offline.workspace.rounds.current()).values()]
    assert sorted(len(own.digests) for own in media) == [1, 2, 2, 2]


def test_another_picture_as_data_is_not_taken(offline):
    (offline.root / "data").mkdir()
    for number in range(2):
        (offline.root / "data" / f"{number}.jpg").write_bytes(photo(seed=number))
    pages = OwnServer(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root, engine=offline.workspace.engine, connect=lambda name: pages, maker=maker
    )
    offline.run("pool", sources=[{"paths": ["data/*.jpg"]}], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=2, seed=1)
    offline.run("push", backend="folder", overlap=1, form="image")
    path = offline.workspace.rounds.current().folder / "tasks.jsonl"
    first, second = offline.tasks
    first["image"], second["image"] = second["image"], first["image"]
    path.write_text("".join(json.dumps(row) + "\n" for row in (first, second)))
    offline.say({"id": first["id"], "question": "kind", "annotator": "ann", "value": "photo"})
    offline.run("pull")
    (row,) = offline.workspace.rounds.current().answers()
    assert row["status"] == "rejected"
