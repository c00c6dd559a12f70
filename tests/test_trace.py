"""`curate trace`: what a document went through, what hangs on what, and that both agree."""

import csv
import json
import shutil
from collections import Counter
from random import Random

import numpy as np
import pytest

from curate.embed import embed
from curate.errors import MissingInput, RecipeError
from curate.takedown import naming, takedown
from curate.text import content_id
from curate.trace.backward import Backward
from curate.trace.forward import Tracer
from tests.command import command
from tests.conftest import BAD, FILMS, GOOD, MEALS, Offline, feeling, reviews
from tests.test_whatif import promised, really, tree

SHORT = "Too short."
MAILED = "Write to ana.silva@example.org about the wonderful soup that all of us had by the sea."
SHARED = "The film and the meal of that evening were both lovely, truly wonderful, said everybody."
TWIN = reviews(FILMS, GOOD)[0].removesuffix(".") + "!"

SCORE = {"encoder": "chargram", "resamples": 2, "quality": {"clarity": ["negative", "positive"]}}
MIX = {
    "groups": ["sentiment", "source"],
    "within": {"strategy": "softmax"},
    "limits": {"source=meals": {"max_share": 0.4}},
    "budget": "60%",
}


def wrong(text):
    return {"positive": "negative", "negative": "positive"}[feeling(text)]


@pytest.fixture(scope="module")
def _traced_run(tmp_path_factory):
    """Three sources with copies of each kind, two rounds under two guidelines, a mixture."""
    run = Offline(tmp_path_factory.mktemp("traced") / "run")
    run.lines("films.jsonl", [*reviews(FILMS, GOOD), *reviews(FILMS, BAD), SHARED, SHORT])
    run.lines("meals.jsonl", [*reviews(MEALS, GOOD), *reviews(MEALS, BAD), SHARED, MAILED])
    run.lines("notes.jsonl", [TWIN, MAILED + " Twice.", MAILED + " Twice."])
    run.pool("films.jsonl", "meals.jsonl", "notes.jsonl", holdout=0.1)
    run.run("clean", near_duplicates=0.7, privacy="mask", limits={"length:words": {"min": 3}})
    for number, people in enumerate((("ann", "bob"), ("ann", "liar")), 1):
        (run.root / f"v{number}.md").write_text(f"Guideline {number}.", encoding="utf-8")
        run.run("sample", n=24, strategy="stratified", seed=number)
        run.run("push", backend="folder", form="sentiment", overlap=2, guidelines=f"v{number}.md")
        for person in people:
            run.answer(person, opinion=wrong if person == "liar" else feeling)
        run.run("pull")
    run.run("agree", bootstrap=0)
    run.run("score", **SCORE)
    run.run("mix", **MIX)
    run.run("export")
    return run.root


@pytest.fixture
def traced(_traced_run, tmp_path):
    shutil.copytree(_traced_run, tmp_path / "run")
    return Offline(tmp_path / "run")


@pytest.fixture(scope="module")
def read_only(_traced_run):
    """The same run, for tests that change nothing."""
    before = tree(_traced_run)
    yield Offline(_traced_run)
    assert tree(_traced_run) == before


@pytest.fixture(scope="module")
def traces(read_only):
    """The traces of all documents, by id, in pool order."""
    tracer = Tracer(read_only.workspace)
    return {row["id"]: tracer(row["id"]) for row in read_only.rows("pool")}


def history(run):
    return [row for round_ in run.workspace.rounds.all() for row in round_.history()]


# ── one document


