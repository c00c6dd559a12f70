"""What each sampling strategy picks, by values that are worked out another way."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from curate.annotated.documents import LabelledDocuments
from curate.annotated.truth import Truth
from curate.sample.alike import ALIKE, distinct, similarity
from curate.sample.candidates import Candidates, unit
from curate.sample.drawing import CERTAINTY, blended
from curate.sample.frame import Candidate, Frame, Seen
from curate.sample.measuring import measure
from curate.sample.picking import pick
from curate.sample.spec import OF_A_QUESTION, PICKING, SampleSpec
from curate.sample.stopping import LEAST, loss_of, progress
from curate.sample.strategies import STRATEGIES, Chosen
from curate.sample.strategies.disagreement import near
from curate.sample.strategies.entropy import entropy
from curate.sample.strategies.facility_location import facility_location
from curate.sample.strategies.k_center import k_center
from curate.sample.strategies.k_means import k_means
from curate.sample.strategies.least_confidence import least_confidence
from curate.sample.strategies.margin import margin
from curate.sample.strategies.mixture import ALPHA, BETA, sensitivities
from curate.sample.strategies.mixture import shares as mixture_shares
from curate.sample.strategies.strategy import Stratum
from curate.sample.strategies.stratified import shares as stratified_shares
from curate.text import shingles

CHOSEN = {name: own for name, own in STRATEGIES.items() if isinstance(own, Chosen)}


def test_the_settings_name_every_strategy():
    annotation = SampleSpec.model_fields["strategy"].annotation
    assert set(annotation.__args__) == {"auto", *STRATEGIES}
    assert set(PICKING) == {"auto", *CHOSEN}
    assert set(OF_A_QUESTION) <= set(PICKING)


# ── uncertainty

PROBABILITIES = np.array([[0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [1.0, 0.0, 0.0], [0.6, 0.3, 0.1]])


def test_uncertainty_by_values():
    assert least_confidence(PROBABILITIES) == pytest.approx([0.5, 0.6, 0.0, 0.4])
    assert margin(PROBABILITIES) == pytest.approx([1.0, 0.9, 0.0, 0.7])
    assert entropy(PROBABILITIES) == pytest.approx([0.693147, 1.088900, 0.0, 0.897946], abs=1e-6)


@pytest.mark.parametrize("measure", [least_confidence, margin, entropy])
def test_a_text_without_a_prediction_is_nobodys_candidate(measure):
    assert np.isnan(measure(np.full((1, 3), np.nan))).all()


# ── diversity


def some(n=40, dimension=3, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32))


def radius(vectors, picked):
    """The largest distance of a vector to the nearest picked one."""
    likeness = (vectors @ vectors[list(picked)].T).max(axis=1)
    return np.sqrt(np.maximum(2 - 2 * likeness, 0)).max()


@pytest.mark.parametrize("seed", range(5))
def test_k_center_is_at_most_twice_the_smallest_radius(seed):
    vectors = some(12, seed=seed)
    best = min(radius(vectors, picked) for picked in combinations(range(12), 3))
    assert radius(vectors, k_center(vectors, 3)) <= 2 * best + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_k_center_is_what_plain_greedy_picks(seed):
    vectors, known = some(30, seed=seed), some(2, seed=100 + seed)
    greedy = []
    for _ in range(6):
        chosen = np.concatenate([known, vectors[greedy]])
        greedy.append(int((vectors @ chosen.T).max(axis=1).argmin()))
    assert k_center(vectors, 6, known).tolist() == greedy


def test_k_center_goes_where_nobody_has_been():
    corners = np.eye(3, dtype=np.float32)
    assert k_center(corners, 2, corners[:1]).tolist() == [1, 2]
    assert sorted(k_center(corners, 9).tolist()) == [0, 1, 2]
    assert k_center(corners[:0], 2).tolist() == []


def covered(vectors, picked):
    return np.maximum((vectors @ vectors[list(picked)].T).max(axis=1), 0).sum()


@pytest.mark.parametrize("seed", range(5))
def test_facility_location_is_what_plain_greedy_picks(seed):
    vectors = some(30, seed=seed)
    greedy = []
    for _ in range(5):
        rest = [place for place in range(30) if place not in greedy]
        greedy.append(max(rest, key=lambda place: covered(vectors, [*greedy, place])))
    assert facility_location(vectors, 5).tolist() == greedy


@pytest.mark.parametrize("seed", range(5))
def test_facility_location_is_near_the_best(seed):
    vectors = some(12, seed=seed)
    best = max(covered(vectors, picked) for picked in combinations(range(12), 3))
    assert covered(vectors, facility_location(vectors, 3)) >= (1 - 1 / np.e) * best


def test_facility_location_leaves_what_is_known():
    corners = np.repeat(np.eye(3, dtype=np.float32), [5, 3, 1], axis=0)
    assert facility_location(corners, 2).tolist() == [0, 5]
    assert facility_location(corners, 1, corners[:1]).tolist() == [5]


def clusters(sizes=(9, 5, 2), seed=0):
    """Return unit vectors near as many corners as there are sizes, in that order."""
    rng = np.random.default_rng(seed)
    corners = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    return unit((corners + 0.03 * rng.normal(size=corners.shape)).astype(np.float32))


def test_k_means_picks_the_middle_of_each_cluster_the_largest_first():
    vectors = clusters()
    picked = k_means(vectors, 3)
    assert [int(place >= 9) + int(place >= 14) for place in picked] == [0, 1, 2]
    middle = vectors[:9].mean(axis=0)
    assert picked[0] == ((vectors[:9] - middle) ** 2).sum(axis=1).argmin()


def test_k_means_goes_by_weight():
    vectors = clusters()
    weights = np.where(np.arange(16) < 14, 1.0, 50.0)
    assert k_means(vectors, 3, weights)[0] >= 14
    heavy = np.ones(16)
    heavy[4] = 1000.0
    assert 4 in k_means(vectors, 3, heavy)


def test_k_means_of_equal_vectors():
    assert len(k_means(np.ones((6, 2), np.float32), 3)) == 1
    assert k_means(np.ones((0, 2), np.float32), 3).tolist() == []


def test_vectors_that_are_not_finite_count_as_none():
    vectors = np.array([[3, 4], [np.nan, 1], [np.inf, 0], [0, 0]], np.float32)
    assert unit(vectors).tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0], [0, 0], [0, 0]]


def test_disagreement_of_the_nearest():
    answered = np.repeat(np.eye(2, dtype=np.float32), [12, 12], axis=0)
    disagreement = np.repeat([0.5, 0.0], 12)
    vectors = unit(np.array([[1, 0.1], [0.1, 1]], np.float32))
    assert near(vectors, answered, disagreement).tolist() == [0.5, 0.0]
    assert near(vectors, answered[[0, 12]], np.array([0.4, 0.2])) == pytest.approx([0.3, 0.3])


# ── candidates: neither order nor parts matter


def candidates(n=60, seed=0, dimension=4):
    rng = np.random.default_rng(seed)
    return Candidates(
        np.array([f"d{place:03}" for place in range(n)]),
        rng.integers(0, 9, n) / 9,
        np.zeros(n, np.int64),
        np.arange(n),
        vectors=some(n, dimension, seed),
    )


@pytest.mark.parametrize("name", CHOSEN)
def test_the_order_of_the_candidates_does_not_matter(name):
    whole, strategy = candidates(), CHOSEN[name]
    mixed = whole.take(np.random.default_rng(3).permutation(60))
    picked = [own.best(60).ids[strategy.select(own.best(60), 12)] for own in (whole, mixed)]
    assert picked[0].tolist() == picked[1].tolist()
    assert len(set(picked[0].tolist())) == 12


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_the_best_of_parts_are_the_best(parts):
    whole = candidates()
    joined = Candidates.none()
    for start in range(parts):
        joined = joined.joined(whole.take(np.arange(start, 60, parts)), 20)
    expected = sorted(range(60), key=lambda row: (-whole.values[row], whole.ids[row]))[:20]
    assert joined.rows.tolist() == expected


# ── near-duplicates

SENTENCE = "people often write about small birds in large green gardens near the old stone bridge"


def variants(n, seed=0):
    """Return texts of the same words, some changed."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(n):
        words = SENTENCE.split()
        for place in rng.choice(len(words), rng.integers(0, 5), replace=False):
            words[place] = str(rng.integers(100, 999))
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("seed", range(3))
def test_near_duplicates_are_those_of_every_pair(seed):
    texts = [
        *variants(60, seed),
        "",
        "",
        "短い",
        "我们今天去公园散步看花",
        "我们今天去公园散步看花。",
    ]
    sets = [frozenset(shingles(text)) for text in texts]
    staying = []
    for place, own in enumerate(sets):
        if all(similarity(own, sets[other]) < ALIKE for other in staying):
            staying.append(place)
    assert distinct(texts) == staying
    assert 10 < len(staying) < 60


