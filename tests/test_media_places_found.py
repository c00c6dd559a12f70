"""Places are found wherever a file holds them, and small files cost little."""

import base64
import io
import itertools
import struct
import tracemalloc
from hashlib import sha256
from time import process_time

import pytest
from PIL import Image

from curate.backends.showing import _suffix, shown
from curate.clean.media.sight import Sight
from curate.errors import DataError
from curate.export.media.bringing import Bringing
from curate.forms import load_form
from curate.media import placeless
from curate.media.kinds import MEDIA_TYPES, kind_and_format
from curate.media.medium import Medium, MediumError
from curate.media.metadata import tells_place, without_places
from curate.media.placeless import counts_as_place, placeless_data, tells_at_its_ends
from curate.records import Task
from curate.servers.shelf import TYPES, Shelf
from tests.media_made import box, sound
from tests.pictures_made import encoded, located, picture
from tests.test_media_places import WHERE, chunk_of, coded, decoded, photo, recorded, tags_of

XMP = b'<x:xmpmeta><x exif:GPSLatitude="52,31N"/></x:xmpmeta>'
ADTS = b"\xff\xf1\x50\x80\x01\x7f\xfc\x21\x00\x49\x90\x02\x19"
ID3 = b"ID3\3\0\0\0\0\0\x1aTXXX\0\0\0\x10\0\0\0location\x0052.52\0"
PLAIN_ID3 = b"ID3\3\0\0\0\0\0\x0fTIT2\0\0\0\5\0\0\0walk"


def ape(key=b"Location", value=b"52.52"):
    item = struct.pack("<II", len(value), 0) + key + b"\0" + value
    return item + b"APETAGEX" + struct.pack("<IIII8x", 2000, len(item) + 32, 1, 0)


def gif(xmp=XMP):
    data = encoded(picture(size=(8, 8)), "GIF")
    return data[:-1] + b"!\xff\x0bXMP DataXMP" + xmp + bytes((1, *range(255, -1, -1), 0, 59))


def comments(*pairs, vendor=b"us"):
    own = [struct.pack("<I", len(pair)) + pair for pair in pairs]
    return struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(own)) + b"".join(own)


def flac(*pairs):
    block = comments(*pairs)
    return b"fLaC\0\0\0\x22" + bytes(34) + b"\x84" + len(block).to_bytes(3) + block + b"\xff\xf8"


def wav():
    chunk = chunk_of(b"_PMX", XMP)
    plain = sound(0.1)
    return plain[:4] + struct.pack("<I", len(plain) + len(chunk) - 8) + plain[8:] + chunk


TAGS = {"location": WHERE}
MADE = {
    "png": lambda: photo("PNG"),
    "jpeg": photo,
    "webp": lambda: photo("WEBP"),
    "gif": gif,
    "avif": lambda: photo("AVIF"),
    "wav": wav,
    "mp3": lambda: recorded("mp3", "mp3", TAGS),
    "flac": lambda: flac(b"LOCATION=52.52"),
    "ogg": lambda: recorded("ogg", "libopus", TAGS),
    "m4a": lambda: m4a_of(b"\xa9xyz"),
    "aac": lambda: ADTS * 4 + ape(),
    "mp4": lambda: recorded("mp4", "mpeg4", TAGS, is_film=True),
    "webm": lambda: recorded("webm", "libvpx", TAGS, is_film=True),
    "mov": lambda: recorded("mov", "mpeg4", TAGS, is_film=True),
    "ogv": lambda: ogg_of(b"\x80theora" + bytes(40), b"\x81theora", comments(b"location=52.52")),
}


def m4a_of(name):
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"udta", box(name, bytes(4), b"52.52")))


def page_of(serial, number, flags, lacing, body):
    head = b"OggS\0" + bytes([flags]) + bytes(8) + struct.pack("<III", serial, number, 0)
    return head + bytes([len(lacing)]) + bytes(lacing) + body


def ogg_of(first, head, own, most=255 * 200):
    """Return an Ogg whose comments fill as many pages as they need."""
    pages = [page_of(1, 0, 2, [len(first)], first)]
    packet = head + own
    lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
    while lacing:
        now, lacing = lacing[:200], lacing[200:]
        body, packet = packet[: sum(now)], packet[sum(now) :]
        pages.append(page_of(1, len(pages), 0, now, body))
    return b"".join(pages)


