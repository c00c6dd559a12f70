"""Exports of other tools in their further shapes: what they hold comes in, or is told."""

import json
import shutil
from contextlib import suppress

import pytest

from curate.errors import DataError, RecipeError
from curate.forms import load_form
from curate.pull import importing
from curate.pull.elsewhere import Elsewhere
from curate.pull.formats.made import Columns
from curate.pull.formats.registry import TOOLS
from tests.conftest import Offline

TEXTS = [
    "Ana 👩\u200d👧 met Jose\u0301 in 東京.",
    "李雷在北京。\n第二天，他去了上海。",
    "#tea is good, says Bo.",
    "Nothing at all.",
]
NAMES = [
    [("Ana", "PERSON"), ("Jose\u0301", "PERSON"), ("東京", "LOC")],
    [("李雷", "PERSON"), ("北京", "LOC"), ("上海", "LOC")],
    [("Bo", "PERSON")],
    [],
]
MARKS = [
    [
        {"start": text.index(words), "end": text.index(words) + len(words), "label": label}
        for words, label in names
    ]
    for text, names in zip(TEXTS, NAMES, strict=True)
]
FEW = """<View><Text name="body" value="$text"/>
<Choices name="kind" toName="body" choice="multiple">
  <Choice value="广告、推广" alias="ad"/><Choice value="脏话" alias="rude"/>
  <Choice value="Ｓ级" alias="s"/>
</Choices>
<Rating name="stars" toName="body" maxRating="5"/>
<TextArea name="why" toName="body"/></View>"""
PAIR = """<View><Text name="p" value="$prompt"/><Text name="r" value="$reply"/>
<Labels name="slips" toName="r"><Label value="Slip"/></Labels></View>"""


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    run = Offline(tmp_path_factory.mktemp("pooled") / "run")
    run.lines("texts.jsonl", [{"text": text, "nr": n} for n, text in enumerate(TEXTS)])
    run.pool()
    (run.root / "label_configs").mkdir(exist_ok=True)
    (run.root / "label_configs" / "few.xml").write_text(FEW)
    (run.root / "label_configs" / "pair.xml").write_text(PAIR)
    return run.root


@pytest.fixture
def pool(pooled, tmp_path):
    shutil.copytree(pooled, tmp_path / "run")
    return Offline(tmp_path / "run")


def bring(run, path, tool, form, *, key=None, column=()):
    return importing.bring(
        run.workspace, path, load_form(form, run.root), Elsewhere.of(tool, key, column)
    )


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def said(run, question=None):
    """What came in, by the number of the text, the person and the question."""
    number_of = {row["id"]: TEXTS.index(row["text"]) for row in run.rows("pool")}
    return {
        (number_of[row["id"]], row["annotator"], row["question"]): json.loads(row["value"])
        for round_ in run.workspace.rounds.all()
        for row in round_.answers()
        if row["status"] == "submitted" and question in (None, row["question"])
    }


def ids(run):
    by_text = {row["text"]: row["id"] for row in run.rows("pool")}
    return [by_text[text] for text in TEXTS]


# ── CoNLL: schemes of tags, sentences, remarks


def tagged(scheme):
    """The letters of all texts, each with its tag."""
    first, inside, last, only = scheme
    for text, marks in zip(TEXTS, MARKS, strict=True):
        rows = []
        for at, letter in enumerate(text):
            tag = "O"
            for mark in marks:
                if mark["start"] <= at < mark["end"]:
                    is_first, is_last = at == mark["start"], at == mark["end"] - 1
                    prefix = first if is_first else last if is_last else inside
                    tag = f"{only if is_first and is_last else prefix}{mark['label']}"
            rows += [(letter, tag)] if letter.strip() else []
        yield rows


