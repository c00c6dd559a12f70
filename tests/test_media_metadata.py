"""Metadata that tell places are found and left out; pixels stay as they are."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from curate.media import metadata
from curate.media.metadata import tells_place, without_places
from tests.media_clean_made import encoded, located, picture

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
    b'exif:GPSLatitude="52,31.2N" exif:GPSLongitude="13,24.6E"/></rdf:RDF></x:xmpmeta>'
)


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_place_goes_and_the_rest_stays(format):
    data = encoded(picture(), format, exif=located().tobytes())
    assert tells_place(data)
    cleaned = without_places(data)
    assert not tells_place(cleaned)
    assert np.array_equal(pixels(cleaned), pixels(data))
    with Image.open(io.BytesIO(cleaned)) as image:
        exif = image.getexif()
        assert dict(exif.get_ifd(0x8825)) == {}
        assert (exif[0x0112], exif[0x010F]) == (6, "A camera")
    assert without_places(cleaned) == cleaned
    for part in (b"GPS", struct.pack("<II", 52, 1), struct.pack(">II", 52, 1)):
        assert part not in cleaned


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_file_that_tells_no_place_stays_as_it_is(format):
    exif = Image.Exif()
    exif[0x0112] = 3
    more = {} if format in ("GIF", "BMP") else {"exif": exif}
    data = encoded(picture(), format, **more)
    assert not tells_place(data)
    assert without_places(data) == data


def test_both_orders_of_bytes_are_read():
    for order in (b"II", b"MM"):
        exif = located()
        exif.endian = "<" if order == b"II" else ">"
        block = exif.tobytes()
        data = encoded(picture(), "JPEG", exif=block)
        assert tells_place(data)
        assert not tells_place(without_places(data))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_place_in_xmp_goes(format):
    more = {"xmp": XMP}
    if format == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
        more = {"pnginfo": info}
    if format == "TIFF":
        more = {"tiffinfo": {700: XMP}}
    data = encoded(picture(), format, **more)
    assert tells_place(data)
    cleaned = without_places(data)
    assert not tells_place(cleaned)
    assert np.array_equal(pixels(cleaned), pixels(data))
    assert b"GPSLat" not in cleaned


def test_what_phones_append_goes_if_it_tells_a_place():
    inner = encoded(picture(1), "JPEG", exif=located())
    data = encoded(picture(), "JPEG") + inner
    assert tells_place(data)
    cleaned = without_places(data)
    assert cleaned == encoded(picture(), "JPEG")
    plain = encoded(picture(), "JPEG") + encoded(picture(1), "JPEG")
    assert without_places(plain) == plain


def test_iptc_and_profiles_of_imagemagick():
    city = b"\x1c\x02\x5a\x00\x06Berlin"
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(city)) + city
    plain = encoded(picture(), "JPEG")
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    data = plain[:2] + segment + plain[2:]
    assert tells_place(data)
    assert without_places(data) == plain
    info = PngInfo()
    exif = located().tobytes()
    hexed = exif.hex()
    info.add_text("Raw profile type exif", f"\nexif\n    {len(exif)}\n{hexed}\n", zip=True)
    assert tells_place(encoded(picture(), "PNG", pnginfo=info))
    info = PngInfo()
    info.add_text("exif:GPSLatitude", "52/1, 31/1")
    assert tells_place(encoded(picture(), "PNG", pnginfo=info))
    info = PngInfo()
    info.add_text("Software", "a program")
    assert not tells_place(encoded(picture(), "PNG", pnginfo=info))


def test_a_maker_s_note_goes_with_the_place():
    exif = located()
    exif.get_ifd(0x8769)[0x927C] = b"SECRET PLACE"
    data = encoded(picture(), "JPEG", exif=exif)
    assert b"SECRET PLACE" in data
    assert b"SECRET PLACE" not in without_places(data)


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def test_the_place_of_a_film_goes():
    place = b"\x00\x12\x15\xc7+52.5200+013.4050/"
    told = box(b"moov", box(b"udta", box(b"\xa9xyz", place)), box(b"trak"))
    data = box(b"ftyp", b"isom\0\0\0\0") + told + box(b"mdat", bytes(50))
    assert tells_place(data)
    cleaned = without_places(data)
    assert len(cleaned) == len(data)
    assert b"52.52" not in cleaned
    assert not tells_place(cleaned)
    apple = box(b"moov", box(b"meta", b"com.apple.quicktime.location.ISO6709", bytes(4), place[4:]))
    data = box(b"ftyp", b"qt  \0\0\0\0") + apple
    assert not tells_place(without_places(data))
    assert b"52.52" not in without_places(data)


def test_hostile_structures_end():
    endless = b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 0x8825, 4, 1, 8) + b"\x08\0\0\0"
    assert not tells_place(endless)
    for format in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = encoded(picture(size=(40, 30)), format, exif=located().tobytes())
        for cut in range(0, 400, 7):
            tells_place(data[:cut])
            without_places(data[:cut])
    bomb = b"tEXt key\0"
    chunk = b"zTXt" + b"key\0\0" + zlib.compress(bytes(64 << 20))
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = encoded(picture(size=(8, 8)))
    assert tells_place(data[:33] + framed + data[33:])
    assert not tells_place(bomb)


def test_other_bytes_are_left_alone():
    assert not tells_place(b"")
    assert metadata.without_places(b"no image") == b"no image"
