"""Media in the messages of conversations: pooled, counted, cleaned, exported, taken down."""

import base64
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import DataError, RecipeError
from curate.export.formats import read_shard
from curate.export.messages import messages_of, with_marks
from curate.export.spec import ExportSpec
from curate.export.verify import verify
from curate.sources.chat_media import cut_at_marks, medium_of_part
from curate.sources.readers.opening import Reading
from curate.sources.reading import Bad, SourceSpec, content, parts, read
from curate.sources.rows import Shape
from curate.spec import refuse_unused
from curate.takedown import takedown
from curate.takedown.naming import cluster
from curate.text import content_id
from curate.trace.forward import trace
from tests.conftest import Offline
from tests.media_made import lines, picture, sound, written
from tests.media_small import digest, has_place, jpeg

ASKED = "What colour is the kettle?"
ANSWER = {"role": "assistant", "content": "It is red."}


def coded(data, type="image/png"):
    return f"data:{type};base64,{base64.b64encode(data).decode()}"


def rows_of(root, rows, chat=None, **source):
    """Return the rows and the bad rows of a chat in JSON lines."""
    written(root, {"data/talks.jsonl": lines(rows)})
    about = {
        "paths": ["data/talks.jsonl"],
        "name": "talks",
        "chat": {"media": True, **(chat or {})},
    }
    spec = SourceSpec.model_validate({**about, **source})
    found = [row for part in parts([spec], root) for row in read(spec, part, strict=False)]
    return [r for r in found if not isinstance(r, Bad)], [r for r in found if isinstance(r, Bad)]


def seen(*said):
    return [{"role": "user", "content": list(said)}, ANSWER]


# ── parts


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "image": "a.png"},
        {"type": "image", "path": "a.png"},
        {"type": "image", "image": {"path": "a.png", "bytes": None}},
        {"type": "image_url", "image_url": {"url": "a.png"}},
        {"type": "image_url", "image_url": "a.png"},
        {"type": "input_image", "image_url": "a.png"},
        {"type": "image", "source": {"type": "url", "url": "a.png"}},
        {"type": "image", "image": "file://{data}/a.png"},
        {"type": "image", "text": None, "image": "a.png"},
    ],
)
@pytest.mark.parametrize("shown", ["fields", "text"])
def test_every_way_to_name_a_picture_is_one_document(tmp_path, part, shown):
    written(tmp_path, {"data/a.png": picture(1)})
    own = json.loads(json.dumps(part).replace("{data}", str(tmp_path / "data")))
    talk = seen(own, {"type": "text", "text": ASKED})
    (row,), bad = rows_of(tmp_path, [{"messages": talk}], {"shown": shown})
    assert bad == []
    (medium,) = row.media
    assert (medium["field"], medium["kind"]) == ("image_1", "image")
    assert medium["sha256"] == digest(picture(1))
    assert medium["address"].endswith("data/a.png")
    text = f"user: {ASKED}\n\nassistant: It is red."
    assert content(row).text == text
    told = {"user_1": ASKED, "assistant_1": "It is red."} if shown == "fields" else {"text": text}
    told["image_1"] = f"{digest(picture(1))}@{text.index(ASKED)}"
    assert content(row).id == content_id(told)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": coded(picture(2))}}, "image"),
        ({"type": "image", "image": coded(picture(2)).replace("image/png", "image")}, "image"),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png",
          "data": coded(picture(2)).partition(",")[2]}}, "image"),
        ({"type": "input_audio", "input_audio": {"format": "wav",
          "data": coded(sound(0.5)).partition(",")[2]}}, "audio"),
        ({"type": "audio_url", "audio_url": {"url": coded(sound(0.5), "audio/wav")}}, "audio"),
    ],
)  # fmt: skip
def test_bytes_in_a_message_need_a_copy(offline, part, kind):
    offline.lines("talks.jsonl", [{"messages": seen({"type": "text", "text": ASKED}, part)}])
    sources = [{"paths": ["data/talks.jsonl"], "chat": {"media": True}}]
    with pytest.raises(DataError, match=r"set `pool: \{media: copy\}`"):
        offline.run("pool", sources=sources, tokenizer="bytes")
    counted = {"image": 576, "audio": "100/s"}
    made = offline.run(
        "pool", sources=sources, tokenizer="bytes", media="copy", media_tokens=counted
    )
    assert made.media == {kind: 1}
    assert made.media_tokens == {"image": 576, "audio": 50}[kind]
    (row,) = offline.rows("pool")
    (medium,) = row["media"]
    data = picture(2) if kind == "image" else sound(0.5)
    assert (offline.root / medium["address"]).read_bytes() == data
    assert row["tokens"] == made.media_tokens + len(row["text"])


