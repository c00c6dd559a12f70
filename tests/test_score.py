"""Heads: they learn, they are honest about labels they saw, and quality is what the recipe says."""

import json
import shutil
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import curate.pool.stage as pool
from curate import storage, tables
from curate.annotated.quality import quality_function
from curate.annotated.spec import QualitySpec
from curate.embed import embed, windows
from curate.engine import Local
from curate.errors import CurateError, DataError, RecipeError, StaleInput
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.heads import Lesson, learn
from curate.records import Question
from curate.report.lexicon import Lexicon
from curate.report.qualities import quality_by_group
from curate.report.sections.model import comparisons, foresight
from curate.score import stage as score
from curate.score.labelled import read_background
from curate.score.learning import options_of
from curate.score.scorer import of_pieces
from curate.score.spec import ScoreSpec, WindowsSpec
from curate.score.spreading import spread
from curate.sources.source_spec import SourceSpec
from curate.spec import validated
from tests.command import command
from tests.conftest import BAD, FILMS, GOOD, MEALS, Offline, reviews

MOOD = Question("mood", "choice", ("text",), ("bad", "fine", "good"), ("bad", "fine", "good"))
STARS = Question("stars", "rating", ("text",), ("1", "2", "3", "4", "5"))
BETTER = Question("better", "preference", ("a", "b"), ("a", "b", "tie"))

CHOSEN = {"class_weights": "none", "calibration": "temperature", "folds": 2}
QUICK = {"encoder": "chargram", "features": "embeddings", **CHOSEN}
"""Heads with little to choose from, where a test is about what is done with them."""


# ── quality


def quality_of(settings, questions=(MOOD,)):
    spec = ScoreSpec(quality=QualitySpec.model_validate(settings)) if settings else ScoreSpec()
    return quality_function(spec.quality, {question.name: question for question in questions})


def test_quality_that_is_a_share_of_classes():
    answers = {"mood": np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])}
    worth = quality_of({"values": {"bad": 0, "fine": 0.5, "good": 1}})
    assert worth(answers) == pytest.approx([0.2, 0.85])
    assert quality_of({"clarity": ["bad", "good"]})(answers) == pytest.approx([0.7, 0.8])
    assert quality_of(None) is None


def test_a_rating_is_scaled_and_a_preference_is_its_probability():
    stars = np.array([[0.5, 0, 0, 0, 0.5], [0, 0, 0, 1.0, 0]])
    assert quality_of(None, (STARS,))({"stars": stars}) == pytest.approx([0.5, 0.75])
    assert quality_of(None, (BETTER,))({"better": np.array([[0.3]])}) == pytest.approx([0.3])


def test_quality_of_several_answers():
    answers = {
        "mood": np.array([[0.0, 0.4, 0.6], [1.0, 0.0, 0.0]]),
        "stars": np.array([[0, 0, 0, 0, 1.0], [0, 0, 1.0, 0, 0]]),
    }
    terms = [
        {"question": "mood", "weight": 3, "values": {"bad": 0, "fine": 0.5, "good": 1}},
        {"question": "stars"},
    ]
    both = (MOOD, STARS)
    assert quality_of({"sum": terms}, both)(answers) == pytest.approx([(3 * 0.8 + 1) / 4, 0.125])
    assert quality_of({"product": terms}, both)(answers) == pytest.approx([0.8**3, 0])
    named = quality_of({"function": "tests.test_score:second_of_mood"}, both)
    assert named(answers) == pytest.approx([0.4, 0])
    assert named.questions == ("mood", "stars")


def second_of_mood(answers):
    return answers["mood"][:, 1]


def no_quality(answers):
    return answers["mood"][:, 1] + 1


def a_quality_that_is_no_number(answers):
    return answers["mood"][:, 1] * float("nan")


def a_fault(answers):
    return answers["not asked"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"values": {"bad": 0, "fine": 1, "god": 1}}, "no value god"),
        ({"values": {"bad": 0, "fine": 1}}, "what is the quality of good"),
        ({"clarity": ["gut"]}, "no value gut"),
        ({"sum": [{"question": "mood"}]}, "what are the values of mood worth"),
        ({"sum": [{"question": "modd", "clarity": ["good"]}]}, "modd is not learned"),
        ({"function": "tests.test_score:nothing_here"}, "no function"),
        ({"function": "no.such.module:f"}, "no function"),
    ],
)
def test_quality_of_what_is_not_asked_is_an_error(settings, words):
    with pytest.raises(RecipeError, match=words):
        quality_of(settings)


def test_a_function_that_returns_no_quality():
    with pytest.raises(CurateError, match="did not return a quality for each document"):
        quality_of({"function": "tests.test_score:no_quality"})({"mood": np.ones((2, 3)) / 3})
    own = quality_of({"function": "tests.test_score:a_quality_that_is_no_number"})
    with pytest.raises(CurateError, match="did not return a quality for each document"):
        own({"mood": np.ones((2, 3)) / 3})
    assert np.isnan(own({"mood": np.full((2, 3), np.nan)})).all()  # of heads that saw the label
    with pytest.raises(CurateError, match=r"a_fault failed \(KeyError"):
        quality_of({"function": "tests.test_score:a_fault"})({"mood": np.ones((2, 3)) / 3})


@pytest.mark.parametrize(
    "settings",
    [
        {"values": {"good": 2}},
        {"values": {"good": -0.5}},
        {},
        {"clarity": []},
        {"values": {"good": 1}, "clarity": ["good"]},
        {"sum": [{"question": "a"}, {"question": "a"}]},
        {"sum": [{"question": "a", "weight": 0}]},
        {"function": "no function"},
    ],
)
def test_a_quality_that_is_none_is_refused_with_the_recipe(settings):
    with pytest.raises(RecipeError):
        validated(ScoreSpec, {"quality": settings}, where="recipe")


