"""Rounds chosen by what was learned from people, on a run that has scores."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError, DataError
from curate.pull.stage import close_round
from curate.sample.choosing import choose
from curate.sample.context import Context
from curate.sample.drawing import CERTAINTY
from curate.sample.frame import Scan, read_frame, sent_before
from curate.sample.measuring import measure
from curate.sample.stopping import FILE
from curate.sample.strategies import STRATEGIES, Drawn
from curate.sample.strategies.entropy import entropy
from curate.sample.strategies.margin import margin

VALUES = ("negative", "neutral", "positive")
N = 20


def opened(run, **settings):
    made = run.run("sample", **{"n": N, **settings})
    return made, run.workspace.rounds.current().sample().to_pylist()


def predictions(run):
    """The probabilities of the documents that can still be sent, by id."""
    rows = {
        row["id"]: [row[f"sentiment:{value}"] for value in VALUES] for row in run.rows("scores")
    }
    held_out = {row["id"] for row in run.rows("pool") if row["holdout"]}
    sent = {id for round_ in run.workspace.rounds.all() for id in round_.documents()}
    return {id: own for id, own in rows.items() if id not in held_out | sent}


@pytest.mark.parametrize("strategy", ["auto", *STRATEGIES])
def test_every_strategy_makes_a_round(whole, strategy):
    free = predictions(whole)
    made, rows = opened(whole, strategy=strategy)
    assert made.frame == len(free)
    assert {row["id"] for row in rows} <= set(free)
    assert len({row["id"] for row in rows}) == len(rows) == N
    assert all(0 < row["propensity"] <= 1 for row in rows)
    if isinstance(STRATEGIES[made.strategy], Drawn):
        assert sum(1 / row["propensity"] for row in rows) == pytest.approx(len(free))
    else:
        certain = [row for row in rows if row["stratum"] == CERTAINTY]
        assert len(certain) == 16
        assert {row["propensity"] for row in certain} == {1.0}
        assert {row["propensity"] for row in rows} == {1.0, 4 / (len(free) - 16)}
    about = whole.workspace.rounds.current().spec
    assert about["scores"]["content"] == whole.workspace.tables.fingerprint("scores")
    assert about["scores"]["question"] == "sentiment"


@pytest.mark.parametrize(("strategy", "by"), [("entropy", entropy), ("margin", margin)])
def test_the_most_uncertain_are_picked(whole, strategy, by):
    free = predictions(whole)
    values = dict(zip(free, by(np.array([*free.values()])).tolist(), strict=True))
    _, rows = opened(whole, strategy=strategy)
    picked = {row["id"] for row in rows if row["stratum"] == CERTAINTY}
    assert picked == set(sorted(free, key=lambda id: (-values[id], id))[:16])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_batch_of_one_and_a_pool_with_nothing_left(whole, strategy):
    made, rows = opened(whole, strategy=strategy, n=1)
    assert (made.tasks, len(rows)) == (1, 1)
    close_round(whole.workspace)
    opened(whole, strategy="random", n=1000)
    whole.run("push", backend="folder", form="sentiment", overlap=1)
    close_round(whole.workspace)
    with pytest.raises(DataError, match="no document is left to send"):
        opened(whole, strategy=strategy)


def test_auto_goes_by_the_scores(whole):
    made, _ = opened(whole)
    assert made.strategy == "uncertainty_diversity"
    assert made.notes == ("strategy: uncertainty_diversity, by the scores of sentiment",)


def test_auto_is_random_at_first(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    made, rows = opened(offline)
    assert made.strategy == "random"
    assert {row["strategy"] for row in rows} == {"random"}
    assert made.notes == ("strategy: random, because there are no scores yet",)


def test_the_order_shown_does_not_tell_what_was_picked(whole):
    _, rows = opened(whole)
    kinds = [row["stratum"] == CERTAINTY for row in rows]
    assert kinds != sorted(kinds)
    assert kinds != sorted(kinds, reverse=True)


@pytest.mark.parametrize("strategy", ["entropy", "uncertainty_diversity", "mixture"])
def test_without_scores_a_strategy_says_what_to_do(offline, strategy):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    with pytest.raises(DataError, match=f"sample.strategy {strategy} needs scores") as raised:
        opened(offline, strategy=strategy)
    assert "label a first round" in raised.value.hint
    assert not offline.workspace.rounds.all()


def test_disagreement_needs_labels(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    with pytest.raises(CurateError, match="labels has not been made yet"):
        opened(offline, strategy="disagreement")


def test_a_question_that_was_not_learned(whole):
    with pytest.raises(CurateError, match=r"sample.of: no question feeling was learned"):
        opened(whole, strategy="entropy", of="feeling")


def test_scores_of_other_documents(whole):
    whole.run("clean", limits={"length:chars": {"min": 110}})
    with pytest.raises(DataError, match="needs scores of the documents as they are now"):
        opened(whole, strategy="margin")
    made, _ = opened(whole)
    assert made.strategy == "random"
    assert made.notes == ("strategy: random, because the scores are of other documents",)


def test_scores_by_older_labels_are_told(whole):
    made, _ = opened(whole)
    assert not made.warnings
    close_round(whole.workspace)
    whole.run("agree", bootstrap=0, method="majority")
    made, _ = opened(whole)
    assert [warning.key for warning in made.warnings] == ["sample.outdated_scores"]
    assert "`scores` was not made from the present `labels`" in made.warnings[0].words


@pytest.mark.parametrize("strategy", ["entropy", "k_center", "stratified"])
@pytest.mark.parametrize("view", [{"compare": True, "n": 8}, {"window": 60}])
def test_windows_and_comparisons_of_chosen_documents(whole, strategy, view):
    _, rows = opened(whole, strategy=strategy, **view)
    assert len(rows) == view.get("n", N)
    assert {len(row["members"]) for row in rows} == {2 if "compare" in view else 1}
    if "window" in view:
        assert all(row["end"] - row["start"] <= 60 for row in rows)
        assert all(0 < row["propensity"] <= 1 for row in rows)


def test_neyman_goes_by_the_deviation_of_the_quality(whole):
    context = Context(whole.workspace, whole.spec("sample"))
    shards = whole.workspace.documents.shards(scores=True)
    sent, columns = sent_before(whole.workspace), context.question.columns
    scan = Scan(("source",), sent, 0, "x", 5, True, columns, has_quality=True)
    items = [(place, shard, None) for place, shard in enumerate(shards)]
    frame = read_frame(whole.workspace, scan, items)
    strata = measure(frame, context.seconds)
    free = predictions(whole)
    sources = {row["id"]: row["source"] for row in whole.rows("pool")}
    quality = {row["id"]: row["quality"] for row in whole.rows("scores")}
    tokens = {row["id"]: row["tokens"] for row in whole.rows("clean")}
    for name, stratum in strata.items():
        own = [id for id in free if sources[id] == name]
        assert stratum.documents == len(own)
        assert stratum.tokens == sum(tokens[id] for id in own)
        assert stratum.quality == pytest.approx(np.mean([quality[id] for id in own]))
        assert stratum.deviation == pytest.approx(np.std([quality[id] for id in own]))
        assert stratum.answered == 20
    made, _ = opened(whole, strategy="stratified", allocation="neyman")
    assert sum(made.strata.values()) == N


def test_the_mixture_goes_by_people_where_scores_are_of_their_labels(whole):
    context = Context(whole.workspace, whole.spec("sample"))
    labels = {row["id"]: dict(row["posterior"]) for row in whole.rows("labels")}
    own = context.labelled_quality
    assert own is not None
    assert set(own.ids) <= set(labels)
    worth = {"negative": 0.0, "neutral": 0.5, "positive": 1.0}
    said = [sum(p * worth[value] for value, p in labels[id].items()) for id in own.ids]
    assert own.truth.values == pytest.approx(said, abs=0.1)
    whole.run("agree", bootstrap=0, method="majority")
    assert Context(whole.workspace, whole.spec("sample")).labelled_quality is None
    opened(whole, strategy="mixture")


# ── when to stop


def shifted(run, fall):
    """Raise the losses that the newest round kept, as if they had been worse by `fall`."""
    path = run.workspace.rounds.current().folder / FILE
    table = pq.read_table(path)
    noise = np.random.default_rng(0).normal(0, 0.01, len(table))
    before = table["loss"].to_numpy() + fall + noise
    pq.write_table(table.set_column(2, "loss", [before]), path)


def test_what_the_last_round_was_worth(whole):
    made, _ = opened(whole)
    assert made.progress is None
    kept = pq.read_table(whole.workspace.rounds.current().folder / FILE)
    assert len(kept) == 40
    close_round(whole.workspace)
    made, _ = opened(whole)
    assert made.progress is None  # nothing was learned since
    for fall, stop in ((0.2, False), (-0.2, True)):
        shifted(whole, fall)
        close_round(whole.workspace)
        made, _ = opened(whole)
        assert made.progress.stop is stop
        assert made.progress.improvement == pytest.approx(fall, abs=0.01)
        assert made.progress.labels == made.progress.compared == 40
        told = made.notes[-1] if not stop else made.warnings[0].words
        assert told.startswith("stop: " if stop else "go on: ")
        assert f"{made.progress.improvement:+.3f} ± {made.progress.standard_error:.3f}" in told
    assert [warning.key for warning in made.warnings] == ["sample.stop"]
    assert made.tasks == N


def test_the_losses_are_those_of_labels_and_predictions(whole):
    opened(whole)
    kept = pq.read_table(whole.workspace.rounds.current().folder / FILE)
    scores = {row["id"]: row for row in whole.rows("scores")}
    labels = {row["id"]: dict(row["posterior"]) for row in whole.rows("labels")}
    for row in kept.to_pylist():
        own = scores[row["id"]]
        assert own["out_of_fold"]
        expected = -sum(
            share * np.log(max(own[f"sentiment:{value}"], 1e-6))
            for value, share in labels[row["id"]].items()
            if share
        )
        assert row["loss"] == pytest.approx(expected)


# ── propensities, through the whole stage


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_documents_are_chosen_as_often_as_they_say(whole, strategy):
    seeds = 100
    free = sorted(predictions(whole))
    place_of = {id: place for place, id in enumerate(free)}
    drawn, able, said = (np.zeros(len(free)) for _ in range(3))
    first = Context(whole.workspace, whole.spec("sample", strategy=strategy))
    for seed in range(seeds):
        rows = choose(with_seed(first, seed), 2, N).rows
        # What is picked may depend on the seed. Given what is picked, the rest is drawn by chance.
        random = [row for row in rows if row.stratum != CERTAINTY]
        places = [place_of[row.id] for row in random]
        able += 1
        able[[place_of[row.id] for row in rows if row.stratum == CERTAINTY]] -= 1
        drawn[places] += 1
        said[places] = [row.propensity for row in random]
    tried = able > 0
    share, often = said[tried], drawn[tried] / able[tried]
    assert (share[drawn[tried] > 0] > 0).all()
    error = np.sqrt(np.maximum(share * (1 - share), 1 / seeds) / able[tried])
    assert (np.abs(often - share) <= 4.5 * error).all()


def with_seed(context, seed):
    """Return the context of another seed; what was read for the first is read no more."""
    other = replace(context, spec=context.spec.model_copy(update={"seed": seed}))
    vars(other).update({key: value for key, value in vars(context).items() if key != "spec"})
    return other
