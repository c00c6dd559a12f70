"""Exports of other tools as their sources write them: formats, offsets, encodings, archives.

doccano's CSV, fastText and old JSON follow its exporters, Potato's tables those of 1.2 and 2.12,
Prodigy's lines its interfaces, MTurk's columns results of batches that people have published.
"""

import errno
import gzip
import json
import shutil
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import DataError, RecipeError
from curate.forms import load_form
from curate.pull import importing
from curate.pull.elsewhere import Elsewhere
from curate.pull.formats.files import unpacked
from tests.conftest import Offline

TEXTS = [
    "Nora 🚣 rowed to Oslo on Monday.",
    "𠮷田在东京开会，王芳也来了。",
    "Two  spaces,\n\nand lines. Bo left.",
    "Andr\u00e9 met Jos\u00e9 in Pau.",
    '=sum; says "Ann", then\nleaves',
    "Nothing happened.",
]
NAMES = [
    [("Nora", "PERSON"), ("Oslo", "LOC")],
    [("𠮷田", "PERSON"), ("东京", "LOC"), ("王芳", "PERSON")],
    [("Bo", "PERSON")],
    [("Andr\u00e9", "PERSON"), ("Jos\u00e9", "PERSON"), ("Pau", "LOC")],
    [("Ann", "PERSON")],
    [],
]
MARKS = [
    [(text.index(words), text.index(words) + len(words), label) for words, label in names]
    for text, names in zip(TEXTS, NAMES, strict=True)
]
FORMS = {
    "few": """<View><Text name="body" value="$text"/>
<Choices name="kind" toName="body" choice="multiple">
  <Choice value="广告、推广" alias="ad"/><Choice value="Rude; or worse" alias="rude"/>
</Choices>
<Rating name="stars" toName="body" maxRating="5"/>
<TextArea name="why" toName="body"/><TextArea name="hint" toName="body"/></View>""",
    "mixed": """<View><Text name="text" value="$text"/>
<Labels name="names" toName="text"><Label value="PERSON"/><Label value="LOC"/></Labels>
<Choices name="mood" toName="text"><Choice value="good"/><Choice value="C#"/></Choices>
<Choices name="flags" toName="text" choice="multiple"><Choice value="x"/><Choice value="y"/>
</Choices></View>""",
    "pair": """<View><Text name="p" value="$prompt"/><Text name="r" value="$reply"/>
<Labels name="slips" toName="p,r"><Label value="Slip"/></Labels></View>""",
}


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    run = Offline(tmp_path_factory.mktemp("pooled") / "run")
    rows = [{"text": text, "nr": n, "link": f"l{n}"} for n, text in enumerate(TEXTS)]
    run.lines("texts.jsonl", rows)
    run.pool()
    (run.root / "label_configs").mkdir(exist_ok=True)
    for name, xml in FORMS.items():
        (run.root / "label_configs" / f"{name}.xml").write_text(xml)
    return run.root


@pytest.fixture
def pool(pooled, tmp_path):
    shutil.copytree(pooled, tmp_path / "run")
    return Offline(tmp_path / "run")


def bring(run, path, tool, form, *, key=None, column=(), offsets=None):
    how = Elsewhere.of(tool, key, column, offsets)
    return importing.bring(run.workspace, path, load_form(form, run.root), how)


def said(run, question=None):
    """What came in, by the number of the text, the person and the question; spans as triples."""
    number_of = {row["id"]: TEXTS.index(row["text"]) for row in run.rows("pool")}
    return {
        (number_of[row["id"]], row["annotator"], row["question"]): plain(json.loads(row["value"]))
        for round_ in run.workspace.rounds.all()
        for row in round_.answers()
        if row["status"] == "submitted" and question in (None, row["question"])
    }


def plain(value):
    marks = isinstance(value, list) and value and isinstance(value[0], dict)
    return [(one["start"], one["end"], one["label"]) for one in value] if marks else value


def every_mark(who="kim", texts=range(6), question="entities"):
    return {(n, who, question): MARKS[n] for n in texts}


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def ids(run):
    by_text = {row["text"]: row["id"] for row in run.rows("pool")}
    return [by_text[text] for text in TEXTS]