def test_no_rounding_takes_a_quality_beyond_one():
    thirds = np.full((1, 3), 1 / 3) * (1 + 1e-12)
    assert quality_of({"values": dict.fromkeys(MOOD.labels, 1.0)})({"mood": thirds})[0] <= 1


def test_a_spread_is_of_the_heads_that_never_saw_the_label():
    middle = np.array([0.5, 0.5, 0.5])
    samples = np.array([[0.1, np.nan, np.nan], [0.9, 0.6, np.nan]])
    low, high = spread(middle, samples)
    assert low == pytest.approx([0.14, 0.5, 0.5])
    assert high == pytest.approx([0.86, 0.6, 0.5])


# ── the stage


@pytest.fixture(scope="module")
def _labelled(tmp_path_factory):
    offline = Offline(tmp_path_factory.mktemp("labelled") / "run")
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    return offline.root


@pytest.fixture
def labelled(_labelled, tmp_path):
    """Labels of two people; a copy, to be changed at will."""
    shutil.copytree(_labelled, tmp_path / "run")
    return Offline(tmp_path / "run")


def test_every_kept_document_is_scored(labelled):
    quality = {"clarity": ["negative", "positive"]}
    made = labelled.run("score", **QUICK, quality=quality, resamples=5)
    rows = labelled.rows("scores")
    kept = [row for row in labelled.rows("clean") if row["kept"]]
    assert [row["id"] for row in rows] == [row["id"] for row in kept]
    assert made.documents == len(rows)
    assert sum(row["out_of_fold"] for row in rows) == made.labelled == 40
    for row in rows:
        parts = [row[f"sentiment:{value}"] for value in ("negative", "neutral", "positive")]
        assert sum(parts) == pytest.approx(1)
        assert row["quality"] == pytest.approx(max(parts[0], parts[2]))
        assert row["low"] <= row["quality"] <= row["high"]
        assert row["spread_low"] <= row["quality"] <= row["spread_high"]
        assert row["abstained"] is False


def prepared(offline, monkeypatch, rows_per_shard=10_000, workers=1):
    """Take the reviews to labels, in shards of a few documents."""
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", rows_per_shard)
    offline.workspace.engine = Local(workers)
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    offline.run("agree", bootstrap=0)


STAGES = {"quality": {"values": {"negative": 0.0, "neutral": 0.4, "positive": 1.0}}}


@pytest.mark.parametrize(
    ("settings", "rows_per_shard"),
    [
        (QUICK, 10_000),
        ({**QUICK, **STAGES}, 10_000),
        ({**QUICK, **STAGES, "features": "both"}, 9),
        pytest.param({"encoder": "chargram", **STAGES}, 9, marks=pytest.mark.slow),
        ({**QUICK, "quality": {"clarity": ["positive"]}}, 30),
    ],
)
def test_scores_are_those_of_all_vectors_in_memory(offline, monkeypatch, settings, rows_per_shard):
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 7)
    monkeypatch.setattr("curate.score.predicting.CHUNK", 11)
    prepared(offline, monkeypatch, rows_per_shard)
    offline.run("score", resamples=6, seed=3, **settings)
    ids, vectors = embed(offline.workspace, "chargram").vectors(offline.workspace)
    lesson, rows = lesson_in_memory(offline, ids, vectors)
    spec = ScoreSpec(resamples=6, seed=3, **settings)
    learned = learn(lesson, options_of(spec, 6 if spec.quality else 0))
    table = offline.workspace.documents.table(["text"])
    whole = learned.predict({"chargram": vectors}, table["text"].to_pylist(), None)
    probabilities, decided = whole.probabilities.copy(), whole.decided.copy()
    probabilities[rows] = learned.out_of_fold.probabilities
    decided[rows] = learned.out_of_fold.decided
    scores = offline.workspace.tables.read("scores")
    assert scores["id"].to_pylist() == ids
    assert np.flatnonzero(scores["out_of_fold"]).tolist() == sorted(rows.tolist())
    for place, value in enumerate(lesson.values):
        column = scores[f"sentiment:{value}"].to_numpy()
        assert column == pytest.approx(probabilities[:, place], abs=1e-6)
    assert scores["sentiment"].to_pylist() == [lesson.values[place] for place in decided]
    quality = quality_function(spec.quality, {"sentiment": asked(offline)})
    if quality is None:
        assert all(scores[name].null_count == len(ids) for name in ("quality", "low", "high"))
        return
    samples = whole.samples.copy()
    samples[:, rows] = learned.out_of_fold.samples
    middle = quality({"sentiment": probabilities})
    ends = spread(middle, np.stack([quality({"sentiment": own}) for own in samples]))
    names = ("quality", "spread_low", "spread_high")
    for name, expected in zip(names, (middle, *ends), strict=True):
        assert scores[name].to_numpy() == pytest.approx(expected, abs=1e-6)


def asked(offline):
    return offline.workspace.rounds.questions()[0]


def lesson_in_memory(offline, ids, vectors):
    """The lesson of the labelled documents, and their rows among all."""
    labels = offline.workspace.tables.read("labels").to_pylist()
    posteriors = {row["id"]: dict(row["posterior"]) for row in labels}
    values = asked(offline).labels
    rows = np.array([row for row, id in enumerate(ids) if id in posteriors])
    truth = np.array([[posteriors[ids[row]].get(value, 0.0) for value in values] for row in rows])
    texts = offline.workspace.documents.table(["text"])["text"].to_pylist()
    lesson = Lesson(
        kind="choice",
        values=values,
        ids=tuple(ids[row] for row in rows),
        truth=truth,
        settled=np.ones(len(rows), bool),
        vectors={"chargram": vectors[rows]},
        texts=[texts[row] for row in rows],
        groups=np.full(len(rows), "x"),
        background=read_background(offline.workspace),
    )
    return lesson, rows


