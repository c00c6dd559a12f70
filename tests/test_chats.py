"""Chats: what a message holds beside role and content is read, told apart, and given back."""

import base64
import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.export.formats import read_shard
from curate.export.messages import messages_of
from curate.export.verify import verify
from curate.media.metadata import without_places
from curate.sources.chats import conversation
from curate.sources.messages import DEEPEST
from curate.sources.readers.opening import Reading
from curate.sources.rows import Shape, content
from curate.sources.source_spec import Chat, SourceSpec
from curate.text import TEXT, content_id
from tests.media_small import jpeg, wav
from tests.test_loading import loaded

WHERE = {"name": "find_ferry", "arguments": '{"to": "Ann\\nisland", "day": 3}'}
CALL = {"id": "call_7", "type": "function", "function": WHERE}
ASKED = {"role": "user", "content": "When does the ferry leave?"}
FERRY = [
    ASKED,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "name": "find_ferry", "tool_call_id": "call_7", "content": "at 9:30"},
    {"role": "assistant", "content": "At half past nine.", "reasoning_content": "It says 9:30."},
]


def row_of(talk, **chat):
    """Return the row of a chat, as the pool would have it."""
    spec = SourceSpec.model_validate({"paths": ["x"], "chat": chat})
    return Shape(spec, Reading("x", "x", "jsonl"))({"messages": talk, "n": 1}, "s", "x:1")


def coded(data):
    return base64.b64encode(data).decode()


def id_of(talk, **chat):
    return content(row_of(talk, **chat)).id


def told(talk, **chat):
    return content(row_of(talk, **chat)).text


def came_out(talk, edits=(), **chat):
    """Return the messages as an export has them."""
    row = row_of(talk, **chat)
    return messages_of("id", content(row).text, row.turns, edits, row.details or ())


def in_order(value):
    return json.dumps(value, sort_keys=True)


def without_null(message):
    return {k: v for k, v in message.items() if k == "content" or v is not None}


# ── identity


def test_role_and_content_alone_are_the_fields_they_always_were():
    talk = [ASKED, {"role": "assistant", "content": "At nine."}]
    assert id_of(talk) == content_id({"user_1": ASKED["content"], "assistant_1": "At nine."})
    plain = f"user: {ASKED['content']}\n\nassistant: At nine."
    assert id_of(talk, shown="text") == content_id({TEXT: plain})
    parts = [{"type": "text", "text": "At nine."}]
    for same in (
        {"content": parts},
        {"content": ["At nine."]},
        {"content": [{**parts[0], "image_url": None}]},
        {"content": "At nine.", "tool_calls": None, "name": None, "function_call": {"name": None}},
        {"content": "At nine.", "tool_calls": [], "name": ""},
    ):
        assert id_of([ASKED, {"role": "assistant", **same}]) == id_of(talk)


