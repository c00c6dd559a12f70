"""Answers made with other tools come in whole, and out again.

Label Studio's short JSON, CSV and CoNLL are written by its own converter here. The other exports
follow the tools' documentation, and Potato's what its 2.12 writes.
"""

import json
import shutil

import pytest

from curate.cells import unguarded
from curate.errors import DataError, MissingInput, RecipeError
from curate.forms import load_form
from curate.labels.settled import rows_of, settled_labels
from curate.labels.writing import write
from curate.pull import importing
from curate.pull.elsewhere import Elsewhere
from curate.pull.formats.registry import TOOLS
from tests.command import command
from tests.conftest import Offline

TEXTS = [
    "Nora flew to Oslo on Monday.",
    "今天王芳在上海开会。",
    "=Max(1) sold a boat, honestly",
    "Nothing happened at all.",
]
MOODS = ["positive", "neutral", "negative", "neutral"]
SPANS = [
    [(0, 4, "PERSON"), (13, 17, "LOC")],
    [(2, 4, "PERSON"), (5, 7, "LOC")],
    [(1, 4, "PERSON")],
    [],
]


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    run = Offline(tmp_path_factory.mktemp("pooled") / "run")
    rows = [{"text": text, "url": f"https://e.org/{n}"} for n, text in enumerate(TEXTS)]
    run.lines("texts.jsonl", rows)
    run.pool()
    run.run("clean", rules=[], near_duplicates=None)
    return run.root


@pytest.fixture
def pool(pooled, tmp_path):
    shutil.copytree(pooled, tmp_path / "run")
    return Offline(tmp_path / "run")


@pytest.fixture
def curate(monkeypatch, capsys):
    return command(monkeypatch, capsys)


def ids(run):
    by_text = {row["text"]: row["id"] for row in run.rows("pool")}
    return [by_text[text] for text in TEXTS]


def bring(run, path, tool, form, *, key=None, column=()):
    return importing.bring(
        run.workspace, path, load_form(form, run.root), Elsewhere.of(tool, key, column)
    )


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def spans_of(place):
    return [{"start": start, "end": end, "label": label} for start, end, label in SPANS[place]]


def values(run, question):
    """What each person said, by the text."""
    texts = dict(zip(ids(run), TEXTS, strict=True))
    return {
        (texts[row["id"]], row["annotator"]): json.loads(row["value"])
        for round_ in run.workspace.rounds.all()
        for row in round_.answers()
        if row["status"] == "submitted" and row["question"] == question
    }


def all_said(who, shown):
    return {(text, who): own for text, own in zip(TEXTS, shown, strict=True)}


EVERY_SPAN = [spans_of(place) for place in range(4)]

# ── one small export of each tool, of choices and of spans


def prodigy_moods(path, run):
    options = [{"id": own, "text": own.title()} for own in ("positive", "neutral", "negative")]
    rows = [
        {"text": text, "options": options, "accept": [mood], "answer": "accept"}
        | {"_annotator_id": "kim", "_timestamp": 1767225600 + n, "_view_id": "choice"}
        for n, (text, mood) in enumerate(zip(TEXTS, MOODS, strict=True))
    ]
    path.write_text(lines(rows))


def prodigy_spans(path, run):
    rows = [
        {"text": text, "spans": [{**own, "token_start": 0} for own in spans_of(n)]}
        | {"answer": "accept", "_session_id": "kim", "_input_hash": n}
        for n, text in enumerate(TEXTS)
    ]
    path.write_text(lines(rows))


def doccano_moods(path, run):
    rows = [
        {"id": n, "text": text, "label": [mood], "Comments": []}
        for n, (text, mood) in enumerate(zip(TEXTS, MOODS, strict=True))
    ]
    path.with_name("kim.jsonl").write_text(lines(rows))
    return path.with_name("kim.jsonl")


def doccano_spans(path, run):
    rows = [
        {"id": 7 * n, "text": text, "entities": entities, "relations": [], "Comments": []}
        for n, text in enumerate(TEXTS)
        for entities in [
            [
                {"id": at, "label": label, "start_offset": start, "end_offset": end}
                for at, (start, end, label) in enumerate(SPANS[n])
            ]
        ]
    ]
    folder = path.with_name("doccano")
    folder.mkdir()
    (folder / "kim.jsonl").write_text(lines(rows))
    return folder