def test_origin_copies_and_reasons_are_those_of_the_tables(read_only, traces):
    verdicts = {row["id"]: row for row in read_only.rows("clean")}
    copies = Counter(row["id"] for row in read_only.rows("duplicates"))
    instead = Counter(row["duplicate_of"] for row in verdicts.values())
    for row in read_only.rows("pool"):
        trace, verdict = traces[row["id"]], verdicts[row["id"]]
        origin = trace.origin
        assert (origin.source, origin.origin, [*origin.also], origin.tokens) == (
            *(row["source"], row["origin"], row["also"] or [], row["tokens"]),
        )
        hows = Counter(one.how for one in trace.duplicates)
        assert hows["exact copy"] == copies[row["id"]]
        assert hows["near-duplicate"] == instead[row["id"]]
        assert hows["kept instead"] == (verdict["duplicate_of"] is not None)
        assert all(check.passes for check in trace.checks) == verdict["kept"]
        assert list(trace.edits) == (verdict["edits"] or [])
        if not verdict["kept"]:
            assert trace.state == "dropped"
            assert trace.says.startswith(f"dropped by `clean`: {verdict['reason']}")
            assert (
                next(check.name for check in trace.checks if not check.passes) == verdict["reason"]
            )
        assert (trace.state == "held_out") == (verdict["kept"] and row["holdout"])


def test_margins_say_how_nearly_a_rule_was_passed(read_only):
    tracer = Tracer(read_only.workspace)
    checks = {check.name: check for check in tracer(content_id({"text": SHORT})).checks}
    words = checks["length:words"]
    assert (words.value, words.low, words.high, words.margin) == (2, 3, 100_000, -1)
    assert not words.passes
    assert checks["length:chars"].margin == len(SHORT) - 1
    mailed = tracer(content_id({"text": MAILED}))
    (privacy,) = [check for check in mailed.checks if check.name == "privacy"]
    assert privacy.value == "email 1"
    assert privacy.passes
    assert [MAILED[one["start"] : one["end"]] for one in mailed.edits] == ["ana.silva@example.org"]
    twin = tracer(content_id({"text": TWIN}))
    (near,) = [check for check in twin.checks if check.name == "near_duplicate"]
    assert near.high == 0.7
    assert near.margin == pytest.approx(0.7 - twin.duplicates[0].similarity)
    assert near.margin < 0


def test_answers_and_labels_are_those_of_the_rounds(read_only, traces):
    told = {
        (answer.annotator, answer.round, answer.label, answer.value, answer.guideline)
        for trace in traces.values()
        for answer in trace.answers
    }
    assert told == {
        (row["annotator"], row["round"], row["id"], row["value"], row["guideline"])
        for row in history(read_only)
    }
    values = {row["id"]: row["value"] for row in read_only.rows("labels")}
    for id, value in values.items():
        (label,) = traces[id].labels
        assert (label.question, label.value) == ("sentiment", value)


def test_teachers_are_the_people_behind_the_labels_that_heads_learned_from(read_only):
    tracer = Tracer(read_only.workspace)
    holdout = {row["id"] for row in read_only.rows("pool") if row["holdout"]}
    kept = {row["id"] for row in read_only.rows("clean") if row["kept"]}
    learned = {row["id"] for row in read_only.rows("labels")} & kept - holdout
    answers = Counter(
        (row["annotator"], row["round"]) for row in history(read_only) if row["id"] in learned
    )
    unlabelled = sorted(kept - holdout - learned)[0]
    score = tracer(unlabelled).score
    assert score.labels == {"sentiment": len(learned)}
    assert {(one.annotator, one.round): one.answers for one in score.teachers} == answers
    assert not score.is_teacher
    assert tracer(min(learned)).score.is_teacher
    assert tracer(min(learned)).score.out_of_fold
    row = next(row for row in read_only.rows("scores") if row["id"] == unlabelled)
    (predicted,) = score.predictions
    assert (score.quality, predicted.value) == (row["quality"], row["sentiment"])
    assert predicted.probability == row[f"sentiment:{row['sentiment']}"]