@pytest.mark.parametrize(
    "other",
    [
        {"tool_calls": [{**CALL, "function": {**WHERE, "arguments": "{}"}}]},
        {"tool_calls": [CALL, CALL]},
        {"tool_calls": [{**CALL, "id": "call_8"}]},
        {"function_call": WHERE},
        {"reasoning_content": "Let me look."},
        {"name": "ann"},
        {"weight": 0},
        {"weight": False},
        {"content": [{"type": "image_url", "image_url": {"url": "https://boats.example/9.png"}}]},
        {"content": {"parts": ["At nine."]}},
        {},
    ],
)
@pytest.mark.parametrize("shown", ["fields", "text"])
def test_a_value_of_a_message_tells_chats_apart(other, shown):
    first = [ASKED, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
    second = [ASKED, {"role": "assistant", "content": None, **other}]
    assert id_of(first, shown=shown) != id_of(second, shown=shown)


# ── rendering


def test_details_read_below_their_message_as_declared():
    assert told(FERRY).split("\n\n") == [
        "user: When does the ferry leave?",
        "assistant: \ntool_calls.0.id: call_7\ntool_calls.0.type: function\n"
        "tool_calls.0.function.name: find_ferry\n"
        f"tool_calls.0.function.arguments: {WHERE['arguments']}",
        "tool: at 9:30\nname: find_ferry\ntool_call_id: call_7",
        "assistant: At half past nine.\nreasoning_content: It says 9:30.",
    ]
    turn, detail = "<{role}>{details}{content}</>", "[{key}={value}]"
    text = told(FERRY, shown="text", turn=turn, detail=detail, between="")
    assert text.endswith("<assistant>[reasoning_content=It says 9:30.]At half past nine.</>")
    names = [name for name, _ in row_of(FERRY).fields]
    assert names[:3] == ["user_1", "assistant_1", "assistant_1_details"]


@pytest.mark.parametrize(
    "chat",
    [
        {},
        {"shown": "text"},
        {"shown": "text", "turn": "{details}\r{content}\r", "detail": "{{{key}}}\r{value}\r"},
        {"turn": "{role}|{details}|{content}", "between": "\n{}\n", "detail": "{value} {{"},
        {"shown": "text", "between": "\r\n"},
    ],
)
def test_every_value_lies_where_the_pool_says(chat):
    said = {"role": "user", "content": [{"type": "text", "text": "A\r"}, "\r\nB"], "by": "C\r\nd"}
    row = row_of([said, *FERRY], **chat)
    text = content(row).text
    values = [text[own["start"] : own["end"]] for own in row.details]
    assert [value for value in values if value] == [
        *("A\n", "\nB", "C\nd", "call_7", "function", "find_ferry", WHERE["arguments"]),
        *("find_ferry", "call_7", "It says 9:30."),
    ]


def test_names_of_fields_stay_apart():
    talk = [
        {"role": "user", "content": "a", "x": "b"},
        {"role": "user_1_details", "content": "c"},
        {"role": "user 1", "content": "d"},
        {"role": "user_1_details_1", "content": "e", "x": "f"},
    ]
    names = [name for name, _ in row_of(talk).fields]
    assert len(names) == len(set(names)) == 6
    assert came_out(talk) == talk


def test_what_is_set_aside_goes_to_meta_alone():
    talk = [{**ASKED, "hashed_ip": "ab12", "stamp": 5}, FERRY[-1]]
    row = row_of(talk, aside=["hashed_ip", "stamp"])
    assert content(row).id == id_of([ASKED, FERRY[-1]])
    assert json.loads(row.meta) == {
        "n": 1,
        "messages": [{"hashed_ip": "ab12", "stamp": 5}, {}],
    }
    with pytest.raises(ValueError, match="content is read"):
        Chat(aside=("content",))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"turn": "{content}{details}{details}"}, "names {details} once"),
        ({"detail": "{key}"}, "names {value} once"),
        ({"detail": "{value}{role}"}, "may name {key}"),
    ],
)
def test_templates_that_lose_a_value_are_refused(setting, words):
    with pytest.raises(ValueError, match=words):
        Chat(**setting)


@pytest.mark.parametrize(
    "value",
    [
        b"\x89PNG",
        "data:image/png;base64,iVBORw0KGgo=",
        " DATA:image/png;base64,iVBORw0KGgo=",
        f"data:image/png;name={'n' * 300};base64,iVBORw0KGgo=",
        "data:image/jpeg,%FF%D8%FF%E1",
        coded(jpeg(1, place=True)),
        coded(wav(1)),
        coded(b"ID3\4" + bytes(99)),
    ],
)
@pytest.mark.parametrize(
    "part",
    [
        lambda value: {"type": "image_url", "image_url": {"url": value}},
        lambda value: {"type": "input_audio", "input_audio": {"data": value, "format": "wav"}},
        lambda value: {"type": "image", "source": {"type": "base64", "data": value}},
        lambda value: {"type": "image", "image": value},
    ],
)
def test_bytes_in_a_message_are_refused_by_its_number(value, part):
    with pytest.raises(ValueError, match="message 2 holds bytes"):
        row_of([ASKED, {"role": "user", "content": [part(value)]}])


def test_words_and_codes_that_are_no_files_stay_in_messages():
    code = base64.b64encode(bytes(range(100, 200))).decode()
    frames = coded(b"\xff\xfb" + bytes(99))  # as sound may begin, and as chance may have it
    own = {**ASKED, "signature": code, "id": frames, "note": "data: 3, 4", "path": "a/b.png"}
    assert came_out([own]) == [own]
    audio = {"type": "input_audio", "input_audio": {"data": frames, "format": "mp3"}}
    with pytest.raises(ValueError, match="message 1 holds bytes"):
        row_of([{"role": "user", "content": [audio]}])


# ── forms in which a chat comes