@pytest.mark.parametrize(
    "scheme",
    [
        ("B-", "I-", "I-", "B-"),
        ("I-", "I-", "I-", "I-"),  # IOB1: no two spans of one label are neighbours here
        ("B-", "I-", "E-", "S-"),
        ("B-", "I-", "L-", "U-"),
        ("B_", "M_", "E_", "S_"),
        ("b-", "m-", "e-", "w-"),
        ("", "", "", ""),  # the label alone
    ],
)
@pytest.mark.parametrize("apart", ["\t", " ", " -X- _ "])
def test_every_scheme_of_tags_gives_the_same_spans(pool, scheme, apart, tmp_path):
    path = tmp_path / "kim.conll"
    blocks = ["\n".join(f"{letter}{apart}{tag}" for letter, tag in rows) for rows in tagged(scheme)]
    path.write_text("-DOCSTART- -X- O\n\n" + "\n\n".join(blocks) + "\n")
    bring(pool, path, "conll", "entities")
    assert said(pool) == {(n, "kim", "entities"): MARKS[n] for n in range(4)}


def test_neighbours_of_one_label_are_two_spans_where_the_scheme_says_so(pool, tmp_path):
    path = tmp_path / "kim.conll"
    path.write_text("Nothing I-LOC\nat B-LOC\nall I-LOC\n. O\n")  # IOB1
    bring(pool, path, "conll", "entities")
    (value,) = said(pool).values()
    assert [(mark["start"], mark["end"]) for mark in value] == [(0, 7), (8, 14)]


def test_a_text_of_several_sentences_is_one_text(pool, tmp_path):
    """Windows' line ends; a space that stands as a token; a token that begins with #."""
    path = tmp_path / "kim.conll"
    first = "李 B-PERSON\n雷 I-PERSON\n在 O\n北 B-LOC\n京 I-LOC\n。 O\n"
    second = "第 O\n二 O\n天 O\n， O\n他 O\n去 O\n了 O\n上 B-LOC\n\u3000 I-LOC\n海 I-LOC\n。 O\n"
    third = "#tea O\nis O\ngood O\n, O\nsays O\nBo B-PERSON\n. O\n"
    remark = f"# id = {ids(pool)[2]}\n# text = {TEXTS[2]}\n"
    whole = f"-DOCSTART- O\n\n{first}\n{second}\n{remark}{third}".replace("\n", "\r\n")
    path.write_bytes(whole.encode())
    assert bring(pool, path, "conll", "entities").warnings == ()
    assert said(pool) == {(n, "kim", "entities"): MARKS[n] for n in (1, 2)}


def test_an_id_whose_tokens_are_of_another_text_joins_nothing(pool, tmp_path):
    path = tmp_path / "kim.conll"
    path.write_text(f"# id = {ids(pool)[2]}\ntea O\nis O\nBo B-PERSON\n")
    with pytest.raises(DataError, match=r"nothing can be joined: .*no document has this text"):
        bring(pool, path, "conll", "entities")


# ── doccano


def test_doccanos_relations_classes_beside_spans_and_a_json_list(pool, tmp_path):
    entities = [
        {
            "id": 9 + at,
            "label": own["label"],
            "start_offset": own["start"],
            "end_offset": own["end"],
        }
        for at, own in enumerate(MARKS[0])
    ]
    relations = [{"id": 1, "from_id": 9, "to_id": 10, "type": "knows"}]
    rows = [
        {"id": 3, "text": TEXTS[0], "entities": entities, "relations": relations, "Comments": []},
        {"id": 4, "text": TEXTS[2], "entities": [[19, 21, "Person"]], "cats": ["life"]},
        {"id": 5, "data": TEXTS[3], "label": [], "cats": ["news"], "Comments": ["why", "not"]},
    ]
    path = tmp_path / "kim.json"
    path.write_text(json.dumps(rows, indent=1))
    made = bring(pool, path, "doccano", "review")
    assert said(pool, "entities") == {(n, "kim", "entities"): MARKS[n] for n in (0, 2, 3)}
    assert said(pool, "topic") == {(2, "kim", "topic"): "life", (3, "kim", "topic"): "news"}
    assert said(pool, "note") == {(3, "kim", "note"): "why\nnot"}
    keys = {warning.key: warning.words for warning in made.warnings}
    assert "no row answers flags, quality" in keys["pull.unanswered"]
    assert "1 answers have nothing marked" in keys["pull.unopened"]


