"""Abstaining: the slope by hand, its p-value by theory, groups by simulation."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from curate.calibration_error import calibration_error
from curate.heads.abstaining import Trust, trusted
from curate.heads.slope import CalibrationSlope, calibration_slope
from curate.score.trusting import Trusts


def labels_of(predicted, rng):
    """Labels drawn from predictions: rows x values."""
    draws = rng.random((len(predicted), 1))
    places = (predicted.cumsum(axis=1)[:, :-1] < draws).sum(axis=1)
    return np.eye(predicted.shape[1])[places]


def near(rng, rows, values=5, scale=0.45):
    """Predictions of values that are near to each other: none is likely anywhere."""
    powers = np.exp(scale * rng.normal(size=(rows, values)))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_slope_is_that_of_least_squares():
    chance = np.array([0.1, 0.3, 0.6, 0.8])
    labels = np.array([0.0, 1.0, 0.0, 1.0])
    slope = calibration_slope(*(np.stack([1 - x, x], axis=1) for x in (labels, chance))).slope
    assert slope == pytest.approx(np.polyfit(chance, labels, 1)[0])


def test_steps_between_levels_have_one_slope():
    predicted = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.0, 0.3, 0.7], [0.1, 0.1, 0.8]])
    truth = np.array([[1, 0, 0], [0, 0.5, 0.5], [0, 1, 0], [0, 0, 1.0]])
    above, followed = predicted[:, ::-1].cumsum(axis=1), truth[:, ::-1].cumsum(axis=1)
    centred = (above - above.mean(axis=0))[:, :-1]
    wanted = (centred * followed[:, :-1]).sum() / (centred * above[:, :-1]).sum()
    slope = calibration_slope(truth, predicted, ordered=True).slope
    assert slope == pytest.approx(wanted)
    assert slope != pytest.approx(calibration_slope(truth, predicted).slope)


def test_right_labels_have_slope_one_and_shuffled_ones_none():
    rng = np.random.default_rng(0)
    predicted = near(rng, 10_000)
    truth = labels_of(predicted, rng)
    shuffled = truth[rng.permutation(len(truth))]
    for ordered in (False, True):
        right, wrong = (
            calibration_slope(own, predicted, ordered=ordered, draws=99)
            for own in (truth, shuffled)
        )
        assert right.slope == pytest.approx(1, abs=0.1)
        assert right.p_value > 0.02
        assert wrong.slope == pytest.approx(0, abs=0.1)
        assert wrong.p_value == 0.01


def test_its_p_value_is_that_of_a_sum_of_independent_labels():
    rng = np.random.default_rng(1)
    predicted = near(rng, 300)
    worth = predicted - predicted.mean(axis=0)
    expected = (worth * predicted).sum()
    deviation = np.sqrt(
        ((worth**2 * predicted).sum(axis=1) - (worth * predicted).sum(axis=1) ** 2).sum()
    )
    for _ in range(5):
        truth = labels_of(predicted, rng)
        wanted = norm.cdf(((worth * truth).sum() - expected) / deviation)
        own = calibration_slope(truth, predicted, draws=4999)
        assert own.p_value == pytest.approx(wanted, abs=0.03)


@pytest.mark.parametrize(("likely", "even"), [(20, 10), (18, 13), (21, 8)])
def test_draws_of_the_same_slope_count(likely, even):
    """Of two predictions the slope tells by how many more labels the higher one comes true."""
    predicted = np.repeat([[0.2, 0.8], [0.6, 0.4]], 25, axis=0)
    truth = np.eye(2)[[0] * (25 - likely) + [1] * likely + [0] * (25 - even) + [1] * even]
    wanted = sum(
        binom.pmf(own, 25, 0.4) * binom.cdf(likely - even + own, 25, 0.8) for own in range(26)
    )
    own = calibration_slope(truth, predicted, draws=9999)
    assert own.p_value == pytest.approx(wanted, abs=0.02)


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(2)
    predicted = near(rng, 80)
    truth, order = labels_of(predicted, rng), rng.permutation(80)
    one, other = (
        calibration_slope(truth[rows], predicted[rows], draws=99) for rows in (np.arange(80), order)
    )
    assert one.slope == pytest.approx(other.slope)
    assert one.p_value == other.p_value


def test_predictions_that_are_all_the_same_have_no_slope():
    predicted = np.tile([0.3, 0.7], (60, 1))
    truth = labels_of(predicted, np.random.default_rng(3))
    assert calibration_slope(truth, predicted) == CalibrationSlope(None, 1.0)


def test_labels_shuffled_among_near_values_are_noticed():
    """Where the most probable of five values is seldom sure, its calibration error says little."""
    rng, groups, rows = np.random.default_rng(4), 30, 100
    predicted = near(rng, groups * rows, scale=0.6)
    truth = labels_of(predicted, rng)
    names = np.repeat([f"{group:02}" for group in range(groups)], rows)
    places = np.concatenate([rows * group + rng.permutation(rows) for group in range(groups)])
    sound, shuffled = (trusted(own, predicted, names, draws=499) for own in (truth, truth[places]))
    assert sum(trust.abstains for trust in sound) <= 1
    assert sum(trust.abstains for trust in shuffled) >= 28
    assert sum(trust.calibration.p_value <= 0.01 for trust in shuffled) <= 15


def test_probabilities_that_are_wrong_at_one_height_are_noticed_by_their_error():
    rng = np.random.default_rng(5)
    predicted = np.tile([0.6, 0.4], (200, 1)) + rng.uniform(-0.01, 0.01, (200, 1)) * [1, -1]
    truth = labels_of(np.tile([0.8, 0.2], (200, 1)), rng)
    (trust,) = trusted(truth, predicted, np.full(200, "a"))
    assert trust.abstains
    assert trust.slope.p_value > 0.01
    assert trust.calibration == calibration_error(truth, predicted, seed=(0, 3904355907))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 400])
def test_one_sound_group_of_near_values_in_a_hundred_abstains(rows):
    rng = np.random.default_rng(rows)
    predicted = near(rng, 500 * rows)
    names = np.repeat([f"{group:03}" for group in range(500)], rows)
    trusts = trusted(labels_of(predicted, rng), predicted, names, draws=499)
    assert sum(trust.abstains for trust in trusts) / 500 <= 0.02
    assert 0.002 <= np.mean([trust.slope.p_value <= 0.01 for trust in trusts]) <= 0.022


def trust_of(group, p_value):
    error = calibration_error(np.eye(2)[[0] * 60], np.eye(2)[[0] * 60], draws=9)
    return Trust(group, error, CalibrationSlope(0.0, p_value))


def test_a_group_abstains_by_any_question_that_quality_follows_from():
    by_question = {
        "mood": (trust_of("films", 0.004), trust_of("meals", 0.3)),
        "length": (trust_of("films", 0.3), trust_of("meals", 0.001)),
    }
    trusts = Trusts(by_question, grouped=True)
    assert trusts.abstaining(["mood"]) == {"films"}
    assert trusts.abstaining(["length"]) == {"meals"}
    assert trusts.abstaining(None) == {"films", "meals"}
    told = list(trusts.doubts(7))
    assert [(one.key, one.figures["groups"]) for one in told] == [
        ("score.abstained", ["films"]),
        ("score.abstained", ["meals"]),
    ]


def test_the_corpus_as_one_group_is_a_warning():
    trusts = Trusts({"mood": (trust_of("all", 0.001),), "length": (trust_of("all", 0.3),)}, False)
    assert trusts.abstaining(None) == frozenset()
    (told,) = trusts.doubts(0)
    assert told.key == "score.unfit"
    assert told.figures == {"question": "mood", "labels": 60, "error": 0.0, "p_value": 0.002}
