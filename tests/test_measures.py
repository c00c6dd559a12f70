"""Measures beside the trivial baseline: by hand, by other libraries, and their intervals."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from curate.metrics import classification, per_unit, perplexity
from curate.metrics import measures as measures_module
from curate.metrics.bootstrap import bootstrap, ratio_of_sums
from curate.metrics.entities import counts, of_spans
from curate.metrics.measures import (
    CLASSES,
    _classes,
    _ratings,
    f1_by_class,
    of_classes,
    of_labels,
    of_ratings,
)


def by_name(measures):
    return {own.measure: own for own in measures}


def guesses(n, classes=3, seed=1, skill=2.0):
    """Posteriors that are certain, and probabilities that are often right."""
    rng = np.random.default_rng(seed)
    true = rng.choice(classes, n, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    truth = np.eye(classes)[true]
    logits = rng.normal(size=(n, classes)) + skill * truth
    predicted = np.exp(logits)
    return truth, predicted / predicted.sum(axis=1, keepdims=True)


# ── losses


def test_the_loss_of_texts_by_bytes_tokens_and_perplexity():
    """Two tokens of probability 1/2 and 1/8 over 8 bytes: 4 bits."""
    nats = np.log(2) + np.log(8)
    assert per_unit(nats, 8) / np.log(2) == pytest.approx(0.5)
    assert per_unit(nats, 2) == pytest.approx(np.log(4))
    assert perplexity(per_unit(nats, 2)) == pytest.approx(4.0)


# ── classes


def test_measures_of_classes_are_those_of_scikit_learn():
    truth, predicted = guesses(300)
    true, guess = truth.argmax(axis=1), predicted.argmax(axis=1)
    own = by_name(of_classes(truth, predicted))
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(true, guess, average="macro")
    assert own["accuracy"].value == pytest.approx(oracle.accuracy_score(true, guess))
    assert own["accuracy"].value == pytest.approx(oracle.f1_score(true, guess, average="micro"))
    assert own["macro precision"].value == pytest.approx(precision)
    assert own["macro recall"].value == pytest.approx(recall)
    assert own["macro F1"].value == pytest.approx(f1)
    assert own["cross-entropy"].value == pytest.approx(oracle.log_loss(true, predicted))
    assert own["Brier score"].value == pytest.approx(
        sum(oracle.brier_score_loss(true == c, predicted[:, c]) for c in range(3))
    )
    whole = classification(truth, predicted, "abc")
    assert whole.macro_precision == pytest.approx(precision)
    matrix = oracle.confusion_matrix(true, guess)
    assert {(own.people, own.predicted): own.texts for own in whole.confusion} == {
        ("abc"[row], "abc"[column]): matrix[row, column]
        for row in range(3)
        for column in range(3)
        if matrix[row, column]
    }
    assert [own.texts for own in whole.confusion] == sorted(matrix[matrix > 0], reverse=True)


def test_the_trivial_baseline_and_how_much_better_the_model_is():
    truth = np.eye(2)[[0, 0, 0, 1]]
    predicted = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    own = by_name(of_classes(truth, predicted))
    accuracy = own["accuracy"]
    assert (accuracy.value, accuracy.trivial, accuracy.better) == (0.75, 0.75, 0.0)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert own["cross-entropy"].trivial == pytest.approx(entropy)
    # A loss that falls is better.
    assert own["cross-entropy"].better == pytest.approx(
        entropy + np.log([0.9, 0.8, 0.4, 0.7]).mean()
    )
    assert own["macro F1"].trivial == pytest.approx((6 / 7 + 0) / 2)


def test_a_tie_of_people_counts_by_halves():
    truth, predicted = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.9, 0.1], [0.8, 0.2]])
    confused = classification(truth, predicted, ("no", "yes")).confusion
    assert [(own.people, own.predicted, own.texts) for own in confused] == [
        ("no", "no", 1.5),
        ("yes", "no", 0.5),
    ]


# ── ratings


def test_measures_of_ratings_are_those_of_scipy_and_scikit_learn():
    rng = np.random.default_rng(3)
    truth = np.eye(5)[rng.integers(0, 5, 80)]
    predicted = rng.dirichlet(np.ones(5), 80) * 0.5 + truth * 0.5
    told, foreseen = truth @ np.arange(1, 6), predicted @ np.arange(1, 6)
    own = by_name(of_ratings(truth, predicted, range(1, 6)))
    assert own["squared error"].value == pytest.approx(oracle.mean_squared_error(told, foreseen))
    assert own["absolute error"].value == pytest.approx(oracle.mean_absolute_error(told, foreseen))
    expected = stats.spearmanr(told, foreseen).statistic
    assert own["rank correlation"].value == pytest.approx(expected)
    assert own["rank correlation"].trivial is None
    assert own["squared error"].trivial == pytest.approx(told.var())
    assert own["squared error"].better == pytest.approx(
        told.var() - ((told - foreseen) ** 2).mean()
    )


def test_ranks_of_a_resample_are_those_of_its_rows():
    """Counts stand for rows: the correlation of drawn rows is Spearman's of these rows."""
    rng = np.random.default_rng(8)
    told, foreseen = rng.integers(1, 4, 30).astype(float), rng.normal(size=30).round(1)
    rows = rng.integers(0, 30, 30)
    drawn = np.bincount(rows, minlength=30)[None].astype(float)
    assert _ratings(told, foreseen)(drawn)[0, 2] == pytest.approx(
        stats.spearmanr(told[rows], foreseen[rows]).statistic
    )