def test_who_labelled_nothing_in_doccano_answered_nothing(pool, tmp_path):
    """Everybody's file lists every text, also those that the person never opened."""
    folder = tmp_path / "export"
    folder.mkdir()
    rows = [
        {"text": text, "label": [[*own.values()] for own in MARKS[n]]}
        for n, text in enumerate(TEXTS)
    ]
    (folder / "王芳.jsonl").write_text(lines(rows))
    (folder / "admin.jsonl").write_text(lines([{**row, "label": []} for row in rows]))
    made = bring(pool, folder, "doccano", "entities")
    assert said(pool) == {(n, "王芳", "entities"): MARKS[n] for n in range(4)}
    assert made.statuses == {"submitted": 4}
    assert any(note.startswith("4 rows hold no answer: admin.jsonl, line 1") for note in made.notes)


def test_texts_that_people_wrote_in_doccano_are_comments(pool, tmp_path):
    path = tmp_path / "kim.jsonl"
    path.write_text(lines([{"text": TEXTS[3], "label": ["Nothing.", "At all!"]}]))
    bring(pool, path, "doccano", "comment")
    assert [*said(pool).values()] == ["Nothing.\nAt all!"]


# ── Prodigy


def test_prodigys_options_by_number_and_lines_of_every_answer(pool, tmp_path):
    """Options have numbers as ids; a line is answered again; one is ignored and one rejected."""
    options = [
        {"id": 0, "text": "脏话"},
        {"id": 1, "text": "广告、推广"},
        {"id": "s", "text": "级"},
    ]
    row = {"options": options, "answer": "accept", "_annotator_id": "news-li.wei+2", "config": {}}
    rows = [
        row | {"text": TEXTS[0], "accept": [0], "_timestamp": 1767225600},
        row | {"text": TEXTS[0], "accept": [1, "s"], "_timestamp": 1767225700.5},
        row | {"text": TEXTS[1], "accept": [], "_timestamp": 1767225701},
        row | {"text": TEXTS[2], "accept": [1], "answer": "ignore"},
        row | {"text": TEXTS[3], "accept": [1], "answer": "reject"},
    ]
    path = tmp_path / "db.jsonl"
    path.write_text(lines(rows))
    made = bring(pool, path, "prodigy", "few")
    who = "news-li.wei+2"
    assert said(pool) == {(0, who, "kind"): ["ad", "s"], (1, who, "kind"): []}
    assert made.statuses == {"submitted": 2, "skipped": 1, "rejected": 1}


def test_a_stamp_of_prodigy_that_is_none_is_told(pool, tmp_path):
    path = tmp_path / "db.jsonl"
    path.write_text(lines([{"text": TEXTS[0], "accept": ["ad"], "_timestamp": "yesterday"}]))
    with pytest.raises(DataError, match="line 1: _timestamp is no number of seconds: 'yesterday'"):
        bring(pool, path, "prodigy", "few")


# ── Label Studio


def task(n, *results, who=7, **more):
    annotations = [
        {"id": 100 + at, "completed_by": who + at, "result": result, "was_cancelled": False}
        for at, result in enumerate(results)
    ]
    more = {"cancelled_annotations": 0, "total_annotations": len(results), **more}
    return {"id": n, "data": {"text": TEXTS[n]}, "annotations": annotations, "drafts": [], **more}


def region(name, start, end, *labels):
    value = {"start": start, "end": end, "text": "?", "labels": list(labels)}
    return {"from_name": name, "to_name": "text", "type": "labels", "value": value}


def test_tags_of_other_names_answer_the_question_of_their_type(pool, tmp_path):
    """The tool's own templates call the tag `label`. A relation has no name at all."""
    marks = [region("label", own["start"], own["end"], own["label"]) for own in MARKS[0]]
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    path = tmp_path / "project-1.json"
    path.write_text(json.dumps([task(0, [*marks, relation]), task(3, [])]))
    made = bring(pool, path, "label_studio", "entities")
    assert said(pool) == {(0, "7", "entities"): MARKS[0], (3, "7", "entities"): []}
    assert made.rejected == {"the form has no question relation": 1}