def test_nearest_labelled_documents_are_those_of_all_vectors(traced):
    ids, vectors = embed(traced.workspace, "chargram").vectors(traced.workspace)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    place = {id: row for row, id in enumerate(ids)}
    holdout = {row["id"] for row in traced.rows("pool") if row["holdout"]}
    learned = sorted({row["id"] for row in traced.rows("labels")} & set(ids) - holdout)
    tracer = Tracer(traced.workspace)
    for id in ids[::9]:
        others = [other for other in learned if other != id]
        cosines = vectors[[place[other] for other in others]] @ vectors[place[id]]
        expected = sorted(cosines.tolist(), reverse=True)[:5]
        nearest = tracer(id).score.nearest
        assert [one.similarity for one in nearest] == pytest.approx(expected, abs=1e-5)
        for one in nearest:
            assert one.similarity == pytest.approx(
                vectors[place[one.id]] @ vectors[place[id]], abs=1e-5
            )


def test_weights_are_those_of_the_mixture(read_only, traces):
    groups = {row["group"]: row for row in read_only.rows("groups")}
    total = sum(row["tokens"] for row in groups.values())
    shares = Counter()
    for row in read_only.rows("mix"):
        (weight,) = traces[row["id"]].weights
        names = ("group", "bucket", "weight", "copies", "size", "max_epochs", "factor")
        assert {name: getattr(weight, name) for name in names} == {
            name: row[name] for name in names
        }
        own = groups[row["group"]]
        assert (weight.promised, weight.bound) == (own["promised"], own["bound"])
        assert weight.share == pytest.approx(row["copies"] * row["size"] / total)
        shares[row["group"]] += weight.share
        assert traces[row["id"]].state == ("drawn" if row["copies"] else "not_drawn")
    assert shares == pytest.approx({name: row["realised"] for name, row in groups.items()})


@pytest.mark.parametrize("settings", [{"format": "tokens"}, {"original": True}])
def test_lines_of_the_validation_split_are_found_in_any_format(traced, settings):
    traced.run("export", **settings)
    tracer = Tracer(traced.workspace)
    held_out = [row["id"] for row in traced.rows("pool") if row["holdout"]]
    found = [trace.lines for trace in map(tracer, held_out) if trace.state == "held_out"]
    assert sorted(line.position for (line,) in found) == list(range(len(found)))
    assert {line.shard.split("-")[0] for (line,) in found} == {"validation"}


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_lines_are_where_the_shards_have_them(traced, layout):
    traced.run("export", layout=layout, shards=4)
    export = traced.root / "export"
    manifest = json.loads((export / "manifest.json").read_text())
    places = {}
    shards = [*manifest["files"], *manifest["validation"]["files"]]
    for path in (file["path"] for file in shards):
        for position, line in enumerate((export / path).read_text().splitlines()):
            row = json.loads(line)
            places.setdefault(row["id"], []).append((path, position, row["copy"]))
    assert len(shards) >= 4
    tracer = Tracer(traced.workspace)
    for row in traced.rows("pool")[::3]:
        own = [(line.shard, line.position, line.copy) for line in tracer(row["id"]).lines]
        assert own == places.get(row["id"], [])
    tokens = {row["id"]: row["tokens"] for row in traced.rows("clean")}
    of_meals = {row["id"] for row in traced.rows("pool") if row["source"] == "meals"}
    lines, sums, whole = Counter(), Counter(), Counter()
    for id, own in places.items():
        for path, *_ in own:
            whole[path] += tokens[id]
            lines[path] += id in of_meals
            sums[path] += tokens[id] * (id in of_meals)
    hanging = Backward.of(traced.workspace, "source", "meals").result(plan=False)
    trained = {file["path"] for file in manifest["files"]}
    assert {one.shard: (one.lines, one.tokens, one.share) for one in hanging.shards} == {
        path: (lines[path], sums[path], pytest.approx(sums[path] / whole[path]))
        for path in trained
        if lines[path]
    }


# ── which document


