"""A masked value lives in the source files and in pool/, and nowhere else, whatever is done."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.rounds.views import View
from curate.text import apply_edits, content_id, field_edits, render

SECRET = (
    *("anna.a@mail.example.org", "boris@post.example.net", "+44 20 7946 0958", "13800138000"),
    *("4012888888881881", "11010519491231002X", "93.184.216.34"),
)
EMAIL, OTHER, PHONE, MOBILE, CARD, NUMBER, ADDRESS = SECRET
TEXTS = [
    f"Anna lives in Leeds 💬 and reads mail at {EMAIL} or {PHONE} every day, says Boris.",
    f"Boris paid with {CARD} in Omsk; ask {OTHER}, said Anna.\nThere is more of it.",
    f"陈先生的手机是{MOBILE}，身份证{NUMBER}，现在住在北京。",
    f"Leeds is where {ADDRESS} stands, and Anna knows it.",
]
NAMES = ("Anna", "Boris", "陈先生", "北京", "Leeds", "[email]")


def everything(root, apart):
    """Yield (file, text) of all there is, tables decompressed."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or name.startswith(apart):
            continue
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            rows = [list(row.values()) for row in table.to_pylist()]
            told = [rows, str(table.schema.metadata)]
            yield name, json.dumps(told, ensure_ascii=False, default=str)
        else:
            yield name, path.read_bytes().decode("utf-8", "replace")


def leaks(root, apart=("data/", "pool/")):
    """Return (file, value) wherever a masked value stands, but for the sources and pool/."""
    return [
        (name, value)
        for name, text in everything(root, apart)
        for value in SECRET
        if value in text or json.dumps(value)[1:-1] in text
    ]


def marked(text, **more):
    """Return a span for each name that a text shows."""
    found = [(text.index(name), name) for name in NAMES if name in text]
    return [{"start": at, "end": at + len(name), "label": "NAME", **more} for at, name in found]


def form(offline, *fields):
    path = offline.root / "label_configs" / "names.xml"
    path.parent.mkdir(exist_ok=True)
    shown = "".join(f'<Text name="{name}" value="${name}"/>' for name in fields)
    labels = f'<Labels name="names" toName="{",".join(fields)}"><Label value="NAME"/></Labels>'
    path.write_text(f"<View>{labels}{shown}</View>")
    return "names"


def finish(offline):
    """Run from the answers to the report; return the exported documents by id."""
    made = offline.run("pull")
    assert made.rejected == {}
    offline.run("agree")
    offline.run("mix", groups=["source"], budget="100%", max_epochs=2)
    offline.run("export")
    offline.run("evaluate")
    offline.run("report")
    assert verify(offline.root / "export").problems == ()
    found = read_shard(offline.root / "export" / "data-00000.jsonl")
    return {document["id"]: document for document in found}


def settled(offline):
    return [row for row in offline.rows("labels") if row["question"] == "names"]


def test_masks_round_trip(offline):
    offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    offline.run("clean", rules=["length"], privacy="mask", languages={}, near_duplicates=0.7)
    offline.run("sample", n=4, strategy="random", seed=1)
    offline.run("push", backend="folder", form=form(offline, "text"), overlap=1)
    said = {}
    for task in offline.tasks:
        said[task["id"]] = marked(task["text"])
        offline.say(
            {"id": task["id"], "question": "names", "annotator": "ann", "value": said[task["id"]]}
        )
    exported = finish(offline)
    pooled = {row["id"]: row["text"] for row in offline.rows("pool")}
    for label in settled(offline):
        spans = json.loads(label["value"])
        words = {pooled[label["id"]][each["start"] : each["end"]] for each in spans}
        # At home a span counts code points of the canonical text; a whole mask is what it hides.
        assert words <= {*NAMES, EMAIL, OTHER}
        shown = exported[label["id"]]["labels"]["names"]["value"]
        marks = sorted(said[label["id"]], key=lambda mark: mark["start"])
        assert shown == [{**mark, "field": None} for mark in marks]
    assert len(exported) == 4
    for id, document in exported.items():
        for each in document["labels"]["names"]["value"]:
            assert document["text"][each["start"] : each["end"]] in NAMES
        assert document["edited"]
        assert content_id({"text": pooled[id]}) == id
    assert leaks(offline.root) == []
    assert {value for _, value in leaks(offline.root, ())} == set(SECRET)  # the search has teeth