@pytest.mark.slow
def test_scores_have_the_shards_of_clean_whatever_their_size_and_the_workers(
    offline, tmp_path, monkeypatch
):
    tables_of = []
    for name, rows, workers in (("one", 10_000, 1), ("many", 11, 1), ("both", 11, 2)):
        run = type(offline)(tmp_path / name)
        prepared(run, monkeypatch, rows, workers)
        run.run("clean", limits={"length:chars": {"min": 95}})
        run.run("score", encoder="chargram", resamples=4, **STAGES)
        run.workspace.engine.close()
        shards = run.workspace.tables.shards("clean")
        assert [path.name for path in run.workspace.tables.shards("scores")] == [
            path.name for path in shards
        ]
        tables_of.append(run.workspace.tables.read("scores"))
        for shard in run.workspace.documents.shards(scores=True):
            assert shard.read(["quality"])["quality"].null_count == 0
    one, many, both = tables_of
    assert many.equals(both)
    assert 0 < one.num_rows == many.num_rows
    for name in one.column_names:
        if one[name].type == pa.float64():
            # products of 32-bit vectors differ a little by the number of rows
            assert one[name].to_numpy() == pytest.approx(many[name].to_numpy(), abs=1e-6)
        else:
            assert one[name].equals(many[name])


def content_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_interrupted_score_goes_on(offline, monkeypatch):
    prepared(offline, monkeypatch, rows_per_shard=20)
    offline.run("score", **QUICK, resamples=2, **STAGES)
    before = content_of(offline.root / "scores")
    (offline.root / "scores" / "_manifest.json").unlink()
    whole, written = storage.write_parquet, []

    def stopping(path, table, **more):
        if path.parent.name.startswith("scores-"):
            if len(written) == 2:
                raise KeyboardInterrupt
            written.append(path.name)
        whole(path, table, **more)

    monkeypatch.setattr(storage, "write_parquet", stopping)
    with pytest.raises(KeyboardInterrupt):
        offline.run("score", **QUICK, resamples=2, **STAGES)
    monkeypatch.setattr(storage, "write_parquet", whole)
    (unfinished,) = (offline.root / ".building").glob("scores-*")
    mark = {name: (unfinished / name).stat().st_mtime_ns for name in written}
    offline.run("score", **QUICK, resamples=2, **STAGES)
    after = content_of(offline.root / "scores")
    assert after == before
    for name, time in mark.items():
        assert (offline.root / "scores" / name).stat().st_mtime_ns == time


def begin(offline, made):
    """Begin to write scores, as if a shard were done, and stop."""
    vectors = {"chargram": SimpleNamespace(table="vectors/chargram")}
    with score._building(offline.workspace, made, vectors) as folder:
        found = [path.name for path in storage.shards(folder)]
        for path in offline.workspace.tables.shards("scores")[:1]:
            storage.share(path, folder / path.name)
        raise KeyboardInterrupt(*found)


def test_an_interrupted_score_of_other_vectors_starts_anew(offline, monkeypatch):
    prepared(offline, monkeypatch, rows_per_shard=20)
    offline.run("score", **QUICK, resamples=2)
    made = offline.workspace.tables.made("scores")
    (first, *_) = offline.workspace.tables.shards("scores")
    for content, found in (("one", ()), ("one", (first.name,)), ("other", ())):
        with monkeypatch.context() as patch:
            patch.setattr(
                type(offline.workspace.tables),
                "fingerprint",
                lambda self, name, content=content: content,
            )
            with pytest.raises(KeyboardInterrupt) as stopped:
                begin(offline, made)
            assert stopped.value.args == found


def test_labels_are_of_kept_documents_outside_the_holdout(labelled):
    """A label of the holdout is to measure on; one that `clean` dropped is told of."""
    pool_rows = {row["id"]: row for row in labelled.rows("pool")}
    ids = sorted({row["id"] for row in labelled.rows("labels")})
    assert not any(pool_rows[id]["holdout"] for id in ids)
    table = labelled.workspace.tables.read("pool")
    held = pa.array(
        [
            row in ids[:3] or old
            for row, old in zip(table["id"].to_pylist(), table["holdout"].to_pylist(), strict=True)
        ]
    )
    (path,) = labelled.workspace.tables.shards("pool")
    place = table.column_names.index("holdout")
    pq.write_table(table.set_column(place, "holdout", held), path)
    storage.seal(path.parent, labelled.workspace.tables.made("pool"))
    shortest = sorted(ids[3:], key=lambda id: len(pool_rows[id]["text"]))[:4]
    limit = len(pool_rows[shortest[-1]]["text"]) + 1
    dropped = [id for id in ids[3:] if len(pool_rows[id]["text"]) < limit]
    labelled.run("clean", limits={"length:chars": {"min": limit}})
    made = labelled.run("score", **QUICK, resamples=2)
    assert made.labelled == len(ids) - 3 - len(dropped)
    (lost,) = [warning for warning in made.warnings if warning.key == "score.lost"]
    assert lost.figures == {"labels": len(dropped)}
    own = {row["id"] for row in labelled.rows("scores") if row["out_of_fold"]}
    assert own == set(ids[3:]) - set(dropped)