def test_every_format_that_a_page_shows_is_cleaned(tmp_path):
    pytest.importorskip("av")
    assert set(MADE) | {"bmp"} == set(TYPES)  # BMP has no metadata
    kinds = {"png": "image", "jpeg": "image", "webp": "image", "gif": "image", "avif": "image"}
    kinds |= {"mp4": "video", "webm": "video", "mov": "video", "ogv": "video"}
    shelf = Shelf.of(tmp_path / "home" / "media", "secret")
    for suffix, make in MADE.items():
        data, kind = make(), kinds.get(suffix, "audio")
        assert _suffix(kind, kind_and_format(data[:4096])[1]) == suffix or suffix == "m4a"
        (tmp_path / suffix).write_bytes(data)
        task = Task("t", {kind: suffix}, media={kind: Medium(kind, kind, suffix)}, folder=tmp_path)
        address = shown(load_form(kind), task, shelf, "7")[kind]
        served = b"".join(shelf.answer("GET", address, None).blocks())
        assert tells_place(data), suffix
        assert served != data, suffix
        assert not tells_place(served), suffix
        assert b"52.52" not in served, suffix


def test_every_format_is_looked_at_whole():
    for kind, format in itertools.product(("image", "audio", "video"), MEDIA_TYPES):
        assert _suffix(kind, format) in {*MEDIA_TYPES, *TYPES}
        assert placeless.is_whole(kind, 1000)


# ── comments


def test_the_key_of_a_comment_decides_and_not_its_value():
    kept = [b"comment=see https://shop.example/?location=store", b"title=GPS=on, latitude=none"]
    assert without_places(flac(*kept)) == flac(*kept)
    cleaned = without_places(flac(*kept, b"GPS_LATITUDE=52.52"))
    assert cleaned == flac(*kept, b"GPS_LATITUDE=     ")
    whole = ogg_of(b"OpusHead" + bytes(11), b"OpusTags", comments(*kept))
    assert without_places(whole) == whole


def test_a_comment_that_is_cut_is_refused_and_counted():
    data = flac(b"location=52.52")[:-4]
    with pytest.raises(MediumError, match="a comment of it tells a place"):
        without_places(data)
    assert counts_as_place(io.BytesIO(data))
    assert not counts_as_place(io.BytesIO(flac(b"title=a")))


@pytest.mark.parametrize("size", [10, 1_500_000])
def test_a_comment_of_ogg_behind_a_picture_goes(size):
    first = b"OpusHead" + bytes(11)
    cover = base64.b64encode(bytes(size))
    own = b"METADATA_BLOCK_PICTURE=" + cover, b"location=52.52"
    data = ogg_of(first, b"OpusTags", comments(*own))
    cleaned = without_places(data)
    assert len(cleaned) == len(data)
    assert b"52.52" not in cleaned
    assert cover[-100:] in cleaned or size == 10
    assert not tells_place(cleaned)


def test_a_cover_with_a_place_goes_from_ogg_and_m4a():
    cover = photo()
    coded_cover = base64.b64encode(bytes(32) + cover)
    own = b"METADATA_BLOCK_PICTURE=" + coded_cover, b"title=a walk"
    for data in (ogg_of(b"OpusHead" + bytes(11), b"OpusTags", comments(*own)), flac(*own)):
        cleaned = without_places(data)
        assert tells_place(data)
        assert not tells_place(cleaned)
        assert coded_cover[:99] not in cleaned
        assert b"title=a walk" in cleaned
    value = box(b"covr", box(b"data", struct.pack(">II", 13, 0), cover))
    title = box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0), b"a walk"))
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(24)), box(b"ilst", value, title))
    data = box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"udta", meta))
    cleaned = without_places(data)
    assert cover not in cleaned
    assert b"a walk" in cleaned
    assert not tells_place(cleaned)