def test_a_beginning_that_one_id_has_names_it(read_only):
    tracer = Tracer(read_only.workspace)
    ids = sorted(row["id"] for row in read_only.rows("pool"))
    for id in ids[::7]:
        others = [other for other in ids if other != id]
        length = next(n for n in range(1, 33) if not any(one[:n] == id[:n] for one in others))
        assert tracer(id[:length]).id == id
        if length > 1:
            with pytest.raises(RecipeError, match="several ids begin with") as error:
                tracer(id[: length - 1])
            assert id[: length - 1] in error.value.hint
    with pytest.raises(MissingInput, match="no document") as error:
        tracer(ids[0][:20] + "x" * 12)
    assert ids[0] in error.value.hint


def test_a_document_without_clean_is_found_too(offline):
    offline.reviews()
    offline.pool()
    id = offline.rows("pool")[3]["id"]
    trace = Tracer(offline.workspace)(id[:12])
    assert (trace.id, trace.state) == (id, "unjudged")
    with pytest.raises(MissingInput, match="no document"):
        Tracer(offline.workspace)("zz")


def test_what_was_taken_down_is_told_with_its_answers(traced):
    id = traced.rows("labels")[0]["id"]
    (traced.root / "ids.txt").write_text(id)
    ids = naming.find(traced.workspace, ids=traced.root / "ids.txt")
    found = naming.cluster(traced.workspace, ids)
    takedown.run(traced.workspace, found, ids, "asked by its author")
    trace = Tracer(traced.workspace)(id[:16])
    assert (trace.id, trace.state, trace.origin) == (id, "removed", None)
    assert "asked by its author" in trace.says
    assert {answer.label for answer in trace.answers} == {id}


def test_what_is_outdated_is_left_out_and_told(traced):
    traced.run("clean", limits={"length:words": {"min": 4}})
    trace = Tracer(traced.workspace)(traced.rows("mix")[0]["id"])
    assert (trace.score, trace.weights) == (None, ())
    assert any(note.startswith("mix is left out") for note in trace.notes)


# ── back


def test_forward_and_back_agree(read_only, traces):
    guidelines = {row["guideline"] for row in history(read_only)}
    assert len(guidelines) == 2
    cases = [
        *(
            ("source", name, lambda own, name=name: own.origin.source == name)
            for name in ("films", "meals", "notes")
        ),
        *(
            (
                "annotator",
                name,
                lambda own, name=name: any(
                    one.annotator == name and one.counts for one in own.answers
                ),
            )
            for name in ("ann", "bob", "liar")
        ),
        *(
            (
                "guideline",
                name,
                lambda own, name=name: any(
                    one.guideline == name and one.counts for one in own.answers
                ),
            )
            for name in sorted(guidelines)
        ),
        *(
            (
                "label",
                value,
                lambda own, value=value: any(one.value == json.dumps(value) for one in own.labels),
            )
            for value in ("positive", "negative")
        ),
    ]
    sizes = {row["id"]: row for row in read_only.rows("mix")}
    for by, name, is_own in cases:
        look = Backward.of(read_only.workspace, by, name)
        ids = [id for table in look.documents() for id in table["id"].to_pylist()]
        expected = [id for id, trace in traces.items() if is_own(trace)]
        assert ids == expected, (by, name)
        assert expected
        hanging = look.result(plan=False)
        assert hanging.documents == len(ids)
        drawn = {id: sizes[id] for id in ids if id in sizes and sizes[id]["copies"]}
        assert hanging.drawn == len(drawn)
        assert hanging.lines == sum(row["copies"] for row in drawn.values())
        assert hanging.tokens == sum(
            trace.tokens
            for id, trace in traces.items()
            if id in set(ids) and trace.state != "dropped"
        )