def test_neither_scores_nor_their_spread_depend_on_the_order_of_the_pool(offline, tmp_path):
    def made(run, order):
        lines = reviews(FILMS, GOOD) + reviews(MEALS, BAD)
        run.lines("all.jsonl", [lines[place] for place in order])
        run.pool(holdout=0.1)
        run.run("clean")
        run.run("sample", n=40, strategy="random", seed=1)
        run.run("push", backend="folder", form="sentiment", overlap=1)
        run.answer("ann", opinion=lambda text: ("negative", "positive")[crc32(text.encode()) % 2])
        run.run("pull")
        run.run("agree", bootstrap=0)
        run.run("score", **QUICK, resamples=7, **STAGES)
        return {row["id"]: row for row in run.rows("scores")}

    size = len(reviews(FILMS, GOOD) + reviews(MEALS, BAD))
    one = made(offline, range(size))
    other = made(type(offline)(tmp_path / "other"), np.random.default_rng(0).permutation(size))
    assert list(one) != list(other)
    assert {id for id, row in one.items() if row["out_of_fold"]} == {
        id for id, row in other.items() if row["out_of_fold"]
    }
    assert max(row["spread_high"] - row["spread_low"] for row in one.values()) > 0.01
    for id, row in one.items():
        for name in ("quality", "low", "high", "spread_low", "spread_high"):
            assert row[name] == pytest.approx(other[id][name], abs=1e-6)


@pytest.mark.parametrize("value", [1.0000001, -0.2, 1.5, float("inf"), -float("inf")])
def test_scores_with_a_quality_that_is_none_are_refused_by_every_reader(whole, value):
    (path,) = whole.workspace.tables.shards("scores")
    table = pq.read_table(path)
    row = next(row for row in whole.rows("mix") if row["copies"])
    place = table["id"].to_pylist().index(row["id"])
    quality = table["quality"].to_pylist()
    quality[place] = value
    column = table.column_names.index("quality")
    pq.write_table(table.set_column(column, "quality", pa.array(quality, pa.float64())), path)
    storage.seal(path.parent, whole.workspace.tables.made("scores"))
    words = f"the quality of {row['id']} is {value}, not 0 to 1"
    with pytest.raises(DataError, match=words):
        whole.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="50%")
    with pytest.raises(DataError, match=words):
        quality_by_group(whole.workspace, whole.root / "scratch")


def test_vectors_are_kept_and_only_what_is_missing_is_made(labelled):
    first = labelled.run("score", **QUICK, resamples=2)
    assert first.encoded == first.documents
    assert labelled.run("score", **QUICK, resamples=2).encoded == 0


def test_too_few_labels_and_labels_that_are_all_the_same(offline):
    offline.prepare(n=5)
    offline.answer("ann")
    offline.run("pull")
    offline.run("agree")
    with pytest.raises(DataError, match="too few"):
        offline.run("score", encoder="chargram")


def test_one_class_is_nothing_to_learn(offline):
    offline.prepare(n=20)
    offline.answer("ann", opinion=lambda text: "neutral")
    offline.run("pull")
    offline.run("agree")
    with pytest.raises(DataError, match="nothing to learn"):
        offline.run("score", encoder="chargram")


def test_a_question_that_is_not_there(labelled):
    with pytest.raises(RecipeError, match="no question mood"):
        labelled.run("score", encoder="chargram", question="mood")


def test_holdout_is_scored_too(labelled):
    labelled.run("score", **QUICK, resamples=2)
    held = {row["id"] for row in labelled.rows("pool") if row["holdout"]}
    assert held
    assert held & {row["id"] for row in labelled.rows("scores")}
    assert json.loads(labelled.rows("labels")[0]["value"])


def test_a_class_with_one_label_is_learned_from(offline):
    """The fold that holds it teaches one class only, and so do many resamples."""
    offline.prepare(n=12)
    rare = offline.tasks[0]["text"]
    offline.answer("ann", opinion=lambda text: "positive" if text == rare else "negative")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    quality = {"clarity": ["negative", "positive"]}
    made = offline.run("score", encoder="chargram", quality=quality, resamples=5)
    assert made.labelled == 12
    for row in offline.rows("scores"):
        assert 0 <= row["spread_low"] <= row["quality"] <= row["spread_high"] <= 1


def test_two_resamples_are_enough_for_every_row(labelled):
    """A labelled row that both resamples hold has no interval but its own prediction."""
    quality = {"clarity": ["negative", "positive"]}
    labelled.run("score", **QUICK, quality=quality, resamples=2)
    rows = labelled.rows("scores")
    ends = [(row["spread_low"], row["quality"], row["spread_high"]) for row in rows]
    assert all(low <= middle <= high for low, middle, high in ends)
    labelled_ends = [own for own, row in zip(ends, rows, strict=True) if row["out_of_fold"]]
    assert any(low == middle == high for low, middle, high in labelled_ends)


def rated(offline, question):
    """Rate the reviews with 5 and 1 under a question of that name."""
    offline.reviews()
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("sample", n=40, seed=1)
    (offline.root / "stars.xml").write_text(
        '<View><Text name="t" value="$text"/>'
        f'<Rating name="{question}" toName="t" maxRating="5"/></View>'
    )
    offline.run("push", backend="folder", form="stars.xml", overlap=1)
    good = ("wonderful", "lovely", "brilliant", "delightful", "excellent")
    offline.answer(
        "ann", question=question, opinion=lambda t: 5 if any(w in t for w in good) else 1
    )
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("score", **QUICK, resamples=2)