def test_near_duplicates_are_replaced_by_the_next():
    texts = {
        f"d{place:03}": f"text {place // 10} {'abcdefgh'[place // 10] * 40}" for place in range(60)
    }
    own = candidates().best(60)
    picked = pick(own, 5, CHOSEN["entropy"].select, lambda ids: [texts[id] for id in ids])
    assert len(picked) == 5
    assert len({texts[id] for id in picked}) == 5
    # More kinds than there are: the rest is left to chance.
    assert len(pick(own, 9, CHOSEN["entropy"].select, lambda ids: [texts[id] for id in ids])) == 6


@pytest.mark.parametrize("name", CHOSEN)
def test_a_strategy_and_its_random_share_are_drawn_as_often_as_they_say(name):
    own, n, size = candidates().best(60), 10, 60
    picked = pick(own, 7, CHOSEN[name].select, lambda ids: list(ids))
    held, said = np.zeros(size), np.zeros(size)
    for seed in range(800):
        noise = np.random.default_rng(seed).random(size)
        rows = sorted(Candidate(noise[place], f"d{place:03}", "s") for place in range(size))
        frame = Frame(Counter(s=size), tuple(rows[:n]))
        batch = blended(frame, picked, n)
        places = [int(row.id[1:]) for row in batch]
        held[places] += 1
        said[places] = [row.propensity for row in batch]
        assert {row.stratum for row in batch if row.propensity == 1} == {CERTAINTY}
        assert len(batch) == n
    assert (said > 0).all()
    assert (np.abs(held / 800 - said) <= 4.5 * np.sqrt(said * (1 - said) / 800)).all()