@pytest.mark.slow
def test_forward_and_back_agree_on_a_thousand_random_documents(offline):
    words = [*GOOD, *BAD, *FILMS, *MEALS]
    rng = Random(5)
    for name in ("films", "meals", "notes", "web"):
        rows = [" ".join(rng.choices(words, k=rng.randint(3, 40))) for _ in range(300)]
        offline.lines(f"{name}.jsonl", rows)
    offline.pool("films.jsonl", "meals.jsonl", "notes.jsonl", "web.jsonl", holdout=0.1)
    offline.run("clean", near_duplicates=0.8, limits={"length:words": {"min": 5}})
    for number in (1, 2):
        (offline.root / f"v{number}.md").write_text(f"Guideline {number}.", encoding="utf-8")
        offline.run("sample", n=150, strategy="random", seed=number)
        offline.run("push", backend="folder", form="sentiment", guidelines=f"v{number}.md")
        offline.answer("ann", f"bob{number}")
        offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("score", encoder="chargram", resamples=5)
    offline.run("mix", groups=["sentiment", "source"], budget="70%")
    offline.run("export", shards=8)
    tracer = Tracer(offline.workspace)
    ids = [row["id"] for row in offline.rows("pool")]
    traces = [tracer(id) for id in sorted(rng.sample(ids, 1_000))]
    forward, backward = Counter(), Counter()
    chosen = {trace.id for trace in traces}
    for trace in traces:
        forward.update((trace.id, *what) for what in {*_hangs_on(trace)})
    for by, name in sorted({key[1:] for key in forward}):
        tables_ = Backward.of(offline.workspace, by, name).documents()
        own = {id for table in tables_ for id in table["id"].to_pylist()} & chosen
        backward.update((id, by, name) for id in own)
    assert forward == backward
    assert {by for _, by, _ in forward} == {"source", "annotator", "guideline", "label"}
    assert len(forward) > 1_300


def _hangs_on(trace):
    """What a trace says that its document hangs on."""
    yield "source", trace.origin.source
    for answer in trace.answers:
        if answer.counts:
            yield "annotator", answer.annotator
            yield "guideline", answer.guideline
    for label in trace.labels:
        if label.value is not None:
            yield "label", f"{label.question}={json.loads(label.value)}"


def test_answers_and_the_labels_that_rest_on_them_alone(read_only):
    own = [row for row in history(read_only) if row["annotator"] == "ann"]
    others = {row["id"] for row in history(read_only) if row["annotator"] != "ann"}
    result = Backward.of(read_only.workspace, "annotator", "ann").result(plan=False)
    labelled = {row["id"] for row in own}
    assert (result.answers, result.labels) == (len(own), len(labelled))
    assert result.alone == len(labelled - others)


def test_a_guideline_is_named_by_its_file_or_its_digest(read_only):
    first = read_only.workspace.rounds.all()[0].batches[0].guideline
    for name in ("v1", "v1.md", first, first[:8]):
        assert Backward.of(read_only.workspace, "guideline", name).sought.name == first
    with pytest.raises(RecipeError, match="no answer that counts was given under v3") as error:
        Backward.of(read_only.workspace, "guideline", "v3")
    assert "v1" in error.value.hint
    for by, name in (("source", "film"), ("annotator", "anne"), ("label", "sentiment=positiv")):
        with pytest.raises(RecipeError, match=r"^trace: no"):
            Backward.of(read_only.workspace, by, name)


def test_the_mixture_without_a_source_is_that_of_a_recipe_without_it(traced, tmp_path):
    before = tree(traced.root)
    case = Backward.of(traced.workspace, "source", "films").result().without
    assert tree(traced.root) == before
    assert "the groups can fill 40.00% of it" in case.problem
    # No near-duplicates: those that went for films would be kept in the real run.
    copy = Offline(tmp_path / "copy")
    shutil.copytree(traced.root / "data", copy.root / "data", dirs_exist_ok=True)
    copy.pool("meals.jsonl", "notes.jsonl", holdout=0.1)
    copy.run("clean", privacy="mask", limits={"length:words": {"min": 3}})
    copy.run("mix", groups=["source"], budget="60%")
    traced.run("clean", privacy="mask", limits={"length:words": {"min": 3}})
    traced.run("mix", groups=["source"], budget="60%")
    without = Backward.of(traced.workspace, "source", "films").result().without
    assert promised(without) == pytest.approx(
        {row["group"]: row["promised"] for row in copy.rows("groups")}
    )
    drawn = {row["id"]: row["copies"] for row in copy.rows("mix")}
    today = {row["id"]: row["copies"] for row in traced.rows("mix")}
    assert content_id({"text": SHARED}) in drawn
    gone = [id for id in today if id not in drawn]
    assert without.documents == sum(drawn.values())
    assert without.change.left == sum(
        today[id] > 0 for id in [*gone, *(id for id in drawn if not drawn[id])]
    )
    assert without.change.entered == sum(drawn[id] > 0 and not today[id] for id in drawn)