# ── several labels


def test_measures_of_several_labels_are_those_of_scikit_learn():
    rng = np.random.default_rng(5)
    truth = rng.random((120, 3)) < (0.5, 0.3, 0.05)
    guess = np.where(rng.random((120, 3)) < 0.2, ~truth, truth)
    ids = [f"{row:03}" for row in range(120)]
    labels = {
        name: (ids, np.eye(2)[truth[:, place] * 1], np.eye(2)[guess[:, place] * 1])
        for place, name in enumerate("abc")
    }
    own = by_name(of_labels(labels))
    for average in ("micro", "macro"):
        expected = oracle.f1_score(truth, guess, average=average)
        assert own[f"{average} F1"].value == pytest.approx(expected)
    for place, name in enumerate("abc"):
        expected = oracle.f1_score(truth[:, place], guess[:, place])
        assert own[f"F1 of {name}"].value == pytest.approx(expected)
    assert own["F1 of c"].trivial == 0  # most texts lack it, so it is never said


def test_a_text_without_an_answer_to_a_label_does_not_count_for_it():
    yes, no = np.eye(2)[[1, 1]], np.eye(2)[[0]]
    own = by_name(of_labels({"a": (["x", "y"], yes, yes), "b": (["y"], no, no)}))
    assert (own["micro F1"].value, own["macro F1"].value, own["F1 of b"].value) == (1, 1, 0)


# ── spans


def span(start, end, label="PER"):
    return {"start": start, "end": end, "label": label}