def test_the_place_of_a_picture_tells_documents_apart(tmp_path):
    written(tmp_path, {"data/a.png": picture(1), "data/b.png": picture(2)})
    first, second = ({"type": "image", "image": f"{name}.png"} for name in "ab")
    words = {"type": "text", "text": ASKED}
    talks = [
        seen(first, words),
        seen(words, first),
        seen(second, words),
        seen(first, second, words),
        seen(second, first, words),
        [*seen(words)[:1], {"role": "assistant", "content": [first, "It is red."]}],
    ]
    talks.append(seen("What colour ", first, {"type": "text", "text": "is the kettle?"}))
    for shown in ("fields", "text"):
        rows, bad = rows_of(tmp_path, [{"messages": talk} for talk in talks], {"shown": shown})
        assert bad == []
        assert len({content(row).id for row in rows}) == len(talks)
    whole, _ = rows_of(tmp_path, [{"messages": talks[3]}])
    names = [name for name, _ in whole[0].fields]
    assert names == ["user_1", "assistant_1", "image_1", "image_2"]


def test_a_role_that_is_called_as_a_medium_keeps_its_name(tmp_path):
    written(tmp_path, {"data/a.png": picture(1)})
    part = {"type": "image", "image": "a.png"}
    talk = [{"role": "image", "content": "A role."}, {"role": "user", "content": [part, part]}]
    (row,), _ = rows_of(tmp_path, [{"messages": talk}])
    assert [name for name, _ in row.fields] == ["image_1", "user_1", "image_1_", "image_2"]
    assert [medium["field"] for medium in row.media] == ["image_1_", "image_2"]


def test_an_address_on_the_web_is_not_opened(tmp_path):
    part = {"type": "video_url", "video_url": {"url": "https://boats.example/a"}}
    (row,), _ = rows_of(tmp_path, [{"messages": seen(part)}])
    (medium,) = row.media
    assert (medium["kind"], medium["sha256"]) == ("video", None)
    assert medium["address"] == "https://boats.example/a"
    assert "boats" not in content(row).text


OUTSIDE = "the file is outside the table's folder"


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"type": "image", "image": "none.png"}, "the file none.png is not there"),
        ({"type": "image", "image": "../x.png"}, OUTSIDE),
        ({"type": "image", "image": "file:///etc/hostname"}, OUTSIDE),
        ({"type": "audio", "audio": "a.png"}, "it is of the kind image, not audio"),
        (
            {"type": "video", "video": ["a.png"]},
            "column of media holds list, not where a medium lies",
        ),
        ({"type": "image", "image": "data:image/png;base64,%%%"}, "an empty file"),
        (
            {"type": "image"},
            "its messages have places for 1 media of the kind image, and 0 stand beside them",
        ),
    ],
)  # fmt: skip
def test_a_medium_that_cannot_be_used_costs_its_row(tmp_path, part, reason):
    written(tmp_path, {"data/a.png": picture(1)})
    rows, bad = rows_of(tmp_path, [{"messages": seen(part)}, {"messages": seen(ASKED)}])
    assert [row.reason for row in bad] == [reason]
    assert [content(row).text for row in rows] == [f"user: {ASKED}\n\nassistant: It is red."]