def test_masks_of_several_fields_round_trip(offline):
    said = f"Of course: write to {EMAIL}, says Anna, or ring {PHONE}."
    chat = {"prompt": f"Boris asks: is {EMAIL} right?", "response": said}
    offline.lines("chat.jsonl", [chat])
    sources = [{"name": "chat", "paths": ["data/chat.jsonl"], "fields": ["prompt", "response"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=["length"], privacy="mask")
    offline.run("sample", n=1, strategy="random", seed=1)
    offline.run("push", backend="folder", form=form(offline, "prompt", "response"), overlap=1)
    (task,) = offline.tasks
    assert task["prompt"] == "Boris asks: is [email] right?"
    value = [
        *marked(task["prompt"], field="prompt"),
        *marked(task["response"], field="response"),
    ]
    offline.say({"id": task["id"], "question": "names", "annotator": "ann", "value": value})
    (document,) = finish(offline).values()
    spans = document["labels"]["names"]["value"]
    fields = {field["name"]: field["text"] for field in document["fields"]}
    words = [fields[each["field"]][each["start"] : each["end"]] for each in spans]
    assert sorted(words) == sorted(["Boris", "[email]", "[email]", "Anna"])
    (label,) = settled(offline)
    home = json.loads(label["value"])
    words = {chat[each["field"]][each["start"] : each["end"]] for each in home}
    assert words == {"Boris", EMAIL, "Anna"}
    assert leaks(offline.root) == []


def test_masks_among_removed_lines_round_trip(offline):
    page = (
        "Home | Login\nRSS 2.0\n"
        f"Anna rowed over the lake 💬 and back [3], and wrote to {EMAIL} of it.\n"
        f"Call {PHONE}\nShe met Boris there, who told her everything that he had seen, in Leeds.\n"
        f"They went home before it rained. He paid with {CARD}. She laughed. That was all of it."
    )
    offline.lines("pages.jsonl", [page])
    offline.pool()
    made = offline.run("clean", rules=["lines", "c4"], privacy="mask")
    assert (made.kept, made.privacy) == (1, {"email": 1, "phone": 1, "card": 1})
    offline.run("sample", n=1, strategy="random", seed=1)
    offline.run("push", backend="folder", form=form(offline, "text"), overlap=1)
    (task,) = offline.tasks
    shown = (
        "Anna rowed over the lake 💬 and back , and wrote to [email] of it.\n"
        "She met Boris there, who told her everything that he had seen, in Leeds.\n"
        "They went home before it rained. He paid with [card]. She laughed. That was all of it."
    )
    assert task["text"] == shown
    value = marked(shown)
    offline.say({"id": task["id"], "question": "names", "annotator": "ann", "value": value})
    (document,) = finish(offline).values()
    (label,) = settled(offline)
    home = [page[each["start"] : each["end"]] for each in json.loads(label["value"])]
    assert home == ["Anna", EMAIL, "Boris", "Leeds"]
    back = document["labels"]["names"]["value"]
    assert [document["text"][each["start"] : each["end"]] for each in back] == [
        *("Anna", "[email]", "Boris", "Leeds")
    ]
    assert leaks(offline.root) == []


def test_a_comparison_shows_masks(offline):
    offline.lines("notes.jsonl", TEXTS[:2])
    offline.pool()
    offline.run("clean", privacy="mask")
    offline.run("sample", n=1, compare=True)
    offline.run("push", backend="folder", form="comparison", overlap=1)
    (task,) = offline.tasks
    assert "[email]" in task["a"]
    assert "[email]" in task["b"]
    assert leaks(offline.root) == []


def test_a_window_does_not_cut_a_mask(offline):
    offline.lines("notes.jsonl", [f"word {MOBILE} call " * 30])
    offline.pool()
    offline.run("clean", rules=[], privacy="mask")
    offline.run("sample", n=1, window=50)
    offline.run("push", backend="folder", form=form(offline, "text"), overlap=1)
    (task,) = offline.tasks
    assert "[phone]" in task["text"]
    assert leaks(offline.root) == []


# ── edits of fields


def test_edits_of_a_rendering_are_edits_of_its_fields():
    fields = {"prompt": "ask a@b.org", "response": "it is a@b.org!"}
    template = "Q: {prompt}\nA: {response}"
    text = render(fields, template)
    edits = [(7, 14, "[email]"), (24, 31, "[email]")]
    assert [text[low:high] for low, high, _ in edits] == ["a@b.org"] * 2
    own = field_edits(fields, edits, template)
    assert own == {"prompt": ((4, 11, "[email]"),), "response": ((6, 13, "[email]"),)}


def test_a_field_is_found_where_the_template_puts_it():
    fields = {"mail": "a", "name": "user a"}  # both stand in the template's own words too
    template = "user a {{a}}: {name} <{mail}>"
    own = field_edits(fields, [(17, 18, "[x]"), (20, 21, "[email]")], template)
    assert own == {"name": ((5, 6, "[x]"),), "mail": ((0, 1, "[email]"),)}


@given(st.lists(st.sampled_from(["x a@b.org y", "a@b.org", "plain", "", "a"]), min_size=1))
def test_no_field_shows_what_the_text_hides(values):
    fields = {f"f{place}": value for place, value in enumerate(values)}
    text = "\n\n".join(values)
    edits = []
    at = text.find("a@b.org")
    while at >= 0:
        edits.append((at, at + 7, "[email]"))
        at = text.find("a@b.org", at + 7)
    own = field_edits(fields, edits)
    shown = {name: apply_edits(value, own.get(name, ())) for name, value in fields.items()}
    assert "\n\n".join(shown.values()) == apply_edits(text, edits)


def test_spans_in_an_edited_field_come_home():
    view = View({"a": "hi [email] Bo", "b": "Bo"}, by_field={"a": ((3, 10, "[email]"),)})
    given = [{"start": 11, "end": 13, "label": "P", "field": "a"}]
    home, wrong = view.home(given, "entities")
    assert (home[0]["start"], home[0]["end"], wrong) == (11, 13, None)
    given = [{"start": 0, "end": 2, "label": "P", "field": "b"}]
    assert view.home(given, "entities") == (given, None)
    assert view.home([{"start": 4, "end": 13, "label": "P", "field": "a"}], "entities")[1]


@pytest.mark.parametrize(
    "word", ["export", "rounds", "evaluate.json", "report.html", "ledger.jsonl"]
)
def test_what_is_searched_is_there(offline, word):
    test_masks_round_trip(offline)
    assert any(word in name for name, _ in everything(offline.root, ()))