def test_a_tag_that_may_be_two_questions_is_declared(pool, tmp_path):
    choice = {
        "from_name": "t",
        "to_name": "x",
        "type": "choices",
        "value": {"choices": ["Everyday life"]},
    }
    path = tmp_path / "p.json"
    path.write_text(json.dumps([task(0, [choice])]))
    made = bring(pool, path, "label_studio", "review")
    assert made.rejected == {"the form has no question t": 1}
    assert said(pool, "topic") == said(pool, "flags") == {}  # not an empty set: nobody chose it
    bring(pool, path, "label_studio", "review", column=["topic=t"])
    assert said(pool, "topic") == {(0, "7", "topic"): "life"}
    with pytest.raises(RecipeError, match=r"p\.json has no column tt"):
        bring(pool, path, "label_studio", "review", column=["topic=tt"])


def test_a_region_of_several_labels_is_one_span_of_each(pool, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps([task(2, [region("entities", 19, 21, "Person", "Place")])]))
    bring(pool, path, "label_studio", "entities")
    (value,) = said(pool).values()
    assert {mark["label"] for mark in value} == {"PERSON", "LOC"}
    assert {(mark["start"], mark["end"]) for mark in value} == {(19, 21)}


def test_two_people_one_of_whom_skipped_and_changed_times(pool, tmp_path):
    """A second annotation of the same person: the later one counts, in whatever order."""
    first = [region("entities", 0, 3, "PERSON")]
    own = task(0, first, [], first)
    own["annotations"][1] |= {"was_cancelled": True}
    own["annotations"][2] |= {"completed_by": {"id": 7, "email": "7"}, "result": []}
    own["annotations"][0] |= {"updated_at": "2026-05-01T08:00:00.123456Z", "lead_time": "3.5"}
    own["annotations"][2] |= {"updated_at": "2026-05-01T07:00:00.000000Z"}
    path = tmp_path / "p.json"
    path.write_text(json.dumps([own]))
    made = bring(pool, path, "label_studio", "entities")
    assert said(pool) == {(0, "7", "entities"): MARKS[0][:1]}
    assert made.statuses == {"submitted": 1, "skipped": 1}


def test_the_short_json_of_ratings_sets_and_tasks_that_nobody_answered(pool, tmp_path):
    """As the tool's own converter writes them."""
    from label_studio_sdk.converter import Converter

    def item(name, kind, value):
        return {"from_name": name, "to_name": "body", "type": kind, "value": value}

    whole = [
        item("kind", "choices", {"choices": ["广告、推广", "Ｓ级"]}),
        item("stars", "rating", {"rating": 4}),
        item("why", "textarea", {"text": ["one", "two"]}),
    ]
    tasks = [task(0, whole), task(1), task(2, [item("stars", "rating", {"rating": 2})])]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    (tmp_path / "few.xml").write_text(FEW)
    made = Converter(str(tmp_path / "few.xml"), str(tmp_path))
    made.convert_to_json_min(str(tmp_path / "export.json"), str(tmp_path / "min"), is_dir=False)
    bring(pool, tmp_path / "min" / "result.json", "label_studio_min", "few")
    expected = {
        (0, "7", "kind"): ["ad", "s"],
        (0, "7", "stars"): 4,
        (0, "7", "why"): "one\ntwo",
        (2, "7", "kind"): [],
        (2, "7", "stars"): 2,
    }
    assert said(pool) == expected
    more = {"sep": ",", "header": True}
    made.convert_to_csv(str(tmp_path / "export.json"), str(tmp_path / "csv"), is_dir=False, **more)
    brought = bring(pool, tmp_path / "csv" / "result.csv", "csv", "few")
    del expected[2, "7", "kind"]  # an empty cell says nothing
    last = pool.workspace.rounds.all()[-1]
    values = [json.loads(row["value"]) for row in last.answers() if row["status"] == "submitted"]
    assert sorted(map(str, values)) == sorted(map(str, expected.values()))
    assert any("1 rows hold no answer" in note for note in brought.notes)