def as_utf16(text, start, end):
    return tuple(len(text[:at].encode("utf-16-le")) // 2 for at in (start, end))


def as_shown(text, start, end):
    """Offsets in the text as a page shows it: one space for each run of white space."""
    before = len(" ".join((text[:start] + "|").split())) - 1
    return before, before + len(" ".join(text[start:end].split()))


# ── what offsets count


def doccano_row(n, units=lambda text, start, end: (start, end)):
    label = [[*units(TEXTS[n], start, end), label] for start, end, label in MARKS[n]]
    return {"id": 70 + n, "text": TEXTS[n], "label": label, "Comments": []}


@pytest.mark.parametrize(("units", "note"), [(as_utf16, True), (lambda _, *own: own, False)])
def test_doccano_counts_utf16_units_unless_its_spans_tell_otherwise(pool, units, note, tmp_path):
    path = tmp_path / "kim.jsonl"
    path.write_text(lines(doccano_row(n, units) for n in range(6)))
    made = bring(pool, path, "doccano", "entities")
    assert said(pool) == every_mark()
    assert any("utf-16" in own for own in made.notes) == note
    assert "pull.offsets" not in {own.key for own in made.warnings}


@pytest.mark.parametrize(("offsets", "shift"), [(None, 0), ("utf-16", 1)])
def test_spans_that_tell_nothing_of_their_unit_are_doubtful(pool, offsets, shift, tmp_path):
    """Each of the ideographs behind the rare one may be a name."""
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"text": TEXTS[1], "label": [[4, 5, "LOC"]]}]))
    made = bring(pool, path, "doccano", "entities", offsets=offsets)
    assert said(pool) == {(1, "kim", "entities"): [(4 - shift, 5 - shift, "LOC")]}
    assert [own.key for own in made.warnings if own.key == "pull.offsets"] == (
        [] if offsets else ["pull.offsets"]
    )


@pytest.mark.parametrize("units", [as_shown, lambda text, *own: own])
def test_potato_counts_the_text_as_its_page_shows_it(pool, units, tmp_path):
    rows = [
        {"instance_id": id, "user_id": "kim", "labels": {}, "spans": {"entities": spans}}
        for n, id in enumerate(ids(pool))
        for spans in [
            [
                dict(zip(("start", "end"), units(TEXTS[n], start, end), strict=True))
                | {"schema": "entities", "name": label, "title": label}
                for start, end, label in MARKS[n]
            ]
        ]
    ]
    path = tmp_path / "annotations.jsonl"
    path.write_text(lines(rows))
    bring(pool, path, "potato", "entities")
    assert said(pool) == every_mark()


def test_words_beside_a_span_tell_its_unit(pool, tmp_path):
    """The person marked a part of a word, which no rule of words would allow."""
    start, end = as_utf16(TEXTS[0], 17, 19)
    span = {"start": start, "end": end, "label": "LOC", "text": "sl"}
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"text": TEXTS[0], "spans": [span], "answer": "accept"}]))
    bring(pool, path, "prodigy", "entities")
    assert TEXTS[0][17:19] == "sl"
    assert said(pool) == {(0, "kim", "entities"): [(17, 19, "LOC")]}


def test_texts_whose_accents_are_composed_otherwise_are_joined(pool, tmp_path):
    text = TEXTS[3].replace("\u00e9", "e\u0301")
    spans = [[0, 6, "PERSON"], [11, 16, "PERSON"], [20, 23, "LOC"]]
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"text": text, "label": spans}]))
    made = bring(pool, path, "doccano", "entities")
    assert said(pool) == every_mark(texts=[3])
    assert any("accents are composed otherwise" in own for own in made.notes)


# ── doccano