def test_a_changed_page_of_ogg_is_played(tmp_path):
    data = recorded("ogg", "libopus", {"location": WHERE, "title": "w" * 70_000})
    cleaned = without_places(data)
    assert tags_of(cleaned)["title"] == "w" * 70_000
    assert not tags_of(cleaned).get("location", "").strip()
    assert len(decoded(cleaned)) == len(decoded(data))


@pytest.mark.parametrize(
    "data",
    [
        ID3 + flac(b"title=a"),
        PLAIN_ID3 + flac(b"location=52.52"),
        ID3 + ADTS * 3,
        PLAIN_ID3 + b"\xff\xfb\x90\0" + bytes(99) + ape(),
        b"\xff\xfb\x90\0" + bytes(99) + ape(b"GPS") + b"TAG" + bytes(125),
        b"\xff\xfb\x90\0" + bytes(99) + ape(b"Cover Art (Front)", b"a.jpg\0" + photo()),
        gif(),
        b"\x1aE\xdf\xa3\x80\x12\x54\xc3\x67\x01" + b"\xff" * 7
        + b"\x73\x73\x91\x67\xc8\x8e\x45\xa3\x83GPS\x44\x87\x8552.52",
        encoded(picture(size=(8, 8)), "JPEG") + bytes(2 << 20) + XMP,
        encoded(picture(size=(8, 8)), "JPEG")
        + box(b"ftyp", b"isom") + box(b"stsd", struct.pack(">II", 0, 1), box(b"camm", bytes(8))),
        b"RF64\xff\xff\xff\xffWAVE" + chunk_of(b"ds64", struct.pack("<QQ", 99, 10) + bytes(12))
        + b"data\xff\xff\xff\xff" + bytes(10) + chunk_of(b"_PMX", XMP),
    ],
    ids=[
        *("ID3 of FLAC", "FLAC", "AAC", "APE", "APE, bare", "APE, cover", "GIF", "Matroska"),
        *("XMP behind JPEG", "camm behind JPEG", "RF64"),
    ],
)  # fmt: skip
def test_a_place_goes_wherever_it_stands(data):
    cleaned = without_places(data)
    assert tells_place(data)
    assert not tells_place(cleaned)
    assert b"52.52" not in cleaned
    assert b"GPSLatitude" not in cleaned
    assert b"camm" not in cleaned


def test_a_gif_without_its_place_is_seen_as_before():
    before, after = (
        Image.open(io.BytesIO(own)).convert("RGB").tobytes()
        for own in (gif(), without_places(gif()))
    )
    assert before == after
    assert without_places(gif(b"<x/>")) == gif(b"<x/>")


# ── stills


def still(items, brand=b"avif", method=0):
    """Return a still with items of metadata: a kind, its words, and its content, each."""
    entries = [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", n, 0), kind, b"\0", words)
        for n, (kind, words, _) in enumerate(items, 1)
    ]
    iinf = box(b"iinf", bytes(4), struct.pack(">H", len(items)), *entries)
    content = b"".join(own for _, _, own in items)

    def whole(base):
        places, at = [], base
        for n, (_, _, own) in enumerate(items, 1):
            places.append(struct.pack(">HHHHII", n, method, 0, 1, at, len(own)))
            at += len(own)
        iloc = box(b"iloc", b"\1\0\0\0\x44\0", struct.pack(">H", len(items)), *places)
        idat = box(b"idat", content) if method else b""
        meta = box(b"meta", bytes(4), iinf, iloc, idat)
        return box(b"ftyp", brand, bytes(4)) + meta + (b"" if method else box(b"mdat", content))

    return whole(0) if method else whole(len(whole(0)) - len(content))


EXIF = located().tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("method", [0, 1])
@pytest.mark.parametrize("brand", [b"heic", b"heim", b"heis", b"heif", b"avif", b"avis", b"mif1"])
@pytest.mark.parametrize(
    "item",
    [
        (b"Exif", b"", bytes(4) + EXIF),
        (b"Exif", b"", EXIF),
        (b"Exif", b"", b"\0\0\0\6Exif\0\0" + EXIF),
        (b"mime", b"application/rdf+xml\0", XMP),
    ],
    ids=["EXIF", "raw EXIF", "marked EXIF", "XMP"],
)
def test_items_of_stills_lose_their_place(item, brand, method):
    data = still([(b"av01", b"", b"pixels"), item], brand, method)
    cleaned = without_places(data)
    assert tells_place(data)
    assert len(cleaned) == len(data)
    assert not tells_place(cleaned)
    assert b"pixels" in cleaned
    assert b"GPSLatitude" not in cleaned
    assert EXIF not in cleaned


