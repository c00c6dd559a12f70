"""Agreement and truth: golden numbers, and annotators whose skill we know."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from curate.agree.agreement.alpha import krippendorff_alpha, value_counts
from curate.agree.truth import spans
from curate.agree.truth.methods import dawid_skene, majority, mean_rating
from curate.errors import MissingInput

# Krippendorff's own example: 4 coders, 12 units.
CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
EXAMPLE = [
    (f"unit {unit}", f"coder {coder}", value)
    for coder, values in enumerate(CODERS)
    for unit, value in enumerate(values)
    if value is not None
]
DEVELOPMENT_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize(
    ("level", "golden"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)]
)
def test_alpha_is_krippendorffs(level, golden):
    found = krippendorff_alpha(EXAMPLE, level, resamples=200, seed=1)
    assert found.value == pytest.approx(golden, abs=1e-6)
    assert found.low < found.value < found.high <= 1


def test_alpha_of_two_coders_and_two_values():
    # The 2x2 table 20/5/10/15 as votes: alpha is Scott's pi, corrected for a small sample.
    votes = []
    for n, (one, other) in ((20, "yy"), (5, "yn"), (10, "ny"), (15, "nn")):
        for i in range(n):
            votes += [(f"{one}{other}{i}", "a", one), (f"{one}{other}{i}", "b", other)]
    found = krippendorff_alpha(votes, "nominal", resamples=0, seed=0)
    expected_disagreement = 2 * 55 * 45 / (100 * 99)
    assert found.value == pytest.approx(1 - 0.3 / expected_disagreement)
    assert found.low is None


@pytest.mark.parametrize(
    "votes",
    [
        [("a", "x", "yes"), ("b", "x", "no")],
        [("a", "x", "yes"), ("a", "y", "yes")],
    ],
)
def test_nothing_to_compare_has_no_alpha(votes):
    assert krippendorff_alpha(votes, "nominal", resamples=10, seed=0) is None


def test_value_counts_count_votes():
    counts, values = value_counts([("a", "x", 2), ("a", "y", 1), ("b", "x", 2)])
    assert values == [1, 2]
    assert counts.tolist() == [[1, 1], [0, 1]]


def simulated(skills, items=400, values=("cat", "dog", "owl"), seed=0):
    """Return votes of annotators who are right with a known probability, and the truth."""
    rng = np.random.default_rng(seed)
    truth = {f"item {i}": values[rng.integers(len(values))] for i in range(items)}
    votes = []
    for item, right in truth.items():
        for name, skill in skills.items():
            wrong = [value for value in values if value != right]
            votes.append((item, name, right if rng.random() < skill else wrong[rng.integers(2)]))
    return votes, truth, values


def accuracy(result, truth):
    return np.mean([truth[label.item] == label.value for label in result.labels])


def test_dawid_skene_beats_heads_where_skills_differ():
    skills = {"good": 0.95, "fair": 0.7, "bad": 0.4, "worse": 0.4, "worst": 0.35}
    votes, truth, values = simulated(skills)
    counted, inferred = majority(votes, values), dawid_skene(votes, values)
    assert accuracy(inferred, truth) > accuracy(counted, truth) + 0.1
    for name, skill in skills.items():
        assert inferred.skill[name] == pytest.approx(skill, abs=0.08)


def test_posteriors_are_distributions_and_confidence_is_earned():
    votes, truth, values = simulated(dict.fromkeys("abcde", 0.7))
    labels = dawid_skene(votes, values).labels
    for label in labels:
        assert sum(label.posterior.values()) == pytest.approx(1)
        assert label.confidence == max(label.posterior.values())
        assert label.votes == 5
    sure = [label for label in labels if label.confidence > 0.9]
    assert np.mean([truth[label.item] == label.value for label in sure]) > 0.9


def test_a_tie_is_undecided():
    votes = [("a", "x", "yes"), ("a", "y", "no"), ("b", "x", "yes"), ("b", "y", "yes")]
    tied, clear = majority(votes, ("yes", "no")).labels
    assert tied.undecided
    assert tied.agreement == 0.5
    assert not clear.undecided
    assert clear.value == "yes"
    assert clear.posterior == {"yes": 1.0, "no": 0.0}


def test_peers_say_who_agrees():
    votes, _, values = simulated({"a": 0.95, "b": 0.95, "c": 0.95, "rogue": 0.34})
    skill = majority(votes, values).skill
    assert skill["rogue"] < 0.5 < 0.85 < skill["a"]


def test_ratings_show_bias():
    rng = np.random.default_rng(1)
    true = rng.integers(2, 5, 100)
    votes = [(f"{i}", "fair", int(v)) for i, v in enumerate(true)]
    votes += [(f"{i}", "also fair", int(v)) for i, v in enumerate(true)]
    votes += [(f"{i}", "kind", int(v) + 1) for i, v in enumerate(true)]
    found = mean_rating(votes)
    assert found.bias["kind"] == pytest.approx(1.0)
    assert found.bias["fair"] == pytest.approx(-0.5)
    assert found.skill["kind"] == pytest.approx(1.0)
    first = found.labels[0]
    assert first.value == pytest.approx(true[0] + 1 / 3)
    assert sum(first.posterior.values()) == pytest.approx(1)


def test_spans_are_settled_exactly():
    person, place = ({"start": 0, "end": 3, "label": "P"}, {"start": 5, "end": 9, "label": "L"})
    off = {"start": 0, "end": 4, "label": "P"}
    votes = [("t", "x", [person, place]), ("t", "y", [person]), ("t", "z", [off])]
    (label,) = spans.majority_spans(votes).labels
    assert label.value == [person]
    assert label.confidence == pytest.approx(2 / 3)
    assert spans.f1(frozenset(), frozenset()) == 1.0


def test_real_crowds_are_beaten():
    data = DEVELOPMENT_DATA / "duck"
    if not data.is_dir():
        pytest.skip("the development data is not here")
    import pandas as pd

    labels, truth = (pd.read_parquet(data / f"{name}.parquet") for name in ("labels", "truth"))
    votes = [(str(i), str(w), str(v)) for i, w, v in labels.iloc[:, :3].itertuples(index=False)]
    known = dict(zip(truth.iloc[:, 0].astype(str), truth.iloc[:, 1].astype(str), strict=True))
    values = sorted({value for *_, value in votes})
    assert accuracy(majority(votes, values), known) == pytest.approx(0.759, abs=0.005)
    assert accuracy(dawid_skene(votes, values), known) >= 0.88


# ── the stage


def test_labels_hold_what_people_agreed_on(offline):
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    made = offline.run("agree", bootstrap=20)
    assert made.labels == 40
    (question,) = made.questions
    assert (question.alpha, question.method) == (1.0, "majority")  # two people: heads are counted
    for row in offline.rows("labels"):
        assert json.loads(row["value"]) in ("negative", "positive")
        assert dict(row["posterior"])[json.loads(row["value"])] == row["confidence"] == 1.0
    assert [row["answers"] for row in offline.rows("annotators")] == [40, 40]


def test_auto_infers_where_there_is_enough(offline):
    offline.prepare()
    offline.answer("ann", "bob", "cy")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).questions[0].method == "dawid_skene"
    assert offline.run("agree", bootstrap=0, method="majority").questions[0].method == "majority"


def test_pilot_answers_are_no_labels(offline):
    offline.prepare(purpose="pilot")
    offline.answer("ann")
    offline.run("pull")
    made = offline.run("agree", bootstrap=10)
    assert made.labels == 0
    assert offline.rows("labels") == []
    assert [(each.answers, each.items) for each in made.pilots] == [(40, 40)]


def test_nobody_has_answered(offline):
    offline.prepare()
    with pytest.raises(MissingInput, match="annotations"):
        offline.run("agree")


def test_an_answer_that_the_form_no_longer_offers_was_still_said(offline):
    offline.prepare(n=20)
    offline.answer("ann", opinion=lambda text: "neutral")
    offline.run("pull")
    own = offline.root / "label_configs" / "sentiment.xml"
    own.parent.mkdir()
    form = offline.workspace.rounds.current().form.xml
    own.write_text(form.replace('<Choice value="neutral" hotkey="2"/>', ""))
    offline.run("sample", n=30)
    offline.run("push", backend="folder", form="sentiment")
    offline.answer("ann")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).labels == 50
    values = Counter(json.loads(row["value"]) for row in offline.rows("labels"))
    assert values["neutral"] == 20
    made = offline.run("score", encoder="chargram", resamples=2)
    assert made.labelled == 30  # of what is not asked any more nothing is learned
    assert offline.run("evaluate").classification.documents == 30


def test_ordinal_is_between_nominal_and_interval_on_ratings():
    votes = [(f"{n}", who, 1 + (n + (who == "b")) % 5) for n in range(20) for who in "ab"]
    found = {
        level: krippendorff_alpha(votes, level, resamples=0, seed=0).value
        for level in ("nominal", "ordinal", "interval")
    }
    assert found["nominal"] < 0 < found["ordinal"]
    assert found["nominal"] < found["interval"]


def split_feeling(person):
    """The opinion of people who differ on every text with an even number of letters."""
    return lambda text: "positive" if person == "ann" or len(text) % 2 else "negative"


def test_an_undecided_label_has_no_value(offline):
    offline.prepare()
    for person in ("ann", "bob"):
        offline.answer(person, opinion=split_feeling(person))
    offline.run("pull")
    offline.run("agree", bootstrap=0, method="majority")
    text_of = {task["id"]: task["text"] for task in offline.tasks}
    for row in offline.rows("labels"):
        differs = len(text_of[row["id"]]) % 2 == 0
        assert row["undecided"] == differs
        assert row["value"] == (None if differs else '"positive"')
        assert dict(row["posterior"])["positive"] == (0.5 if differs else 1.0)