def test_without_the_setting_a_part_is_text_and_the_hint_names_it(tmp_path):
    held = {"type": "image_url", "image_url": {"url": coded(picture(1))}}
    rows, bad = rows_of(
        tmp_path, [{"messages": seen(held)}, {"messages": seen(ASKED)}], {"media": False}
    )
    assert [row.reason for row in bad] == [
        "message 1 holds bytes: name a file or an address, or set `chat: {media: true}`"
    ]
    assert rows[0].media is None


# ── marks and columns

LLAVA = {"field": "conversations", "role": "from", "content": "value"}


def llava(words, **more):
    talk = [{"from": "human", "value": words}, {"from": "gpt", "value": "It is red."}]
    return {"conversations": talk, **more}


def test_marks_stand_for_the_files_of_a_column(tmp_path):
    written(tmp_path, {"data/img/a.png": picture(1), "data/img/b.png": picture(2)})
    rows = [
        llava(f"<image>\n{ASKED}", image="img/a.png"),
        llava(f"Look at <image> and <image>:\n{ASKED}", image=["img/a.png", "img/b.png"]),
        llava("The tag <image> shows a picture.", image=None),
        llava("Words alone.", id=7),
        llava(ASKED, image="img/a.png"),
        llava("<image><image>", image="img/a.png"),
    ]
    good, bad = rows_of(tmp_path, rows, LLAVA, media={"image": "image"})
    assert [row.reason for row in bad] == [
        "its messages have places for 0 media of the kind image, and 1 stand beside them",
        "its messages have places for 2 media of the kind image, and 1 stand beside them",
    ]
    assert [dict(row.fields)["human_1"] for row in good] == [
        ASKED,
        f"Look at  and :\n{ASKED}",
        "The tag <image> shows a picture.",
        "Words alone.",
    ]
    assert [len(row.media or ()) for row in good] == [1, 2, 0, 0]
    assert [row.meta for row in good] == [None, None, None, '{"id": 7}']
    talk = [
        {"role": "human", "content": [{"type": "image", "image": "img/a.png"}, ASKED]},
        {"role": "gpt", "content": "It is red."},
    ]
    (same,), _ = rows_of(tmp_path, [{"messages": talk}])
    assert content(same).id == content(good[0]).id


def test_parts_without_a_value_stand_for_the_bytes_of_a_column(tmp_path):
    talk = seen({"type": "image"}, {"type": "text", "text": ASKED}, {"type": "image"})
    images = [{"bytes": picture(n), "path": None} for n in (1, 2)]
    (tmp_path / "data").mkdir()
    pq.write_table(
        pa.table({"messages": [json.dumps(talk)], "images": [images]}), tmp_path / "data/a.parquet"
    )
    spec = SourceSpec.model_validate(
        {"paths": ["data"], "chat": {"media": True}, "media": {"image": "images"}}
    )
    (row,) = [row for part in parts([spec], tmp_path) for row in read(spec, part, strict=True)]
    assert [own["address"] for own in row.media] == [
        "data/a.parquet!/images/0/0",
        "data/a.parquet!/images/0/1",
    ]
    assert [name for name, _ in row.fields] == [*("user_1", "assistant_1", "image_1", "image_2")]


def test_media_of_a_chat_are_named_by_their_kind():
    with pytest.raises(ValueError, match="named image, audio or video, not picture"):
        SourceSpec.model_validate(
            {"paths": ["a"], "chat": {"media": True}, "media": {"picture": "image"}}
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<image>\nA", ["A"]),
        ("A\n<image>", ["A"]),
        ("A\n<image>\nB", ["A\n", "B"]),
        ("<image>\n<image>\nA", ["A"]),
        ("A <image> B", ["A ", " B"]),
        ("<audio>A", ["<audio>A"]),
        ("<image>", []),
        ("", []),
    ],
)
def test_a_mark_takes_its_line_along(text, words):
    pieces = list(cut_at_marks(text, frozenset({"image"})))
    assert [piece for piece, kind in pieces if kind is None] == words
    assert "".join(piece for piece, _ in pieces) == text