@pytest.mark.parametrize("question", ["stars", "quality", "language", "id"])
def test_a_question_may_have_the_name_of_a_column(offline, question):
    """The form `quality` that comes with curate asks a question of that name."""
    rated(offline, question)
    rows = offline.rows("scores")
    column = tables.predicted(question)
    ids = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert [row["id"] for row in rows] == ids
    assert all(0 <= row["quality"] <= 1 for row in rows)
    assert {row[column] for row in rows} <= {"1", "2", "3", "4", "5"}
    offline.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="50%")
    offline.run("export")
    folder = offline.root / "export"
    assert verify(folder).problems == ()
    labels = [each["labels"][question] for each in read_shard(folder / "data-00000.jsonl")]
    assert {label["by"] for label in labels} == {"people", "model"}
    assert all(isinstance(label["value"], float) for label in labels)
    if question != "language":  # that is a column of documents first
        offline.run("mix", groups=[question], budget="50%")
        assert {row["group"] for row in offline.rows("groups")} == {row[column] for row in rows}


# ── several questions, groups, windows, encoders


def answer_all(offline, **answers):
    """Answer every open task; `answers` gives each question's opinion of a text."""
    for question, opinion in answers.items():
        offline.answer("ann", question=question, opinion=opinion)


FORM = """<View><Text name="t" value="$text"/>
<Choices name="mood" toName="t"><Choice value="good"/><Choice value="bad"/></Choices>
<Rating name="stars" toName="t" maxRating="5"/>
<Choices name="topics" toName="t" choice="multiple">
<Choice value="film"/><Choice value="meal"/><Choice value="never"/></Choices></View>"""


def is_nice(text):
    return any(word in text for word in GOOD)


@pytest.fixture(scope="module")
def _asked_much(tmp_path_factory):
    offline = Offline(tmp_path_factory.mktemp("asked") / "run")
    offline.reviews()
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("sample", n=60, seed=1)
    (offline.root / "much.xml").write_text(FORM)
    offline.run("push", backend="folder", form="much.xml", overlap=1)
    answer_all(
        offline,
        mood=lambda text: "good" if is_nice(text) else "bad",
        stars=lambda text: 5 if is_nice(text) else 2,
        topics=lambda text: ["film"] if any(thing in text for thing in FILMS) else ["meal"],
    )
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    return offline.root


@pytest.fixture
def asked_much(_asked_much, tmp_path):
    """Answers to three questions; a copy, to be changed at will."""
    shutil.copytree(_asked_much, tmp_path / "run")
    return Offline(tmp_path / "run")


BOTH = {
    "product": [
        {"question": "mood", "values": {"good": 1, "bad": 0}},
        {"question": "stars", "weight": 2},
    ]
}


def test_several_questions_in_one_run(asked_much):
    questions = ["mood", "stars", "topics"]
    heads = {"encoder": "chargram", **CHOSEN}
    made = asked_much.run("score", question=questions, quality=BOTH, resamples=3, **heads)
    learned = {row.question: row for row in made.questions}
    assert list(learned) == ["mood", "stars", "topics:film", "topics:meal"]
    refused = [w.figures["question"] for w in made.warnings if w.key == "score.not_learned"]
    assert refused == ["topics:never"]
    assert all(row.accuracy > 0.8 for row in made.questions)
    assert learned["mood"].squared_error is None
    assert 0 <= learned["stars"].squared_error < 2
    for row in made.questions:
        assert {own.features for own in row.candidates} == {"embeddings", "characters", "both"}
        assert min(own.loss for own in row.candidates) >= 0
        assert 0 <= row.calibration.low <= row.calibration.high <= 1
        assert row.calibration.labels == 60
    for row in asked_much.rows("scores"):
        good = row["mood:good"]
        stars = sum((level - 1) / 4 * row[f"stars:{level}"] for level in range(1, 6))
        assert row["quality"] == pytest.approx(good * stars**2, abs=1e-9)
        assert row["topics:film:present"] + row["topics:film:absent"] == pytest.approx(1)
        assert row["topics:film"] in ("present", "absent")
    with pytest.raises(RecipeError, match="nothing to group by is called topics") as caught:
        asked_much.run("mix", groups=["topics"])
    assert caught.value.hint == "did you mean a part of it? There are: topics:film, topics:meal"
    asked_much.run("mix", groups=["topics:film", "mood"], budget="50%")
    groups = {row["group"] for row in asked_much.rows("groups")}
    assert {"present/good", "absent/bad"} <= groups
    asked_much.run("export")
    lines = read_shard(asked_much.root / "export" / "data-00000.jsonl")
    assert {"mood", "stars", "topics:film"} <= set(next(iter(lines))["labels"])
    evaluated = asked_much.run("evaluate", seeds=2)
    assert evaluated.models["stars"].documents == 60
    assert {name: own.of for name, own in evaluated.people.items()} == {
        "mood": "choice",
        "stars": "rating",
        "topics": "labels",
    }
    assert {own.items for own in evaluated.people.values()} == {60}
    stars = {own.measure: own for own in evaluated.people["stars"].measures}
    assert stars["squared error"].value == pytest.approx(learned["stars"].squared_error)
    assert stars["squared error"].better_low > 0
    assert stars["accuracy"].value == learned["stars"].accuracy
    topics = {own.measure: own.value for own in evaluated.people["topics"].measures}
    assert topics["F1 of film"] == pytest.approx(evaluated.models["topics:film"].classes[1].f1)
    both = (topics["F1 of film"] + topics["F1 of meal"]) / 2
    assert topics["macro F1"] == pytest.approx(both)


