"""A template that a tool filled comes home: every tool, and every kind of question that it has."""

import csv
import io
import json

import pytest

from curate.backends.label_studio.values import write_items
from curate.forms import load_form
from curate.labels.settled import rows_of, settled_labels
from curate.labels.writing import WRITERS, write
from curate.pull import importing
from curate.pull.elsewhere import Elsewhere
from curate.run.stages import maker
from curate.workspace import Workspace
from tests.media_small import png, wav
from tests.pages_made import PageServer

PAIR = """<View><Text name="p" value="$prompt"/><Text name="r" value="$reply"/>
<Labels name="slips" toName="p,r"><Label value="Slip"/></Labels></View>"""
BETTER = """<View><Text name="p" value="$prompt"/><Text name="r" value="$reply"/>
<Choices name="better" toName="p"><Choice value="First" alias="prompt"/>
<Choice value="Second" alias="reply"/><Choice value="Same" alias="tie"/></Choices></View>"""


def texts(offline, form):
    offline.lines("texts.jsonl", [f"Nora met\u00a0Bo {n}.\r\n=1+{n}; 王芳" for n in range(3)])
    offline.pool()


def fields(offline, form):
    rows = [{"prompt": f"Ask {n}?", "reply": f"Well, {n} erm yes."} for n in range(3)]
    path = offline.lines("chats.jsonl", rows)
    sources = [{"paths": [str(path)], "fields": {"prompt": "prompt", "reply": "reply"}}]
    offline.run("pool", sources=sources, tokenizer="bytes")


def media(offline, form):
    field, make = ("image", png) if form == "boxes" else ("audio", wav)
    (offline.root / "data").mkdir()
    suffix = "png" if field == "image" else "wav"
    for n in range(3):
        (offline.root / "data" / f"{n}.{suffix}").write_bytes(make(n))
    rows = [{"caption": f"number {n}", field: f"{n}.{suffix}"} for n in range(3)]
    offline.lines("media.jsonl", rows)
    server = PageServer(offline.root / "rounds")
    offline.workspace = Workspace(
        offline.root, engine=offline.workspace.engine, connect=lambda name: server, maker=maker
    )
    sources = [{"paths": ["data/media.jsonl"], "fields": ["caption"], "media": [field]}]
    offline.run("pool", sources=sources, tokenizer="bytes")


SPAN = {"start": 0, "end": 4, "label": "PERSON"}
BOX = {"x": 25.0, "y": 50.0, "width": 12.5, "height": 25.0, "label": "animal"}
BOX["field"] = "image"
REGION = {"start": 0.125, "end": 0.25, "label": "music", "field": "audio"}
FORMS = {
    "sentiment": (texts, "sentiment", "negative", {}),
    "flags": (texts, "flags", ["spam", "language"], {}),
    "quality": (texts, "quality", 4, {}),
    "comment": (texts, None, "好；=1", {}),
    "entities": (texts, "entities", [SPAN], {}),
    "comparison": (texts, "better", "b", {"compare": True, "n": 1}),
    "pair": (fields, "slips", [{**SPAN, "label": "Slip", "field": "reply"}], {}),
    "better": (fields, "better", "tie", {}),
    "boxes": (media, "boxes", [BOX], {}),
    "regions": (media, "regions", [REGION], {}),
}


def prodigy(row, form, question, value):
    if question.kind == "boxes":
        size = {"width": 32, "height": 32}
        pixels = {"x": 8.0, "y": 16.0, "width": 4.0, "height": 8.0, "label": "animal"}
        return {**row, **size, "spans": [pixels | {"type": "rect"}], "answer": "accept"}
    said = {
        "regions": {"audio_spans": value},
        "entities": {"spans": value},
        "comment": {"user_input": value},
    }
    return {**row, **said.get(question.kind, {"accept": value}), "answer": "accept"}


def doccano(row, form, question, value):
    marks = [[one["start"], one["end"], one["label"]] for one in value] if spans(value) else value
    return {**row, "id": 7, "label": marks if isinstance(marks, list) else [marks]}


def potato(row, form, question, value):
    if spans(value):
        own = [{**one, "target_field": one.get("field")} for one in value]
        return {**row, "instance_id": row["id"], "user_id": "kim", "spans": {question.name: own}}
    labels = value if isinstance(value, list) else [value]
    key = {"comment": "text_box", "rating": "scale_4"}.get(question.kind)
    said = {question.name: {key or own: str(own) for own in labels}}
    return {"instance_id": row["id"], "user_id": "kim", "labels": said}