# ── shares of strata by what is known


def test_neyman_is_the_allocation_with_the_smallest_variance():
    sizes, deviations, n = (60, 30, 10), (0.1, 0.3, 0.5), 12
    strata = {
        str(place): Stratum(size, deviation=deviation)
        for place, (size, deviation) in enumerate(zip(sizes, deviations, strict=True))
    }

    def variance(shares):
        return sum(
            (size / 100) ** 2 * deviation**2 / share
            for size, deviation, share in zip(sizes, deviations, shares, strict=True)
        )

    every = [(a, b, n - a - b) for a in range(1, 11) for b in range(1, 11) if 0 < n - a - b <= 10]
    found = tuple(stratified_shares(strata, n, "neyman").values())
    assert variance(found) <= min(map(variance, every)) * 1.02
    assert found == (4, 5, 3)


def weights_of(tokens, quality):
    logs = ALPHA * np.log(tokens) + BETA * quality
    return np.exp(logs) / np.exp(logs).sum()


def test_sensitivity_is_the_derivative_of_the_shares():
    tokens, quality = np.array([900.0, 100.0, 40.0]), np.array([0.2, 0.5, 0.8])
    found, step = sensitivities(tokens, quality), 1e-6
    for group in range(3):
        moved = quality + step * np.eye(3)[group]
        slopes = (weights_of(tokens, moved) - weights_of(tokens, quality)) / step
        assert found[group] == pytest.approx((slopes**2).sum(), rel=1e-4)