def doccano_lists(path, run):
    rows = [{"text": text, "label": [[*own] for own in SPANS[n]]} for n, text in enumerate(TEXTS)]
    path.with_name("kim.jsonl").write_text(lines(rows))
    return path.with_name("kim.jsonl")


def studio(form, results):
    """A JSON export of Label Studio: its own task ids, an e-mail, a prediction."""
    return [
        {
            "id": 41 + n,
            "data": {"text": text},
            "annotations": [
                {
                    "id": 900 + n,
                    "completed_by": {"id": 3, "email": "kim"},
                    "result": results[n],
                    "was_cancelled": False,
                    "created_at": "2026-02-03T04:05:06Z",
                    "updated_at": "2026-02-03T04:05:09Z",
                    "lead_time": 3.5,
                }
            ],
            "predictions": [{"result": results[0]}],
        }
        for n, text in enumerate(TEXTS)
    ]


def mood_results():
    words = {"positive": "Positive", "neutral": "Neutral", "negative": "Negative"}
    return [
        [
            {"from_name": "sentiment", "to_name": "text", "type": "choices"}
            | {"value": {"choices": [words[mood]]}}
        ]
        for mood in MOODS
    ]


def span_results():
    return [
        [
            {"id": f"r{start}", "from_name": "entities", "to_name": "text", "type": "labels"}
            | {"value": {"start": start, "end": end, "text": TEXTS[n][start:end]}}
            | {"value": {"start": start, "end": end, "labels": [label], "text": "?"}}
            for start, end, label in SPANS[n]
        ]
        for n in range(4)
    ]


def studio_moods(path, run):
    path.write_text(json.dumps(studio("sentiment", mood_results())))


def studio_spans(path, run):
    path.write_text(json.dumps(studio("entities", span_results())))


def converted(path, form, results, way, file, **more):
    """What Label Studio's converter makes of such an export."""
    from label_studio_sdk.converter import Converter

    source = path.with_name("export.json")
    source.write_text(json.dumps(studio(form, results)))
    xml = path.with_name("form.xml")
    xml.write_text(load_form(form).xml)
    folder = path.with_name("converted")
    getattr(Converter(str(xml), str(path.parent)), way)(
        str(source), str(folder), is_dir=False, **more
    )
    return folder / file


def min_moods(path, run):
    return converted(path, "sentiment", mood_results(), "convert_to_json_min", "result.json")


def min_spans(path, run):
    return converted(path, "entities", span_results(), "convert_to_json_min", "result.json")


def csv_of_studio(path, run):
    more = {"sep": ",", "header": True}
    return converted(path, "sentiment", mood_results(), "convert_to_csv", "result.csv", **more)


def conll_of_studio(path, run):
    made = converted(path, "entities", span_results(), "convert_to_conll2003", "result.conll")
    made.rename(made.with_name("kim.conll"))
    return made.with_name("kim.conll")


def potato_state(path, run):
    folder = path.with_name("annotation_output") / "kim"
    folder.mkdir(parents=True)
    labels = {
        id: [[{"schema": "sentiment", "name": mood}, "true"]]
        for id, mood in zip(ids(run), MOODS, strict=True)
    }
    state = {"user_id": "kim", "instance_id_to_label_to_value": labels}
    state["instance_id_to_span_to_value"] = {}
    (folder / "user_state.json").write_text(json.dumps(state))
    return folder.parent


def potato_spans(path, run):
    rows = [
        {"instance_id": id, "user_id": "kim", "labels": {}}
        | {"spans": {"entities": [{"name": own["label"], **own} for own in spans_of(n)]}}
        for n, id in enumerate(ids(run))
    ]
    path.with_suffix(".jsonl").write_text(lines(rows))
    return path.with_suffix(".jsonl")


def mturk_moods(path, run):
    rows = ["HITId,WorkerId,AssignmentStatus,WorkTimeInSeconds,Input.text,Answer.sentiment.label"]
    rows += [
        f'h{n},kim,Approved,12,"{text}",{mood.title()}'
        for n, (text, mood) in enumerate(zip(TEXTS, MOODS, strict=True))
    ]
    path.write_text("\n".join(rows) + "\n")


