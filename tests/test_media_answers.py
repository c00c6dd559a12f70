"""Answers about pictures that were sent as data come home, however old their round is."""

import base64
import io
import json

import pyarrow.parquet as pq
import pytest
from PIL import Image

from curate.media.metadata import without_places
from curate.run.stages import maker
from curate.workspace import Workspace
from tests.pages_made import PageServer
from tests.pictures_made import encoded, located, picture

PLACES = ("curate.media.placeless.without_places", "curate.push.media.without_places")
"""Where copies without places are made, for the round and for the server."""


class OwnServer(PageServer):
    """A server of the user's own: it gets images as data."""

    def __init__(self, root):
        super().__init__(root)
        self.shelf = None


def photo(seed, quality=90):
    return encoded(picture(seed, (64, 48)), "JPEG", exif=located().tobytes(), quality=quality)


def coded(data):
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def as_it_is(data):
    return data


def upright_alone(data):
    """Erase places as another version might: of the EXIF the orientation alone stays."""
    start = data.find(b"\xff\xe1")
    if b"A camera" not in data[start:]:
        return data
    kept = Image.Exif()
    kept[0x0112] = 6
    own = kept.tobytes()
    head = b"\xff\xe1" + (len(own) + 2).to_bytes(2) + own
    return data[:start] + head + data[start + 2 + int.from_bytes(data[start + 2 : start + 4]) :]


def push(offline):
    """Send two photos on disk, and one that the source holds as data."""
    (offline.root / "data").mkdir()
    for number in range(2):
        (offline.root / "data" / f"{number}.jpg").write_bytes(photo(number))
    pages = OwnServer(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root, engine=offline.workspace.engine, connect=lambda name: pages, maker=maker
    )
    inline = offline.lines("inline.jsonl", [{"image": coded(photo(9))}])
    sources = [{"paths": ["data/*.jpg"]}, {"paths": [str(inline)], "fields": ["image"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=3, seed=1)
    offline.run("push", backend="folder", overlap=1, form="image")


def forget(offline, *columns):
    """Make the round one that was frozen before the columns existed."""
    path = offline.workspace.rounds.current().folder / "tasks.parquet"
    pq.write_table(pq.read_table(path).drop_columns(list(columns)), path)


def statuses(offline):
    """The statuses of one answer to each task, after a pull."""
    offline.say(
        *(
            {"id": task["id"], "question": "kind", "annotator": "ann", "value": "photo"}
            for task in offline.tasks
        )
    )
    offline.run("pull")
    rows = offline.workspace.rounds.current().answers()
    return sorted((row["status"], row["reason"]) for row in rows)


HOME = [("submitted", None)] * 3
CHANGED = ("rejected", "the text of its task was changed on the server")


@pytest.mark.parametrize("sent", [as_it_is, upright_alone, without_places])
@pytest.mark.parametrize("is_old", [True, False])
def test_answers_to_rounds_of_every_age_come_home(offline, monkeypatch, sent, is_old):
    with monkeypatch.context() as patch:
        for place in PLACES:
            patch.setattr(place, sent)
        push(offline)
    if is_old:
        forget(offline, "shown")
    told = {task["image"] for task in offline.tasks}
    assert told == {coded(sent(photo(number))) for number in (0, 1, 9)}
    assert statuses(offline) == HOME


@pytest.mark.parametrize("is_old", [True, False])
def test_a_changed_erasure_rejects_nothing(offline, monkeypatch, is_old):
    push(offline)
    if is_old:
        forget(offline, "shown")
    for place in (*PLACES, "curate.fetching.media.without_places"):
        monkeypatch.setattr(place, upright_alone)
    assert upright_alone(photo(0)) != without_places(photo(0))
    assert statuses(offline) == HOME


def test_what_the_round_keeps_counts_after_the_files_are_gone(offline):
    push(offline)
    for path in (offline.root / "data").iterdir():
        path.unlink()
    assert statuses(offline) == HOME


@pytest.mark.parametrize("is_old", [True, False])
def test_edited_pictures_are_rejected(offline, is_old):
    push(offline)
    if is_old:
        forget(offline, "shown")
    path = offline.workspace.rounds.current().folder / "tasks.jsonl"
    rows = offline.tasks
    for row in rows:
        with Image.open(io.BytesIO(base64.b64decode(row["image"].partition(",")[2]))) as image:
            image.putpixel((5, 5), (255 - image.getpixel((5, 5))[0], 0, 255))
            file = io.BytesIO()
            image.save(file, "JPEG", quality=100)
        row["image"] = coded(file.getvalue())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert statuses(offline) == [CHANGED] * 3


def test_a_file_that_changed_since_tells_nothing(offline):
    push(offline)
    forget(offline, "shown")
    path = offline.workspace.rounds.current().folder / "tasks.jsonl"
    rows = [{**row, "image": coded(without_places(photo(7)))} for row in offline.tasks]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for file in (offline.root / "data").iterdir():
        file.write_bytes(photo(7))
    assert statuses(offline) == [CHANGED] * 3