def test_mixture_takes_most_off_the_variance_of_the_shares():
    groups = {
        "a": Stratum(50, 900.0, 0.2, 0.3, answered=5),
        "b": Stratum(50, 100.0, 0.5, 0.2, answered=2),
        "c": Stratum(50, 40.0, 0.8, 0.1, answered=9),
    }
    jacobian = sensitivities(np.array([900.0, 100.0, 40.0]), np.array([0.2, 0.5, 0.8]))

    def variance(shares):
        return sum(
            slope * group.deviation**2 / (group.answered + share)
            for slope, group, share in zip(jacobian, groups.values(), shares, strict=True)
        )

    found = mixture_shares(groups, 9, "")
    every = [(a, b, 9 - a - b) for a in range(1, 8) for b in range(1, 9 - a)]
    assert variance(found.values()) == pytest.approx(min(map(variance, every)))


def test_mixture_goes_by_residuals_where_labels_tell_them():
    # The head is sure of a and errs on it, and the other way round for b: n goes with the residual.
    wrong = Stratum(500, 50.0, 0.5, 0.05, answered=10, residual=0.3)
    right = Stratum(500, 50.0, 0.5, 0.4, answered=10, residual=0.1)
    found = mixture_shares({"wrong": wrong, "right": right}, 100, "")
    assert (found["wrong"] + 10) / (found["right"] + 10) == pytest.approx(3, rel=0.1)
    unknown = Stratum(500, 50.0, 0.5, 0.1)
    found = mixture_shares({"wrong": wrong, "unknown": replace(unknown, answered=10)}, 100, "")
    assert (found["wrong"] + 10) / (found["unknown"] + 10) == pytest.approx(3, rel=0.1)


def test_mixture_counts_seconds():
    fast, slow = (Stratum(500, 50.0, 0.5, 0.2, answered=10, seconds=s) for s in (5.0, 45.0))
    found = mixture_shares({"fast": fast, "slow": slow}, 100, "")
    # The gain at n answers is about 1 / n², so n goes with 1 / sqrt(seconds): 3 to 1.
    assert (found["fast"] + 10) / (found["slow"] + 10) == pytest.approx(3, rel=0.1)


def test_mixture_with_groups_of_which_nothing_is_known():
    known, unknown = Stratum(30, 10.0, 0.5, 0.2, answered=40), Stratum(30, 10.0)
    found = mixture_shares({"known": known, "unknown": unknown}, 20, "")
    assert found["unknown"] > 15
    assert sum(found.values()) == 20
    assert mixture_shares({"a": unknown, "b": unknown}, 4, "") == {"a": 2, "b": 2}


def summed(*columns):
    """Return number, sum and sum of squares of each column."""
    return np.array([[len(own), np.sum(own), np.sum(np.square(own))] for own in columns])


def test_what_is_known_of_a_stratum():
    frame = Frame(
        Counter(a=3, b=2, c=1),
        sums={
            "a": summed([5, 7, 9], [0.2, 0.4, 0.9], [0.1, 0.5, 0.6], [0.9, 0.5, 0.4]),
            "b": summed([4, 4], [0.5, 0.7], [0.5, 0.5], [0.5, 0.5]),
            "c": summed([6], [], [], []),
        },
        seen={
            id: Seen(stratum, 0, place, ())
            for place, (id, stratum) in enumerate(zip("pqrst", "aaabb", strict=True))
        },
    )
    seconds = {"p": 4.0, "q": 10.0, "r": 90.0, "s": None, "elsewhere": 7.0}
    strata = measure(frame, seconds)
    assert strata["a"] == Stratum(
        3, 21.0, pytest.approx(0.5), pytest.approx(np.std([0.2, 0.4, 0.9])), 3, 10.0
    )
    assert (strata["b"].answered, strata["b"].seconds) == (1, 10.0)  # the time of all
    assert np.isnan(strata["c"].quality)
    assert (strata["c"].answered, strata["c"].deviation) == (0, 0.0)