@pytest.mark.parametrize(
    ("name", "text", "form", "expected"),
    [
        (
            "kim.csv",
            'id,text,label,Comments\n1,Nothing happened.,C#,why#not\n2,"=sum; says ""Ann"", then\n'
            'leaves",good,\n',
            "mixed",
            {(5, "kim", "mood"): "C#", (4, "kim", "mood"): "good"},
        ),
        (
            "kim.csv",
            "id,text,label,nr\n1,Nothing happened.,Rude; or worse#广告、推广,5\n",
            "few",
            {(5, "kim", "kind"): ["rude", "ad"]},
        ),
        (
            "kim.txt",
            "__label__Rude; or worse __label__广告、推广 Nothing happened.\n"
            '__label__rude =sum; says "Ann", then\nleaves\n',
            "few",
            {(5, "kim", "kind"): ["rude", "ad"], (4, "kim", "kind"): ["rude"]},
        ),
        (
            "kim.jsonl",
            '{"id": 1, "data": "Nothing happened.", "label": {"cats": ["good"], "entities": []}}\n'
            '{"id": 2, "data": "Nothing happened."}\n',
            "mixed",
            {(5, "kim", "mood"): "good", (5, "kim", "names"): []},
        ),
        (
            "kim.jsonl",
            '{"text": "Nothing happened.", "annotations": [{"label": "good", "user": 3}, '
            '{"label": "C#", "user": 4}]}\n',
            "mixed",
            {(5, "3", "mood"): "good", (5, "4", "mood"): "C#"},
        ),
    ],
)
def test_other_exports_of_doccano(pool, name, text, form, expected, tmp_path):
    (tmp_path / name).write_text(text)
    bring(pool, tmp_path / name, "doccano", form)
    assert said(pool) == expected


