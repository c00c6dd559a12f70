"""Truth inference: golden numbers, laws, and crowds whose truth and skill we know."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from scipy.stats import beta

from curate.agree.truth import dawid_skene, hierarchical, marks, spans
from curate.agree.truth.coded import Coded
from curate.agree.truth.ratings import mean_rating
from curate.agree.truth.settling import METHODS, settle
from curate.agree.truth.skill import interval
from curate.agree.truth.truth import Rightness
from curate.agree.truth.votes import wawa, weighted_vote
from tests.crowds import SETTINGS, Setting, calibration_error, measure, simulate


def crowd(seed=3, items=40, setting=Setting(3, 12, True)):  # noqa: B008
    """A small crowd, the same at every call."""
    return simulate(setting, np.random.default_rng(seed), items)


def votes_of(text):
    """Votes from lines such as `item: ann yes, bob no`."""
    return [
        (item, *vote.split())
        for line in text.strip().splitlines()
        for item, votes in [line.strip().split(": ")]
        for vote in votes.split(", ")
    ]


# ── the models, written again in plain loops


def loops(votes, rows_of, prior, least):
    """EM over dictionaries of votes, as the papers write it: posterior by item and value."""
    items, people, values = (list(dict.fromkeys(names)) for names in zip(*votes, strict=True))
    of_item = {item: [(who, value) for it, who, value in votes if it == item] for item in items}
    posterior = {
        item: {value: sum(v == value for _, v in given) / len(given) for value in values}
        for item, given in of_item.items()
    }
    previous, strength = -np.inf, 10.0
    for number in range(1, 101):
        totals = {j: sum(posterior[item][j] for item in items) + prior for j in values}
        prevalence = {j: totals[j] / sum(totals.values()) for j in values}
        counts = {(who, j, k): 0.0 for who in people for j in values for k in values}
        for item, who, value in votes:
            for j in values:
                counts[who, j, value] += posterior[item][j]
        rows, strength = rows_of(counts, people, values, number, strength)
        evidence = 0.0
        for item, given in of_item.items():
            weight = {
                j: prevalence[j] * np.prod([rows[who, j, value] for who, value in given])
                for j in values
            }
            evidence += np.log(sum(weight.values()))
            posterior[item] = {j: weight[j] / sum(weight.values()) for j in values}
        if number >= least and abs(evidence / len(votes) - previous) < 1e-5:
            break
        previous = evidence / len(votes)
    return np.array([[posterior[item][j] for j in values] for item in items])


def own_rows(counts, people, values, number, strength):
    """Every cell has half an answer more, the diagonal two and a half."""
    rows = {}
    for who in people:
        for j in values:
            cells = {k: counts[who, j, k] + (2.5 if j == k else 0.5) for k in values}
            rows |= {(who, j, k): cell / sum(cells.values()) for k, cell in cells.items()}
    return rows, strength


def pooled_rows(counts, people, values, number, strength):
    """Every row is drawn to that of all people, with a strength by Minka's fixed point."""
    pooled = {}
    for j in values:
        cells = {
            k: sum(counts[who, j, k] for who in people) + 0.2 / len(values) + 0.8 * (j == k)
            for k in values
        }
        pooled |= {(j, k): cell / sum(cells.values()) for k, cell in cells.items()}
    for _ in range(3 if number >= 3 else 0):
        over = under = 0.0
        for who in people:
            for j in values:
                total = sum(counts[who, j, k] for k in values)
                under += digamma(total + strength) - digamma(strength)
                for k in values:
                    own = strength * pooled[j, k]
                    over += pooled[j, k] * (digamma(counts[who, j, k] + own) - digamma(own))
        strength = min(max(strength * over / under, 0.5), 200.0)
    rows = {}
    for who in people:
        for j in values:
            cells = {k: counts[who, j, k] + strength * pooled[j, k] for k in values}
            rows |= {(who, j, k): cell / sum(cells.values()) for k, cell in cells.items()}
    return rows, strength


def by_loops(votes):
    """The posteriors of Dawid-Skene and of the hierarchical model."""
    return loops(votes, own_rows, 1e-9, 1), loops(votes, pooled_rows, 1.0, 7)


