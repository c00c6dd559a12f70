"""`curate estimate`: what labels and predictions say of the whole corpus."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from curate import storage, tables
from curate.annotated.answers import Answers
from curate.errors import DataError, MissingInput, RecipeError, StaleInput
from curate.estimate.measuring import Part, measured, targets
from curate.estimate.run import run
from curate.records import Question
from curate.storage import Provenance
from tests.command import command as at_the_terminal
from tests.conftest import Offline, feeling

WORDS = [
    f"{head}{tail}" for head in ("ba", "ke", "lo", "mi", "su", "ti") for tail in "bdfgklmnprst"
]
SETTINGS = {"strategy": "random", "seed": 3}


@pytest.fixture
def curate(monkeypatch, capsys):
    return at_the_terminal(monkeypatch, capsys)


def texts(n, share, seed):
    """Texts of which a share is good; no two are alike."""
    rng = np.random.default_rng(seed)
    return [
        f"{' '.join(rng.choice(WORDS, 12))} was "
        + ("lovely in every way." if rng.random() < share else "awful in every way.")
        for _ in range(n)
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """300 films, of which .7 are good, and 100 meals, of which .2 are; 60 of them answered."""
    run = Offline(tmp_path_factory.mktemp("base") / "run")
    run.lines("films.jsonl", texts(300, 0.7, 1))
    run.lines("meals.jsonl", texts(100, 0.2, 2))
    run.pool()
    run.run("clean")
    sampled(run, 60)
    return run.root


@pytest.fixture
def answered(base, offline):
    """A copy of it."""
    shutil.copytree(base, offline.root, dirs_exist_ok=True)
    return offline


@pytest.fixture
def unasked(answered):
    """The same documents, before anybody was asked."""
    shutil.rmtree(answered.root / "rounds")
    (answered.root / "labels.parquet").unlink()
    (answered.root / "annotators.parquet").unlink()
    return answered


def sampled(offline, n, people=("ann", "bob"), form="sentiment", **settings):
    offline.run("sample", n=n, **{**SETTINGS, **settings})
    offline.run("push", backend="folder", form=form, overlap=len(people))
    if form == "sentiment":
        offline.answer(*people)
        settle(offline)


def settle(offline):
    offline.run("pull")
    offline.run("agree", bootstrap=10)


def scored(offline, sure=0.85):
    """Scores as `score` writes them: the right feeling has the probability `sure`."""
    workspace = offline.workspace
    values = ("negative", "neutral", "positive")
    inputs = workspace.tables.fingerprints(("pool", "clean", "labels"))
    about = {"kind": "choice", "values": [*values], "encoder": None, "features": "characters"}
    facts = {"questions": {"sentiment": about}}
    labelled = {row["id"] for row in offline.rows("labels")}
    made = Provenance("score", {}, inputs, "0", facts)
    with workspace.tables.building("scores", made) as folder:
        for shard in workspace.documents.shards():
            table = shard.read(["id", "text"])
            rows = table.to_pylist()
            good = np.array([sure if feeling(row["text"]) == "positive" else 1 - sure - 0.05
                             for row in rows])  # fmt: skip
            shares = {"positive": good, "neutral": np.full(len(rows), 0.05)}
            shares["negative"] = 1 - good - 0.05
            ids = table["id"].to_pylist()
            own = tables.rows("scores", [{"id": id, "out_of_fold": id in labelled} for id in ids])
            for value in values:
                own = own.append_column(f"sentiment:{value}", pa.array(shares[value]))
            storage.write_parquet(folder / shard.name, own)


def truth(offline, source=None):
    """The share of good texts."""
    rows = offline.workspace.documents.table(["text", "source"]).to_pylist()
    own = [feeling(row["text"]) == "positive" for row in rows if source in (None, row["source"])]
    return np.mean(own)


def row_of(result, value="positive", group=None):
    (row,) = [row for row in result.rows if (row.value, row.group) == (value, group)]
    return row


# ── what is estimated


def test_shares_by_labels_alone(answered):
    result = run(answered.workspace)
    whole = row_of(result)
    assert (whole.documents, whole.labels, whole.effective) == (400, 60, pytest.approx(60))
    assert whole.hajek.low < truth(answered) < whole.hajek.high
    assert (whole.powered, whole.by_votes, whole.quote) == (None, None, "hajek")
    groups = {row.group: row for row in result.rows if row.value == "positive"}
    sizes = {name: row.documents for name, row in groups.items()}
    assert sizes == {None: 400, "films": 300, "meals": 100}
    assert groups["films"].labels + groups["meals"].labels == 60
    assert "there are no predictions" in result.warnings[0].words


def test_a_stratified_round_weighs_its_labels(unasked):
    sampled(unasked, 60, strategy="stratified", allocation="equal")
    whole = row_of(run(unasked.workspace))
    assert whole.naive.value < whole.hajek.value - 0.05  # half of the labels are of meals
    assert whole.hajek.low < truth(unasked) < whole.hajek.high
    weights = np.repeat([10, 100 / 30], 30)
    assert whole.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_predictions_narrow_the_interval(answered):
    scored(answered)
    result = run(answered.workspace)
    whole, films = row_of(result), row_of(result, group="films")
    assert whole.quote == films.quote == "powered"
    assert 0 < whole.trust <= 1
    assert whole.powered.high - whole.powered.low < 0.7 * (whole.hajek.high - whole.hajek.low)
    assert abs(whole.powered.value - truth(answered)) < 0.06
    assert abs(films.powered.value - truth(answered, "films")) < 0.06
    assert not result.warnings


def test_a_later_round_and_the_unanswered_are_weighed(unasked):
    sampled(unasked, 40, seed=4)
    unasked.run("sample", n=60, strategy="random", seed=104)
    unasked.run("push", backend="folder", form="sentiment", overlap=1)
    ids = [task["id"] for task in unasked.tasks]
    unasked.answer("ann", ids=ids[:30])
    settle(unasked)
    result = run(unasked.workspace)
    whole = row_of(result)
    assert whole.labels == 70
    assert whole.hajek.low < truth(unasked) < whole.hajek.high
    (warning,) = [one for one in result.warnings if one.key == "estimate.unanswered"]
    assert (warning.figures["missing"], warning.figures["asked"]) == (30, 100)


def test_every_document_labelled_leaves_nothing_to_estimate(unasked):
    sampled(unasked, 1000)
    whole = row_of(run(unasked.workspace))
    assert whole.hajek.value == pytest.approx(truth(unasked), abs=1e-3)
    assert whole.hajek.high - whole.hajek.low < 0.02  # two people who agree leave little doubt


def test_one_class_only_has_a_bound(answered):
    neutral = row_of(run(answered.workspace), "neutral")
    assert (neutral.hajek.value, neutral.hajek.low) == pytest.approx((0, 0))
    assert neutral.hajek.high == pytest.approx(1 - 0.05 ** (1 / neutral.effective))


def test_what_is_held_out_is_not_estimated_for(offline):
    offline.prepare(n=30)
    offline.answer("ann", "bob")
    settle(offline)
    held_out = [
        row["holdout"] for row in offline.workspace.documents.table(["holdout"]).to_pylist()
    ]
    assert any(held_out)
    assert run(offline.workspace).documents == len(held_out) - sum(held_out)


def test_answers_that_are_in_no_label_yet_do_not_count(unasked):
    unasked.run("sample", n=60, **SETTINGS)
    unasked.run("push", backend="folder", form="sentiment", overlap=1)
    ids = [task["id"] for task in unasked.tasks]
    unasked.answer("ann", ids=ids[:40])
    settle(unasked)
    unasked.answer("ann", ids=ids[40:])
    unasked.run("pull")
    result = run(unasked.workspace)
    assert row_of(result).labels == 40
    warnings = {warning.key: warning.figures for warning in result.warnings}
    assert warnings["estimate.newer_answers"] == {"answers": 20}
    assert warnings["estimate.unanswered"]["missing"] == 20
    assert "estimate.other_corpus" not in warnings


def test_groups_by_another_column(answered):
    result = run(answered.workspace, by="license")
    assert {row.group for row in result.rows} == {None, "unknown"}
    assert row_of(result, group="unknown").documents == 400
    with pytest.raises(RecipeError, match="no groups by colour"):
        run(answered.workspace, by="colour")


# ── parts, ratings, windows


def test_ratings_have_a_mean(unasked):
    sampled(unasked, 30, form="quality")
    stars = {"positive": 5, "negative": 2}
    unasked.answer("ann", "bob", opinion=lambda text: stars[feeling(text)], question="quality")
    settle(unasked)
    result = run(unasked.workspace)
    (whole, *_) = result.rows
    assert (whole.question, whole.value) == ("quality", None)
    assert whole.hajek.low < 2 + 3 * truth(unasked) < whole.hajek.high
    assert whole.hajek.high - whole.hajek.low < 1.2


def test_whether_a_label_occurs_has_a_share(unasked):
    sampled(unasked, 40, form="flags")
    question = unasked.workspace.rounds.current().form.questions[0]
    label = question.labels[0]

    def flags(text):
        return [label] if feeling(text) == "positive" else []

    unasked.answer("ann", "bob", opinion=flags, question=question.name)
    settle(unasked)
    result = run(unasked.workspace)
    own = {row.question: row for row in result.rows if row.group is None}
    assert {row.value for row in own.values()} == {"present"}
    first = own[f"{question.name}:{label}"]
    assert first.hajek.low < truth(unasked) < first.hajek.high


def test_a_window_tells_what_it_shows_and_no_more(offline):
    offline.prepare(n=30, window=40)
    offline.answer("ann", "bob", opinion=lambda text: "neutral")
    settle(offline)
    result = run(offline.workspace)
    assert row_of(result, "neutral").labels == 30
    assert "estimate.windows" in {warning.key for warning in result.warnings}


# ── quality


def test_the_mean_quality_is_that_of_peoples_answers(whole):
    result = run(whole.workspace)
    rows = {row.group: row for row in result.rows if row.question == "quality of scores"}
    assert set(rows) == {None, *{row.group for row in result.rows if row.group}}
    mean = rows[None]
    good = row_of(result, "positive")
    # half of a neutral text, all of a positive one: nobody answered neutral
    assert mean.hajek.value == pytest.approx(good.hajek.value, abs=0.02)
    quality = [row["quality"] for row in whole.rows("scores")]
    assert abs(mean.powered.value - np.mean(quality)) < 0.1
    assert mean.powered.low < mean.powered.value < mean.powered.high


# ── what cannot be estimated


def test_without_labels(unasked):
    with pytest.raises(MissingInput, match="labels") as caught:
        run(unasked.workspace)
    assert "curate agree" in caught.value.hint


def test_without_a_text_drawn_by_chance(unasked):
    sampled(unasked, 20, purpose="label")
    for round_ in unasked.workspace.rounds.all():
        spec = {**round_.spec, "purpose": "relabel"}
        storage.write_json(round_.folder / "spec.json", spec)
    settle(unasked)
    with pytest.raises(DataError, match="no label of sentiment was drawn by chance"):
        run(unasked.workspace)


def test_without_a_random_row(unasked):
    sampled(unasked, 30)
    (round_,) = unasked.workspace.rounds.all()
    rows = [{**row, "propensity": 1.0, "stratum": "certainty"}
            for row in round_.sample().to_pylist()]  # fmt: skip
    storage.write_parquet(round_.folder / "sample.parquet", tables.rows("sample", rows))
    with pytest.raises(DataError, match="picked with certainty"):
        run(unasked.workspace)


def test_without_a_question_that_has_shares(unasked):
    sampled(unasked, 10, form="comparison", compare=True)
    form = unasked.workspace.rounds.current().form
    (name,) = [question.name for question in form.questions if question.kind == "preference"]
    say = [
        {"id": task["id"], "question": name, "annotator": "ann", "value": "a"}
        for task in unasked.tasks
    ]
    unasked.say(*say)
    settle(unasked)
    with pytest.raises(DataError, match="not asked about a share or a mean"):
        run(unasked.workspace)


def test_outdated_labels_are_refused_and_outdated_scores_left_out(answered):
    scored(answered)
    answered.run("agree", method="majority")
    result = run(answered.workspace)
    assert row_of(result).powered is None
    assert any("scores are left out" in warning.words for warning in result.warnings)
    made = answered.workspace.tables.made("clean")
    storage.seal(answered.workspace.root / "clean", replace(made, inputs={"pool": "another"}))
    with pytest.raises(StaleInput, match="`clean` was not made from the present `pool`"):
        run(answered.workspace)


def test_texts_that_are_sent_again_count_once(unasked):
    sampled(unasked, 40)
    unasked.run("sample", relabel="label=positive", n=500)
    unasked.run("push", backend="folder", form="sentiment", overlap=1)
    unasked.answer("cat")
    settle(unasked)
    assert row_of(run(unasked.workspace)).labels == 40


# ── the formula, without a workspace


def test_votes_are_read_with_the_head_for_the_quoted_estimate():
    question = Question("q", "choice", ("text",), ("no", "yes"))
    posterior = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    shares = {"no": np.array([0.8, 0.4, 0.1, 0.3]), "yes": np.array([0.2, 0.6, 0.9, 0.7])}
    answers = Answers(question, ("no", "yes"), tuple("abcd"), posterior, np.ones(4, int), {})
    _, yes = targets(answers, shares)
    prior = posterior.mean(axis=0)
    both = posterior / prior * np.stack([*shares.values()], axis=1)
    assert yes.read.values == pytest.approx(both[:, 1] / both.sum(axis=1))
    assert yes.votes.variances == pytest.approx(posterior[:, 1] * posterior[:, 0])
    (row,) = measured(yes, np.full(4, 25.0), ["s"] * 4, [Part(None, 100, {"yes": 0.5})])
    assert row.by_votes.value != row.powered.value
    assert row.hajek.value == pytest.approx(0.5)


# ── at the terminal and in the report


def test_the_command(answered, curate):
    scored(answered)
    code, out, _ = curate("estimate", "-w", answered.root, "--json")
    record = json.loads(out)
    assert code == 0
    assert {row["quote"] for row in record["rows"]} == {"powered", "hajek"}
    stored = json.loads((answered.root / "estimates.json").read_text(encoding="utf-8"))
    assert stored["rows"] == record["rows"]
    code, out, _ = curate("estimate", "-w", answered.root, "--by", "source")
    assert code == 0
    assert "powered" in out
    assert "films" in out
    code, _, err = curate("estimate", "-w", answered.root, "--by", "sorce")
    assert (code, "source" in err) == (2, True)


def test_the_report_shows_them_and_says_if_they_are_old(answered):
    run(answered.workspace)
    answered.run("report")
    page = (answered.root / "report.html").read_text(encoding="utf-8")
    assert ">Estimates</h3>" in page
    assert "sentiment · positive · films" in page
    assert "makes them again" not in page
    answered.run("agree", method="majority")
    answered.run("report")
    page = (answered.root / "report.html").read_text(encoding="utf-8")
    assert "older than labels" in page


def test_a_shard_sends_home_groups_and_labelled_documents_alone(answered):
    from curate.estimate.reading import Scan

    (shard,) = answered.workspace.documents.shards()
    part = Scan("source", (), frozenset())(SimpleNamespace(read=shard.read))
    assert {name: group.documents for name, group in part.groups.items()} == {
        "films": 300,
        "meals": 100,
    }
    assert part.group_of == part.predicted == {}