def test_the_archive_of_doccano_is_read_as_its_folder(pool, tmp_path):
    path = tmp_path / "1a2b.zip"
    rows = [doccano_row(n, as_utf16) for n in range(6)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("王芳.jsonl", lines(rows))
        archive.writestr("admin.jsonl", lines({**row, "label": []} for row in rows))
        archive.writestr("__MACOSX/._王芳.jsonl", b"\0\5\26\7")
    made = bring(pool, path, "doccano", "entities")
    assert said(pool) == every_mark("王芳")
    assert made.statuses == {"submitted": 6}
    assert bring(pool, path, "doccano", "entities").new == 0


def test_a_project_of_spans_asks_no_other_question(pool, tmp_path):
    path = tmp_path / "kim.jsonl"
    path.write_text(lines(doccano_row(n) for n in (2, 5)))
    made = bring(pool, path, "doccano", "mixed")
    assert said(pool) == every_mark(texts=[2, 5], question="names")
    assert "no row answers mood, flags" in "; ".join(own.words for own in made.warnings)


# ── Prodigy


def test_interfaces_of_prodigy(pool, tmp_path):
    """Each of another recipe; spans that only highlight patterns are no answers."""
    options = [{"id": "good", "text": "Good"}, {"id": "C#", "text": "C#"}]
    pattern = [{"start": 0, "end": 7, "label": "PERSON", "pattern": 12}]
    head = {"start": 0, "end": 2, "label": "PERSON"}
    common = {"_input_hash": 1, "_task_hash": 2, "_annotator_id": "d-kim", "_session_id": "d-kim"}
    rows = [
        {"text": TEXTS[5], "label": "good", "spans": pattern, "_view_id": "classification"},
        {"text": TEXTS[0], "options": options, "accept": ["C#"], "_view_id": "choice"},
        {"text": TEXTS[2], "tokens": [], "spans": [], "_view_id": "spans_manual"},
        {
            **{"text": TEXTS[4], "spans": [{"start": 12, "end": 15, "label": "PERSON"}]},
            **{"relations": [{"head": 0, "child": 1, "head_span": head, "label": "of"}]},
            "_view_id": "relations",
        },
        {"text": TEXTS[3], "label": "good", "answer": "reject", "_view_id": "classification"},
    ]
    path = tmp_path / "db.jsonl"
    path.write_text(lines({"answer": "accept", **common, **row} for row in rows))
    made = bring(pool, path, "prodigy", "mixed")
    assert said(pool) == {
        (5, "d-kim", "mood"): "good",
        (0, "d-kim", "mood"): "C#",
        (2, "d-kim", "names"): [],
        (4, "d-kim", "names"): [(12, 15, "PERSON")],
    }
    assert made.rejected == {
        "the form has no question relations": 1,
        "rejected where it was made": 1,
    }


def test_fields_of_prodigys_blocks_are_named_as_questions(pool, tmp_path):
    row = {"text": TEXTS[5], "why": "because", "hint": "none", "accept": [5]}
    row["options"] = [{"id": n, "text": "★" * n} for n in range(1, 6)]
    path = tmp_path / "db.jsonl"
    path.write_text(lines([row | {"answer": "accept"}]))
    bring(pool, path, "prodigy", "few", column=["stars=accept"])
    assert said(pool) == {
        (5, "db", "stars"): 5,
        (5, "db", "why"): "because",
        (5, "db", "hint"): "none",
    }


@pytest.mark.parametrize(
    ("tool", "row"),
    [
        ("prodigy", doccano_row(2)),
        ("doccano", {"text": TEXTS[2], "spans": [{"start": 26, "end": 28, "label": "PERSON"}]}),
        ("label_studio_min", doccano_row(2)),
        ("csv", doccano_row(2)),
    ],
)
def test_a_file_of_another_tool_makes_up_no_empty_answers(pool, tool, row, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps([row]) if tool.startswith("label") else lines([row]))
    with pytest.raises(DataError, match=r"x\.jsonl answers no question"):
        bring(pool, path, tool, "entities")


# ── Label Studio


def test_a_question_that_a_project_never_asked_is_open(pool, tmp_path):
    """Drafts and predictions are no answers; several people, one of whom skipped."""
    choice = {"from_name": "mood", "to_name": "text", "type": "choices"}
    results = [[choice | {"value": {"choices": ["good"]}}], [choice | {"value": {"choices": []}}]]
    people = [{"id": 1, "email": "a@b.org"}, {"id": 2, "email": "c@d.org"}]
    annotations = [
        {"id": n, "completed_by": who, "result": result, "ground_truth": n == 0}
        for n, (who, result) in enumerate(zip(people, results, strict=True))
    ]
    annotations.append({"completed_by": 9, "result": [], "was_cancelled": True})
    own = {"id": 1, "data": {"text": TEXTS[5]}, "annotations": annotations}
    own |= {"drafts": [{"user": "e@f.org", "result": results[0]}], "predictions": [{"result": []}]}
    path = tmp_path / "p.json"
    path.write_text(json.dumps([own]), encoding="utf-16")
    made = bring(pool, path, "label_studio", "mixed")
    assert said(pool) == {(5, "a@b.org", "mood"): "good"}
    assert made.statuses == {"submitted": 1, "skipped": 1}


# ── Potato


def test_tables_of_potato_1(pool, tmp_path):
    """`scheme:::label` with the value of the input, spans as Python writes them, by their label."""
    head = "user,instance_id,displayed_text,mood:::good,mood:::C#,flags:::x,flags:::y,"
    head += "span_annotation:::PERSON,span_annotation:::LOC\n"
    span = "[{'start': 25, 'end': 27, 'span': 'Bo', 'annotation': 'PERSON'}]"
    rows = f'ann,i1,"{TEXTS[2]}",1,,x,y,"{span}",[]\nbo,i2,{TEXTS[5]},,2,,,[],[]\n'
    path = tmp_path / "annotated_instances.csv"
    path.write_text(head + rows)
    bring(pool, path, "potato", "mixed")
    assert said(pool) == {
        (2, "ann", "mood"): "good",
        (2, "ann", "flags"): ["x", "y"],
        (2, "ann", "names"): MARKS[2],
        (5, "bo", "mood"): "C#",
        (5, "bo", "flags"): [],
        (5, "bo", "names"): [],
    }


def test_tables_of_potato_2(pool, tmp_path):
    """`scheme.label`, a scheme alone, and spans as JSON with their words; a list to choose from."""
    spans = json.dumps([{"start": 12, "end": 15, "name": "PERSON", "text": "Ann"}])
    cell = spans.replace('"', '""')
    path = tmp_path / "annotations.tsv"
    head = ["instance_id", "user_id", "mood", "mood.select-one", "flags.x", "names._spans", "nr"]
    rows = [
        ["i4", "ann", "", "C#", "", f'"{cell}"', "4"],
        ["i5", "bo", "good", "", "true", "", "5"],
    ]
    path.write_text("\n".join("\t".join(row) for row in [head, *rows]) + "\n")
    bring(pool, path, "potato", "mixed", key="meta.nr")
    assert said(pool) == {
        (4, "ann", "mood"): "C#",
        (4, "ann", "names"): MARKS[4],
        (5, "bo", "mood"): "good",
        (5, "bo", "flags"): ["x"],
        (5, "bo", "names"): [],
    }


def test_the_folder_of_potato_1_has_lines_for_each_person(pool, tmp_path):
    """Its `.json` holds lines too; the file of all people says the same once more."""
    row = {"id": "i5", "displayed_text": TEXTS[5], "span_annotations": []}
    for who, mood in (("ann", "good"), ("王芳", "C#")):
        (tmp_path / "out" / who).mkdir(parents=True)
        own = row | {"label_annotations": {"mood": {mood: mood}}, "behavioral_data": {}}
        (tmp_path / "out" / who / "annotated_instances.json").write_text(lines([own, own]))
        (tmp_path / "out" / who / "annotation_order.txt").write_text("i5\n")
    (tmp_path / "out" / "annotated_instances.json").write_text(lines([row | {"user_id": "all"}]))
    bring(pool, tmp_path / "out", "potato", "mixed")
    assert said(pool) == {(5, "ann", "mood"): "good", (5, "王芳", "mood"): "C#"}


# ── MTurk


def test_columns_of_parts_and_reviews_of_mturk(pool, tmp_path):
    head = "HITId,WorkerId,AssignmentStatus,SubmitTime,WorkTimeInSeconds,Input.text,"
    head += "Answer.names.entities,Answer.mood.good,Answer.mood.C#,Answer.flags,Approve,Reject\n"
    spans = json.dumps([{"startOffset": 12, "endOffset": 15, "label": "PERSON"}])
    spans = spans.replace('"', '""')
    text = TEXTS[4].replace('"', '""')
    rows = [
        f'h1,W1,Submitted,Tue Nov 03 09:12:01 PST 2026,7,"{text}","{spans}",true,false,x|y,x,',
        f'h1,W2,Submitted,Sat Jul 04 09:12:01 PDT 2026,7,"{text}",[],false,true,,,spam',
    ]
    path = tmp_path / "Batch_1_batch_results.csv"
    path.write_text(head + "\n".join(rows) + "\n")
    made = bring(pool, path, "mturk", "mixed")
    assert said(pool) == {
        (4, "W1", "names"): MARKS[4],
        (4, "W1", "mood"): "good",
        (4, "W1", "flags"): ["x", "y"],
    }
    assert made.rejected == {"rejected where it was made: spam": 2}
    times = {row["annotator"]: row["at"] for row in pool.workspace.rounds.all()[0].answers()}
    assert times["W1"].isoformat() == "2026-11-03T17:12:01+00:00"
    assert times["W2"].isoformat() == "2026-07-04T16:12:01+00:00"


# ── CoNLL


CONLLU = """\
# newdoc id = a
# sent_id = a-1
# text = Two  spaces,
1\tTwo\ttwo\tNUM\t_\t_\t2\tnummod\t_\t_
2-3\tspaces,\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tspaces\tspace\tNOUN\t_\t_\t0\troot\t_\t_
3\t,\t,\tPUNCT\t_\t_\t2\tpunct\t_\t_
3.1\tghost\t_\t_\t_\t_\t_\t_\t_\tNER=B-LOC

1\tand\tand\tCCONJ\t_\t_\t2\tcc\t_\t_
2\tlines.\tline\tNOUN\t_\t_\t0\troot\t_\t_
3-4\tBo\t_\t_\t_\t_\t_\t_\t_\t_
3\tB\t_\tPROPN\t_\t_\t5\tnsubj\t_\tNER=B-PERSON|Case=Nom
4\to\t_\tPROPN\t_\t_\t5\tnsubj\t_\tNER=I-PERSON
5\tleft\tleave\tVERB\t_\t_\t2\tconj\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_

"""


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (CONLLU, ()),
        (
            "# global.columns = ID FORM PARSEME:NE\n1\tTwo\t*\n2\tspaces,\t*\n3\tand\t*\n"
            "4\tlines.\t*\n5\tBo\tB-PERSON\n6\tleft.\t*\n",
            (),
        ),
        (
            "O Two x\nO spaces, x\nO and x\nO lines. x\nB-PERSON Bo x\nO left. x\n",
            ("text=2", "entities=1"),
        ),
        (
            "Two\t_\tO\t1\nspaces,\t_\tO\t2\nand\t_\tO\t3\nlines.\t_\tO\t4\nBo\t_\tU-PERSON\t5\n"
            "left.\t_\tO\t6\n",
            ("entities=3",),
        ),
    ],
)
def test_tags_stand_in_other_columns(pool, text, column, tmp_path):
    path = tmp_path / "kim.conllu"
    path.write_text(text)
    bring(pool, path, "conll", "entities", column=column)
    assert said(pool) == every_mark(texts=[2])


