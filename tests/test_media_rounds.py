"""A round of images: what is frozen, shown, answered, settled, exported and erased."""

import hashlib
import json

import pyarrow.parquet as pq
import pytest

from curate.errors import DataError
from curate.fetching.media import media_shown
from curate.labels.settled import rows_of, settled_labels
from curate.push.tasks import tasks_of
from curate.records import MARKS
from curate.run.stages import maker
from curate.servers.shelf import PLACE, digest_of
from curate.workspace import Workspace
from tests.media_shown import picture
from tests.pages_made import PageServer

FOLDER = {"backend": "folder", "overlap": 2}


@pytest.fixture
def photos(offline):
    """A workspace of eight images, with captions, on a server that shows media."""
    (offline.root / "data").mkdir()
    for number in range(8):
        (offline.root / "data" / f"{number}.png").write_bytes(picture(64, 48, shade=20 * number))
    rows = [
        {"caption": f"picture {number} of a sea", "image": f"{number}.png"} for number in range(8)
    ]
    offline.lines("photos.jsonl", rows)
    server = PageServer(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root,
        engine=offline.workspace.engine,
        connect=lambda name: server,
        maker=maker,
    )
    offline.server = server
    sources = [{"paths": ["data/photos.jsonl"], "fields": ["caption"], "media": ["image"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean")
    return offline


def addresses(photos, *fields):
    return {task["id"]: [task[field] for field in fields] for task in photos.tasks}


def test_people_get_signed_addresses_of_exactly_what_the_round_shows(photos):
    photos.run("sample", n=3, seed=1)
    photos.run("push", **FOLDER, form="image")
    pool = {row["id"]: row["media"][0]["sha256"] for row in photos.rows("pool")}
    shown = addresses(photos, "image")
    assert len(shown) == 3
    for id, (address,) in shown.items():
        assert digest_of(address) == pool[id]
        answer = photos.server.shelf.answer("GET", address, None)
        assert hashlib.sha256(b"".join(answer.blocks())).hexdigest() == pool[id]
    files = {path.name for path in photos.server.shelf.folder.rglob("*.png")}
    assert files == {PLACE.fullmatch(address)["name"] for (address,) in shown.values()}
    rows = photos.workspace.rounds.current().tasks()
    assert {row["id"]: row["media"][0]["sha256"] for row in rows} == {id: pool[id] for id in shown}


def test_two_images_side_by_side(photos):
    photos.run("pool", sources=[{"paths": ["data/*.png"]}], tokenizer="bytes")
    photos.run("clean", limits={"length:chars": {"min": None}, "length:words": {"min": None}})
    photos.run("sample", n=2, seed=1, compare=True)
    photos.run("push", **FOLDER, form="image_comparison")
    pool = {row["id"]: row["media"][0]["sha256"] for row in photos.rows("pool")}
    members = photos.workspace.rounds.current().documents()
    for id, own in addresses(photos, "a", "b").items():
        assert [digest_of(address) for address in own] == [pool[member] for member in members[id]]
    photos.say(
        *({"id": id, "question": "better", "annotator": "ann", "value": "b"} for id in members)
    )
    photos.run("pull")
    rows = photos.workspace.rounds.current().answers()
    assert {row["id"]: json.loads(row["value"]) for row in rows} == {
        id: own[1] for id, own in members.items()
    }


def test_an_answer_to_another_image_is_not_taken(photos):
    photos.run("sample", n=2, seed=1)
    photos.run("push", **FOLDER, form="image")
    path = photos.workspace.rounds.current().folder / "tasks.jsonl"
    first, second = photos.tasks
    first["image"], second["image"] = second["image"], first["image"]  # somebody swapped them
    path.write_text("".join(json.dumps(row) + "\n" for row in (first, second)))
    photos.say({"id": first["id"], "question": "kind", "annotator": "ann", "value": "photo"})
    photos.run("pull")
    (row,) = photos.workspace.rounds.current().answers()
    assert (row["status"], row["reason"]) == (
        "rejected",
        "the text of its task was changed on the server",
    )


@pytest.mark.parametrize("compare", [False, True])
def test_a_file_that_moved_and_was_pooled_again_is_shown(photos, compare):
    sources = [{"paths": ["data/*.png"]}]
    photos.run("pool", sources=sources, tokenizer="bytes")
    none = {"length:chars": {"min": None}, "length:words": {"min": None}}
    photos.run("clean", limits=none)
    photos.run("sample", n=3, seed=1, compare=compare)
    (photos.root / "data").rename(photos.root / "moved")
    photos.run("pool", sources=[{"paths": ["moved/*.png"]}], tokenizer="bytes")
    photos.run("clean", limits=none)
    photos.run("push", **FOLDER, form="image_comparison" if compare else "image")
    members = photos.workspace.rounds.current().documents()
    pool = {row["id"]: row["media"][0]["sha256"] for row in photos.rows("pool")}
    fields = ("a", "b") if compare else ("image",)
    for id, own in addresses(photos, *fields).items():
        assert [digest_of(address) for address in own] == [pool[one] for one in members[id]]


def test_a_file_that_changed_stops_the_push_by_name(photos):
    photos.run("sample", n=8, seed=1)
    (photos.root / "data" / "5.png").write_bytes(picture(64, 48, shade=7))
    with pytest.raises(DataError, match=r"the file has changed since it was pooled .*data/5.png"):
        photos.run("push", **FOLDER, form="image")
    (photos.root / "data" / "5.png").write_bytes(picture(64, 48, shade=100))
    assert photos.run("push", **FOLDER, form="image").sent == 8


@pytest.mark.parametrize("address", ["../secret.png", "/etc/passwd", "data/../../secret.png", ""])
def test_gold_leads_nowhere_outside_of_the_workspace(photos, address):
    (photos.root.parent / "secret.png").write_bytes(picture())
    gold = {"fields": {"image": address}, "answers": {"kind": "photo"}}
    with pytest.raises(DataError, match=r"is outside the workspace|no text|empty"):
        ask_with_gold(photos, gold)


def test_gold_within_the_workspace_is_shown(photos):
    (photos.root / "known.png").write_bytes(picture(shade=3))
    ask_with_gold(photos, {"fields": {"image": "known.png"}, "answers": {"kind": "photo"}})
    digests = {digest_of(address) for (address,) in addresses(photos, "image").values()}
    assert hashlib.sha256(picture(shade=3)).hexdigest() in digests


def ask_with_gold(photos, item):
    (photos.root / "gold.jsonl").write_text(json.dumps(item) + "\n")
    photos.run("sample", n=2, seed=1, gold="gold.jsonl")
    photos.run("push", **{**FOLDER, "overlap": "all"}, form="image")


def box(x, y, width, height, label, **more):
    return {"x": x, "y": y, "width": width, "height": height, "label": label, **more}


BOXES = {
    "ann": [box(10, 10, 40, 40, "animal"), box(60.5, 60, 20, 20, "text")],
    "bob": [box(12, 10, 40, 42, "animal")],
    "cy": [box(11, 11, 40, 40, "animal"), box(60, 60, 20, 20, "text")],
}


def test_boxes_are_settled_told_and_exported(photos):
    assert "boxes" in MARKS
    photos.run("sample", n=2, seed=1)
    photos.run("push", **{**FOLDER, "overlap": 3}, form="boxes")
    first, second = (task["id"] for task in photos.tasks)
    photos.say(
        *(
            {"id": id, "question": "boxes", "annotator": person, "value": value}
            for person, value in BOXES.items()
            for id in (first, second)
        )
    )
    photos.say({"id": second, "question": "boxes", "annotator": "ann", "value": []})
    photos.run("pull")
    made = photos.run("agree", bootstrap=20)
    assert [own.question for own in made.questions][:2] == ["boxes", "boxes:person"]
    settled = {own.id: own for own in settled_labels(photos.workspace, rows_of(photos.workspace))}
    assert settled[first].value == [
        box(11, 10, 40, 41, "animal", field="image"),
        box(60.25, 60, 20, 20, "text", field="image"),
    ]
    assert settled[second].value == [box(11.5, 10.5, 40, 41, "animal", field="image")]
    assert settled[first].agreement == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    photos.run("mix", groups=["source"], budget="100%")
    photos.run("export")
    lines = [
        json.loads(line)
        for path in (photos.root / "export").glob("data-*.jsonl")
        for line in path.read_text().splitlines()
    ]
    labels = {line["id"]: line["labels"]["boxes"] for line in lines if line["labels"]["boxes"]}
    assert labels.keys() == settled.keys()
    assert labels[first]["value"] == settled[first].value
    shares = {own["x"]: own["share"] for own in labels[first]["posterior"]}
    assert shares == {11: 1.0, 60.25: pytest.approx(2 / 3)}
    assert {own["field"] for own in labels[first]["posterior"]} == {"image"}
    assert "unplaced" not in labels[first]


def test_boxes_are_suggested_where_they_fit(photos):
    photos.run("sample", n=3, seed=1)
    suggest = [{"question": "boxes", "by": "tests.pages_made:guess"}]
    made = photos.run("push", **FOLDER, form="boxes", suggest=suggest)
    assert made.suggestions == 3
    assert made.dropped == {"boxes: a box is not within the picture": 3}
    for task in tasks_of(photos.workspace.rounds.current()):
        (own,) = task.suggestions
        assert own.value == [box(10, 20, 30, 40, "animal")]


def test_what_is_erased_is_known_no_more(photos):
    photos.run("sample", n=3, seed=1)
    photos.run("push", **FOLDER, form="image")
    first, *others = (task["id"] for task in photos.tasks)
    photos.workspace.rounds.current().erase([first])
    current = photos.workspace.rounds.current()
    assert {row["id"]: row["media"] is None for row in current.tasks()} == {
        first: True,
        **dict.fromkeys(others, False),
    }
    assert [task.id for task in tasks_of(current)] == others


def test_a_round_from_before_media_were_kept_is_read(photos):
    photos.run("sample", n=3, seed=1)
    photos.run("push", **FOLDER, form="image")
    path = photos.workspace.rounds.current().folder / "tasks.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["media"]), path)
    current = photos.workspace.rounds.current()
    assert [task.media for task in tasks_of(current)] == [{}, {}, {}]
    assert media_shown(current) == {}
    current.erase([tasks_of(current)[0].id])