def test_an_avif_of_pillow_keeps_its_pixels():
    data = photo("AVIF")
    cleaned = without_places(data)
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)
    assert not Image.open(io.BytesIO(cleaned)).getexif().get_ifd(0x8825)
    before, after = (Image.open(io.BytesIO(own)).tobytes() for own in (data, cleaned))
    assert before == after


def test_the_film_of_a_motion_photo_loses_its_place():
    film = box(b"ftyp", b"isom") + box(b"moov", box(b"udta", box(b"\xa9xyz", b"\0\0\0\0+52.52/")))
    for more in (box(b"mpvd", film), film):
        data = still([(b"av01", b"", b"pixels")]) + more
        cleaned = without_places(data)
        assert len(cleaned) == len(data)
        assert b"52.52" not in cleaned


# ── films


def keys_of(word, value):
    keys = box(b"keys", struct.pack(">II", 0, 1), box(b"mdta", word))
    own = box(struct.pack(">I", 1), box(b"data", struct.pack(">II", 1, 0), value))
    return box(b"meta", keys, box(b"ilst", own))


def test_every_pair_of_keys_and_values_is_looked_at():
    place = keys_of(b"com.apple.quicktime.location.name", b"Alexanderplatz")
    others = keys_of(b"com.apple.quicktime.make", b"A maker"), box(b"\xa9nam", b"keys of ilst")
    for other in others:
        data = box(b"ftyp", b"qt  ") + box(b"moov", box(b"udta", other), place)
        cleaned = without_places(data)
        assert b"Alexanderplatz" not in cleaned
        assert other in cleaned


def tracks(table=b"stsz", sizes=(4, 4), at=16, more=b"", chunks=1, own=None):
    """Return a film of telemetry whose samples begin with the ninth byte after `ftyp`."""
    tables = (
        box(b"stsd", struct.pack(">II", 0, 1), box(b"gpmd", bytes(8))),
        own or box(table, struct.pack(f">III{len(sizes)}I", 0, 0, len(sizes), *sizes)),
        box(b"stsc", struct.pack(">IIIII", 0, 1, 1, len(sizes) // chunks, 1)),
        box(b"stco", struct.pack(">II", 0, chunks), struct.pack(">I", at) * chunks),
    )
    track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", *tables))))
    return box(b"ftyp", b"isom"[:0]) + box(b"mdat", b"GPS5GPS6") + box(b"moov", track) + more


@pytest.mark.parametrize(
    "data",
    [
        tracks(b"stz2"),
        tracks(more=box(b"moof", box(b"traf"))),
        tracks(sizes=(4, 1 << 20)),
        tracks(own=box(b"stsz", struct.pack(">III", 0, 4, 900))),
        tracks(sizes=(), own=box(b"stsz", struct.pack(">III", 0, 4, 9))),
        box(b"ftyp") + box(b"moov", box(b"trak", box(b"minf", b"") * 200_000)),
        tracks(sizes=(200,) * 8000, chunks=8000),
    ],
    ids=["stz2", "moof", "behind", "fixed", "no chunk", "boxes", "overlap"],
)
def test_telemetry_that_cannot_be_overwritten_is_refused(data):
    with pytest.raises(MediumError):
        without_places(data)
    assert counts_as_place(io.BytesIO(data))
    assert without_places(tracks()).count(b"GPS") == 0


# ── hostile and large


def nested(name, times):
    data = b""
    for _ in range(times):
        data = struct.pack(">I", len(data) + 8) + name + data
    return data


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp") + box(b"moov", box(b"trak", nested(b"minf", 3000))),
        box(b"ftyp") + box(b"moov", nested(b"udta", 3000)),
        box(b"ftyp") + nested(b"mpvd", 40),
        box(b"ftyp") * 40,
    ],
    ids=["minf", "udta", "mpvd", "ftyp"],
)
def test_boxes_that_are_too_deep_are_refused(data):
    with pytest.raises(MediumError, match="too deep"):
        without_places(data)


