"""Questions and values that are called as something of curate's own."""

import json
from collections import Counter

import pytest

from curate.export.verify import verify
from curate.records import span_key, span_of_key
from tests.test_loading import documents_of, loaded

NAMES = {
    "length": ("words", "chars"),  # a rule and its signals
    "dtype": ("list", "struct"),
    "_type": ("_type", "Value"),
    "kept": ("kept", "reason"),
    "edits": ("start", "end"),
    "out_of_fold": ("True", "null"),
    "license": ("MIT", "unknown"),
    "quality": ("copies", "group"),
}


def chairs(offline, question, values, torn=0):
    """A run up to `mix`: red chairs are the first value, blue ones the second.

    People differ on so many as are `torn`.
    """
    choices = "".join(f'<Choice value="{value}"/>' for value in values)
    form = f'<View><Text name="text" value="$text"/><Choices name="{question}" toName="text">'
    path = offline.root / "label_configs" / "f.xml"
    path.parent.mkdir()
    path.write_text(f"{form}{choices}</Choices></View>", encoding="utf-8")
    texts = [f"Chair {n} of the hall is {('red', 'blue')[n % 2]} and old." for n in range(50)]
    offline.lines("chairs.jsonl", texts)
    offline.pool()
    offline.run("clean", rules=["length"], near_duplicates=None)
    offline.run("sample", n=40, strategy="random", seed=1)
    offline.run("push", backend="folder", form="f", overlap=2)
    ids = [task["id"] for task in offline.tasks]
    open_ids = ids[:torn]
    for person, own, red in (("ann", ids, 0), ("bob", ids[torn:], 0), ("bob", open_ids, 1)):
        pair = values[red], values[1 - red]
        offline.answer(
            person, ids=own, question=question, opinion=lambda text, two=pair: two["blue" in text]
        )
    offline.run("pull")
    offline.run("agree", bootstrap=0, method="majority")
    offline.run("score", encoder="chargram", resamples=2, question=question)
    return offline.run("mix", groups=[question], budget="100%"), set(open_ids)


@pytest.mark.parametrize("question", NAMES)
def test_an_export_of_a_question_called_so(offline, tmp_path, question):
    chairs(offline, question, NAMES[question])
    rows = {row["id"]: row for row in offline.rows("scores")}
    for format in ("jsonl", "parquet"):
        offline.run("export", format=format)
        folder = offline.root / "export"
        assert verify(folder).problems == ()
        documents = documents_of(folder)
        assert loaded(folder, tmp_path / format)["train"].to_list() == documents
        assert len(documents) == 50
        for document in documents:
            label, scores = document["labels"][question], rows[document["id"]]
            assert label["value"] == NAMES[question]["blue" in document["text"]]
            if label["by"] == "model":  # its shares, and not what a rule measured
                for value, share in label["posterior"].items():
                    assert share == pytest.approx(scores[f"{question}:{value}"], abs=1e-6)
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    told = page.partition('data-live="map"')[2].partition("</script>")[0]
    colours = json.loads(told.partition('type="application/json">')[2])["colours"]
    (foreseen,) = [own for own in colours if own["name"] == f"predicted {question}"]
    assert set(foreseen["names"]) == set(NAMES[question])


def test_a_limit_of_what_people_leave_open(offline):
    """It is no mistake where they settled all."""
    chairs(offline, "colour", ("red", "blue"))
    made = offline.run("mix", groups=["colour"], limits={"undecided": {"max": 0.1}}, budget="50%")
    assert [warning.key for warning in made.warnings] == ["mix.unused_limits"]
    assert {group.group for group in made.groups} == {"red", "blue"}


def test_a_value_called_undecided_is_a_class(offline):
    """What people left open is another class, and only that is told to be open."""
    made, open_ids = chairs(offline, "state", ("undecided", "sure"), torn=7)
    assert "7 candidates are undecided: they are a group of their own" in made.notes
    groups = Counter(row["group"] for row in offline.rows("mix"))
    assert set(groups) == {"undecided", "sure", "undecided:"}
    assert groups["undecided:"] == 7
    ids = {row["id"] for row in offline.rows("mix") if row["group"] == "undecided:"}
    assert ids == open_ids
    expected = {row["group"]: row["expected"] for row in offline.rows("groups")}
    assert expected["undecided:"] == 0
    assert expected["undecided"] + expected["sure"] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("names_field", [True, False])