def mturk_spans(path, run):
    rows = ["WorkerId,Input.id,Answer.taskAnswers"]
    for n, id in enumerate(ids(run)):
        entities = [
            {"startOffset": start, "endOffset": end, "label": label}
            for start, end, label in SPANS[n]
        ]
        said = json.dumps([{"entities": {"entities": entities}}]).replace('"', '""')
        rows.append(f'kim,{id},"{said}"')
    path.write_text("\n".join(rows) + "\n")


def conll_spans(path, run):
    """Words and marks, Chinese by letter; a text of two sentences is one."""
    out = []
    for n, text in enumerate(TEXTS):
        out.append("-DOCSTART- -X- O O")
        for at, letter in enumerate(text):
            tag = "O"
            for start, end, label in SPANS[n]:
                tag = f"{'B' if at == start else 'I'}-{label}" if start <= at < end else tag
            out += [f"{letter} _ _ {tag}"] if letter.strip() else []
        out.append("")
    path.with_name("kim.conll").write_text("\n".join(out))
    return path.with_name("kim.conll")


def csv_moods(path, run):
    cells = [f'"{text}",kim,{mood.upper()}' for text, mood in zip(TEXTS, MOODS, strict=True)]
    cells[2] = cells[2].replace('"=', "\"'=")  # as a careful program writes it
    path.write_text("\n".join(["text,annotator,sentiment", *cells]) + "\n", encoding="utf-8-sig")


def csv_spans(path, run):
    said = [json.dumps(own).replace('"', '""') for own in EVERY_SPAN]
    cells = [f'{id},kim,entities,"{own}"' for id, own in zip(ids(run), said, strict=True)]
    path.write_text("\n".join(["id,annotator,question,value", *cells]) + "\n")


MOOD_FILES = {
    "prodigy": prodigy_moods,
    "doccano": doccano_moods,
    "label_studio": studio_moods,
    "label_studio_min": min_moods,
    "potato": potato_state,
    "mturk": mturk_moods,
    "csv": csv_moods,
}
SPAN_FILES = {
    "prodigy": prodigy_spans,
    "doccano": doccano_spans,
    "label_studio": studio_spans,
    "label_studio_min": min_spans,
    "potato": potato_spans,
    "mturk": mturk_spans,
    "conll": conll_spans,
    "csv": csv_spans,
}


@pytest.mark.parametrize("tool", MOOD_FILES)
def test_choices_of_every_tool_come_in_whole_and_out_again(pool, tool, tmp_path):
    path = tmp_path / "export.json"
    path = MOOD_FILES[tool](path, pool) or path
    made = bring(pool, path, tool, "sentiment")
    assert (made.tasks, made.complete, made.statuses) == (4, 4, {"submitted": 4})
    assert made.warnings == ()
    (who,) = {own for _, own in values(pool, "sentiment")}
    assert values(pool, "sentiment") == all_said(who, MOODS)
    assert bring(pool, path, tool, "sentiment").new == 0  # the same file is the same round
    and_out_again(pool, "sentiment", tmp_path)


@pytest.mark.parametrize("tool", SPAN_FILES)
def test_spans_of_every_tool_come_in_whole_and_out_again(pool, tool, tmp_path):
    path = tmp_path / "export.json"
    path = SPAN_FILES[tool](path, pool) or path
    made = bring(pool, path, tool, "entities")
    assert made.statuses == {"submitted": 4}
    (who,) = {own for _, own in values(pool, "entities")}
    assert values(pool, "entities") == all_said(who, EVERY_SPAN)
    and_out_again(pool, "entities", tmp_path)


def and_out_again(pool, form, tmp_path):
    """What `curate labels` writes comes in as it went out."""
    pool.run("agree", bootstrap=0)
    said = values(pool, form)
    out = tmp_path / "labels.csv"
    write(out, settled_labels(pool.workspace, rows_of(pool.workspace)))
    rounds = len(pool.workspace.rounds.all())
    assert bring(pool, out, "csv", form).statuses == {"submitted": 4}
    assert len(pool.workspace.rounds.all()) == rounds + 1
    assert values(pool, form) == said