def test_several_labels_are_suggested_by_the_scores_of_each(asked_much):
    asked_much.run("score", **QUICK, question=["topics"])
    asked_much.run("sample", n=12, strategy="random", seed=2)
    by = {"question": "topics", "by": "scores"}
    asked_much.run("push", backend="folder", form="much.xml", overlap=1, suggest=[by])
    scores = {row["id"]: row for row in asked_much.rows("scores")}
    for task in asked_much.tasks:
        row = scores[task["id"]]
        learned = [name for name in ("film", "meal") if row[f"topics:{name}"] == "present"]
        sure = [row[f"topics:{name}:{row[f'topics:{name}']}"] for name in ("film", "meal")]
        (own,) = task["suggestions"]
        assert (own["value"], own["score"]) == (learned, pytest.approx(min(sure)))
    assert {tuple(own["value"]) for task in asked_much.tasks for own in task["suggestions"]} == {
        ("film",),
        ("meal",),
    }


def test_quality_of_a_question_that_cannot_be_learned(asked_much):
    quality = {"sum": [{"question": "topics:never", "values": {"present": 1, "absent": 0}}]}
    with pytest.raises(RecipeError, match="topics:never cannot be learned"):
        asked_much.run(
            "score", encoder="chargram", question=["mood", "topics:never"], quality=quality
        )


def test_the_most_doubtful_labels_are_those_that_are_wrong(asked_much):
    kept = asked_much.workspace.documents.table(["id", "text"]).to_pylist()
    texts = {row["id"]: row["text"] for row in kept}
    labels = asked_much.workspace.tables.read("labels").to_pylist()
    wrong = sorted(row["id"] for row in labels if row["question"] == "mood")[:6]
    for row in labels:
        if row["question"] == "mood" and row["id"] in wrong:
            value = "bad" if json.loads(row["value"]) == "good" else "good"
            row |= {"value": json.dumps(value), "posterior": [(value, 1.0)]}
    made = asked_much.workspace.tables.made("labels")
    asked_much.workspace.tables.write("labels", tables.rows("labels", labels), made)
    result = asked_much.run("score", encoder="chargram", question=["mood"])
    ranked = sorted(asked_much.rows("doubtful"), key=lambda row: row["rank"])
    assert [row["rank"] for row in ranked] == list(range(60))
    assert len({row["id"] for row in ranked[:6]} & set(wrong)) >= 5, [texts[id] for id in wrong]
    assert result.doubtful >= 1
    assert result.most_doubtful[0].id == ranked[0]["id"]
    for row in ranked[:2]:
        assert json.loads(row["predicted"]) != json.loads(row["value"])


def test_several_labels_of_a_text_are_one_doubtful_label(asked_much):
    labels = asked_much.workspace.tables.read("labels").to_pylist()
    wrong = sorted(row["id"] for row in labels if row["question"] == "topics")[:5]
    said = {row["id"]: json.loads(row["value"]) for row in labels if row["question"] == "topics"}
    for row in labels:
        if row["question"] == "topics:film" and row["id"] in wrong:
            value = "absent" if json.loads(row["value"]) == "present" else "present"
            row |= {"value": json.dumps(value), "posterior": [(value, 1.0)]}
    undecided = next(row for row in labels if row["question"] == "topics:meal")
    undecided |= {
        "value": None,
        "undecided": True,
        "posterior": [("absent", 0.5), ("present", 0.5)],
    }
    made = asked_much.workspace.tables.made("labels")
    asked_much.workspace.tables.write("labels", tables.rows("labels", labels), made)
    result = asked_much.run("score", encoder="chargram", question=["topics", "mood"])
    rows = sorted(asked_much.rows("doubtful"), key=lambda row: row["rank"])
    assert {row["question"] for row in rows} == {"topics", "mood"}
    own = [row for row in rows if row["question"] == "topics"]
    assert len(own) == len({row["id"] for row in own}) == 60
    assert len({row["id"] for row in own[:10]} & set(wrong)) >= 4
    assert result.doubtful >= 1
    by_id = {row["id"]: row for row in own}
    for id in set(wrong) - {undecided["id"]}:
        given = {*said[id]} ^ {"film"}
        assert json.loads(by_id[id]["value"]) == sorted(given)
    first = next(row for row in own if row["id"] in wrong and row["id"] != undecided["id"])
    assert json.loads(first["predicted"]) == said[first["id"]]
    unsettled = by_id[undecided["id"]]
    assert "meal" not in json.loads(unsettled["value"]) + json.loads(unsettled["predicted"])
    asked_much.run("sample", relabel="doubtful", n=1)
    (task,) = asked_much.workspace.rounds.current().sample().to_pylist()
    assert task["id"] == rows[0]["id"]


def test_a_comparison_gives_strengths(offline):
    offline.reviews()
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("sample", n=40, seed=1, compare=True)
    offline.run("push", backend="folder", form="comparison", overlap=1)
    sides = {task["id"]: task for task in offline.tasks}
    for id, task in sides.items():
        fields = task.get("fields", task)
        better = "a" if is_nice(fields["a"]) >= is_nice(fields["b"]) else "b"
        offline.say({"id": id, "question": "better", "annotator": "ann", "value": better})
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    made = offline.run("score", encoder="chargram", resamples=3)
    better = made.questions[0]
    assert better.kind == "preference"
    shown = comparisons(offline.workspace).rows
    assert [row["accuracy"] for row in shown] == [
        better.accuracy,
        better.trivial_accuracy,
    ]
    assert [row["comparisons"] for row in shown] == [40, 40]
    assert shown[0]["cross_entropy"] == better.cross_entropy
    assert Lexicon("en").shown(shown[0]["reads"]).startswith(("chargram", "characters"))
    people = offline.run("evaluate").people
    assert (people["better"].of, people["better"].items) == ("comparisons", 40)
    assert people["better"].measures[0].value == better.accuracy
    assert people["better"].measures[0].trivial == pytest.approx(better.trivial_accuracy)
    assert foresight(offline.workspace) is None  # comparisons say nothing of one document
    texts = offline.workspace.documents.table(["id", "text"]).to_pylist()
    nice = {row["id"]: is_nice(row["text"]) for row in texts}
    rows = offline.rows("scores")
    assert all(row["quality"] == row["better"] and row["low"] is None for row in rows)
    good = [row["better"] for row in rows if nice[row["id"]]]
    other = [row["better"] for row in rows if not nice[row["id"]]]
    assert np.mean(good) > 0.5 > np.mean(other)
    with pytest.raises(RecipeError, match="better"):
        offline.run("mix", groups=["better"])
    offline.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="50%")
    offline.run("export")