def test_a_chat_may_be_json_in_a_cell():
    for form in (
        json.dumps(FERRY),
        f"  {json.dumps(FERRY, indent=1)}",
        [json.dumps(message) for message in FERRY],
        repr(FERRY),
    ):
        assert id_of(form) == id_of(FERRY)
    columns = {key: [message.get(key) for message in FERRY] for key in ("role", "content", "name")}
    assert id_of(columns) == id_of(
        [{key: message.get(key) for key in columns} for message in FERRY]
    )
    for none in ("[1", '{"role": "user"}', "hello", {"role": ["a"], "content": "b"}, 5, None):
        with pytest.raises(ValueError, match="holds no list of messages"):
            row_of(none)


def test_sharegpt_and_other_names_of_keys():
    talk = [
        {"from": "human", "value": "Hi", "role": "r", "content": "c"},
        {"from": "gpt", "value": ""},
    ]
    chat = {"role": "from", "content": "value"}
    assert told(talk, **chat) == "human: Hi\nrole_: r\ncontent_: c\n\ngpt: "
    assert came_out(talk, **chat) == [
        {"role": "human", "content": "Hi", "role_": "r", "content_": "c"},
        {"role": "gpt", "content": ""},
    ]


# ── as it came


LEAVES = st.none() | st.booleans() | st.integers() | st.text('ab"\\{}:\n é', max_size=9)
KEYS = st.text("abc.0", min_size=1, max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
TEXT_PART = st.fixed_dictionaries({"type": st.just("text"), "text": st.text("ab\n", max_size=5)})
PART = TEXT_PART | st.fixed_dictionaries({"type": st.just("image"), "at": LEAVES})
MESSAGES = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "tool"]),
        "content": st.text("ab{}\n é", max_size=9) | st.none() | st.lists(PART, min_size=1),
    },
    optional={"tool_calls": VALUES, "name": st.text("ab", max_size=4), "a.b": VALUES},
)


@given(talk=st.lists(MESSAGES, min_size=1, max_size=4), shown=st.sampled_from(["fields", "text"]))
def test_messages_come_out_as_they_came(talk, shown):
    """Null at the top of a message is as if not there."""
    assert came_out(talk, shown=shown) == list(map(without_null, talk))


def test_what_lies_very_deep_comes_out_too():
    deep = "end"
    for _ in range(3 * DEEPEST):
        deep = {"x": [deep]}
    talk = [{**ASKED, "deep": deep}]
    assert came_out(talk) == talk
    assert told(talk).count("end") == 1


def test_many_messages_with_carriage_returns_are_rendered_in_one_pass():
    talk = [{"role": "user", "content": ["a\r", "b"], "n": n} for n in range(20_000)]
    assert len(conversation(talk, Chat(shown="text")).details) == 60_000


def test_usual_keys_are_told_where_a_message_lacks_those_declared():
    shared = [{"from": "human", "value": "Is there a ferry?"}]
    with pytest.raises(ValueError, match=r"has no role \(from, value\): set chat: \{role: from"):
        conversation(shared, Chat())
    with pytest.raises(ValueError, match=r"has no role \(author, value\)$"):
        conversation([{"author": "human", "value": "Is there a ferry?"}], Chat())
    declared = Chat(role="from", content="value")
    assert conversation(shared, declared).turns[0]["role"] == "human"


# ── through the stages


def pooled(offline, rows, name="talks.jsonl", **chat):
    if name.endswith(".jsonl"):
        offline.lines(name, rows)
    sources = [{"paths": [f"data/{name}"], "chat": chat}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], privacy="mask", languages={}, near_duplicates=None)
    offline.run("mix", budget="100%")


def exported(offline, **settings):
    offline.run("export", messages=True, **settings)
    folder = offline.root / "export"
    assert verify(folder).problems == ()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [row for file in manifest["files"] for row in read_shard(folder / file["path"])]


def test_pictures_that_are_set_aside_leave_without_their_place(offline):
    """They are in no text and no message; the source's row and its meta have them."""
    told, plain = coded(jpeg(1, place=True)), coded(without_places(jpeg(1, place=True)))
    held = {"image_url": f"data:image/jpeg;base64,{told}", "raw": [told], "json": f'["{told}"]'}
    pooled(offline, [{"messages": [{**ASKED, "seen": held}], "more": held}], aside=["seen"])
    (line,) = exported(offline, format="jsonl", original=True, meta=["more", "messages"])
    told_in = json.dumps(line)
    assert told not in told_in
    assert told_in.count(plain) == 4 * 3  # row and meta: what was set aside, and the column `more`
    assert line["messages"][0]["content"] == ASKED["content"]


