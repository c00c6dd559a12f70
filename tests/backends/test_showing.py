"""What pages get in place of the addresses of media, and what is refused by name."""

import base64
import hashlib
import io
import tarfile
from dataclasses import replace

import pytest

from curate.backends.argilla.records import record
from curate.backends.label_studio.tasks import imported
from curate.backends.showing import MOST_DATA, names_in, shown
from curate.errors import DataError
from curate.forms import load_form, parse_form
from curate.media.medium import Medium
from curate.records import Project, Task
from curate.servers.shelf import PLACE, Shelf
from tests.media_shown import picture, sound

IMAGE, AUDIO = load_form("image"), load_form("audio")


@pytest.fixture
def shelf(tmp_path):
    return Shelf.of(tmp_path / "home" / "media", "secret")


def task(folder, name, data, kind="image", **facts):
    """Write a file; return the task that shows it."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    medium = Medium(kind, kind, name, hashlib.sha256(data).hexdigest(), len(data))
    return Task("t", {kind: name}, media={kind: replace(medium, **facts)}, folder=folder)


def test_a_file_is_copied_and_gets_a_signed_address(tmp_path, shelf):
    data = picture()
    address = shown(IMAGE, task(tmp_path, "data/a.jpg", data), shelf, "7")["image"]
    assert PLACE.fullmatch(address)["name"] == f"{hashlib.sha256(data).hexdigest()}.png"
    answer = shelf.answer("GET", address, None)
    assert b"".join(answer.blocks()) == data
    assert answer.headers["Content-Type"] == "image/png"


def test_what_is_there_is_not_read_again(tmp_path, shelf):
    own = task(tmp_path, "a.png", picture(), format="png")
    first = shown(IMAGE, own, shelf, "7")
    (tmp_path / "a.png").unlink()
    assert shown(IMAGE, own, shelf, "7") == first


def test_a_member_of_a_tar_is_shown(tmp_path, shelf):
    data = picture(64, 48)
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        info = tarfile.TarInfo("one.png")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    medium = Medium("image", "image", "shard.tar!/one.png", hashlib.sha256(data).hexdigest())
    own = Task("t", {"image": medium.address}, media={"image": medium}, folder=tmp_path)
    address = shown(IMAGE, own, shelf, "7")["image"]
    assert b"".join(shelf.answer("GET", address, None).blocks()) == data


def test_a_sound_is_shown_as_what_it_is(tmp_path, shelf):
    own = task(tmp_path, "a.wav", sound(0.1), "audio")
    address = shown(AUDIO, own, shelf, "7")["audio"]
    assert shelf.answer("HEAD", address, None).headers["Content-Type"] == "audio/wav"


def changed(tmp_path, shelf):
    own = task(tmp_path, "a.png", picture())
    (tmp_path / "a.png").write_bytes(picture(shade=9))
    return own


def link_to_another(tmp_path, shelf):
    own = task(tmp_path, "a.png", picture())
    (tmp_path / "other.png").write_bytes(picture(shade=9))
    (tmp_path / "a.png").unlink()
    (tmp_path / "a.png").symlink_to(tmp_path / "other.png")
    return own


def gone(tmp_path, shelf):
    own = task(tmp_path, "a.png", picture())
    (tmp_path / "a.png").unlink()
    return own


def svg(tmp_path, shelf):
    return task(tmp_path, "a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>")


def page(tmp_path, shelf):
    return task(tmp_path, "a.png", b"<!DOCTYPE html><script>hacked = 1</script>")


def passwords(tmp_path, shelf):
    return Task(
        "t",
        {"image": "/etc/passwd"},
        media={"image": Medium("image", "image", "/etc/passwd")},
        folder=tmp_path,
    )


def tiff(tmp_path, shelf):
    return task(tmp_path, "a.tif", picture(format="TIFF"))


def a_sound(tmp_path, shelf):
    return task(tmp_path, "a.png", sound(0.1))


def of_another_kind(tmp_path, shelf):
    return replace(task(tmp_path, "a.wav", sound(0.1), "audio"), fields={"image": "a.wav"})


REFUSED = [
    (changed, "the file has changed since it was pooled"),
    (link_to_another, "the file has changed since it was pooled"),
    (gone, "the file is not there"),
    (svg, "an SVG, which may hold scripts"),
    (page, "a page of HTML"),
    (passwords, "the file is not an image, a sound or a film"),
    (tiff, "no browser shows tiff: convert it"),
    (a_sound, "the file is a sound, not an image"),
    (of_another_kind, "the pool does not know where it is"),
]


@pytest.mark.parametrize(("make", "why"), REFUSED, ids=lambda own: getattr(own, "__name__", ""))
def test_what_cannot_be_shown_is_named(tmp_path, shelf, make, why):
    own = make(tmp_path, shelf)
    with pytest.raises(DataError, match=r"^\$image of t cannot be shown: ") as caught:
        shown(IMAGE, own, shelf, "7")
    assert why in caught.value.message
    files = [path for path in shelf.folder.rglob("*") if path.is_file()]
    assert files == []


def test_a_film_where_the_form_shows_an_image(tmp_path, shelf):
    own = task(tmp_path, "a.png", picture())
    own = replace(own, media={"image": replace(own.media["image"], kind="video")})
    with pytest.raises(DataError, match="it is a film, and the form shows an image"):
        shown(IMAGE, own, shelf, "7")


def test_addresses_of_the_web_and_data_stay(shelf):
    for address in ("https://example.org/a.png?b=1", "http://127.0.0.1/a", "data:image/png,x"):
        assert shown(IMAGE, Task("t", {"image": address}), shelf, "7") == {"image": address}


def test_the_embedded_server_plays_nothing_from_elsewhere(shelf):
    remote = Task("t", {"audio": "https://example.org/a.wav"})
    with pytest.raises(DataError, match="plays sounds and films only from disk"):
        shown(AUDIO, remote, shelf, "7")
    assert shown(AUDIO, remote, None, "7") == {"audio": "https://example.org/a.wav"}


def test_a_server_of_ones_own_gets_small_images_as_data(tmp_path):
    data = picture(32, 32)
    address = shown(IMAGE, task(tmp_path, "a.png", data), None, "7")["image"]
    assert address == f"data:image/png;base64,{base64.b64encode(data).decode()}"
    large = task(tmp_path, "b.png", data + bytes(MOST_DATA))
    with pytest.raises(DataError, match="gets images as data up to 1,000,000"):
        shown(IMAGE, large, None, "7")
    with pytest.raises(DataError, match="gets a sound only by a web address"):
        shown(AUDIO, task(tmp_path, "a.wav", sound(0.1), "audio"), None, "7")
    own = task(tmp_path, "c.png", data)
    (tmp_path / "c.png").write_bytes(picture(32, 32, shade=3))
    with pytest.raises(DataError, match="the file has changed"):
        shown(IMAGE, own, None, "7")


# ── on each server


def project(form):
    return Project("x", "http://127.0.0.1", "name", "7", form, 1, "")


def test_label_studio_gets_the_address(tmp_path, shelf):
    row = imported(project(IMAGE), task(tmp_path, "a.png", picture()), shelf)
    assert row["data"]["record_id"] == "t"
    assert names_in([row["data"]]) == {f"{hashlib.sha256(picture()).hexdigest()}.png"}


def test_argilla_gets_the_address_of_an_image_and_a_player_for_a_sound(tmp_path, shelf):
    body = record(project(IMAGE), task(tmp_path, "a.png", picture()), {}, shelf)
    assert PLACE.fullmatch(body["fields"]["image"])
    body = record(project(AUDIO), task(tmp_path, "a.wav", sound(0.1), "audio"), {}, shelf)
    player = body["fields"]["audio"]
    (name,) = names_in([body["fields"]])
    address = shelf.address("7", name)
    assert player == (f'<audio controls preload="metadata" width="100%" src="{address}"></audio>')


def test_a_player_holds_no_html_but_ours():
    form = parse_form(
        '<View><Audio name="a" value="$s"/><Rating name="r" toName="a"/></View>', name="f"
    )
    hostile = 'https://example.org/"><img src=x onerror=hacked=1>'
    body = record(project(form), Task("t", {"s": hostile}), {})
    assert "<img" not in body["fields"]["s"]
    assert body["fields"]["s"].count('"') == 6
