"""Pictures in the report: small, redrawn, few, and nothing of the files themselves."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from curate.media import Medium
from curate.report.sections import media as section
from curate.report.sections import picture_map
from curate.report.thumbnails import SIDE, playable, thumbnail
from tests.media_small import digest, film, has_place, jpeg, png, put, wav

SECRET = b"<script>alert('x')</script>"


def with_words(seed):
    """A PNG whose metadata hold a script."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png(seed, 256))).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def medium(folder, name, kind="image", **more):
    data = (folder / name).read_bytes()
    return Medium("image", kind, name, digest(data), len(data), **more)


def decoded(source):
    head, _, body = source.partition(",")
    assert head == "data:image/jpeg;base64"
    return base64.b64decode(body)


@pytest.mark.parametrize("data", [with_words(1), jpeg(2, place=True, side=512)])
def test_a_thumbnail_has_the_pixels_of_a_file_and_nothing_else_of_it(tmp_path, data):
    put(tmp_path, {"a.bin": data})
    shown = thumbnail("id", medium(tmp_path, "a.bin"), tmp_path)
    small = decoded(shown.source)
    with Image.open(io.BytesIO(small)) as image, Image.open(io.BytesIO(data)) as own:
        assert image.size == (SIDE, SIDE)
        assert image.resize((1, 1)).getpixel((0, 0)) == pytest.approx(
            own.convert("RGB").resize((1, 1)).getpixel((0, 0)), abs=3
        )
        assert not image.getexif()
    assert not has_place(small)
    assert SECRET not in small
    assert b"caption in the file" not in small
    assert (shown.words, shown.plays) == ("a.bin", "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "it is not an image"),
        (png(3)[:60], "the image is cut off"),
        (b"", "it is not an image"),
    ],
)
def test_what_is_no_picture_is_a_name_with_its_reason(tmp_path, data, words):
    put(tmp_path, {"a.png": data})
    shown = thumbnail("id", medium(tmp_path, "a.png"), tmp_path)
    assert shown.source == ""
    assert shown.words.startswith("a.png: ")
    assert words in shown.words


def test_a_file_that_changed_is_not_shown(tmp_path):
    put(tmp_path, {"a.png": png(1)})
    own = medium(tmp_path, "a.png")
    put(tmp_path, {"a.png": png(2)})
    shown = thumbnail("id", own, tmp_path)
    assert (shown.source, "changed" in shown.words) == ("", True)


def test_sounds_and_films_play_only_beside_the_page(tmp_path):
    pytest.importorskip("av")
    put(tmp_path / "run", {"data/a b#.wav": wav(1), "data/f.mp4": film(1)})
    put(tmp_path, {"out.wav": wav(2)})
    run = tmp_path / "run"
    sound = thumbnail("id", medium(run, "data/a b#.wav", "audio"), run)
    assert (sound.source, sound.plays) == ("", "data/a%20b%23.wav")
    shown = thumbnail("id", medium(run, "data/f.mp4", "video"), run)
    assert shown.plays == "data/f.mp4"
    assert Image.open(io.BytesIO(decoded(shown.source))).size == (64, 64)
    for address in ("../out.wav", str(tmp_path / "out.wav"), "shard.tar!/a.wav", "data/none.wav"):
        assert playable(Medium("sound", "audio", address, "0" * 64, 4), run) == ""


def test_the_page_shows_a_few_pictures_of_each_group(offline, monkeypatch):
    monkeypatch.setattr(section, "OF_GROUP", 3)
    put(offline.root / "data", {f"p/{n}.png": png(n) for n in range(9)})
    rows = [{"caption": f"Number {n} <b>", "picture": f"p/{n}.png"} for n in range(9)]
    offline.lines("one.jsonl", rows[:5])
    offline.lines("two.jsonl", rows[5:])
    captioned = {"fields": ["caption"], "media": {"image": "picture"}}
    sources = [{"paths": [f"data/{name}.jsonl"], **captioned} for name in ("one", "two")]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    gallery = page[page.index('id="media"') : page.index('id="chapter-origin"')]
    assert re.findall(r"<h4>(\w+)</h4>", gallery) == ["one", "two"]
    assert gallery.count('<img src="data:image/jpeg;base64,') == 6
    assert "default-src 'none'" in page
    assert not re.search(r"javascript:|https?://(?!www\.w3\.org)", page)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    assert "Media of drawn documents: images 9." in page


def test_rows_of_tables_have_the_picture_of_their_document(offline):
    from curate.report.pictures import picture_cell
    from curate.report.texts import read_texts

    put(offline.root / "data", {"p/0.png": png(0)})
    rows = [{"caption": "With.", "picture": "p/0.png"}]
    offline.lines("one.jsonl", rows)
    offline.lines("two.jsonl", ["Without."])
    captioned = {"fields": ["caption"], "media": {"image": "picture"}}
    sources = [{"paths": ["data/one.jsonl"], **captioned}, {"paths": ["data/two.jsonl"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    ids = {row["text"]: row["id"] for row in offline.rows("pool")}
    pictures = read_texts(offline.workspace, ids.values()).pictures
    assert list(pictures) == [ids["With."]]
    with Image.open(io.BytesIO(decoded(pictures[ids["With."]]))) as image:
        assert image.size == (32, 32)
    assert picture_cell(pictures, ids["Without."]) == {"picture": None}
    assert picture_cell({}, ids["Without."]) == {}


def test_cells_of_the_map_are_apart_and_keep_the_order_of_what_differs():
    places = np.array([(x, y) for x in range(5) for y in range(4)], np.float32)
    vectors = np.zeros((20, 16), np.float32)
    vectors[:, 3], vectors[:, 7] = 10 * places[:, 0], places[:, 1]
    cells = picture_map.cells_of(vectors)
    assert len(set(cells)) == 20
    assert all(0 <= c < picture_map.COLUMNS and 0 <= r < picture_map.ROWS for c, r in cells)
    columns = np.array([column for column, _ in cells]).reshape(5, 4).mean(axis=1)
    assert abs(np.corrcoef(columns, np.arange(5))[0, 1]) > 0.98
    rows = np.array([row for _, row in cells]).reshape(5, 4).mean(axis=0)
    assert abs(np.corrcoef(rows, np.arange(4))[0, 1]) > 0.98


def test_the_map_holds_pictures_of_ours_and_escaped_words():
    pictures = [picture_map.MapPicture("data:image/jpeg;base64,AA==", "<script>&")]
    svg = picture_map.drawn([(2, 1)], [*pictures])
    assert "<title>&lt;script&gt;&amp;</title>" in svg
    assert f'x="{2 * (picture_map.SIDE + picture_map.GAP)}"' in svg
    assert (
        picture_map.drawn([(0, 0)], [picture_map.MapPicture("", "a.png: broken")]).count("image")
        == 0
    )


def test_a_run_without_media_has_no_such_section_and_needs_no_parser(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    assert "Pictures, sounds" not in page
