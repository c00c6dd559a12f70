"""Broken and hostile files of media: one reason each, nothing is run, little memory is taken."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile

import pytest

from tests.media_made import box, chunk, film, picture, png_of, sound, tar

SCRIPT = b"<script>alert(1)</script>"


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "hidden")
    return file.getvalue()


def _with_exif(words: bytes) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[270] = words.decode()
    return picture(format="JPEG", exif=exif.tobytes())


def _gif_of(width: int, height: int) -> bytes:
    data = bytearray(picture(format="GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _mp4_of(samples: int) -> bytes:
    """Return an MP4 whose table of sizes claims so many samples."""
    sizes = box(b"stsz", struct.pack(">III", 0, 1, samples))
    tables = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", sizes)))))
    return box(b"ftyp", b"isom", bytes(4), b"isom") + tables


def _wide_film() -> bytes:
    """Return an AVI whose header says 32 x 16, and whose pictures say 16000 x 16000 pixels."""
    frame = b"\xff\xc0\0\x11\x08"
    small, large = (frame + struct.pack(">HH", *size) for size in ((16, 32), (16_000, 16_000)))
    data = film(3, format="avi", codec="mjpeg")
    assert small in data
    return data.replace(small, large)


def _text_bomb() -> bytes:
    import zlib

    bomb = zlib.compress(bytes(80 << 20), 1)
    png = picture()
    return png[:33] + chunk(b"zTXt", b"k\0\0" + bomb) + png[33:]


PNG, JPEG = picture(size=(80, 60)), picture(size=(80, 60), format="JPEG")
WAV, MP4, MKV = sound(), film(20), film(40, format="matroska")
BMP = struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)
SHARD = {"a.png": PNG, "a.cls": "3", "b.png": PNG[:200], "c.jpg": PNG, "d.json": "{", "e.txt": "x"}

HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty.png": (b"", "an empty file"),
    "cut_header.png": (PNG[:20], "the image is cut off"),
    "cut_data.png": (PNG[:-3000], "the image is cut off"),
    "wrong_sum.png": (PNG.replace(b"IHDR\0\0\0\x50", b"IHDR\0\0\0\x51"), "damaged"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "the image is cut off"),
    "cut.webp": (picture(format="WEBP")[:-20], "cut off"),
    "cut.tiff": (picture(format="TIFF")[:-60], "cut off|damaged"),
    "cut.wav": (WAV[:-5000], "cut off: 11044 of 16044 bytes are there"),
    "header_alone.wav": (WAV[:44], "cut off"),
    "cut.mp4": (MP4[:-600], "damaged or cut off|neither sound nor pictures"),
    "cut.mkv": (MKV[: len(MKV) // 2], "cut off"),
    "bomb.png": (png_of(50_000, 50_000), "2500000000 pixels, and fewer are allowed"),
    "bomb.gif": (_gif_of(65_535, 65_535), "4294836225 pixels, and fewer are allowed"),
    "bomb.bmp": (b"BM" + BMP, "1600000000 pixels, and fewer are allowed"),
    "bomb_of_text.png": (_text_bomb(), "the image is damaged"),
    "bomb_of_samples.mp4": (_mp4_of(4_000_000_000), "4000000000 frames, and 1000000 are allowed"),
    "bomb_of_frames.avi": (_wide_film(), "pixels|damaged|decoded"),
    "script.svg.png": (b"<svg xmlns='x'>" + SCRIPT + b"</svg>", "an SVG, which may hold scripts"),
    "page.png": (b"<!DOCTYPE html><html>" + SCRIPT, "a page of HTML"),
    "exif.jpg": (_with_exif(SCRIPT), "it holds HTML or a script"),
    "trailer.png": (PNG + b"<html ><body>" + SCRIPT, "it holds HTML or a script"),
    "comment.gif": (picture(format="GIF", comment=b"*/=1;<?php system(1);"), "HTML or a script"),
    "archive.png": (PNG + _zip(), "both png and a ZIP archive"),
    "paper.jpg": (JPEG[:2] + b"\xff\xfe\0\x0b%PDF-1.7\n" + JPEG[2:], "both jpeg and a PDF"),
    "list.mp4": (b"#EXTM3U\nfile:///etc/passwd\n", "a playlist, which opens other files"),
    "list.mp3": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "of a format that is read"),
    "postscript.png": (b"%!PS-Adobe-3.0 EPSF\n(run) print", "PostScript, which is a program"),
    "program.jpg": (b"MZ\x90\0" + bytes(60), "a program"),
    "renamed.png": (JPEG, "its name ends in .png, and it holds jpeg"),
    "renamed.wav": (MP4, "its name ends in .wav, and it holds mp4"),
    "renamed.mp4": (WAV, "its name ends in .mp4, and it holds wav"),
    "noise.mp3": (bytes(range(256)) * 40, "of a format that is read"),
    "sync_alone.mp3": (b"\xff\xfb\x90\x00" + bytes(5000), "damaged|decoded"),
    "codec.avi": (film(format="avi").replace(b"FMP4", b"ZZZZ"), "decoded|damaged"),
}

READING = """
import json, sys
from pathlib import Path
from curate.sources.reading import Bad, SourceSpec, parts, read
root = Path(sys.argv[1])
spec = SourceSpec(paths=("data",), name="all")
rows = [row for part in parts([spec], root) for row in read(spec, part, strict=False)]
bad = {row.file: row.reason for row in rows if isinstance(row, Bad)}
good = [row.origin for row in rows if not isinstance(row, Bad)]
memory = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) >> 10
print(json.dumps({"bad": bad, "good": good, "memory": memory, "rows": len(rows)}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile")
    (root / "data").mkdir()
    for name, (data, _) in HOSTILE.items():
        (root / "data" / name).write_bytes(data)
    (root / "data" / "good.png").write_bytes(PNG)
    (root / "data" / "shard.tar").write_bytes(tar(SHARD))
    os.mkfifo(root / "data" / "pipe.png")
    (root / "data" / "link.png").symlink_to("/etc/hostname")
    code = [sys.executable, "-c", READING, str(root)]
    shown = subprocess.run(code, capture_output=True, text=True, timeout=100, check=True)
    assert shown.stderr == ""
    return json.loads(shown.stdout)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_itself_alone_with_its_reason(told, name):
    assert re.search(HOSTILE[name][1], told["bad"][f"data/{name}"])


def test_what_is_good_is_read_and_nothing_else(told):
    assert told["good"] == ["data/good.png:1", "data/shard.tar:1", "data/shard.tar:5"]
    assert told["bad"]["data/pipe.png"] == "a pipe, a socket or a device"
    assert told["bad"]["data/link.png"] == "a link that leaves the folder"
    assert told["bad"]["data/shard.tar"].startswith("d: json: not JSON")
    assert len(told["bad"]) == len(HOSTILE) + 3
    assert told["rows"] == len(HOSTILE) + 2 + 1 + 5


def test_little_memory_is_taken(told):
    assert told["memory"] < 1000


@pytest.mark.slow
def test_an_image_of_the_largest_size_takes_less_than_a_gigabyte(tmp_path):
    """One of 100 megapixels with an alpha channel: 400 MB for its pixels, and as much for RGB."""
    code = (
        "import io, sys; from curate.media import images\n"
        "print(images.decode(open(sys.argv[1], 'rb').read()).size,"
        " int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]) >> 10)"
    )
    path = tmp_path / "large.png"
    path.write_bytes(_large())
    command = [sys.executable, "-c", code, str(path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    *_, memory = shown.split()
    assert shown.startswith("(10000, 10000)")
    assert int(memory) < 1000


def _large() -> bytes:
    """Return a PNG of 10000 x 10000 transparent pixels, some kilobytes long."""
    import zlib

    packer = zlib.compressobj(1)
    row = bytes(1 + 4 * 10_000)
    data = b"".join(packer.compress(row) for _ in range(10_000)) + packer.flush()
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 6, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# ── the whole way


OPEN = {f"image:{name}": {"min": None} for name in ("width", "height", "entropy", "sharpness")}
"""No rule drops what is small."""

NAMED = '"><img src=x onerror=alert(1)>.png'
"""The name of a good picture that is markup."""


@pytest.mark.slow
def test_hostile_files_go_the_whole_way_and_nothing_runs(offline):
    from curate.export.verify import verify
    from curate.run.stages import maker
    from curate.workspace import Workspace
    from tests.pages_made import PageServer

    folder = offline.root / "data"
    folder.mkdir()
    good = {"good.png": PNG, NAMED: picture(3, (80, 60)), "good.wav": WAV, "good.mp4": MP4}
    for name, data in {**{name: data for name, (data, _) in HOSTILE.items()}, **good}.items():
        (folder / name).write_bytes(data)
    (folder / "good.txt").write_text(SCRIPT.decode() + "<img src=x onerror=alert(1)>")
    os.mkfifo(folder / "pipe.png")
    pages = PageServer(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root, engine=offline.workspace.engine, connect=lambda name: pages, maker=maker
    )
    pictures = [f"data/*{ending}" for ending in (".png", ".jpg", ".gif", ".bmp", ".webp", ".tiff")]
    offline.run("pool", sources=[{"name": "all", "paths": pictures}], tokenizer="bytes")
    offline.run("clean", rules=["image"], limits=OPEN)
    offline.run("sample", n=2, seed=1)
    offline.run("push", backend="folder", overlap=1, form="image")
    for task in offline.tasks:
        assert re.fullmatch(r"/curate/media/[0-9a-f]{64}/[\w-]+/[0-9a-f]{64}\.png", task["image"])
    source = {"name": "all", "paths": ["data"], "captions": [".txt"]}
    fields = {"caption": {"from": "caption", "optional": True}}
    tokens = {"image": 16, "audio": "25/s", "video": "25/s"}
    made = offline.run(
        "pool", sources=[{**source, "fields": fields}], tokenizer="bytes", media_tokens=tokens
    )
    assert made.documents == len(good)
    aside = json.loads((offline.root / "pool" / "_rejected.json").read_text(encoding="utf-8"))
    bad = sorted(row["file"] for row in aside if not row["skipped"])
    assert bad == sorted(f"data/{name}" for name in HOSTILE)
    assert {row["file"] for row in aside if row["skipped"]} >= {"data/pipe.png"}
    assert all(row["reason"] for row in aside)
    offline.run("clean", rules=["image"], near_media=0.93, limits=OPEN)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export", format="jsonl")
    assert verify(offline.root / "export").problems == ()
    names = {path.suffix for path in (offline.root / "export" / "media").rglob("*.*")}
    assert names == {".png", ".wav", ".mp4"}
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert SCRIPT.decode() not in page
    assert "good.wav" in page or "data:image/jpeg;base64," in page
