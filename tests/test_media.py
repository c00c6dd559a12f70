"""Media: kinds by bytes, addresses, decoding, facts, tokens."""

import io
import json
import sys
from hashlib import sha256
from subprocess import run

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError
from curate.media import Medium, MediumError, cells, films, images, needing, opening, sounds
from curate.media.counting import MediaTokens
from curate.media.kinds import fits, kind_and_format
from curate.media.limits import Limits
from curate.media.needing import needed
from curate.media.probing import Facts, probe
from curate.sources.reading import SourceSpec, find
from curate.spec import validated
from tests.media_made import film, picture, sound, tar, written


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (picture(), ("image", "png")),
        (picture(format="JPEG"), ("image", "jpeg")),
        (picture(format="GIF"), ("image", "gif")),
        (picture(format="WEBP"), ("image", "webp")),
        (picture(format="BMP"), ("image", "bmp")),
        (picture(format="TIFF"), ("image", "tiff")),
        (picture(format="AVIF"), ("image", "avif")),
        (sound(0.01), ("audio", "wav")),
        (b"fLaC\0\0\0\x22", ("audio", "flac")),
        (b"ID3\x04\0\0\0\0\0\0", ("audio", "mp3")),
        (b"\xff\xfb\x90\x00", ("audio", "mp3")),
        (b"\xff\xf1\x50\x80", ("audio", "aac")),
        (b"OggS\0\2" + bytes(22) + b"OpusHead", ("audio", "ogg")),
        (b"OggS\0\2" + bytes(22) + b"\x80theora", ("video", "ogg")),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", ("audio", "m4a")),
        (b"\0\0\0\x18ftypisom\0\0\0\0", ("video", "mp4")),
        (b"\0\0\0\x18ftypheic\0\0\0\0", ("image", "heic")),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", ("image", "heic")),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", ("image", "avif")),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\x82\x84webm", ("video", "webm")),
        (b"RIFF\0\0\0\0AVI LIST", ("video", "avi")),
        (b"BM the text", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
    ],
)
def test_kinds_are_told_by_bytes(data, known):
    assert kind_and_format(data[:4096]) == known


def test_a_suffix_fits_its_family():
    assert fits(".jpg", "jpeg")
    assert fits(".mp4", "m4a")
    assert not fits(".png", "jpeg")
    assert fits(".dat", "png")


def test_an_image_is_decoded_upright_in_rgb_and_on_white(tmp_path):
    from PIL import Image

    wide = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    wide.putpixel((0, 0), (0, 0, 255, 255))
    file = io.BytesIO()
    wide.save(file, "PNG", exif=_exif(274, 6))  # a quarter turn clockwise
    decoded = images.decode(file.getvalue())
    assert (decoded.mode, decoded.size) == ("RGB", (2, 4))
    assert decoded.getpixel((1, 0)) == (0, 0, 255)
    assert decoded.getpixel((0, 3)) == (255, 255, 255)
    deep = io.BytesIO()
    Image.fromarray(np.full((2, 2), 0x8000, np.uint16)).save(deep, "PNG")
    assert images.decode(deep.getvalue()).getpixel((0, 0)) == (128, 128, 128)
    with pytest.raises(MediumError, match="pixels, and 7 are allowed"):
        images.decode(file.getvalue(), most_pixels=7)
    with pytest.raises(MediumError, match="cut off"):
        images.decode(picture(size=(60, 60))[:-700])
    with pytest.raises(MediumError, match="it is not an image"):
        images.decode(sound(0.01))


def _exif(tag, value):
    from PIL import Image

    exif = Image.Exif()
    exif[tag] = value
    return exif.tobytes()


def test_facts_of_images_sounds_and_films():
    found = probe(io.BytesIO(picture(size=(7, 5))))
    assert found == Facts("image", "png", 7, 5, frames=1)
    from PIL import Image

    file = io.BytesIO()
    stills = [Image.new("RGB", (6, 6), (90 * number, 0, 0)) for number in range(3)]
    stills[0].save(file, "GIF", save_all=True, append_images=stills[1:])
    assert probe(file) == Facts("image", "gif", 6, 6, frames=3)
    assert probe(io.BytesIO(sound(1.5))) == Facts("audio", "wav", seconds=1.5, rate=8000)
    seen = probe(io.BytesIO(film(20, 10, (32, 16))))
    assert seen == Facts("video", "mp4", 32, 16, 2.0, 20, None, 10.0)