def test_what_is_no_medium_stays_a_part():
    for part in ("image", {"type": "text", "text": "a"}, {"type": "tool_use"}, {"type": 5}, {}, 3):
        assert medium_of_part(part) is None


# ── through the stages

WALK = "user: Write to [email] about the walk."


def pooled(root):
    """A run over a chat of parts, one of marks, and one of words, with one shared picture."""
    offline = Offline(root)
    files = {f"data/{n}.png": picture(n, (300, 200)) for n in range(3)}
    files |= {"data/walk.jpg": jpeg(9, place=True, side=256), "data/a.wav": sound(0.5)}
    written(root, files)
    part = {"type": "image_url", "image_url": {"url": "walk.jpg", "detail": "high"}, "fps": 2}
    clip = {"type": "audio", "audio": "a.wav"}
    mask = {"type": "text", "text": "Write to ann@example.org about the walk."}
    talks = [
        seen(part, mask),
        seen("Is it ", {"type": "image", "image": "0.png"}, " or that?", clip),
        seen({"type": "image_url", "image_url": {"url": "https://boats.example/9.png"}}, ASKED),
        seen("Words alone."),
    ]
    offline.lines("parts.jsonl", [{"messages": talk} for talk in talks])
    marked = [
        llava(f"<image>\nWhich is it, number {n}? Ask ann@example.org.", image=f"{n}.png")
        for n in (0, 1)
    ]
    offline.lines("marks.jsonl", marked)
    sources = [
        {"paths": ["data/parts.jsonl"], "chat": {"media": True}},
        {
            "paths": ["data/marks.jsonl"],
            "chat": {"media": True, **LLAVA},
            "media": {"image": "image"},
        },
    ]
    counted = {"image": 576, "audio": "100/s"}
    offline.run("pool", sources=sources, tokenizer="bytes", media_tokens=counted)
    offline.run("clean", rules=["image"], privacy="mask", languages={}, near_duplicates=None)
    offline.run("mix", budget="100%", groups=["source"])
    return offline


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    return pooled(tmp_path_factory.mktemp("talks") / "run")