def test_a_column_that_is_not_there_is_told(pool, tmp_path):
    path = tmp_path / "kim.conll"
    path.write_text("Two O\n")
    with pytest.raises(RecipeError, match=r"kim\.conll has no column 4"):
        bring(pool, path, "conll", "entities", column=["entities=4"])
    path.write_text("Two _ _ O\nspaces, O\n")
    with pytest.raises(DataError, match="line 2: 2 columns"):
        bring(pool, path, "conll", "entities", column=["entities=4"])


def test_a_template_of_conll_has_a_line_for_each_ideograph(pool, tmp_path):
    pool.run("clean", rules=[], near_duplicates=None)
    pool.run("sample", n=6)
    pool.run("push", backend="folder", form="entities", overlap=1)
    form, how = load_form("entities", pool.root), Elsewhere.of("conll", None, ())
    path = tmp_path / "kim.conll"
    assert importing.write_template(pool.workspace, path, form, how) == 6
    text = path.read_text()
    for words, tagged in [("东\tO\n京", "东\tB-LOC\n京\tE-LOC\n"), ("Ann", "Ann\tS-PERSON\n")]:
        assert f"{words}\tO\n" in text
        text = text.replace(f"{words}\tO\n", tagged)
    path.write_text(text)
    bring(pool, path, "conll", "entities")
    assert {key: own for key, own in said(pool).items() if own} == {
        (1, "kim", "entities"): [MARKS[1][1]],
        (4, "kim", "entities"): MARKS[4],
    }