def test_a_group_that_abstains_is_average_in_a_mixture(asked_much, monkeypatch):
    films = property(lambda trust: trust.group == "films")
    monkeypatch.setattr("curate.heads.abstaining.Trust.abstains", films)
    quality = {"values": {"good": 1.0, "bad": 0.0}}
    made = asked_much.run("score", **QUICK, quality=quality, calibrate_by="source")
    rows = {row["id"]: row for row in asked_much.rows("scores")}
    source = {row["id"]: row["source"] for row in asked_much.rows("pool")}
    assert set(source.values()) == {"films", "meals"}
    assert all(row["abstained"] == (source[id] == "films") for id, row in rows.items())
    (told,) = [warning for warning in made.warnings if warning.key == "score.abstained"]
    assert told.figures["groups"] == ["films"]
    assert made.abstained == sum(row["abstained"] for row in rows.values())
    settings = {"within": {"strategy": "softmax", "temperature": 0.5}, "budget": "50%"}
    mixed = asked_much.run("mix", groups=["mood"], **settings)
    assert any("abstained" in note for note in mixed.notes)
    own = asked_much.rows("mix")
    for group in {row["group"] for row in own}:
        weights = [row["weight"] for row in own if row["group"] == group]
        trusted = [
            row["weight"]
            for row in own
            if row["group"] == group and not rows[row["id"]]["abstained"]
        ]
        average = {
            row["weight"] for row in own if row["group"] == group and rows[row["id"]]["abstained"]
        }
        assert len(average) == 1
        assert average.pop() == pytest.approx(np.mean(trusted))
        assert len(weights) > len(trusted) > 0
    buckets = {row["id"]: row["bucket"] for row in own}
    assert all((bucket is None) == rows[id]["abstained"] for id, bucket in buckets.items())


def test_without_groups_the_corpus_is_one_and_nothing_abstains(asked_much, monkeypatch):
    monkeypatch.setattr("curate.heads.abstaining.LABELS", 10)
    monkeypatch.setattr("curate.heads.abstaining.LEVEL", 1.0)
    made = asked_much.run("score", encoder="chargram", quality={"clarity": ["good"]}, resamples=2)
    (told,) = [warning for warning in made.warnings if warning.key == "score.unfit"]
    assert told.figures["question"] == "mood"
    assert told.figures["labels"] == made.questions[0].labels - made.questions[0].undecided
    assert made.abstained == 0
    assert not any(row["abstained"] for row in asked_much.rows("scores"))


@pytest.mark.parametrize("by", ["mean", "minimum", "share_below"])
def test_long_texts_are_scored_window_by_window(asked_much, by):
    quality = {"values": {"good": 1.0, "bad": 0.0}}
    windows = {"size": 60, "by": by, **({"bound": 0.8} if by == "share_below" else {})}
    made = asked_much.run("score", encoder="chargram", quality=quality, windows=windows)
    vectors = embed(asked_much.workspace, "chargram", 60).shards(asked_much.workspace)
    assert sum(len(shard.digests()) for shard in vectors) > 2 * made.documents
    rows = asked_much.rows("scores")
    assert all(0 <= row["spread_low"] <= row["quality"] <= row["spread_high"] <= 1 for row in rows)
    unlabelled = [row for row in rows if not row["out_of_fold"]]
    if by == "mean":
        for row in unlabelled:
            assert row["quality"] == pytest.approx(row["mood:good"], abs=1e-9)
    if by == "share_below":
        assert any(0 < row["quality"] < 1 for row in rows if row["out_of_fold"])
    if by == "minimum":  # of labelled texts too: their windows are scored out of fold
        for own in (unlabelled, [row for row in rows if row["out_of_fold"]]):
            assert all(row["quality"] <= row["mood:good"] + 1e-9 for row in own)
            assert any(row["quality"] < row["mood:good"] - 0.01 for row in own)
    # The half-width is that of the residuals of quality as it is joined from windows.
    half = made.quality.half_width
    labels = [row for row in asked_much.rows("labels") if row["question"] == "mood"]
    truth = {row["id"]: dict(row["posterior"]) for row in labels}
    residuals = [
        abs(truth[row["id"]].get("good", 0.0) - row["quality"])
        for row in rows
        if row["id"] in truth and row["mood"] is not None
    ]
    assert half == pytest.approx(sorted(residuals)[int(np.ceil(0.9 * (len(residuals) + 1))) - 1])
    for row in rows:
        assert row["low"] == pytest.approx(max(row["quality"] - half, 0))
        assert row["high"] == pytest.approx(min(row["quality"] + half, 1))
    assert made.encoded == sum(len(shard.digests()) for shard in vectors)
    assert (
        asked_much.run("score", encoder="chargram", quality=quality, windows=windows).encoded == 0
    )