@pytest.mark.slow
def test_the_mixture_without_peoples_work_is_that_of_a_real_run(traced, tmp_path):
    second = traced.workspace.rounds.all()[1].batches[0].guideline
    agree = {"bootstrap": 0}
    for by, name, excluded in (
        ("annotator", "liar", {"exclude": ["liar"]}),
        ("guideline", "v2", {"exclude_guidelines": [second]}),
    ):
        before = tree(traced.root)
        without = Backward.of(traced.workspace, by, name).result().without
        assert tree(traced.root) == before
        stages = (("agree", {**agree, **excluded}), ("score", SCORE), ("mix", MIX))
        copy = really(traced, tmp_path / by, *stages)
        assert promised(without) == pytest.approx(
            {row["group"]: row["promised"] for row in copy.rows("groups")}
        )
        assert without.documents == sum(row["copies"] for row in copy.rows("mix"))
        assert without.change.changed > 0


def test_without_a_label_its_class_is_learned_no_more(traced):
    before = tree(traced.root)
    without = Backward.of(traced.workspace, "label", "sentiment=negative").result().without
    assert tree(traced.root) == before
    assert "all labels of sentiment are the same" in without.problem


def test_a_mixture_that_follows_no_answer_does_not_move(traced):
    traced.run("mix", groups=["source"], budget="60%")
    result = Backward.of(traced.workspace, "annotator", "ann").result()
    assert promised(result.without) == promised(result.today)
    assert any("no answer has moved the mixture" in note for note in result.notes)


def test_answers_under_a_guideline_can_be_excluded(traced):
    first, second = (round_.batches[0].guideline for round_ in traced.workspace.rounds.all())
    labels = {row["id"] for row in history(traced) if row["guideline"] == second}
    traced.run("agree", bootstrap=0, exclude_guidelines=first[:10])
    assert {row["id"] for row in traced.rows("labels")} == labels
    trace = Tracer(traced.workspace)(
        next(row["id"] for row in history(traced) if row["guideline"] == first)
    )
    assert {one.why for one in trace.answers if one.guideline == first} == {
        "excluded by the settings of agree"
    }
    with pytest.raises(RecipeError, match="exclude_guidelines: no answer was given under 0123"):
        traced.run("agree", bootstrap=0, exclude_guidelines="0123")


# ── other questions, windows, phases


def test_a_comparison_is_of_both_its_documents(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=20, seed=1, compare=True)
    offline.run("push", backend="folder", form="comparison", overlap=1)
    for number, task in enumerate(offline.tasks):
        value = "ab"[number % 2]
        offline.say({"id": task["id"], "question": "better", "annotator": "ann", "value": value})
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("mix", budget="50%")
    (round_,) = offline.workspace.rounds.all()
    tasks = {}
    for task, documents in round_.documents().items():
        for document in documents:
            tasks.setdefault(document, set()).add(task)
    tracer = Tracer(offline.workspace)
    for row in offline.rows("pool"):
        trace = tracer(row["id"])
        assert {answer.label for answer in trace.answers} == tasks.get(row["id"], set())
        assert {label.label for label in trace.labels} == tasks.get(row["id"], set())
    look = Backward.of(offline.workspace, "annotator", "ann")
    assert {id for table in look.documents() for id in table["id"].to_pylist()} == set(tasks)
    result = look.result(plan=False)
    assert (result.answers, result.labels, result.alone) == (20, 20, 20)