@pytest.mark.parametrize(
    ("make", "tool", "form", "shown"),
    [
        (doccano_lists, "doccano", "entities", EVERY_SPAN),
        (csv_of_studio, "csv", "sentiment", MOODS),
    ],
)
def test_other_shapes_of_the_same_tools(pool, make, tool, form, shown, tmp_path):
    assert bring(pool, make(tmp_path / "x", pool), tool, form).statuses == {"submitted": 4}
    (who,) = {own for _, own in values(pool, form)}
    assert values(pool, form) == all_said(who, shown)


def test_conll_of_label_studios_converter(pool, tmp_path):
    """It splits at white space alone, so words keep their marks, and Chinese is one word."""
    made = bring(pool, conll_of_studio(tmp_path / "x", pool), "conll", "entities")
    assert made.tasks >= 3
    said = values(pool, "entities")
    assert said[TEXTS[0], "kim"] == EVERY_SPAN[0]


# ── joining


def test_a_key_of_the_users_joins(pool, tmp_path):
    rows = [
        {"text": "other words", "label": [mood], "meta": {"url": f"https://e.org/{n}"}}
        for n, mood in enumerate(MOODS)
    ]
    rows.append({"label": ["neutral"], "meta": {"url": "https://e.org/99"}})
    path = tmp_path / "kim.jsonl"
    path.write_text(lines(rows))
    made = bring(pool, path, "doccano", "sentiment", key="meta.url")
    assert values(pool, "sentiment") == all_said("kim", MOODS)
    (warning,) = made.warnings
    assert warning.key == "pull.unjoined"
    assert "1 rows" in warning.words
    assert "kim.jsonl, line 5 (no document has this key)" in warning.words


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": "Never seen before.", "label": ["neutral"]}, "no document has this text"),
        ({"label": ["neutral"]}, "neither an id of curate's nor a text"),
        ({"text": TEXTS[0] + " ", "label": ["neutral"]}, "no document has this text"),
    ],
)
def test_what_cannot_be_joined_is_counted_with_examples(pool, row, why, tmp_path):
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"text": TEXTS[0], "label": ["positive"]}, row, row]))
    made = bring(pool, path, "doccano", "sentiment")
    assert made.statuses == {"submitted": 1}
    (warning,) = made.warnings
    assert (warning.figures["rows"], why in warning.words) == (2, True)
    path.write_text(lines([row]))
    rounds = pool.workspace.rounds.all()
    with pytest.raises(DataError, match=f"nothing can be joined: .*{why}"):
        bring(pool, path, "doccano", "sentiment")
    assert len(pool.workspace.rounds.all()) == len(rounds)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("One\r\ntwo \x07Nora\r\nthree", "Nora"),
        ("雨停了。\r\r\n李雷走了", "李雷"),
        ("\ufffd a\x00\x01 Pia b", "Pia"),
    ],
)
def test_offsets_of_other_line_ends_follow_the_canonical_text(offline, raw, words, tmp_path):
    offline.lines("texts.jsonl", [raw, "Another text."])
    offline.pool()
    start = raw.index(words)
    row = {"text": raw, "label": [[start, start + len(words), "PERSON"]]}
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([row]))
    bring(offline, path, "doccano", "entities")
    (round_,) = offline.workspace.rounds.all()
    (answer,) = round_.answers()
    text = next(own["text"] for own in offline.rows("pool") if own["id"] == answer["id"])
    (span,) = json.loads(answer["value"])
    assert text[span["start"] : span["end"]] == words


@pytest.mark.parametrize("has_text", [True, False])
def test_a_line_of_ours_may_hold_the_text_that_its_spans_count(offline, has_text):
    """Beside the text as it was, offsets are its own; without it they are the document's."""
    raw = "Line one.\r\nThen Ugo came."
    offline.lines("texts.jsonl", [raw, "Another text."])
    offline.pool()
    (row,) = (row for row in offline.rows("pool") if "Ugo" in row["text"])
    start = (raw if has_text else row["text"]).index("Ugo")
    span = {"start": start, "end": start + 3, "label": "PERSON"}
    line = {"id": row["id"], "question": "entities", "annotator": "kim", "value": [span]}
    path = offline.root / "answers.jsonl"
    path.write_text(lines([line | ({"text": raw} if has_text else {})]))
    importing.bring(offline.workspace, path, load_form("entities"))
    (answer,) = offline.workspace.rounds.all()[0].answers()
    (stored,) = json.loads(answer["value"])
    assert row["text"][stored["start"] : stored["end"]] == "Ugo"