@pytest.mark.parametrize("seed", range(4))
def test_the_models_are_those_of_the_papers(seed):
    coded = Coded.of(crowd(seed).votes)
    own, pooled = by_loops(crowd(seed).votes)
    assert dawid_skene.posterior(coded) == pytest.approx(own, abs=1e-9)
    assert hierarchical.fit(coded).posterior == pytest.approx(pooled, abs=1e-9)


def test_dawid_skene_is_the_most_probable_model():
    """EM ends where no other rows and prevalence have a larger posterior density."""
    votes = crowd(5, 60, Setting(3, 60, False)).votes
    coded = Coded.of(votes)
    size = len(coded.values)
    prior = np.full((size, size), 0.5) + 2 * np.eye(size)
    model = dawid_skene.fit(coded, tolerance=0, rounds=3000)

    def loss(parameters):
        logits = parameters.reshape(len(coded.people) + 1, size, size)
        logs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        joint = np.tile(logs[-1, 0], (len(coded.items), 1))
        np.add.at(joint, coded.item, logs[coded.person, :, coded.value])
        top = joint.max(axis=1)
        evidence = (top + np.log(np.exp(joint - top[:, None]).sum(axis=1))).sum()
        return -(evidence + (prior * logs[:-1]).sum())

    def start(rows, prevalence):
        padded = np.tile(prevalence, (size, 1))[None]
        return np.log(np.concatenate([rows, padded])).ravel()

    fitted = loss(start(model.rows, model.prevalence))
    best = minimize(loss, start(model.rows, model.prevalence), method="L-BFGS-B").fun
    assert fitted == pytest.approx(best, abs=1e-4)


def test_the_strength_is_the_most_probable_one():
    """The fixed point is the maximum of the Dirichlet-multinomial likelihood of the counts."""
    rng = np.random.default_rng(0)
    pooled = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    drawn = [[rng.dirichlet(6 * row) for row in pooled] for _ in range(60)]
    counts = np.array([[rng.multinomial(30, row) for row in person] for person in drawn], float)
    strength = 10.0
    for _ in range(500):
        strength = hierarchical.stronger(strength, counts, pooled)

    def likelihood(value):
        own = value * pooled
        rows = gammaln(value) - gammaln(counts.sum(axis=2) + value)
        return rows.sum() + (gammaln(counts + own) - gammaln(own)).sum()

    grid = np.linspace(2, 20, 2000)
    assert strength == pytest.approx(grid[np.argmax([likelihood(v) for v in grid])], abs=0.02)
    assert 4 < strength < 9  # what the rows were drawn with is 6


TIED = votes_of("""
    one: ann yes, bob no
    two: ann yes, bob yes, cy yes
    three: ann yes, bob no, cy no
    four: cy no, bob no
""")


def test_votes_weigh_by_skill_by_hand():
    coded = Coded.of(TIED)
    # Of `one` both values lead: half a hit for each. ann also leads in `two`; cy always.
    hits = {"ann": 1.5, "bob": 3.5, "cy": 3.0}
    share = {who: hits[who] / n for who, n in (("ann", 3), ("bob", 4), ("cy", 3))}
    one, two, three, four = wawa(coded)
    assert one[0] == pytest.approx(share["ann"] / (share["ann"] + share["bob"]))
    assert two.tolist() == [1, 0]
    assert three[0] == pytest.approx(share["ann"] / sum(share.values()))
    assert four.tolist() == [0, 1]
    mean = 8 / 10
    # bob's half hit becomes whole in the second round: `one` goes to him. ann loses hers.
    weight = {
        who: 2 * (own + 2 * mean) / (n + 2) - 1
        for who, own, n in (("ann", 1.0, 3), ("bob", 4.0, 4), ("cy", 3.0, 3))
    }
    one, _, three, _ = weighted_vote(coded)
    assert one[0] == pytest.approx(weight["ann"] / (weight["ann"] + weight["bob"]))
    assert three[0] == pytest.approx(weight["ann"] / sum(weight.values()))