def test_a_piece_counts_by_whether_its_quality_reaches_the_bound():
    windows = WindowsSpec(by="share_below", bound=0.6)
    pieces = np.array([0.59, 0.6, np.nan])
    np.testing.assert_array_equal(of_pieces(pieces, windows), [0, 1, np.nan])
    np.testing.assert_array_equal(of_pieces(pieces, WindowsSpec()), pieces)


def test_windows_are_the_text():
    text = "one two three four five six seven eight nine ten " * 7
    cut = windows(text, 100)
    assert "".join(cut) == text
    assert all(40 <= len(part) <= 100 for part in cut)
    assert all(part.endswith(" ") for part in cut)
    assert windows("短" * 250, 100) == ["短" * 84, "短" * 83, "短" * 83]
    assert windows("short", 100) == ["short"]
    assert windows("x" * 500, None) == ["x" * 500]


def test_a_vector_that_is_no_number_is_refused(asked_much, monkeypatch):
    class Broken:
        id, dimension, about = "broken", 4, {"encoder": "broken"}

        def encode(self, sentences):
            vectors = np.ones((len(sentences), 4), np.float32)
            vectors[:1, 2] = np.nan
            return vectors

    monkeypatch.setattr("curate.embed.vectors.load", lambda *a: Broken())
    with pytest.raises(DataError, match="gave no numbers for 1 of"):
        asked_much.run("score", encoder="broken")


def test_drift_is_told_and_may_stop_a_mixture(asked_much, monkeypatch):
    made = asked_much.run("score", **QUICK)
    assert made.drift is not None
    assert not [warning for warning in made.warnings if warning.key == "score.drift"]
    asked_much.run("mix", groups=["mood"], drift="refuse")
    facts = asked_much.workspace.tables.made("scores").facts
    assert facts["drift"]["labelled"] == made.drift.labelled
    different = type(made.drift)(60, 60, 0.9, 0.001, 0.2, 0.001)
    monkeypatch.setattr("curate.score.drifting.drift", lambda *a, **k: different)
    made = asked_much.run("score", **QUICK, seed=1)
    (told,) = [warning for warning in made.warnings if warning.key == "score.drift"]
    assert told.figures["p_value"] == pytest.approx(0.002)
    with pytest.raises(DataError, match="do not look like the corpus"):
        asked_much.run("mix", groups=["mood"], drift="refuse")
    asked_much.run("mix", groups=["mood"])


# ── texts outside the pool


def test_texts_outside_the_pool_get_the_same_scores(asked_much, monkeypatch, capsys):
    quality = {"values": {"good": 1.0, "bad": 0.0}}
    asked_much.run("score", encoder="chargram", quality=quality, resamples=4)
    kept = asked_much.workspace.documents.table(["id", "text"]).to_pylist()
    rows = {row["id"]: row for row in asked_much.rows("scores") if not row["out_of_fold"]}
    path = asked_much.root / "more.jsonl"
    own = [row for row in kept if row["id"] in rows]
    path.write_text("\n".join(json.dumps({"body": row["text"]}) for row in own) + "\n{oops\n")
    out = asked_much.root / "scored.jsonl"
    run = command(monkeypatch, capsys)
    code, said, err = run("predict", path, "--text", "body", "-o", out, "-w", asked_much.root)
    assert code == 0, err
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == [row["id"] for row in own]
    for line in lines:
        row = rows[line["id"]]
        for name in ("quality", "low", "high", "spread_low", "spread_high", "mood:good"):
            assert line[name] == pytest.approx(row[name], abs=1e-6), name
        assert line["mood"] == row["mood"]
    assert "skipped  1" in said


def test_lines_on_stdout_are_beside_a_word_about_rows_that_were_left_out(
    whole, monkeypatch, capsys
):
    run = command(monkeypatch, capsys)
    path = whole.root / "odd.jsonl"
    path.write_text('{"text": "a lovely film"}\n{"txt": 1}\n{"text": null}\n')
    code, said, err = run("predict", path, "-w", whole.root)
    assert code == 0
    (line,) = said.splitlines()
    assert json.loads(line)["origin"].endswith("odd.jsonl:1")
    assert "rows that were not scored: 2 (the first: " in err
    assert "odd.jsonl, row 2: " in err
    code, said, err = run("predict", path, "--text", "body", "-w", whole.root)
    assert (code, said) == (1, "")
    assert "no text to score (the first: " in err
    assert "--text" in err
    code, _, err = run("predict", whole.root / "absent.jsonl", "-w", whole.root)
    assert code == 1
    assert "workspace" not in err


@pytest.mark.parametrize("content", ["{", "[]", '{"spec": {}}', "no encoder"])
def test_heads_that_are_damaged_are_told(whole, monkeypatch, capsys, content):
    about = whole.root / "scores" / "_heads" / "scorer.json"
    if content == "no encoder":
        content = json.dumps({**json.loads(about.read_text()), "encoders": {}})
    about.write_text(content)
    path = whole.root / "more.jsonl"
    path.write_text('{"text": "a lovely film"}\n')
    code, _, err = command(monkeypatch, capsys)("predict", path, "-w", whole.root)
    assert code == 1
    assert "holds no heads that can be read" in err
    assert "hint: run `curate score" in err


def test_heads_of_another_encoder_predict_nothing(asked_much, tmp_path):
    from curate.predict import predict

    asked_much.run("score", encoder="chargram", features="embeddings")
    about = asked_much.root / "scores" / "_heads" / "scorer.json"
    content = json.loads(about.read_text())
    content["encoders"] = dict.fromkeys(content["encoders"], "00000000")
    about.write_text(json.dumps(content))
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a lovely film"}\n')
    with (tmp_path / "out").open("w") as out, pytest.raises(StaleInput, match="has changed"):
        predict(asked_much.workspace, SourceSpec(paths=(str(path),)), out)