def test_columns_can_be_declared(pool, tmp_path):
    path = tmp_path / "sheet.csv"
    cells = [f'x,"{text}",{mood}' for text, mood in zip(TEXTS, MOODS, strict=True)]
    path.write_text("\n".join(["who,body,mood", *cells]) + "\n")
    with pytest.raises(DataError, match="nothing can be joined"):
        bring(pool, path, "csv", "sentiment")
    bring(pool, path, "csv", "sentiment", column=["text=body", "sentiment=mood", "annotator=who"])
    assert values(pool, "sentiment") == all_said("x", MOODS)
    with pytest.raises(RecipeError, match="no column moods"):
        bring(pool, path, "csv", "sentiment", column=["sentiment=moods"])
    with pytest.raises(RecipeError, match="not NAME=COLUMN"):
        bring(pool, path, "csv", "sentiment", column=["mood"])
    with pytest.raises(RecipeError, match="no tool is called doccana"):
        bring(pool, path, "doccana", "sentiment")


def test_a_reviewers_rejection_comes_in_as_one(pool, tmp_path):
    path = tmp_path / "batch.csv"
    path.write_text(
        "WorkerId,AssignmentStatus,RequesterFeedback,Input.text,Answer.sentiment\n"
        f"W1,Rejected,too fast,{TEXTS[0]},positive\nW2,Approved,,{TEXTS[0]},negative\n"
    )
    made = bring(pool, path, "mturk", "sentiment")
    assert made.statuses == {"rejected": 1, "submitted": 1}
    assert made.rejected == {"rejected where it was made: too fast": 1}


def test_a_prodigy_skip_is_a_skip_and_a_wrong_label_is_rejected(pool, tmp_path):
    path = tmp_path / "db.jsonl"
    rows = [{"text": TEXTS[0], "accept": ["furious"], "answer": "accept"}]
    rows += [{"text": TEXTS[1], "accept": [], "answer": "ignore"}]
    path.write_text(lines(rows))
    made = bring(pool, path, "prodigy", "sentiment")
    assert made.statuses == {"rejected": 1, "skipped": 1}
    assert "'furious' is not one of the choices" in made.rejected