def test_the_mean_of_four_is_the_mean_of_these_four():
    coded = Coded.of(crowd().votes)
    own, pooled = by_loops(crowd().votes)
    parts = [own, pooled, weighted_vote(coded), wawa(coded)]
    assert METHODS["auto"](coded, hierarchical.fit(coded)) == pytest.approx(
        sum(parts) / 4, abs=1e-9
    )
    for one, other in pairwise((*parts, parts[0])):
        assert abs(one - other).max() > 0.02  # otherwise one of them could be left out unseen


# ── laws


@pytest.mark.parametrize("method", METHODS)
def test_neither_the_order_nor_the_names_of_anything_matter(method):
    votes = crowd(7).votes
    turned = [(item, who[::-1], value[::-1]) for item, who, value in reversed(votes)]
    one = {label.item: label for label in settle(votes, method).labels}
    other = {label.item: label for label in settle(turned, method).labels}
    for item, label in one.items():
        assert label.undecided == other[item].undecided
        assert other[item].value == (label.value and label.value[::-1])
        for value, share in label.posterior.items():
            assert other[item].posterior[value[::-1]] == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_posteriors_are_distributions(method):
    for label in settle(crowd().votes, method, ("never chosen",)).labels:
        assert sum(label.posterior.values()) == pytest.approx(1)
        assert label.confidence == max(label.posterior.values())
        assert label.posterior["never chosen"] == 0
        assert label.votes == 3


@pytest.mark.parametrize(("value", "most"), [("value 0", 0.02), ("something else", 0.1)])
def test_one_guest_changes_nothing_for_others(value, most):
    """One answer of one more person leaves the other texts as they are, or nearly so."""
    votes = crowd(2, 150).votes
    before = {label.item: label for label in settle(votes, "auto").labels}
    after = {
        label.item: label for label in settle([*votes, ("text 0", "guest", value)], "auto").labels
    }
    moved = [
        max(abs(after[item].posterior[name] - share) for name, share in label.posterior.items())
        for item, label in before.items()
        if item != "text 0"
    ]
    assert max(moved) < most
    assert np.mean(moved) < most / 5
    changed = [before[item] for item in before if before[item].value != after[item].value]
    for label in changed:  # a near tie may turn
        second, first = sorted(label.posterior.values())[-2:]
        assert label.item == "text 0" or first - second < most
    assert len(changed) <= 1


@pytest.mark.parametrize("method", METHODS)
def test_a_tie_is_undecided(method):
    votes = votes_of("""
        one: ann yes, bob no
        two: ann no, bob yes
        three: ann yes, bob yes
        four: ann no, bob no
    """)
    one, two, three, four = settle(votes, method, ("yes", "no")).labels
    assert [one.undecided, two.undecided, three.undecided, four.undecided] == [1, 1, 0, 0]
    assert one.value is None
    assert one.posterior == pytest.approx({"yes": 0.5, "no": 0.5})
    assert (one.agreement, three.agreement) == (0.5, 1)
    assert (three.value, four.value) == ("yes", "no")


def test_a_value_that_nobody_gave_is_no_label():
    """Somebody who swaps two values is seen through, but nobody has said so of these texts."""
    lines = [
        f"{n}: ann {v}, bob {v}, swap {w}"
        for n, (v, w) in enumerate([("no", "yes"), ("yes", "no")] * 10)
    ]
    votes = [*votes_of("\n".join(lines)), ("alone", "swap", "yes")]
    *_, alone = settle(votes, "dawid_skene").labels
    assert alone.posterior["no"] > 0.8
    assert alone.value is None
    assert alone.undecided


def test_unanimous_answers_of_one_value():
    truth = settle([("a", "x", "yes"), ("a", "y", "yes"), ("b", "x", "yes")], "auto", ("yes", "no"))
    assert [label.posterior for label in truth.labels] == [{"yes": 1.0, "no": 0.0}] * 2
    assert not any(label.undecided for label in truth.labels)
    assert truth.skill["x"].value == 1


def test_a_single_person_is_believed_and_their_skill_unknown():
    truth = settle([(f"{n}", "x", "yes" if n % 3 else "no") for n in range(30)], "auto")
    assert [label.value for label in truth.labels[:3]] == ["no", "yes", "yes"]
    assert truth.skill["x"].high - truth.skill["x"].low > 0.4