@pytest.mark.parametrize(
    ("predicted", "strict", "exact", "partial", "type_"),
    [
        # correct, incorrect, partial, missed, spurious of one marked span
        (span(0, 3), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
        (span(0, 3, "LOC"), (0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0)),
        (span(0, 4), (0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (1, 0, 0, 0, 0)),
        (span(2, 9, "LOC"), (0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (0, 1, 0, 0, 0)),
        (span(3, 5), (0, 0, 0, 1, 1), (0, 0, 0, 1, 1), (0, 0, 0, 1, 1), (0, 0, 0, 1, 1)),
    ],
)
def test_a_predicted_span_beside_a_marked_one(predicted, strict, exact, partial, type_):
    """The last stands right behind the marked one: they share no letter."""
    found = counts([span(0, 3)], [predicted], ("PER", "LOC"))
    assert found.tolist() == [list(own) for own in (strict, exact, partial, type_)]


def test_figures_of_spans_by_hand_and_by_nervaluate():
    """Two texts: one span right, one with another border, one missed, one spurious."""
    from nervaluate import Evaluator

    marked = [[span(0, 3), span(5, 9, "LOC")], [span(2, 4)]]
    predicted = [[span(0, 3), span(5, 8, "LOC")], [span(6, 8)]]
    own = by_name(of_spans(marked, predicted, ("LOC", "PER")))
    assert own["strict F1"].value == pytest.approx(1 / 3)
    assert own["strict precision"].value == own["strict recall"].value == pytest.approx(1 / 3)
    assert own["partial F1"].value == pytest.approx(1.5 / 3)
    assert own["type F1"].value == pytest.approx(2 / 3)
    assert own["strict F1 of PER"].value == pytest.approx(2 / 4)
    assert own["strict F1 of LOC"].value == 0
    assert {row.trivial for row in own.values()} == {0.0}
    closed = [
        [[{**one, "end": one["end"] - 1} for one in text] for text in side]
        for side in (marked, predicted)
    ]
    whole = Evaluator(*closed, ["LOC", "PER"], loader="dict").evaluate()["overall"]
    for name, scheme in (("strict", "strict"), ("exact", "exact"), ("partial", "partial")):
        assert own[f"{name} F1"].value == pytest.approx(whole[scheme].f1)
    assert own["type F1"].value == pytest.approx(whole["ent_type"].f1)


def test_texts_without_spans_count_only_by_what_is_predicted():
    assert by_name(of_spans([[], []], [[], []], ("A",)))["strict F1"].value == 0
    own = by_name(of_spans([[span(0, 2)], []], [[span(0, 2)], [span(0, 2)]], ("PER",)))
    assert own["strict precision"].value == 0.5
    assert own["strict recall"].value == 1


# ── intervals


def test_the_interval_is_that_of_scipy():
    rng = np.random.default_rng(2)
    values = rng.exponential(size=60)
    (own,) = bootstrap(ratio_of_sums(values[:, None]), 60, resamples=20_000)
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    width = other.high - other.low
    assert own.value == pytest.approx(values.mean())
    assert own.low == pytest.approx(other.low, abs=0.03 * width)
    assert own.high == pytest.approx(other.high, abs=0.03 * width)
    assert own.high - own.value > 1.1 * (own.value - own.low)  # skewed, as the values are


@pytest.fixture
def quick(monkeypatch):
    """Fewer resamples, so that many samples can be looked at."""
    monkeypatch.setattr(measures_module, "bootstrap", lambda *own: bootstrap(*own, resamples=400))


def of_all(measures, truth, predicted):
    """The measures of very many items."""
    return measures(truth, predicted)(np.ones((1, len(truth))))[0]


def outside(true, intervals):
    """The shares of the intervals that lie above and below the truth."""
    above = np.mean([true < own.low for own in intervals])
    below = np.mean([true > own.high for own in intervals])
    return above, below


def test_an_interval_holds_the_truth_in_19_of_20_samples(quick):
    """In 300 samples 95 % ± 2.5 %; of half the width it would be 67 %."""
    true = of_all(_classes, *guesses(400_000, seed=0))
    drawn = [by_name(of_classes(*guesses(150, seed=run + 1))) for run in range(300)]
    for place, name in enumerate(CLASSES):
        sides = outside(true[place], [own[name] for own in drawn])
        assert 0.02 <= sum(sides) <= 0.085, (name, sides)
        assert max(sides) <= 0.06, (name, sides)


def test_an_interval_of_a_rank_correlation_holds_the_truth(quick):
    def ratings(n, seed):
        rng = np.random.default_rng(seed)
        told = rng.integers(1, 6, n).astype(float)
        return told, told + rng.normal(0, 1.5, n)

    true = of_all(_ratings, *ratings(400_000, 0))
    drawn = [bootstrap(_ratings(*ratings(80, run + 1)), 80, resamples=400) for run in range(300)]
    for place in range(3):
        sides = outside(true[place], [own[place] for own in drawn])
        assert 0.02 <= sum(sides) <= 0.09, (place, sides)


def test_a_model_that_guesses_is_seldom_told_to_be_better(quick):
    """A model of the same skill as the baseline: its gain is above 0 in 2.5 % of the samples."""
    told = 0
    for run in range(300):
        rng = np.random.default_rng(run)
        truth = np.eye(2)[rng.integers(0, 2, 100)]
        noise = rng.random((100, 1))
        gain = by_name(of_classes(truth, np.hstack([noise, 1 - noise])))["accuracy"]
        told += gain.better_low > 0
    assert told <= 12


def test_where_nothing_varies_there_is_no_interval():
    truth = np.eye(2)[[0, 1, 0, 1]]
    own = by_name(of_classes(truth, truth * 0.8 + 0.1))["accuracy"]
    assert (own.value, own.low, own.high) == (1.0, None, None)
    assert bootstrap(ratio_of_sums(np.ones((1, 1))), 1)[0].low is None


def test_each_class_has_the_interval_of_its_f1():
    truth, predicted = guesses(200)
    ends = f1_by_class(truth, predicted)
    for own, (low, high) in zip(classification(truth, predicted, "abc").classes, ends, strict=True):
        assert low < own.f1 < high
    rare, common = ends[0][1] - ends[0][0], ends[2][1] - ends[2][0]
    assert rare > common
