"""Calibrators: golden numbers, brute force, and what they promise of values nobody saw."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, isotonic_regression, minimize

from curate.heads import calibration
from curate.heads.calibration import METHODS, OutOfFold, arrays_of, from_arrays
from curate.heads.calibration.choosing import KINDS, losses_of
from curate.heads.calibration.one_vs_rest import log_odds
from curate.heads.calibration.platt import targets
from curate.heads.calibration.shifted import _penalised
from curate.heads.calibration.temperature import log_softmax, shares_of

SCORES = np.array([0.05, 0.1, 0.2, 0.2, 0.35, 0.4, 0.5, 0.55, 0.7, 0.8, 0.9, 0.95])
LABELS = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1])
NEW = np.array([0.01, 0.05, 0.15, 0.2, 0.38, 0.5, 0.6, 0.75, 0.9, 0.99])
P0 = [0, 0, 0, 0.25, 0.25, 0.333333, 0.5, 0.5, 0.6, 0.666667]
P1 = [0.333333, 0.333333, 0.5, 0.5, 0.666667, 0.666667, 0.75, 0.75, 1, 1]
MERGED = [0.25, 0.25, 0.333333, 0.4, 0.470588, 0.5, 0.6, 0.6, 0.714286, 0.75]


def rows_of(logits, truth, folds=None, groups=None):
    """What heads foretell of labelled rows, in five folds and one group."""
    number = len(truth)
    folds = np.arange(number) % 5 if folds is None else folds
    groups = np.full(number, "all") if groups is None else groups
    return OutOfFold(logits, truth, folds, groups, shares_of)


def softmax(logits):
    return np.exp(log_softmax(logits))


def fit(method, logits, truth):
    return calibration.fit(method, rows_of(logits, truth))


def cross_fitted(method, logits, truth, folds):
    return calibration.cross_fitted(method, rows_of(logits, truth, folds))


def cross_fitted_grouped(method, *rows):
    return calibration.cross_fitted_grouped(method, rows_of(*rows))


def fit_grouped(method, *rows):
    return calibration.fit_grouped(method, rows_of(*rows))


def chosen(logits, truth):
    """The method that `auto` chooses."""
    calibrator = fit("auto", logits, truth)
    return next(name for name, kind in KINDS.items() if isinstance(calibrator, kind))


def binary(probability):
    """Logits of two values, of which the second has a probability."""
    return np.log(np.stack([1 - probability, probability], axis=1))


def hard(labels, values=2):
    """Posteriors of settled labels."""
    return np.eye(values)[labels]


def drawn(rows, values, seed, sharp=1.0, shift=0.0):
    """Logits, and labels drawn from the probabilities of other logits: theirs divided by `sharp`.

    The first value is `shift` more likely (in logits) than they say.
    """
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(rows, values))
    true = softmax(logits / sharp + shift * np.eye(values)[0])
    labels = (true.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return logits, hard(labels, values), true


# ── values


def test_venn_abers_is_the_published_package():
    # Golden numbers of the package venn-abers 1.5.4.
    calibrator = fit("venn_abers", binary(SCORES), hard(LABELS))
    low, high = calibrator.between(log_odds(binary(NEW))[:, 1], 1)
    np.testing.assert_allclose(low, P0, atol=1e-6)
    np.testing.assert_allclose(high, P1, atol=1e-6)
    np.testing.assert_allclose(calibrator(binary(NEW))[:, 1], MERGED, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_venn_abers_is_two_isotonic_regressions(seed):
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=rng.integers(1, 40)), seed % 3)
    labels = rng.random(len(scores)) if seed % 2 else rng.integers(0, 2, len(scores)).astype(float)
    calibrator = fit("venn_abers", np.stack([0 * scores, scores], 1), np.c_[1 - labels, labels])
    for new in (*scores, *(scores + 0.05), -9.0, 9.0):
        odds = log_odds(np.stack([np.zeros(len(scores) + 1), np.append(scores, new)], 1))[:, 1]
        for label, ours in zip((0.0, 1.0), calibrator.between(odds[-1:], 1), strict=True):
            place = np.unique(odds, return_inverse=True)[1]
            numbers = np.bincount(place)
            means = np.bincount(place, np.append(labels, label)) / numbers
            heights = isotonic_regression(means, weights=numbers).x
            assert ours[0] == pytest.approx(heights[place[-1]], abs=1e-9)


def test_isotonic_is_the_regression_and_never_sure():
    probabilities = fit("isotonic", binary(SCORES), hard(LABELS))(binary(SCORES))[:, 1]
    distinct, place = np.unique(SCORES, return_inverse=True)
    numbers = np.bincount(place)
    heights = isotonic_regression(np.bincount(place, LABELS) / numbers, weights=numbers).x
    expected = np.clip(heights[place], 1 / 14, 13 / 14)
    np.testing.assert_allclose(probabilities, expected, atol=1e-9)
    assert len(distinct) == 11
    between = fit("isotonic", binary(SCORES), hard(LABELS))(binary(np.array([0.15])))[0, 1]
    ends = np.log([0.1 / 0.9, 0.15 / 0.85, 0.2 / 0.8])
    steps = expected[[1, 2]]
    assert between == pytest.approx(np.interp(ends[1], ends[[0, 2]], steps), abs=1e-9)


def test_platt_has_the_targets_of_1999():
    np.testing.assert_allclose(targets(np.array([1.0, 0, 0, 0])), [2 / 3, 0.2, 0.2, 0.2])
    scores, wanted = np.log(SCORES / (1 - SCORES)), targets(LABELS.astype(float))

    def loss(parameters):
        outputs = scores * parameters[0] + parameters[1]
        return (np.logaddexp(0, outputs) - wanted * outputs).sum()

    best = minimize(loss, (1.0, 0.0), method="Nelder-Mead", options={"xatol": 1e-8}).x
    calibrator = fit("platt", binary(SCORES), hard(LABELS))
    assert calibrator.slope[1] == pytest.approx(best[0], abs=1e-3)
    assert calibrator.intercept[1] == pytest.approx(best[1], abs=1e-3)


def test_a_soft_label_counts_by_its_share():
    logits, truth, _ = drawn(300, 2, 0)
    # A text that two of four people call positive is four texts, with a quarter of the weight.
    twice = np.repeat(logits, 4, axis=0), np.repeat(truth, 4, axis=0)
    votes = np.random.default_rng(1).integers(0, 2, len(twice[1]))
    soft = hard(votes).reshape(300, 4, 2).mean(axis=1)
    for method in ("temperature", "isotonic"):
        whole = fit(method, logits, soft)(logits)
        split = fit(method, twice[0], hard(votes))(logits)
        np.testing.assert_allclose(whole, split, atol=0.02)


@pytest.mark.parametrize("sharp", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(sharp):
    logits, truth, _ = drawn(20_000, 2, 1, sharp=sharp)
    assert fit("temperature", logits, truth).temperature == pytest.approx(sharp, rel=0.05)


def test_logits_that_know_nothing_end_at_the_class_shares():
    rng = np.random.default_rng(0)
    truth = hard((rng.random(5000) < 1 / 60).astype(int))
    probabilities = fit("temperature", 3 * rng.normal(size=(5000, 2)), truth)(np.zeros((1, 2)))
    assert probabilities[0, 1] == pytest.approx(truth[:, 1].mean(), rel=0.2)


def test_shifts_have_the_loss_that_they_say_and_its_gradient():
    logits, truth, _ = drawn(30, 3, 11)
    parameters, shares = np.array([0.7, 0.3, -0.2, 0.5]), shares_of(truth)
    evidence, log_shares = logits - np.log(shares), np.log(shares)

    def loss(at):
        logs = log_softmax(evidence * at[0] + log_shares + at[1:])
        return -(truth * logs).sum(axis=1).mean() + (at[1:] ** 2).sum() / 2 / 30

    value, gradient = _penalised(parameters, evidence, log_shares, truth)
    assert value == pytest.approx(loss(parameters))
    np.testing.assert_allclose(gradient, approx_fprime(parameters, loss, 1e-7), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [2, 4])
def test_every_method_mends_logits_that_are_too_sure(method, values):
    logits, truth, true = drawn(
        6000, values, 2, sharp=2.5, shift=0.0 if method == "temperature" else 0.7
    )
    folds = np.arange(6000) % 5
    before = np.abs(softmax(logits) - true).mean()
    after = np.abs(cross_fitted(method, logits, truth, folds) - true).mean()
    assert after < 0.035 < 0.1 < before


# ── out of fold


@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_a_fold_is_calibrated_by_the_others_alone(method):
    logits, truth, _ = drawn(250, 3, 3, sharp=2)
    folds = np.arange(250) % 5
    other = truth.copy()
    other[folds == 0] = np.roll(truth[folds == 0], 1, axis=1)
    before, after = (cross_fitted(method, logits, one, folds) for one in (truth, other))
    np.testing.assert_array_equal(before[folds == 0], after[folds == 0])
    assert np.abs(before[folds != 0] - after[folds != 0]).max() > 1e-3


def test_the_order_of_rows_changes_nothing():
    logits, truth, _ = drawn(300, 3, 4, sharp=2)
    folds, order = np.arange(300) % 5, np.random.default_rng(0).permutation(300)
    for method in METHODS:
        one = cross_fitted(method, logits, truth, folds)
        other = cross_fitted(method, logits[order], truth[order], folds[order])
        np.testing.assert_allclose(one[order], other, atol=1e-6)


def test_auto_keeps_the_shifts_where_others_gain_nothing():
    kept = [chosen(*drawn(400, 3, seed, sharp=2)[:2]) == "shifted" for seed in range(20)]
    assert sum(kept) >= 15
    assert chosen(*step()) != "shifted"
    few = [rows[:99] for rows in step()]
    assert chosen(*few) == "shifted"


@pytest.mark.parametrize("rows", [80, 100])
def test_auto_foresees_the_shares_of_labels_however_many_there_are(rows):
    """Heads of 100 labels and of their folds, of 80, have to foresee the same shares."""
    means = []
    for seed in range(10):
        logits, truth, _ = drawn(rows, 2, seed, sharp=0.3, shift=1.5)
        means.append(fit("auto", logits, truth)(logits).mean(axis=0) - truth.mean(axis=0))
    assert np.abs(np.mean(means, axis=0)).max() < 0.01


def test_auto_keeps_the_order_of_ratings_and_the_symmetry_of_preferences():
    rows = rows_of(*drawn(400, 2, 0, shift=3)[:2])
    kinds = [type(calibration.fit("auto", rows, kind)) for kind in ("rating", "preference")]
    assert kinds == [KINDS["shifted"], KINDS["temperature"]]
    logits, truth = step()
    calibrator = calibration.fit("auto", rows_of(logits, truth), "rating")
    assert isinstance(calibrator, (KINDS["temperature"], KINDS["shifted"]))


def step():
    """Logits and labels of two values, where no sigmoid fits."""
    rng = np.random.default_rng(5)
    scores = rng.uniform(-4, 4, 800)
    truth = hard((rng.random(800) < np.where(scores > 1, 0.9, 0.3)).astype(int))
    return np.stack([0 * scores, scores], 1), truth


def test_auto_leaves_the_temperature_where_it_cannot_do():
    logits, truth = step()
    folds = np.arange(800) % 5
    assert chosen(logits, truth) in ("isotonic", "venn_abers", "platt", "shifted")
    gain = losses_of(truth, cross_fitted("temperature", logits, truth, folds)) - losses_of(
        truth, cross_fitted("auto", logits, truth, folds)
    )
    assert gain.mean() > 0.005


# ── values that nobody saw


@pytest.mark.parametrize("method", METHODS)
def test_a_value_without_labels_keeps_a_small_probability(method):
    logits, truth, _ = drawn(98, 3, 6)
    truth[:, :2] += truth[:, 2:] / 2
    truth[:, 2] = 0
    logits[:, 2] -= 6  # a head without labels of a value foretells it seldom
    unseen = fit(method, logits, truth)(logits)[:, 2]
    assert 1e-5 < unseen.min() <= unseen.max() < 0.05
    if method in ("platt", "isotonic", "venn_abers"):
        np.testing.assert_allclose(unseen, 1 / 101)


@pytest.mark.parametrize("method", METHODS)
def test_one_value_alone_and_ten_labels_are_survived(method):
    logits = drawn(10, 2, 8)[0]
    probabilities = fit(method, logits, hard(np.zeros(10, int)))(logits)
    assert (probabilities[:, 1] > 0).all()
    assert probabilities[:, 1].mean() < 0.2
    few = fit(method, logits, hard(np.arange(10) % 2))(logits)
    assert np.isfinite(few).all()
    assert (few > 0).all()


# ── groups


def grouped(rows=900, seed=9):
    """Logits and labels of three groups: two alike, and a third that its head overrates."""
    logits, truth, _ = drawn(rows, 2, seed)
    groups = np.array(["a", "b", "c"])[np.arange(rows) % 3]
    rng = np.random.default_rng(seed)
    odd = groups == "c"
    labels = (rng.random(rows) < softmax(logits / 4 + np.array([1.5, 0]))[:, 1]).astype(int)
    truth[odd] = hard(labels)[odd]
    return logits, truth, np.arange(rows) // 3 % 5, groups


def test_a_group_has_its_own_map_where_it_needs_one():
    logits, truth, folds, groups = grouped()
    assert "c" in fit_grouped("temperature", logits, truth, folds, groups).own
    alike = drawn(900, 2, 10)[:2]
    assert not fit_grouped("temperature", *alike, folds, groups).own
    pooled = losses_of(truth, cross_fitted("temperature", logits, truth, folds))
    own = losses_of(truth, cross_fitted_grouped("temperature", logits, truth, folds, groups))
    assert own[groups == "c"].mean() < pooled[groups == "c"].mean() - 0.05


def test_a_group_of_49_labels_uses_the_map_of_all():
    logits, truth, folds, groups = grouped()
    first = np.cumsum(groups == "c") <= 49
    part = (groups != "c") | first
    assert (
        "c"
        not in fit_grouped("temperature", logits[part], truth[part], folds[part], groups[part]).own
    )
    part = (groups != "c") | (np.cumsum(groups == "c") <= 60)
    assert (
        "c" in fit_grouped("temperature", logits[part], truth[part], folds[part], groups[part]).own
    )


def test_a_group_that_nobody_knows_uses_the_map_of_all():
    logits, truth, folds, groups = grouped()
    calibrator = fit_grouped("temperature", logits, truth, folds, groups)
    new = calibrator(logits, np.full(len(logits), "new"))
    np.testing.assert_array_equal(new, calibrator.everywhere(logits))


# ── stored


@pytest.mark.parametrize("method", METHODS)
def test_arrays_bring_a_calibrator_back(method, tmp_path):
    logits, truth, folds, groups = grouped()
    calibrator = fit_grouped(method, logits, truth, folds, groups)
    np.savez(tmp_path / "one.npz", **arrays_of(calibrator))
    with np.load(tmp_path / "one.npz", allow_pickle=False) as stored:
        back = from_arrays(dict(stored))
    assert list(back.own) == list(calibrator.own) != []
    np.testing.assert_array_equal(back(logits, groups), calibrator(logits, groups))


def test_arrays_of_something_else_are_refused():
    with pytest.raises(KeyError):
        from_arrays({"weights": np.zeros(3)})
    with pytest.raises(KeyError):
        from_arrays({"groups": np.array([], np.str_)})


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_several_heads_keep_their_place_and_what_is_missing(method):
    logits, truth, folds, groups = grouped()
    calibrator = fit_grouped(method, logits, truth, folds, groups)
    heads = np.stack([logits, 2 * logits], axis=1)
    heads[3, 1] = np.nan
    probabilities = calibrator(heads, groups)
    np.testing.assert_array_equal(probabilities[:, 0], calibrator(logits, groups))
    assert np.isnan(probabilities[3, 1]).all()
    assert not np.isnan(np.delete(probabilities, 3, axis=0)).any()