def test_the_residuals_of_a_stratum_are_those_of_its_labels():
    ids = tuple("pqrstuv")
    truth, predicted = np.array([1, 0, 1, 1, 0, 1, 0.0]), np.array([0.9, 0.4, 0.2, 0.8, 0.1, 1, 1])
    labelled = LabelledDocuments(
        ids, (), Truth(truth, np.full(7, 0.04)), predicted, np.full(7, 10.0)
    )
    frame = Frame(
        Counter(a=3, b=2),
        sums={name: summed([5, 7], [0.2, 0.4]) for name in "ab"},
        seen={id: Seen("a" if id < "u" else "b", 0, 0, ()) for id in ids},
    )
    strata = measure(frame, {}, labelled)
    # Five residuals of a, nine in ten documents unseen, and what the answers leave open.
    variance = 0.9 * np.var((truth - predicted)[:5], ddof=1) + 0.04
    assert strata["a"].residual == pytest.approx(np.sqrt(variance))
    assert strata["b"].residual is None  # two labels tell nothing
    assert measure(frame, {})["a"].residual is None


def test_the_deviation_of_an_answer_where_there_is_no_quality():
    columns = summed([1, 1], [], [0.2, 0.4], [0.8, 0.6])
    strata = measure(Frame(Counter(a=2), sums={"a": columns}), {})
    assert strata["a"].deviation == pytest.approx(np.sqrt(1 - 0.3**2 - 0.7**2))
    assert np.isnan(strata["a"].quality)


# ── when to stop


def test_the_loss_is_the_cross_entropy():
    values = ("a", "b")
    assert loss_of({"a": 1.0}, values, (0.25, 0.75)) == pytest.approx(np.log(4))
    assert loss_of({"a": 0.5, "b": 0.5}, values, (0.5, 0.5)) == pytest.approx(np.log(2))
    assert np.isnan(loss_of({"gone": 1.0}, values, (0.5, 0.5)))
    assert np.isnan(loss_of({"a": 1.0}, values, (np.nan, np.nan)))


def losses(n, fall, seed=0):
    rng = np.random.default_rng(seed)
    before = rng.gamma(2.0, 0.3, n)
    after = before - fall - 0.1 * rng.normal(size=n)
    ids = [str(place) for place in range(n)]
    return ids, dict(zip(ids, before, strict=True)), dict(zip(ids, after, strict=True))


def test_progress_is_the_paired_difference_and_its_standard_error():
    ids, before, now = losses(50, 0.05)
    found = progress("q", before, now, dict.fromkeys(ids, 3.0))
    falls = np.array([before[id] - now[id] for id in ids])
    assert found.improvement == pytest.approx(falls.mean())
    assert found.standard_error == pytest.approx(falls.std(ddof=1) / np.sqrt(50))
    assert found.loss == pytest.approx(np.mean([*now.values()]))
    assert (found.labels, found.compared, found.stop) == (50, 50, False)


def test_the_same_losses_say_nothing_of_the_last_round():
    ids, before, _ = losses(50, 0.05)
    assert progress("q", before, dict(before), dict.fromkeys(ids, 1.0)) is None


def test_progress_counts_a_document_as_often_as_it_stands_for_others():
    ids, before, now = losses(40, 0.05)
    weights = {id: 1.0 if place < 20 else 1e6 for place, id in enumerate(ids)}
    found = progress("q", before, now, weights)
    heavy = np.array([before[id] - now[id] for id in ids[20:]])
    assert found.improvement == pytest.approx(heavy.mean(), rel=1e-3)
    assert found.standard_error == pytest.approx(heavy.std(ddof=1) / np.sqrt(20), rel=1e-3)


@pytest.mark.parametrize(("errors", "least", "most"), [(0, 0.8, 0.88), (2, 0.12, 0.21)])
def test_how_often_it_says_stop(errors, least, most):
    """A round that was worth nothing, and one worth two standard errors."""
    fall, stops = errors * 0.1 / np.sqrt(60), 0
    for seed in range(1000):
        ids, before, now = losses(60, fall, seed)
        stops += progress("q", before, now, dict.fromkeys(ids, 1.0)).stop
    assert least <= stops / 1000 <= most


def test_no_verdict_on_a_few():
    ids, before, now = losses(LEAST - 1, 1.0)
    assert progress("q", before, now, dict.fromkeys(ids, 1.0)) is None
    assert progress("q", {}, now, dict.fromkeys(ids, 1.0)) is None