PICTURE = {"type": "image_url", "image_url": {"url": "https://boats.example/1.png"}}
TALKS = [
    FERRY,
    [ASKED, {"role": "assistant", "content": "At nine."}],
    [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, PICTURE]}],
    [ASKED, {"role": "assistant", "function_call": WHERE, "content": None, "weight": 0.5}],
]


@pytest.mark.parametrize("format", ["jsonl", "jsonl.zst", "parquet", "datasets"])
@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_an_export_gives_chats_back_as_they_came(offline, tmp_path, format, layout):
    pooled(offline, [{"messages": talk} for talk in TALKS])
    lines = exported(offline, format=format, layout=layout, shard_documents=2)
    own = sorted((line["messages"] for line in lines), key=in_order)
    assert own == sorted(TALKS, key=in_order)
    if format in ("jsonl", "parquet"):
        data = loaded(offline.root / "export", tmp_path / "cache")["train"]
        talks = [list(map(without_null, talk)) for talk in data["messages"]]
        assert sorted(talks, key=in_order) == own


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_training_loop_gets_chats_as_they_came(offline, format):
    from curate.stream import Mixture

    pooled(offline, [{"messages": talk} for talk in TALKS])
    exported(offline, format=format, layout="by_group")
    stream = Mixture(offline.root / "export")
    talks = [document["messages"] for document, _ in zip(stream, TALKS, strict=False)]
    assert sorted(talks, key=in_order) == sorted(TALKS, key=in_order)


def test_messages_that_were_changed_are_noticed(offline):
    pooled(offline, [{"messages": FERRY}])
    exported(offline)
    folder = offline.root / "export"
    (path,) = folder.glob("data-00000.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace('"At half', '"At most'), "utf-8")
    (id,) = {row["id"] for row in offline.rows("pool")}
    assert f"{id}: its messages do not say its text" in verify(folder).problems


def test_chats_of_texts_alone_have_columns_of_texts(offline):
    pooled(offline, [{"messages": [ASKED, {**FERRY[-1], "name": "bo"}]}])
    exported(offline, format="parquet")
    (path,) = (offline.root / "export").glob("*-00000.parquet")
    (message,) = {str(pq.read_schema(path).field("messages").type.value_type)}
    assert message == (
        "struct<role: string, content: string, name: string, reasoning_content: string>"
    )


def test_a_mask_stands_in_every_value_of_a_message(offline):
    call = {"id": "c1", "function": {"arguments": '{"to": "ann@example.org"}', "tries": 2}}
    talk = [
        {"role": "user", "content": ["Write to ann@example.org", PICTURE], "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    pooled(offline, [{"messages": talk}])
    (line,) = exported(offline, original=True)
    masked = json.loads(json.dumps(talk).replace("ann@example.org", "[email]"))
    assert line["_curate"]["messages"] == masked
    assert line["messages"] == masked
    assert "[email]" in line["_curate"]["text"]


def test_a_masked_number_comes_out_as_text(offline):
    pooled(offline, [{"messages": [{**ASKED, "card": 4111111111111111}]}])
    (line,) = exported(offline)
    assert line["messages"][0]["card"] == "[card]"


@pytest.mark.parametrize("name", ["talks.csv", "talks.parquet"])
def test_chats_as_json_in_tables_come_out_as_they_came(offline, name):
    path = offline.root / "data" / name
    path.parent.mkdir(exist_ok=True)
    cells = [json.dumps(talk) for talk in TALKS]
    if name.endswith(".csv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["messages"], *([cell] for cell in cells)])
    else:
        pq.write_table(pa.table({"messages": cells}), path)
    pooled(offline, None, name)
    lines = exported(offline, original=True)
    assert sorted((line["_curate"]["messages"] for line in lines), key=in_order) == sorted(
        TALKS, key=in_order
    )
    assert all(json.loads(line["messages"]) in TALKS for line in lines)


def test_null_filled_structs_of_parquet_are_the_same_chats(offline):
    path = offline.root / "data" / "talks.parquet"
    path.parent.mkdir(exist_ok=True)
    plain = [ASKED, {"role": "assistant", "content": "At nine."}]
    pq.write_table(pa.Table.from_pylist([{"messages": FERRY}, {"messages": plain}]), path)
    pooled(offline, None, "talks.parquet")
    assert {row["id"] for row in offline.rows("pool")} == {id_of(FERRY), id_of(plain)}
    assert sorted((line["messages"] for line in exported(offline)), key=len) == [plain, FERRY]