def test_small_hostile_files_cost_little():
    empty = b"TIT2" + bytes(6)
    size = 80_000 * len(empty)
    syncsafe = bytes((size >> 7 * place) & 0x7F for place in (3, 2, 1, 0))
    began = process_time()
    without_places(b"ID3\3\0\0" + syncsafe + empty * 80_000)
    with pytest.raises(MediumError, match="too many boxes"):
        tells_at_its_ends(io.BytesIO(box(b"ftyp") + box(b"udta") * 100_000))
    assert process_time() - began < 4
    tracemalloc.start()
    with pytest.raises(MediumError, match="overlap"):
        without_places(tracks(sizes=(100_000,) * 8000, chunks=8000) + bytes(120_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


PLACE = box(b"\xa9xyz", b"\0\0\0\0+52.52/")
LARGE = {
    "moov to the end": box(b"ftyp") + b"\0\0\0\0moov" + box(b"udta", PLACE),
    "udta": box(b"ftyp") + box(b"mdat", bytes(999)) + box(b"udta", PLACE),
    "moof": box(b"ftyp") + box(b"mdat", bytes(999)) + box(b"moof", box(b"udta", PLACE)),
    "meta": box(b"ftyp") + keys_of(b"com.apple.quicktime.location.name", b"Alexanderplatz"),
    "uuid": box(b"ftyp") + box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP),
    "wav": wav() + chunk_of(b"data", bytes(9999)),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_index_of_a_large_recording_is_walked(monkeypatch, name):
    monkeypatch.setattr(placeless, "END", 64)
    assert tells_at_its_ends(io.BytesIO(LARGE[name]))
    assert not tells_at_its_ends(io.BytesIO(box(b"ftyp") + box(b"mdat", PLACE)))
    assert not tells_at_its_ends(io.BytesIO(sound(0.1)))


@pytest.mark.parametrize(
    "start", [PLAIN_ID3, b"\xff\xfb\x90\0", ogg_of(b"OpusHead", b"OpusTags", b"")]
)
def test_the_end_of_a_large_recording_is_read_as_its_format(monkeypatch, start):
    monkeypatch.setattr(placeless, "END", 256)
    is_ogg = start[:4] == b"OggS"
    more = ogg_of(b"OpusHead", b"OpusTags", comments(b"gps=52.52")) if is_ogg else ape()
    silence = bytes(range(1, 200)) * 9
    assert tells_at_its_ends(io.BytesIO(start + silence + more))
    assert not tells_at_its_ends(io.BytesIO(start + silence))


def test_an_address_with_space_or_a_fragment_is_cleaned():
    data = photo()
    plain = base64.b64encode(without_places(data)).decode()
    for address in (coded(data) + "#a", " \n" + coded(data) + "\t", coded(data)[:90] + "\n"
                    + coded(data)[90:]):  # fmt: skip
        cleaned = placeless_data(address)
        assert cleaned == f"data:image/jpeg;base64,{plain}"
        assert shown(load_form("image"), Task("t", {"image": address}), None, "7") == {
            "image": cleaned
        }


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_what_cannot_be_cleaned_is_counted_and_the_export_says_what_helps(tmp_path, kind):
    data = flac(b"location=52.52")[:-4] if kind == "audio" else tracks(b"stz2")
    (tmp_path / "a").write_bytes(data)
    medium = {"address": "a", "kind": kind, "format": "flac", "bytes": len(data)}
    medium["sha256"] = sha256(data).hexdigest()
    with pytest.raises(DataError, match="tells a place") as told:
        Bringing(tmp_path, tmp_path / "marks").whole(medium)
    assert "privacy: {place: drop}" in told.value.hint
    assert Sight(Medium(kind, kind, "a"), tmp_path).tells_place
    (tmp_path / "a").write_bytes(flac(b"title=location=none"))
    assert not Sight(Medium(kind, kind, "a"), tmp_path).tells_place