@pytest.mark.parametrize(
    ("tool", "text", "words"),
    [
        ("doccano", "{", "line 1: not JSON"),
        ("doccano", "[1]", "entry 1: not a JSON object"),
        ("label_studio", '{"a": 1}', "not a JSON list"),
        ("label_studio", '[{"text": "x"}]', "entry 1: no data"),
        ("potato", "{}", "no state of a person"),
        ("conll", "word\n", "line 1: a token without a tag"),
        ("csv", "text,sentiment\na,b,c\n", "row 2: more cells than columns"),
        ("mturk", 'Input.text,Answer.taskAnswers\na,"{"\n', "is not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_costs_a_line_and_leaves_no_round(
    pool, tool, text, words, tmp_path
):
    path = tmp_path / "export.json"
    path.write_text(text)
    form = "entities" if tool == "conll" else "sentiment"
    with pytest.raises(DataError, match=words):
        bring(pool, path, tool, form)
    with pytest.raises(DataError, match="no file"):
        bring(pool, tmp_path / "absent", tool, form)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not utf-16"):
        bring(pool, path, tool, form)
    assert pool.workspace.rounds.all() == []


# ── what is asked, for a tool to fill


def asked(run, form, **settings):
    run.run("sample", **{"n": 4, **settings})
    run.run("push", backend="folder", form=form, overlap=2)
    recipe = f"push: {{backend: folder, form: {form}, overlap: 2}}\n"
    (run.root / "recipe.yaml").write_text(recipe)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_template_holds_what_is_asked(pool, curate, tool, tmp_path):
    form = "entities" if tool == "conll" else "sentiment"
    asked(pool, form)
    path = tmp_path / "template.txt"
    arguments = ("pull", "-w", pool.root, "--answers", path, "--from", tool, "--template")
    code, out, _ = curate(*arguments, "--json")
    assert (code, json.loads(out)["texts"]) == (0, 4)
    text = unguarded(path.read_text(encoding="utf-8"))
    for id in ids(pool):
        assert id in text
    assert "王芳" in text.replace("\tO\n", "")
    code, _, err = curate(*arguments)
    assert (code, "exists already" in err) == (1, True)


def test_a_filled_template_comes_home(pool, curate, tmp_path):
    """Windows and masks too: the ids are of tasks, and offsets of what is shown."""
    asked(pool, "sentiment")
    path = tmp_path / "sheet.csv"
    curate("pull", "-w", pool.root, "--answers", path, "--from", "csv", "--template")
    head, *rest = path.read_text(encoding="utf-8").splitlines()
    assert head == "id,text,annotator,sentiment"
    assert any(line.split(",")[1].lstrip('"').startswith("'=Max") for line in rest)
    path.write_text("\n".join([head, *(line.rstrip(",") + ",kim,neutral" for line in rest)]))
    code, _, err = curate("pull", "-w", pool.root, "--answers", path, "--from", "csv")
    assert code == 0, err
    assert values(pool, "sentiment") == all_said("kim", ["neutral"] * 4)


def test_a_filled_template_of_windows_comes_home(offline, tmp_path):
    mail = "Write to ada@example.org today. "
    long = [f"{mail * 9}Zoe {n} was here. {mail * 9}" for n in range(3)]
    offline.lines("texts.jsonl", long)
    offline.pool()
    offline.run("clean", rules=[], near_duplicates=None, privacy="mask")
    asked(offline, "entities", n=3, window=90)
    how = Elsewhere.of("doccano", None, ())
    path = tmp_path / "kim.jsonl"
    form = load_form("entities")
    assert importing.write_template(offline.workspace, path, form, how) == 3
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        at = row["text"].index("today")
        row["label"] = [[at, at + 5, "LOC"]]
    path.write_text(lines(rows))
    made = importing.bring(offline.workspace, path, form, how)
    assert made.statuses == {"submitted": 3}
    text_of = {row["id"]: row["text"] for row in offline.rows("pool")}
    offline.run("agree", bootstrap=0)
    for row in offline.rows("labels"):
        if row["question"] == "entities":
            (span,) = json.loads(row["value"])
            assert text_of[row["id"]][span["start"] : span["end"]] == "today"
            assert row["start"] <= span["start"] < row["end"]


def test_a_template_needs_a_round(pool, tmp_path):
    with pytest.raises(MissingInput, match="there is no round yet"):
        importing.write_template(
            pool.workspace, tmp_path / "t.csv", load_form("sentiment"), Elsewhere("csv")
        )


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "csv"),
        ("--key", "meta.url"),
        ("--answers", "x.jsonl", "--template"),
        ("--answers", "x.jsonl", "--column", "text=body"),
        ("--answers", "x.csv", "--from", "cvs"),
    ],
)
def test_an_option_that_has_no_effect_is_refused(pool, curate, options):
    code, out, err = curate("pull", "-w", pool.root, *options)
    assert (code, out) == (2, "")
    assert err.count("\n") == 2


@pytest.mark.parametrize("tool", ["doccano", "prodigy", "label_studio"])
def test_imports_stand_in_status_and_in_the_list_of_rounds(pool, curate, tool, tmp_path):
    """No round has asked anybody yet; a second person answers half of the texts."""
    recipe = "pool: {sources: [{name: a, paths: ['data/*.jsonl']}]}\n"
    recipe += "push: {backend: folder, form: sentiment}\n"
    (pool.root / "recipe.yaml").write_text(recipe)
    path = tmp_path / "export.json"
    path = MOOD_FILES[tool](path, pool) or path
    bring(pool, path, tool, "sentiment")
    other = tmp_path / "lee.jsonl"
    rows = [{"text": text, "label": ["neutral"]} for text in (*TEXTS[:2], "unknown")]
    other.write_text(lines(rows))
    bring(pool, other, "doccano", "sentiment")
    code, out, err = curate("status", "-w", pool.root, "--json")
    assert code == 0, err
    report = json.loads(out)
    counts = [
        tuple(row[name] for name in ("purpose", "tasks", "complete", "answers", "annotators"))
        for row in report["rounds"]
    ]
    assert counts == [("import", 4, 4, 4, 1), ("import", 2, 2, 2, 1)]
    states = {row["stage"]: row["state"] for row in report["stages"]}
    assert states["push"] == "missing"
    code, out, _ = curate("round", "list", "-w", pool.root, "--json")
    assert json.loads(out)["rounds"] == report["rounds"]