@pytest.mark.parametrize(
    ("data", "bound", "reason"),
    [
        (picture(size=(7, 5)), {"pixels": 34}, "7 x 5 pixels, and 34 are allowed"),
        (sound(2), {"seconds": 1}, "2 s, and 1 are allowed"),
        (film(20, 10), {"seconds": 1}, "2 s, and 1 are allowed"),
        (film(20, 10), {"frames": 19}, "20 frames, and 19 are allowed"),
        (film(2, 10, (32, 16)), {"pixels": 100}, "32 x 16 pixels, and 100 are allowed"),
        (sound(1), {"bytes": 100}, "16044 bytes, and 100 are allowed"),
    ],
)
def test_a_medium_beyond_a_limit_is_refused(data, bound, reason):
    assert probe(io.BytesIO(data), limits=Limits(**bound)) == reason


def test_windows_of_sound_have_one_rate():
    found = list(sounds.windows(io.BytesIO(sound(2.5, rate=8000)), 16000))
    assert [len(window) for window in found] == [16000, 16000, 8000]
    assert {window.dtype for window in found} == {np.dtype("float32")}
    assert np.abs(found[1]).max() == pytest.approx(0.3, abs=0.01)
    spectrum = np.abs(np.fft.rfft(found[1]))
    assert int(spectrum.argmax()) == 440
    with pytest.raises(MediumError, match="not audio or video"):
        list(sounds.windows(io.BytesIO(picture())))
    with pytest.raises(MediumError, match="no sound"):
        list(sounds.windows(io.BytesIO(film())))


def test_frames_of_a_film():
    data = film(40, 10)
    keys = films.key_frames(io.BytesIO(data), 4)
    times = [time for time, _ in keys]
    assert times == sorted(set(times))
    assert 1 <= len(keys) <= 4
    assert all(picture.size == (32, 16) for _, picture in keys)
    greys = [picture.getpixel((3, 3))[0] for _, picture in films.frames(io.BytesIO(data), 1.0)]
    assert greys == pytest.approx([0, 65, 131, 196], abs=12)
    assert len(list(films.frames(io.BytesIO(data), 1.0, most=2))) == 2


# ── addresses


def test_bytes_by_their_address(tmp_path):
    written(tmp_path, {"a.png": b"one", "wow!/b.png": b"two", "x.tar": tar({"d/c.png": b"three"})})
    rows = [{"bytes": b"row %d" % n, "path": None} for n in range(40)]
    table = pa.table({"a/b": rows, "many": [[row] * 2 for row in rows], "none": [None] * 40})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=7)
    with pa.ipc.new_stream(str(tmp_path / "x.arrow"), table.schema) as out:
        out.write_table(table, max_chunksize=9)

    def read(address):
        return opening.read(address, tmp_path)

    assert [read("a.png"), read("wow!/b.png"), read("x.tar!/d/c.png")] == [b"one", b"two", b"three"]
    assert read(str(tmp_path / "a.png")) == b"one"
    for name in ("x.parquet", "x.arrow"):
        for number in (0, 1, 2, 20, 39, 38, 3, 13, 14):
            address = f"{name}!/{cells.place('a/b', number)}"
            assert read(address) == b"row %d" % number, address
        assert read(f"{name}!/{cells.place('many', 8, 1)}") == b"row 8"
        for wrong in ("a%2Fb/40", "none/3", "many/3/2", "other/3", "a%2Fb"):
            with pytest.raises(MediumError):
                read(f"{name}!/{wrong}")
    for wrong, why in {
        "https://a.example/b.png": "nothing is fetched",
        "none.png": "not there",
        ".": "not a plain file",
        "x.tar!/none": "no longer holds it",
        "": "no address",
    }.items():
        with pytest.raises(MediumError, match=why):
            read(wrong)
    with pytest.raises(MediumError, match="more than 2 bytes"):
        opening.read("a.png", tmp_path, most=2)