def test_the_short_json_whose_tag_has_another_name_is_no_empty_answer(pool, tmp_path):
    rows = [{"id": 1, "text": TEXTS[0], "label": MARKS[0], "annotator": 7, "annotation_id": 1}]
    path = tmp_path / "min.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(
        DataError, match=r"min\.json answers no question of the form entities"
    ) as told:
        bring(pool, path, "label_studio_min", "entities")
    assert "--column QUESTION=COLUMN" in told.value.hint
    bring(pool, path, "label_studio_min", "entities", column=["entities=label"])
    assert said(pool) == {(0, "7", "entities"): MARKS[0]}


# ── Potato


@pytest.mark.parametrize("wrapped", [True, False])
def test_potatos_states_whose_labels_are_objects(pool, wrapped, tmp_path):
    folder = tmp_path / "annotation_output" / "kim@example.org"
    folder.mkdir(parents=True)
    kind = {"ad": True, "rude": False}
    labels = {"kind": {"labels": kind} if wrapped else kind, "stars": {"scale_4": "4"}}
    state = {"user_id": "kim@example.org", "instance_id_to_label_to_value": {ids(pool)[1]: labels}}
    (folder / "user_state.json").write_text(json.dumps(state))
    bring(pool, folder.parent, "potato", "few")
    who = "kim@example.org"
    assert said(pool) == {(1, who, "kind"): ["ad"], (1, who, "stars"): 4}


def test_potatos_lines_of_older_versions(pool, tmp_path):
    """Spans as a list with `annotation`, texts as `displayed_text`, an id of their own."""
    spans = [{**own, "annotation": own["label"]} for own in MARKS[1]]
    spans = [{name: own[name] for name in ("start", "end", "annotation")} for own in spans]
    row = {"id": "item_7", "displayed_text": TEXTS[1], "label_annotations": {}}
    path = tmp_path / "annotated_instances.jsonl"
    path.write_text(lines([row | {"span_annotations": spans, "user_id": "kim"}]))
    bring(pool, path, "potato", "entities")
    assert said(pool) == {(1, "kim", "entities"): MARKS[1]}


def test_a_scheme_of_another_name_is_the_only_one_or_declared(pool, tmp_path):
    row = {"instance_id": ids(pool)[0], "user_id": "kim", "spans": {"ner": MARKS[0]}}
    path = tmp_path / "x.jsonl"
    path.write_text(lines([row | {"labels": {}}]))
    bring(pool, path, "potato", "entities")
    assert said(pool) == {(0, "kim", "entities"): MARKS[0]}
    path.write_text(lines([{**row, "spans": {}, "labels": {"worth": {"5": "5"}}}]))
    with pytest.raises(DataError, match="answers no question"):
        bring(pool, path, "potato", "few")
    bring(pool, path, "potato", "few", column=["stars=worth"])
    assert said(pool, "stars") == {(0, "kim", "stars"): 5}


# ── MTurk and tables


def test_mturks_answers_of_several_elements(pool, tmp_path):
    def cell(value):
        return json.dumps(value, ensure_ascii=False).replace('"', '""')

    boxes = {"kind": {"ad": True, "rude": False, "s": False}, "stars": "3", "why": "so, so"}
    multi = {"flag set": {"labels": ["脏话", "ad"]}, "why": ""}
    path = tmp_path / "Batch_1.csv"
    path.write_text(
        "HITId,WorkerId,AssignmentStatus,Input.id,Input.text,Answer.taskAnswers\n"
        f'h1,W1,Submitted,{ids(pool)[0]},"{TEXTS[0]}","{cell([boxes])}"\n'
        f'h2,W2,Approved,,"{TEXTS[3]}","{cell([multi])}"\n',
        encoding="utf-8-sig",
    )
    made = bring(pool, path, "mturk", "few")
    first = {(0, "W1", "kind"): ["ad"], (0, "W1", "stars"): 3, (0, "W1", "why"): "so, so"}
    assert said(pool) == first
    assert any("1 rows hold no answer: Batch_1.csv, row 3" in note for note in made.notes)
    bring(pool, path, "mturk", "few", column=["kind=flag set"])
    assert said(pool, "kind")[3, "W2", "kind"] == ["rude", "ad"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("ad;rude", ["ad", "rude"]),
        ("广告、推广", ["ad"]),
        ("广告、推广；脏话", ["ad", "rude"]),
        ("rude, ad", ["rude", "ad"]),
        ("脏话、s", ["rude", "s"]),
        ("S级", ["s"]),
        ("ＡＤ#RUDE", ["ad", "rude"]),
        ("['ad', 'rude']", ["ad", "rude"]),
        ('{""choices"": [""脏话"", ""Ｓ级""]}', ["rude", "s"]),
        ("[]", []),
    ],
)
def test_several_labels_in_one_cell(pool, cell, value, tmp_path):
    path = tmp_path / "kim.csv"
    path.write_text(f'text,kind\n"{TEXTS[3]}","{cell}"\n')
    bring(pool, path, "csv", "few")
    assert said(pool) == {(3, "kim", "kind"): value}