def lines_in(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [line for file in manifest["files"] for line in read_shard(folder / file["path"])]


def by_words(found):
    return {line["text"].split("\n\n")[0]: line for line in found}


@pytest.mark.parametrize("format", ["jsonl", "parquet", "datasets", "webdataset", "mds"])
@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_messages_tell_where_their_media_lie(talks, format, layout):
    talks.run("export", format=format, layout=layout, messages=True)
    folder = talks.root / "export"
    assert verify(folder).problems == ()
    found = lines_in(folder)
    assert len(found) == 6
    told = by_words(found)
    place = {
        name: {medium["field"]: medium["path"] for medium in line["media"] or ()}
        for name, line in told.items()
    }
    walk = told[WALK]
    assert walk["messages"][0]["content"] == [
        {"type": "image", "image": place[WALK]["image_1"], "fps": 2},
        {"type": "text", "text": "Write to [email] about the walk."},
    ]
    both = told["user: Is it "]
    assert both["messages"][0]["content"] == [
        "Is it ",
        {"type": "image", "image": place["user: Is it "]["image_1"]},
        " or that?",
        {"type": "audio", "audio": place["user: Is it "]["audio_1"]},
    ]
    far = told[f"user: {ASKED}"]
    assert far["messages"][0]["content"] == [
        {"type": "image", "image": "https://boats.example/9.png"},
        ASKED,
    ]
    marked = told["human: Which is it, number 1? Ask [email]."]
    assert marked["messages"][0]["content"] == "<image>\nWhich is it, number 1? Ask [email]."
    if format in ("jsonl", "parquet"):
        data = (folder / walk["messages"][0]["content"][0]["image"]).read_bytes()
        assert not has_place(data)
        assert len([*(folder / "media").rglob("*.*")]) == 4


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_marks_and_lists_for_trainers(talks, format):
    talks.run("export", format=format, layout="by_group", messages=True, marks=True)
    folder = talks.root / "export"
    assert verify(folder).problems == ()
    told = by_words(lines_in(folder))
    both = told["user: Is it "]
    assert both["messages"][0]["content"] == "Is it \n<image>\n or that?\n<audio>"
    assert [both["images"], both["audios"]] == [
        [own["path"] for own in both["media"] if own["kind"] == kind] for kind in ("image", "audio")
    ]
    assert told[f"user: {ASKED}"]["images"] == ["https://boats.example/9.png"]
    assert told["user: Words alone."]["images"] == []
    for line in told.values():
        text = "".join(message["content"] for message in line["messages"])
        assert text.count("<image>") == len(line["images"])
        for path in [*line["images"], *line["audios"]]:
            assert "://" in path or (folder / path).is_file()
    info = json.loads((folder / "trainers" / "dataset_info.json").read_text(encoding="utf-8"))
    columns = sorted(sorted(about["columns"]) for about in info.values())
    assert columns == [["audios", "images", "messages"], ["images", "messages"]]
    arguments = (folder / "trainers" / "llama-factory.yaml").read_text(encoding="utf-8")
    assert "media_dir: ." in arguments
    if format == "parquet":
        (path, *_) = sorted(folder.rglob("*-00000.parquet"))
        message = pq.read_schema(path).field("messages").type.value_type
        assert str(message.field("content").type) == "string"


def test_datasets_reads_messages_and_pictures(talks):
    import datasets

    talks.run("export", format="datasets", messages=True)
    data = datasets.load_from_disk(str(talks.root / "export"))["train"]
    data = data.remove_columns("audio_1")  # its decoder is a package of its own
    for row in data:
        for message in row["messages"]:
            content = message["content"]
            parts = content if isinstance(content, list) else []
            for part in parts:
                if (
                    isinstance(part, dict)
                    and part.get("type") == "image"
                    and "://" not in part["image"]
                ):
                    assert row[part["image"]].size[0] in (256, 300)


def test_the_row_as_it_came_has_masks_and_marks(talks):
    talks.run("export", format="jsonl", messages=True, original=True)
    assert verify(talks.root / "export").problems == ()
    found = [line for line in lines_in(talks.root / "export") if "conversations" in line]
    assert sorted(line["conversations"][0]["value"] for line in found) == [
        f"<image>\nWhich is it, number {n}? Ask [email]." for n in (0, 1)
    ]


def test_the_row_as_it_came_is_found_with_bytes_in_it(offline):
    talk = seen({"type": "image", "image": coded(jpeg(5, place=True), "image/jpeg")}, ASKED)
    offline.lines("talks.jsonl", [{"messages": talk}])
    sources = [{"paths": ["data/talks.jsonl"], "chat": {"media": True}}]
    offline.run("pool", sources=sources, tokenizer="bytes", media="copy")
    offline.run("clean", rules=[], languages={}, near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export", original=True, messages=True)
    (line,) = lines_in(offline.root / "export")
    held = line["messages"][0]["content"][0]["image"].partition(",")[2]
    assert not has_place(base64.b64decode(held))


def test_pictures_of_messages_are_cleaned_by_their_signals(talks):
    rows = {row["id"]: row for row in talks.rows("clean")}
    widths = [rows[row["id"]]["image:width"] for row in talks.rows("pool") if row["media"]]
    assert sorted(width for width in widths if width == width and width is not None) == [
        256,
        300,
        300,
        300,
    ]


def test_a_message_that_lost_its_picture_stops_the_export(tmp_path):
    offline = pooled(tmp_path / "run")
    (offline.root / "data/1.png").write_bytes(picture(5))
    with pytest.raises(DataError, match=r"data/1.png: it is not the file that `pool` read"):
        offline.run("export", messages=True)


def test_other_formats_have_no_marks():
    refuse_unused(ExportSpec(format="parquet", messages=True, marks=True), where="export")
    for other in ({"format": "webdataset", "messages": True}, {"messages": False}):
        with pytest.raises(RecipeError, match="marks has no effect without"):
            refuse_unused(ExportSpec(marks=True, **other), where="export")


def test_a_content_of_other_parts_is_json_beside_texts(offline):
    talks = [
        seen({"type": "tool_use", "text": "no words of a part"}, ASKED),
        seen({"type": "image", "image": "https://boats.example/1.png", "fps": 2}, ASKED),
        [{"role": "user", "content": None, "tool": "x"}, ANSWER],
    ]
    offline.lines("talks.jsonl", [{"messages": talk} for talk in talks])
    offline.run("pool", sources=[{"paths": ["data/talks.jsonl"], "chat": {"media": True}}])
    offline.run("clean", rules=[], languages={}, near_duplicates=None)
    offline.run("mix", budget="100%")
    for format in ("jsonl", "parquet"):
        offline.run("export", format=format, messages=True, marks=True)
        found = [line["messages"][0]["content"] for line in lines_in(offline.root / "export")]
        assert sorted(found, key=str) == sorted(
            [talks[0][0]["content"], f"<image>\n{ASKED}", None], key=str
        )


def test_a_content_of_other_parts_keeps_its_list():
    call = {"role": "user", "content": ["a", {"type": "tool_use", "id": "x"}]}
    assert with_marks(call) == call
    words = {"role": "user", "content": ["a", "b", {"type": "image", "image": "p"}]}
    assert with_marks(words)["content"] == "a\n\nb\n<image>"


def test_a_line_that_is_removed_leaves_the_marks():
    spec = SourceSpec.model_validate(
        {"paths": ["x"], "chat": {"media": True, **LLAVA}, "media": {"image": "image"}}
    )
    row = llava("<image>\nFirst.\nClick here.\n<image>\nLast.", image=["https://a.example/1"] * 2)
    own = Shape(spec, Reading("x", "x", "jsonl"))(row, "s", 1)
    text = content(own).text
    assert text == "human: First.\nClick here.\nLast.\n\ngpt: It is red."
    start = text.index("Click")
    edits = [(start, start + len("Click here.\n"), "")]
    told = messages_of("id", text, own.turns, edits, own.details)
    assert told[0]["content"] == "<image>\nFirst.\n<image>\nLast."
    across = [(text.index("here"), text.index("Last") + 2, "[name]")]
    with pytest.raises(DataError, match="cannot be placed in its messages"):
        messages_of("id", text, own.turns, across, own.details)


def test_a_takedown_deletes_the_picture_of_a_message_and_trace_tells_it(offline):
    part = {"type": "image", "image": coded(picture(1))}
    both = {"type": "image", "image": coded(picture(2))}
    talks = [seen(part, both, "One."), seen(both, "Two.")]
    offline.lines("talks.jsonl", [{"messages": talk} for talk in talks])
    sources = [{"paths": ["data/talks.jsonl"], "chat": {"media": True}}]
    offline.run("pool", sources=sources, tokenizer="bytes", media="copy")
    offline.run("clean", rules=[], languages={}, near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export", messages=True)
    gone = next(row for row in offline.rows("pool") if "One." in row["text"])
    media = trace(offline.workspace, gone["id"]).media
    assert [own.address for own in media] == [
        f"media/{digest(picture(n))[:2]}/{digest(picture(n))}.png" for n in (1, 2)
    ]
    takedown.run(
        offline.workspace, cluster(offline.workspace, [gone["id"]]), [gone["id"]], "asked for"
    )
    left = {path.read_bytes() for path in (offline.root / "media").rglob("*.png")}
    assert left == {picture(2)}
    assert not (offline.root / "export").exists()


def test_init_sees_media_in_messages(tmp_path):
    from curate.starting.looking import look
    from curate.starting.shapes import shape_of

    part = {"type": "image_url", "image_url": {"url": "https://boats.example/1.png"}}
    files = {
        "parts.jsonl": {"messages": seen(part, ASKED)},
        "marks.jsonl": llava(f"<image>\n{ASKED}", images=["a.png"]),
        "places.jsonl": {"messages": seen({"type": "image"}, ASKED), "image": "a.png"},
        "words.jsonl": {"messages": seen(ASKED), "image": "a.png"},
    }
    written(tmp_path, {f"data/{name}": lines([row]) for name, row in files.items()})
    shapes = {own.path.rpartition("/")[2]: shape_of(own) for own in look(tmp_path, ["data"])}
    told = {
        name: (s.source["chat"].get("media"), s.source.get("media")) for name, s in shapes.items()
    }
    assert told == {
        "parts.jsonl": (True, None),
        "marks.jsonl": (True, {"image": "images"}),
        "places.jsonl": (True, {"image": "image"}),
        "words.jsonl": (None, None),
    }
    assert shapes["parts.jsonl"].examples == (ASKED, "It is red.")


# ── texts that are files


@pytest.mark.parametrize("held", [coded(jpeg(1, place=True), "image/jpeg"), coded(sound(0.1))])
def test_a_text_that_is_a_file_is_no_text(tmp_path, held):
    bare = held.partition(",")[2]
    rows = [{"text": held}, {"text": f"\n{bare}"}, {"text": "data: 3, 4"}, {"text": f"See {held}"}]
    written(tmp_path, {"data/a.jsonl": lines(rows)})
    spec = SourceSpec.model_validate({"paths": ["data/a.jsonl"]})
    found = [row for part in parts([spec], tmp_path) for row in read(spec, part, strict=False)]
    reasons = [row.reason for row in found if isinstance(row, Bad)]
    assert reasons == ["column text holds a file: name it under `media`"] * 2
    (_, bad) = rows_of(tmp_path, [{"messages": [{"role": "user", "content": held}]}])
    assert [row.reason for row in bad] == ["message 1 holds bytes: name a file or an address"]


def test_a_field_that_is_a_file_with_a_place_stops_the_export(offline):
    offline.lines("a.jsonl", [{"alt": "A walk.", "img": coded(jpeg(1, place=True), "image/jpeg")}])
    offline.lines("b.jsonl", [{"alt": "A ride.", "img": coded(jpeg(2), "image/jpeg")}])
    for name, refusal in (("a", "a text is a file whose metadata tell a place"), ("b", None)):
        source = {"paths": [f"data/{name}.jsonl"], "fields": ["alt", "img"]}
        offline.run("pool", sources=[source], tokenizer="bytes")
        offline.run("clean", rules=[], languages={}, near_duplicates=None)
        offline.run("mix", budget="100%")
        if refusal is None:
            offline.run("export")
        else:
            with pytest.raises(DataError, match=refusal):
                offline.run("export")


def test_a_column_of_base64_is_read_as_media(offline):
    offline.lines("a.jsonl", [{"alt": "A red kettle.", "img": coded(picture(3)).partition(",")[2]}])
    source = {"paths": ["data/a.jsonl"], "fields": ["alt"], "media": {"image": "img"}}
    offline.run("pool", sources=[source], tokenizer="bytes", media="copy")
    (row,) = offline.rows("pool")
    assert row["media"][0]["sha256"] == digest(picture(3))


def test_files_on_the_web_are_refused_by_name(offline):
    source = {"name": "far", "paths": ["https://boats.example/s-0.tar"]}
    with pytest.raises(DataError, match="files on the web are not read") as caught:
        offline.run("pool", sources=[source], tokenizer="bytes", media="copy")
    assert "download them first" in str(caught.value.hint)