def test_spans_of_equal_places_in_two_fields(offline, names_field):
    """Each field has a mask of its own before the span, and each span its own share."""
    rows = [
        {"ask": f"ann{n}@example.org wrote: who is Anna?", "say": f"bo{n}@example.org: now Anna?"}
        for n in range(10)
    ]
    offline.lines("pairs.jsonl", rows)
    source = {"paths": ["data/pairs.jsonl"], "fields": ["ask", "say"]}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None, privacy="mask")
    path = offline.root / "label_configs" / "two.xml"
    path.parent.mkdir()
    labels = '<Labels name="{0}s" toName="{0}"><Label value="P:Q"/></Labels>'
    texts = "".join(f'<Text name="{name}" value="${name}"/>' for name in ("ask", "say"))
    path.write_text(f"<View>{texts}{labels.format('ask')}{labels.format('say')}</View>")
    offline.run("sample", n=10, strategy="random")
    offline.run("push", backend="folder", form="two", overlap=2)
    for task in offline.tasks:
        for name in ("ask", "say"):
            assert "[email]" in task[name]
            start = task[name].index("Anna")
            span = {"start": start, "end": start + 4, "label": "P:Q"}
            span |= {"field": name} if names_field else {}
            about = {"id": task["id"], "question": f"{name}s"}
            offline.say({**about, "annotator": "ann", "value": [span]})
            offline.say(
                {**about, "annotator": "bob", "value": [span, {**span, "start": start + 3}]}
            )
    assert offline.run("pull").rejected == {}
    offline.run("agree", bootstrap=0)
    offline.run("mix", budget="100%")
    offline.run("export")
    assert verify(offline.root / "export").problems == ()
    for document in documents_of(offline.root / "export"):
        for field in document["fields"]:
            label = document["labels"][f"{field['name']}s"]
            shares = {
                field["text"][span["start"] : span["end"]]: (span["field"], span["share"])
                for span in label["posterior"]
            }
            assert shares == {"Anna": (field["name"], 1.0), "a": (field["name"], 0.5)}
            assert (label["value"], label["undecided"]) == (None, True)


@pytest.mark.parametrize(
    ("span", "key"),
    [
        ((0, 4, "P", None), "0:4:P"),
        ((0, 4, "3:4:P@x", None), "0:4:3:4:P@x"),
        ((10, 41, "P:Q", "title"), "title@10:41:P:Q"),
        ((0, 4, "a@1:2:b", "1"), "1@0:4:a@1:2:b"),
        ((2, 3, "地点\n", "正文"), "正文@2:3:地点\n"),
    ],
)
def test_the_key_of_a_span_reads_back(span, key):
    assert span_key(*span) == key
    assert tuple(span_of_key(key).values()) == span


def test_a_licence_of_several_lines_stays_one_line_of_the_card(offline):
    lines = ["MIT\n# Evil\n- x", "no", "a|b"]
    rows = [
        {"text": f"A chair of number {n} stands in the hall.", "is": lines[n % 3]}
        for n in range(30)
    ]
    offline.lines("a.jsonl", rows)
    source = {"paths": ["data/a.jsonl"], "license": {"field": "is"}}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean", near_duplicates=None)
    offline.run("mix", budget="100%")
    offline.run("export")
    card = (offline.root / "export" / "README.md").read_text(encoding="utf-8")
    told = card.split("## Licences of the drawn documents\n\n")[1].split("\n\n##")[0]
    rows = [line.split(" | ") for line in told.splitlines()[2:]]
    assert sorted((row[0], row[-1]) for row in rows) == [
        ("| MIT \\# Evil - x", "10 |"),
        ("| a\\|b", "10 |"),
        ("| no", "10 |"),
    ]