def test_a_table_of_semicolons_with_long_cells_and_stamps(offline, tmp_path):
    long = "word " * 40_000 + "end"
    offline.lines("texts.jsonl", [long])
    offline.pool()
    path = tmp_path / "kim.csv"
    path.write_text(f"Text;sentiment;user;timestamp\n{long};positive;a.b+c@d.e;1767225600123\n")
    bring(offline, path, "csv", "sentiment", column=["text=Text"])
    (row,) = offline.workspace.rounds.all()[0].answers()
    assert (row["annotator"], row["value"]) == ("a.b+c@d.e", '"positive"')
    assert row["at"].isoformat() == "2026-01-01T00:00:00.123000+00:00"


def test_a_table_of_questions_and_answers_is_no_table_of_labels(pool, tmp_path):
    path = tmp_path / "kim.csv"
    path.write_text(f'id,question,answers,votes,text,sentiment\n5,Who?,Bo,3,"{TEXTS[3]}",neutral\n')
    bring(pool, path, "csv", "sentiment")
    assert said(pool) == {(3, "kim", "sentiment"): "neutral"}


def test_a_table_without_a_column_for_any_question_is_refused(pool, tmp_path):
    path = tmp_path / "kim.csv"
    path.write_text(f'text,mood\n"{TEXTS[3]}",neutral\n')
    with pytest.raises(DataError, match=r"kim.csv answers no question of the form sentiment"):
        bring(pool, path, "csv", "sentiment")
    assert pool.workspace.rounds.all() == []


def test_rows_without_an_answer_are_told_and_are_no_tasks(pool, tmp_path):
    path = tmp_path / "kim.csv"
    path.write_text(f'text,sentiment\n"{TEXTS[3]}",neutral\n"{TEXTS[2]}",\n"{TEXTS[0]}",\n')
    made = bring(pool, path, "csv", "sentiment")
    assert (made.tasks, made.complete, made.statuses) == (1, 1, {"submitted": 1})
    assert any("2 rows hold no answer: kim.csv, row 3, kim.csv, row 4" in own for own in made.notes)


# ── joining


def test_an_id_of_ours_joins_although_its_text_was_changed_on_the_way(pool, tmp_path):
    """A choice is about the text; where its spans would lie nobody knows."""
    path = tmp_path / "kim.csv"
    changed = TEXTS[0].replace("met", "saw")
    path.write_text(f'id,text,sentiment\n{ids(pool)[0]},"{changed}",positive\n')
    made = bring(pool, path, "csv", "sentiment")
    assert said(pool) == {(0, "kim", "sentiment"): "positive"}
    assert "answers joined: 1 by id, with another text beside it" in made.notes
    spans = json.dumps(MARKS[0]).replace('"', '""')
    path.write_text(f'id,text,entities\n{ids(pool)[0]},"{changed}","{spans}"\n')
    made = bring(pool, path, "csv", "entities")
    assert made.rejected == {"the text beside it is not the document's": 1}


def test_spans_joined_by_a_key_need_the_text_of_the_document(pool, tmp_path):
    rows = [
        {"text": TEXTS[0].replace("met", "saw"), "label": [[0, 3, "PERSON"]], "meta": {"nr": 0}},
        {"text": TEXTS[2], "label": [[19, 21, "PERSON"]], "meta": {"nr": 2}},
    ]
    path = tmp_path / "kim.jsonl"
    path.write_text(lines(rows))
    made = bring(pool, path, "doccano", "entities", key="meta.nr")
    assert said(pool) == {(2, "kim", "entities"): MARKS[2]}
    assert made.rejected == {"the text beside it is not the document's": 1}