def test_a_pipe_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(MediumError, match="not a plain file"):
        opening.read("a.png", tmp_path)


def test_a_changed_file_is_noticed(tmp_path):
    (tmp_path / "a.png").write_bytes(b"first")
    medium = Medium("image", "image", "a.png", sha256(b"first").hexdigest(), 5)
    opening.checked(medium, tmp_path)
    assert opening.read_checked(medium, tmp_path) == b"first"
    (tmp_path / "a.png").write_bytes(b"other")
    for check in (opening.checked, opening.read_checked):
        with pytest.raises(MediumError, match="another sha256"):
            check(medium, tmp_path)
    (tmp_path / "a.png").write_bytes(b"longer")
    with pytest.raises(MediumError, match="it had 5 bytes, and has 6"):
        opening.checked(medium, tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(MediumError, match="not there"):
        opening.checked(medium, tmp_path)


def test_a_medium_of_an_old_pool_is_an_image():
    old = {"field": "photo", "address": "a.png", "sha256": "ab", "bytes": 3}
    medium = Medium.of(old)
    assert (medium.kind, medium.width, medium.as_dict()["bytes"]) == ("image", None, 3)
    assert Medium.of(medium.as_dict()) == medium


# ── tokens


def test_tokens_of_media():
    counted = MediaTokens(image=576, audio="25/s", video="144/s")
    image = Medium("a", "image", "a.png", width=60, height=28)
    assert counted.of(image) == 576
    assert counted.of(Medium("a", "audio", "a.wav", seconds=2.0)) == 50
    assert counted.of(Medium("a", "audio", "a.wav", seconds=2.01)) == 51
    assert counted.of(Medium("a", "audio", "a.wav")) == 0
    assert counted.of(Medium("a", "video", "a.mp4", seconds=0.5)) == 72
    by_area = MediaTokens(image={"per": "28x28", "least": 2, "most": 5})
    assert by_area.of(image) == 3
    assert by_area.of(Medium("a", "image", "a.png", width=1, height=1)) == 2
    assert by_area.of(Medium("a", "image", "a.png", width=280, height=280)) == 5
    assert by_area.of(Medium("a", "image", "a.png")) == 0
    assert by_area.of(Medium("a", "audio", "a.wav", seconds=9.0)) == 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"audio": "25/m"}, "tokens a second read as in 25/s"),
        ({"image": {"per": "28"}}, "a patch reads as in 28x28"),
        ({"image": {"per": "0x28"}}, "a patch reads as in 28x28"),
        ({"image": -1}, "it should be 0 or more, and"),
        ({"pictures": 3}, "unknown key"),
    ],
)
def test_tokens_that_cannot_be_read(setting, words):
    with pytest.raises(CurateError, match=words):
        validated(MediaTokens, setting, where="pool")


# ── what is imported


def test_texts_import_nothing_of_media():
    code = (
        "import sys; from curate.pool import stage; from curate.sources import reading, rows; "
        "print([n for n in sys.modules if n.split('.')[0] in ('PIL', 'av') or n in "
        "('curate.media.probing', 'curate.media.images', 'curate.media.streams', "
        "'curate.sources.naming', 'curate.sources.readers.media')])"
    )
    shown = run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_a_missing_package_names_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(CurateError, match="needs the package av") as told:
        needed("av")
    assert told.value.hint == "pip install 'curate[media]'"
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(CurateError, match="needs the package PIL"):
        needed("PIL.Image")
    assert needed("json") is json


def test_a_folder_without_the_packages_is_read_without_its_media(tmp_path, monkeypatch):
    written(tmp_path, {"data/a.txt": "Words.", "data/b.wav": sound(0.1), "data/c.png": picture()})
    needing.lacking.cache_clear()
    real = needing.is_there
    monkeypatch.setattr(needing, "is_there", lambda name: name != "av" and real(name))
    found = find([SourceSpec(paths=("data",))], tmp_path)
    needing.lacking.cache_clear()
    reason = "audio needs the package av: pip install 'curate[media]'"
    assert {file.label: file.skip for file in found} == {
        "data/a.txt": "",
        "data/b.wav": reason,
        "data/c.png": "",
    }