def label_studio(row, form, question, value):
    result = write_items(form, question.name, value)
    return {**row, "id": 1, "annotations": [{"completed_by": 3, "result": result}]}


def short(row, form, question, value):
    return {**row["data"], "id": 1, "annotation_id": 2, "annotator": 3, question.name: value}


def cell(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table(row, form, question, value):
    return {**row, "annotator": "kim", question.name: cell(value)}


def mturk(row, form, question, value):
    inputs = {f"Input.{name}": own for name, own in row.items()}
    return {"WorkerId": "W1", **inputs, f"Answer.{question.name}": cell(value)}


def spans(value):
    return isinstance(value, list) and isinstance(value[0], dict)


LINES, LIST, CELLS = "jsonl", "json", "csv"
FILL = {
    "prodigy": (LINES, prodigy),
    "doccano": (LINES, doccano),
    "potato": (LINES, potato),
    "label_studio": (LIST, label_studio),
    "label_studio_min": (LIST, short),
    "csv": (CELLS, table),
    "mturk": (CELLS, mturk),
}
LACKING = {
    *(("doccano", form) for form in ("pair", "boxes", "regions")),
    *(("potato", form) for form in ("boxes", "regions")),
}


def filled(text, form, question, value, tool):
    """A template as the tool gives it back."""
    kind, fill = FILL[tool]
    if kind == CELLS:
        rows = [fill(row, form, question, value) for row in csv.DictReader(io.StringIO(text))]
        out = io.StringIO()
        writer = csv.DictWriter(out, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()
    rows = json.loads(text) if kind == LIST else [*map(json.loads, text.splitlines())]
    rows = [fill(row, form, question, value) for row in rows]
    if kind == LIST:
        return json.dumps(rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize("name", FORMS)
def test_a_filled_template_of_every_tool_comes_home(offline, name, tmp_path):
    make, question, value, settings = FORMS[name]
    make(offline, name)
    (offline.root / "label_configs").mkdir(exist_ok=True)
    (offline.root / "label_configs" / "pair.xml").write_text(PAIR)
    (offline.root / "label_configs" / "better.xml").write_text(BETTER)
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", **{"n": 3, **settings})
    offline.run("push", backend="folder", form=name, overlap=1)
    form = load_form(name, offline.root)
    asked = form.question(question) if question else form.questions[0]
    tasks = {task["id"] for task in offline.tasks}
    views = offline.workspace.rounds.current().views()
    for tool in FILL:
        if (tool, name) in LACKING:
            continue
        path = tmp_path / f"{tool}.{FILL[tool][0]}"
        how = Elsewhere.of(tool, None, ())
        importing.write_template(offline.workspace, path, form, how)
        path.write_text(filled(path.read_text(), form, asked, value, tool), newline="")
        made = importing.bring(offline.workspace, path, form, how)
        assert (made.rejected, made.statuses) == ({}, {"submitted": len(tasks)}), tool
        rows = offline.workspace.rounds.all()[-1].answers()
        assert {row["id"] for row in rows} == tasks
        for row in rows:
            shown = views[row["id"]].shown(json.loads(row["value"]), asked.kind)
            assert shown == value, tool
    if asked.kind != "comment":
        what_goes_out_comes_in(offline, form, tmp_path)


def what_goes_out_comes_in(run, form, tmp_path):
    """The labels as a file of each format hold what everybody said."""
    run.run("agree", bootstrap=0)
    labels = settled_labels(run.workspace, rows_of(run.workspace))
    said = {(row.id, own.annotator) for row in labels for own in row.answers}
    before = everything(run)
    assert len(before) == len(said) > 0
    for suffix in WRITERS:
        path = tmp_path / f"labels{suffix}"
        write(path, labels)
        importing.bring(run.workspace, path, form)
        assert len(run.workspace.rounds.all()[-1].answers()) == len(before), suffix
        assert everything(run) == before, suffix


def everything(run):
    """Everybody's newest value for each task."""
    return {
        (row["id"], row["annotator"]): json.loads(row["value"])
        for round_ in run.workspace.rounds.all()
        for row in round_.answers()
    }