@pytest.mark.parametrize("tool", ["doccano", "prodigy", "potato", "conll"])
def test_a_template_shows_the_text_that_is_marked(offline, tool, tmp_path):
    """The form shows two fields and marks the second."""
    rows = [{"prompt": f"Ask {n}?", "reply": f"Well, {n} erm yes."} for n in range(2)]
    offline.lines("chats.jsonl", rows)
    fields = {"prompt": "prompt", "reply": "reply"}
    offline.run("pool", sources=[{"paths": ["data/chats.jsonl"], "fields": fields}])
    offline.run("clean", rules=[], near_duplicates=None)
    (offline.root / "label_configs").mkdir()
    (offline.root / "label_configs" / "pair.xml").write_text(PAIR)
    offline.run("sample", n=2)
    offline.run("push", backend="folder", form="pair", overlap=1)
    form, how = load_form("pair", offline.root), Elsewhere.of(tool, None, ())
    path = tmp_path / ("kim.conll" if tool == "conll" else "kim.jsonl")
    assert importing.write_template(offline.workspace, path, form, how) == 2
    text = path.read_text()
    if tool == "conll":
        path.write_text(text.replace("erm\tO", "erm\tS-Slip"))
    else:
        filled = []
        for row in map(json.loads, text.splitlines()):
            at = row["text"].index("erm")
            span = {"start": at, "end": at + 3, "label": "Slip"}
            potato = {"instance_id": row["id"], "user_id": "kim"} if tool == "potato" else {}
            marks = {"doccano": {"label": [[at, at + 3, "Slip"]]}, "prodigy": {"spans": [span]}}
            filled.append({**row, **potato, **marks.get(tool, {"spans": {"slips": [span]}})})
        path.write_text(lines(filled))
    made = importing.bring(offline.workspace, path, form, how)
    assert made.statuses == {"submitted": 2}
    for row in offline.workspace.rounds.all()[-1].answers():
        (span,) = json.loads(row["value"])
        assert (span["field"], span["start"], span["end"]) == ("reply", 8, 11)


# ── junk

SPAN = {"from_name": "entities", "type": "labels", "value": {"labels": "P", "start": [], "end": {}}}
CHOICE = {"from_name": 1, "type": [], "value": {"choices": None}}
JUNK = [None, 1, "x", True, [], {}, [1], [[1]], [{}], {"a": 1}, [None], ["x", {}], "[{", -1]
JUNK += [[[0, 1]], [[0, 1, 2, 3]], {"labels": [1]}, {"x": {"y": []}}, [CHOICE], [SPAN]]
JUNK += [[{"start": "a", "end": None, "label": []}], [{"schema": "a"}], [[{"name": 1}, 2, 3]]]
PLACES = {
    "doccano": "label entities labels cats Comments meta annotator text curate_id data",
    "prodigy": "spans accept label options answer _timestamp _session_id user_input meta id text",
    "potato": "labels spans label_annotations span_annotations instance_id user_id displayed_text",
    "label_studio_min": "entities flags quality note annotator annotation_id updated_at lead_time",
    "label_studio": "result completed_by was_cancelled updated_at lead_time",
    "mturk": "Answer.taskAnswers Answer.flags SubmitTime WorkTimeInSeconds Input.id",
    "csv": "entities flags topic quality answers comments timestamp seconds id question votes",
}


def with_junk(tool, key, junk):
    """A file of one text, which has junk in one place."""
    if tool in ("csv", "mturk"):
        row = {"text": "abc", "Input.text": "abc", "id": "1", "question": "topic", "votes": "1"}
        row |= {"answers": "[]", key: junk if isinstance(junk, str) else json.dumps(junk)}
        cells = [str(cell).replace('"', '""') for cell in row.values()]
        return ",".join(row) + '\n"' + '","'.join(cells) + '"\n'
    row = {"id": 1, "text": "abc", key: junk}
    if tool == "label_studio":
        row = {"id": 1, "data": {"text": "abc"}, "annotations": [{"result": [], key: junk}]}
    return json.dumps([row] if tool.startswith("label_studio") else row) + "\n"