def test_one_of_several_labels_hangs_on_its_texts(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=60, seed=1)
    offline.run("push", backend="folder", form="flags", overlap=1)
    for task in offline.tasks:
        flags = [
            flag for flag, word in (("spam", "soup"), ("toxic", "sea")) if word in task["text"]
        ]
        offline.say({"id": task["id"], "question": "flags", "annotator": "ann", "value": flags})
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("score", question="flags", encoder="chargram")
    offline.run("mix", groups=["flags:toxic"], budget="50%")
    toxic = {task["id"] for task in offline.tasks if "sea" in task["text"]}
    for name in ("toxic", "flags=toxic"):
        look = Backward.of(offline.workspace, "label", name)
        assert {id for table in look.documents() for id in table["id"].to_pylist()} == toxic
        assert look.result(plan=False).labels == len(toxic)
    assert "nothing to group by is called flags:toxic" in look.result().without.problem
    teachers = Tracer(offline.workspace)(offline.rows("mix")[0]["id"]).score.teachers
    assert {(one.question, one.answers) for one in teachers} == {
        ("flags:toxic", 60),
        ("flags:spam", 60),
    }


def test_each_phase_has_its_own_reason(traced):
    phases = [{"name": "first", "budget": 900}, {"name": "last", "budget": 1500}]
    traced.run("mix", groups=["source"], phases=phases)
    tracer = Tracer(traced.workspace)
    groups = {(row["phase"], row["group"]): row for row in traced.rows("groups")}
    for row in traced.rows("mix"):
        weights = tracer(row["id"]).weights
        assert [own.phase for own in weights] == ["first", "last"]
        for own in weights:
            assert own.copies == row[f"copies:{own.phase}"]
            assert own.promised == groups[own.phase, own.group]["promised"]


# ── the command


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


def test_json_and_csv_hold_every_document(read_only, run, tmp_path):
    output = tmp_path / "own.csv"
    code, out, _ = run(
        *("trace", "--source", "meals", "-w", read_only.root, "--output", output, "--json")
    )
    assert code == 0
    told = json.loads(out)
    ids = [row["id"] for row in read_only.rows("pool") if row["source"] == "meals"]
    assert [row["id"] for row in told["found"]] == ids
    assert told["documents"] == len(ids)
    assert {one["group"] for one in told["today"]["groups"]} == {
        row["group"] for row in read_only.rows("groups")
    }
    with output.open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ids


def test_a_terminal_shows_a_trace_in_sections(read_only, run):
    row = next(row for row in read_only.rows("mix") if row["copies"])
    code, out, _ = run("trace", row["id"][:20], "-w", read_only.root)
    assert code == 0
    for word in (row["id"], "length:words", "nearest labelled documents", row["group"], "drawn"):
        assert word in out
    told = json.loads(run("trace", row["id"], "-w", read_only.root, "--json")[1])
    assert told["weights"][0]["copies"] == row["copies"]
    code, out, _ = run("trace", "--annotator", "liar", "-w", read_only.root)
    assert code == 0
    assert "promised shares" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name one thing"),
        (("00", "--source", "films"), 2, "name one thing"),
        (("00", "--output", "x.csv"), 2, "--output has no effect beside an id"),
        (("--source", "films", "--output", "no/such/x.csv"), 2, "cannot be written"),
        (("--annotator", "nobody"), 2, "nobody called nobody"),
        (("nothing-like-it",), 1, "no document nothing-like-it"),
    ],
)
def test_what_cannot_be_traced_is_one_line(read_only, run, arguments, code, words):
    outcome = run("trace", *arguments, "-w", read_only.root)
    assert outcome[0] == code
    assert words in outcome[2]
    assert "hint:" in outcome[2]
    assert "Traceback" not in outcome[2]