def test_the_last_answer_of_a_person_counts():
    votes = [("a", "x", "no"), ("a", "y", "yes"), ("a", "x", "yes")]
    (label,) = settle(votes, "majority").labels
    assert (label.value, label.votes) == ("yes", 2)


def test_few_answers_of_many_values_do_not_make_certainty():
    """Two answers a text, seven values, one of five people careless: sure labels are right."""
    wrong, sure, unsaid = 0, 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth, votes = rng.integers(7, size=50), []
        for item, right in enumerate(truth):
            for who in rng.permutation(5)[:2]:
                errs = rng.random() < (0.75 if who == 4 else 0.1)
                value = (right + rng.integers(1, 7)) % 7 if errs else right
                votes.append((f"{item}", f"{who}", f"{value}"))
        said = {(item, value) for item, _, value in votes}
        for label in settle(votes, "auto").labels:
            unsaid += label.value is not None and (label.item, label.value) not in said
            if label.confidence > 0.9 and not label.undecided:
                sure += 1
                wrong += label.value != f"{truth[int(label.item)]}"
    assert sure > 300
    assert wrong / sure < 0.03
    assert unsaid == 0


# ── calibration and skill in simulation


def simulated(crowds, items):
    """Confidence, rightness, and whether the interval holds the skill: of all settings."""
    confidence, is_right, eces, held = [], [], [], []
    for number, setting in enumerate(SETTINGS):
        for seed in range(crowds):
            made = simulate(setting, np.random.default_rng([number, seed]), items)
            coded = Coded.of(made.votes)
            settled = settle(made.votes, "auto")
            by_item = {label.item: label.posterior for label in settled.labels}
            posterior = np.array(
                [[by_item[item][value] for value in coded.values] for item in coded.items]
            )
            eces.append(measure(coded, posterior, made.truth).ece)
            confidence += posterior.max(axis=1).tolist()
            best = posterior.argmax(axis=1)
            is_right += [
                coded.values[value] == made.truth[item]
                for item, value in zip(coded.items, best, strict=True)
            ]
            held.append(
                np.mean(
                    [own.low <= made.skill[who] <= own.high for who, own in settled.skill.items()]
                )
            )
    return calibration_error(confidence, is_right), np.mean(eces), np.array(held)


def test_labels_are_calibrated_and_intervals_of_skill_hold():
    pooled, _, held = simulated(crowds=1, items=300)
    assert pooled <= 0.05
    assert 0.85 <= held.mean() <= 0.98


@pytest.mark.slow
def test_labels_are_calibrated_and_intervals_of_skill_cover():
    _, ece, held = simulated(crowds=4, items=2000)
    assert ece <= 0.05
    assert 0.85 <= held.mean() <= 0.97
    by_setting = held.reshape(len(SETTINGS), -1).mean(axis=1)
    assert by_setting.min() >= 0.85


def test_the_interval_of_a_skill_by_hand():
    # Four answers, certain either way: means 3.5/5 and 2.5/5, no doubt but their distance.
    right = Rightness(np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 0, 0]))
    middle, variance = 0.6, 0.6 * 0.4 / 6 + 0.2**2 / 4
    strength = 0.24 / variance - 1
    expected = beta.ppf([0.05, 0.95], strength * middle, strength * (1 - middle))
    assert interval(right) == pytest.approx(tuple(expected))
    # Doubt widens it: V = V' = 4 x .25, so (1 + 1) / (2 x 16) more.
    doubtful = Rightness(np.full(4, 0.5), np.full(4, 0.5))
    strength = 0.25 / (0.25 / 6 + 2 / 32) - 1
    expected = beta.ppf([0.05, 0.95], strength / 2, strength / 2)
    assert interval(doubtful) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("seed", range(3))