@pytest.mark.parametrize("tool", PLACES)
def test_junk_in_any_place_is_read_or_told(tool, tmp_path):
    form, path = load_form("review"), tmp_path / "x.jsonl"
    whole = [with_junk(tool, key, junk) for key in PLACES[tool].split() for junk in JUNK]
    if tool == "label_studio":
        whole += [json.dumps([{"data": {"text": "abc"}, "annotations": junk}]) for junk in JUNK]
    for text in whole:
        path.write_text(text)
        with suppress(DataError):
            for row in TOOLS[tool].read(path, form, Columns({})):
                assert isinstance(row.annotator, str), text


@pytest.mark.parametrize("key", ["instance_id_to_label_to_value", "instance_id_to_span_to_value"])
def test_junk_in_a_state_of_potato_is_read_or_told(key, tmp_path):
    path = tmp_path / "user_state.json"
    for junk in [*JUNK, *({"a": junk} for junk in JUNK), *({"a": {"topic": x}} for x in JUNK)]:
        path.write_text(json.dumps({"instance_id_to_label_to_value": {}, key: junk}))
        with suppress(DataError):
            list(TOOLS["potato"].read(path, load_form("review"), Columns({})))


# ── lines of our own


def test_a_submission_of_several_questions_is_one_new_answer(pool):
    """Lines that say it again, a late one, and one about a text of another pool."""
    own = ids(pool)
    line = {"id": own[0], "annotator": "李"}
    rows = [
        line | {"question": "kind", "value": ["ad"], "at": "2026-05-02T00:00:00Z"},
        line | {"question": "kind", "value": ["rude"], "at": "2026-05-01T00:00:00Z"},
        line | {"question": "stars", "value": 3},
        line | {"question": "why", "value": "因为"},
        line | {"question": "stars", "value": 4, "id": own[1]},
        line | {"question": "stars", "value": 4, "id": "f" * 32},
    ]
    path = pool.root / "own.jsonl"
    path.write_text(lines(rows))
    made = importing.bring(pool.workspace, path, load_form("few", pool.root))
    assert (made.new, made.statuses) == (3, {"submitted": 2, "rejected": 1})
    assert said(pool, "kind") == {(0, "李", "kind"): ["ad"]}


@pytest.mark.parametrize("settings", [{"window": 20}, {"compare": True}])
def test_lines_about_the_tasks_of_a_round_come_in(offline, settings):
    """People were shown windows or pairs, and answered outside of any server."""
    offline.lines("texts.jsonl", [f"Draft {n}: Zoe has rowed to the island {n}." for n in range(4)])
    offline.pool()
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=2, **settings)
    form = "comparison" if "compare" in settings else "entities"
    offline.run("push", backend="folder", form=form, overlap=1)
    mark = {"start": 1, "end": 4, "label": "LOC"}
    value = "b" if form == "comparison" else [mark]
    question = load_form(form).questions[0].name
    line = {"question": question, "annotator": "kim", "value": value}
    rows = [{"id": task["id"], **line} for task in offline.tasks]
    if form == "comparison":  # a document may be named itself
        whole = {row["id"]: row for row in offline.workspace.rounds.current().sample().to_pylist()}
        rows[0]["value"] = whole[rows[0]["id"]]["members"][1]
    path = offline.root / "own.jsonl"
    path.write_text(lines(rows))
    made = importing.bring(offline.workspace, path, load_form(form))
    assert (made.tasks, made.complete, made.rejected) == (2, 2, {})
    asked = {row["id"]: row for row in offline.workspace.rounds.all()[0].sample().to_pylist()}
    for row in offline.workspace.rounds.all()[1].answers():
        task, stored = asked[row["id"]], json.loads(row["value"])
        if form == "comparison":
            assert stored == task["members"][1]
        else:
            assert (stored[0]["start"], stored[0]["end"]) == (task["start"] + 1, task["start"] + 4)
    offline.run("agree", bootstrap=0)
    assert {row["votes"] for row in offline.rows("labels")} == {1}