# ── tables


HEAD = "text,sentiment\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("kim.csv", f"{HEAD}Nothing happened.,neutral\n".encode("utf-16")),
        ("kim.csv", b"sep=;\r\nText; Sentiment\r\nNothing happened.;neutral\r\n"),
        ("kim.csv", "\ufeffTEXT|SENTIMENT\nNothing happened.|neutral\n".encode()),
        ("kim.tsv", b"sentiment\ttext\tx, y; z\nneutral\tNothing happened.\t\t\t\n"),
        ("kim.csv", "文本,sentiment,标注员\nNothing happened.,neutral,kim\n".encode("gb18030")),
        ("kim.csv.gz", gzip.compress(f"{HEAD}Nothing happened.,neutral\n".encode())),
        ("kim.jsonl", b'{"id": 7.0, "text": "Nothing happened.", "sentiment": "Neutral"}\n'),
        ("kim.json", b'[{"text": "Nothing happened.", "sentiment": ["neutral"]}]'),
        ("kim.csv", b"text,sentiment,Time,seconds\nNothing happened.,neutral,noon,1:30\n"),
    ],
)
def test_tables_as_programs_write_them(pool, name, data, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    bring(pool, path, "csv", "sentiment")
    assert said(pool) == {(5, "kim", "sentiment"): "neutral"}


def test_a_folder_and_an_archive_hold_a_table_for_each_person(pool, tmp_path):
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "ann.csv").write_text(f"{HEAD}Nothing happened.,neutral\n")
    (folder / "bo.tsv").write_text("text\tsentiment\nNothing happened.\tpositive\n")
    (folder / "._ann.csv").write_bytes(b"\0")
    expected = {(5, "ann", "sentiment"): "neutral", (5, "bo", "sentiment"): "positive"}
    bring(pool, folder, "csv", "sentiment")
    assert said(pool) == expected
    path = shutil.make_archive(str(tmp_path / "sheets"), "zip", folder)
    bring(pool, tmp_path / path, "csv", "sentiment")
    assert len(pool.workspace.rounds.all()) == 2
    assert said(pool) == expected


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("text,sentiment_ann,sentiment_王芳", ()),
        ("text,ann:sentiment,王芳:sentiment", ()),
        ("text,ann,王芳", ("sentiment=ann", "sentiment=王芳")),
    ],
)
def test_a_column_for_each_person(pool, head, column, tmp_path):
    path = tmp_path / "all.csv"
    path.write_text(f"{head}\n{TEXTS[5]},neutral,Positive\n{TEXTS[3]},,negative\n")
    bring(pool, path, "csv", "sentiment", column=column)
    assert said(pool) == {
        (5, "ann", "sentiment"): "neutral",
        (5, "王芳", "sentiment"): "positive",
        (3, "王芳", "sentiment"): "negative",
    }


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.csv", b"text,sentiment,sentiment\na,b,c\n", "two columns are called sentiment"),
        ("x.csv", b"", "nothing can be joined: it has no answers"),
        ("x.zip", b"PK\3\4 and no more", "nothing can be joined|not a ZIP"),
        ("x.csv.gz", gzip.compress(b"text,sentiment\n" * 99)[:-9], "ends too early"),
        ("x.parquet", b"PAR1 and no more PAR1", "not Parquet"),
        ("x.csv", b"text,sentiment_score\nNothing happened.,neutral\n", "answers no question"),
    ],
)
def test_a_table_that_cannot_be_read_costs_a_line(pool, name, data, words, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=words):
        bring(pool, path, "csv", "sentiment")
    assert pool.workspace.rounds.all() == []