def test_a_skill_is_that_of_the_hierarchical_model(seed):
    """The right answers by prevalence; an interval between the truth with and without a person."""
    votes = crowd(seed).votes
    coded, shown = Coded.of(votes), settle(votes, "majority").skill
    model = hierarchical.fit(coded)
    code = {value: place for place, value in enumerate(coded.values)}
    for place, who in enumerate(coded.people):
        rows, fitted, left_out = model.rows[place], [], []
        for item, _, value in (vote for vote in votes if vote[1] == who):
            posterior, given = model.posterior[coded.items.index(item)], code[value]
            without = [posterior[j] / rows[j, given] for j in range(len(code))]
            fitted.append(posterior[given])
            left_out.append(without[given] / sum(without))
        n = len(fitted)
        m0, m1 = ((sum(right) + 0.5) / (n + 1) for right in (fitted, left_out))
        mid = min(max((m0 + m1) / 2, 0.001), 0.999)
        doubt = sum(q * (1 - q) for q in (*fitted, *left_out))
        var = mid * (1 - mid) / (n + 2) + doubt / (2 * n * n) + (m0 - m1) ** 2 / 4
        t = max(mid * (1 - mid) / var - 1, 0.5)
        ends = beta.ppf([0.05, 0.95], t * mid, t * (1 - mid))
        value = sum(model.prevalence[j] * rows[j, j] for j in range(len(code)))
        assert shown[who].value == pytest.approx(value, abs=1e-12)
        assert (shown[who].low, shown[who].high) == pytest.approx(tuple(ends), abs=1e-9)


def test_skill_is_estimated():
    made = simulate(Setting(5, 300, False), np.random.default_rng(1), 600)
    skill = settle(made.votes, "auto").skill
    for who, true in made.skill.items():
        assert skill[who].value == pytest.approx(true, abs=0.08)
        assert skill[who].low < skill[who].value < skill[who].high


# ── ratings and spans


def test_ratings_show_bias():
    rng = np.random.default_rng(1)
    true = rng.integers(2, 5, 100)
    votes = [(f"{i}", "fair", int(v)) for i, v in enumerate(true)]
    votes += [(f"{i}", "also fair", int(v)) for i, v in enumerate(true)]
    votes += [(f"{i}", "kind", int(v) + 1) for i, v in enumerate(true)]
    truth = mean_rating(votes)
    assert truth.bias["kind"] == pytest.approx(1.0)
    assert truth.bias["fair"] == pytest.approx(-0.5)
    assert truth.skill["kind"].value == pytest.approx(1.0)
    first = truth.labels[0]
    assert first.value == pytest.approx(true[0] + 1 / 3)
    assert sum(first.posterior.values()) == pytest.approx(1)


PERSON, PLACE = ({"start": 0, "end": 3, "label": "P"}, {"start": 5, "end": 9, "label": "L"})
LONGER = {"start": 0, "end": 4, "label": "P"}


def test_spans_are_settled_exactly():
    votes = [("t", "x", [PERSON, PLACE]), ("t", "y", [PERSON]), ("t", "z", [LONGER])]
    (label,) = spans.majority_spans(votes, "text").labels
    assert label.value == [PERSON]
    assert label.confidence == pytest.approx(2 / 3)
    assert marks.f1(frozenset(), frozenset()) == 1.0


def test_spans_that_half_marked_are_undecided():
    (label,) = spans.majority_spans(
        [("t", "x", [PERSON, PLACE]), ("t", "y", [PLACE])], "text"
    ).labels
    assert label.undecided
    assert label.value is None
    assert label.posterior == {"0:3:P": 0.5, "5:9:L": 1.0}


def test_spans_of_two_fields_at_one_place_are_two():
    """All three mark the prompt, one the answer: at the same place, with the same label."""
    prompt, answer = {**PERSON, "field": "prompt"}, {**PERSON, "field": "answer"}
    votes = [("t", "x", [prompt, answer]), ("t", "y", [prompt]), ("t", "z", [prompt])]
    (label,) = spans.majority_spans(votes, "prompt").labels
    assert label.value == [prompt]
    assert label.posterior == {"prompt@0:3:P": 1, "answer@0:3:P": pytest.approx(1 / 3)}


def test_a_span_without_a_field_is_in_the_first():
    named = {**PERSON, "field": "prompt"}
    truth = spans.majority_spans([("t", "x", [named]), ("t", "y", [PERSON])], "prompt")
    assert truth.labels[0].value == [named]
    assert truth.skill["x"].value == 1
