"""Places in subtitles within films, as drones write them, never leave; other subtitles stay."""

import io
import struct
import zlib

import pytest

from curate.media.metadata import tells_place, without_places
from tests.media_made import box
from tests.test_media_places import telemetry

DRONE = b"F/2.8, SS 206.14, ISO 150, GPS (13.4050, 52.5200, 19), D 0.0m"
TOLD = (
    DRONE,
    b"HOME(13.40,52.52) 2017.08.05\nGPS(13.4050,52.5200,16)",
    b"[iso : 110] [latitude: 52.520000] [longtitude: 13.405000]",
    b"<font>Lon: -13.4050</font>",
)
UNTOLD = (
    b"Later, 12.30, we meet in flat 5.20.",
    b"The GPS is broken: 5 times!",
    b"long: 3.50 m",
    b"",
)


def tx3g(text):
    return struct.pack(">H", len(text)) + text


@pytest.mark.parametrize("text", TOLD)
def test_subtitles_of_an_mp4_go_with_their_place(text):
    data = telemetry(b"tx3g", [tx3g(own) for own in (b"walk", text, b"home")])
    cleaned = without_places(data)
    assert tells_place(data)
    assert not tells_place(cleaned)
    assert len(cleaned) == len(data)
    assert text not in cleaned
    assert all(part in cleaned for part in (b"p" * 10, b"q" * 20, b"r" * 10))


@pytest.mark.parametrize("text", UNTOLD)
def test_other_subtitles_stay(text):
    for data in (telemetry(b"tx3g", [tx3g(text)] * 3), matroska([text])):
        assert without_places(data) is data


def element(name, *parts):
    body = b"".join(parts)
    return bytes.fromhex(name) + (len(body) | 1 << 28).to_bytes(4) + body


def matroska(texts, codec=b"S_TEXT/UTF8", cluster=element):
    """Return a film whose second track are subtitles; the first holds the same bytes."""
    tracks = (
        element("ae", element("d7", b"\1"), element("86", b"V_VP8")),
        element("ae", element("d7", b"\2"), element("86", codec)),
    )
    blocks = []
    for text in texts:
        blocks.append(element("a3", b"\x81\0\0\0", text))
        blocks.append(element("a0", element("a1", b"\x82\0\0\0", text)))
    return element("1a45dfa3", element("4282", b"webm")) + element(
        "18538067", element("1654ae6b", *tracks), cluster("1f43b675", *blocks)
    )


def unsized(name, *parts):
    """An element whose size is not known, as a stream has it."""
    return bytes.fromhex(name) + b"\x01" + b"\xff" * 7 + b"".join(parts)


@pytest.mark.parametrize("cluster", [element, unsized])
@pytest.mark.parametrize("text", [*TOLD, zlib.compress(DRONE)])
def test_subtitles_of_matroska_become_spaces(text, cluster):
    data = matroska([b"walk", text], cluster=cluster)
    cleaned = without_places(data)
    at = data.rindex(text)
    assert cleaned == data[:at] + b" " * len(text) + data[at + len(text) :]
    assert not tells_place(cleaned)
    assert without_places(pictures := matroska([text], codec=b"V_VP9")) is pictures


def test_a_large_film_with_subtitles_is_no_film_of_places(monkeypatch):
    """Its samples are not read; its index tells nothing."""
    from curate.media import placeless

    monkeypatch.setattr(placeless, "MOST", 1000)
    text = tx3g(b"words" * 100)
    film = telemetry(b"tx3g", [text] * 3) + box(b"free", bytes(10))
    assert placeless.placeless(io.BytesIO(film), "video", len(film)) is None