def test_an_archive_with_a_wrong_byte_anywhere_is_read_or_costs_a_line(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kim.jsonl", lines({"text": TEXTS[n % 6], "label": [n]} for n in range(9)))
    whole, refusals = path.read_bytes(), []
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            with unpacked(path):
                pass
        except DataError as error:
            refusals.append(error.message)
    assert len(refusals) > len(whole) / 2
    assert all(words.startswith("x.zip: ") for words in refusals)


def test_a_full_disk_is_not_called_a_wrong_archive(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kim.jsonl", "{}")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(OSError, match="No space left"), unpacked(path):
        pass


def test_a_table_like_that_of_labels_may_hold_plain_values(pool, tmp_path):
    (id,) = [row["id"] for row in pool.rows("pool") if row["text"] == TEXTS[5]]
    said_by = [{"annotator": "kim", "value": "neutral"}, {"annotator": "bo", "value": '"negative"'}]
    row = {"id": id, "question": "sentiment", "value": "x", "votes": 2, "answers": said_by}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "labels.parquet")
    bring(pool, tmp_path / "labels.parquet", "csv", "sentiment")
    assert said(pool) == {
        (5, "kim", "sentiment"): "neutral",
        (5, "bo", "sentiment"): "negative",
    }


def test_a_spreadsheet_is_told(pool, tmp_path):
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(DataError, match=r"x\.xlsx: a document of an office") as told:
        bring(pool, path, "csv", "sentiment")
    assert told.value.hint == "save it as CSV"


def test_a_person_who_answers_twice_in_a_file_is_told(pool, tmp_path):
    path = tmp_path / "kim.csv"
    path.write_text(f"{HEAD}{TEXTS[5]},neutral\n{TEXTS[5]},positive\n{TEXTS[3]},positive\n")
    made = bring(pool, path, "csv", "sentiment")
    assert said(pool) == {(5, "kim", "sentiment"): "positive", (3, "kim", "sentiment"): "positive"}
    assert "1 answers are replaced by later ones of the same person and text" in made.notes


@pytest.mark.parametrize("column", [(), ("meta.link=where",)])
def test_a_key_may_be_a_number_or_have_another_name_there(pool, column, tmp_path):
    """pandas writes whole numbers as 5.0 where some are missing."""
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"label": ["neutral"], "nr": 5.0, "where": "l5"}]))
    key = "meta.link" if column else "meta.nr"
    bring(pool, path, "doccano", "sentiment", key=key, column=column)
    assert said(pool) == {(5, "kim", "sentiment"): "neutral"}


# ── out, and in again


def test_every_kind_of_answer_goes_out_and_comes_in_again(pool, tmp_path):
    from curate.labels.settled import rows_of, settled_labels
    from curate.labels.writing import write

    rows = [
        {"text": TEXTS[0], "kind": ["ad", "rude"], "stars": 4, "why": "因为…", "hint": "h"},
        {"text": TEXTS[1], "kind": [], "stars": 1, "why": "=1+1"},
        {"text": TEXTS[4], "kind": ["rude"], "stars": 2, "hint": '["a"]'},
    ]
    path = tmp_path / "all.jsonl"
    path.write_text(lines({**row, "annotator": who} for row in rows for who in ("ann", "王芳")))
    bring(pool, path, "csv", "few")
    expected = said(pool)
    assert len(expected) == 20
    pool.run("agree", bootstrap=0)
    labels = settled_labels(pool.workspace, rows_of(pool.workspace))
    for suffix in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"labels.{suffix}"
        write(out, labels)
        importing.bring(pool.workspace, out, load_form("few", pool.root))
        newest = pool.workspace.rounds.all()[-1]
        assert len(newest.answers()) == 20
        assert said(pool) == expected
