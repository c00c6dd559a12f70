"""Mixtures: shares, limits, weights, and what is really drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import DataError, RecipeError, StaleInput
from curate.mix.budgets import amount_of
from curate.mix.spec import MixSpec
from curate.mixture.boxes import project_groups
from curate.mixture.drawing import Plans, cuts_of
from curate.mixture.groups import Facts, Groups
from curate.mixture.limits import Infeasible
from curate.mixture.selection import Boundaries, Boundary
from curate.mixture.shares import STRATEGIES, Offer, share_of, unfilled
from curate.mixture.weights import WEIGHERS, Qualities, Within, merged, relative_ranks
from curate.wording import did
from curate.workspace.ledger import plain
from tests.media_made import picture

SUPPLY = pd.Series({"big": 900, "mid": 90, "small": 10})
QUALITY = pd.Series({"big": 0.1, "mid": 0.5, "small": 0.9})
OFFER = Offer(SUPPLY, QUALITY, SUPPLY / 250)


@pytest.mark.parametrize(
    ("alpha", "golden"),
    [
        (0.7, (0.8049, 0.1606, 0.0345)),
        (0.5, (0.7034, 0.2224, 0.0741)),
        (0.3, (0.568, 0.2847, 0.1473)),
        (1.0, (0.9, 0.09, 0.01)),
        (0.0, (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_temperature_is_the_exponent(alpha, golden):
    found = STRATEGIES["temperature"](OFFER, alpha=alpha, beta=2.0)
    assert tuple(found.values()) == pytest.approx(golden, abs=1e-4)


def test_uniform_proportional_and_quality():
    settings = {"alpha": 1, "beta": 2}
    assert STRATEGIES["uniform"](OFFER, **settings)["small"] == pytest.approx(1 / 3)
    assert STRATEGIES["proportional"](OFFER, **settings)["big"] == pytest.approx(0.9)
    weights = SUPPLY * np.exp(2 * QUALITY)
    found = STRATEGIES["quality"](OFFER, **settings)
    assert found["small"] == pytest.approx(weights["small"] / weights.sum())


def test_the_slope_of_shares_by_quality():
    """The derivative of w_k by Q_j is β w_k (1[k = j] - w_j)."""
    settings = {"alpha": 0.5, "beta": 3.0}
    shares = np.array(list(STRATEGIES["quality"](OFFER, **settings).values()))
    for place, name in enumerate(SUPPLY.index):
        moved = Offer(SUPPLY, QUALITY + 1e-6 * (SUPPLY.index == name), OFFER.most)
        others = np.array(list(STRATEGIES["quality"](moved, **settings).values()))
        slope = 3 * shares * ((np.arange(3) == place) - shares[place])
        assert (others - shares) / 1e-6 == pytest.approx(slope, abs=1e-5)


SIZES = pd.Series(
    {
        "fao": 549_707_867,
        "isl": 10_027_573_389,
        "ekk": 42_541_080_893,
        "swe": 179_955_884_499,
        "fas": 184_595_788_282,
    }
)


def test_unimax_is_that_of_the_paper():
    """Golden values of the package unimax-sampling: 250B tokens, four epochs at most."""
    offer = Offer(SIZES, SIZES * 0.0, 4 * SIZES / 250e9)
    found = STRATEGIES["unimax"](offer, alpha=0.5, beta=2.0)
    golden = (0.008795, 0.160441, 0.276921, 0.276921, 0.276921)
    assert tuple(found[name] for name in SIZES.index) == pytest.approx(golden, abs=5e-7)
    shuffled = Offer(SIZES[::-1], SIZES[::-1] * 0.0, (4 * SIZES / 250e9)[::-1])
    assert STRATEGIES["unimax"](shuffled, alpha=0.5, beta=2.0) == pytest.approx(found)


def test_unimax_of_a_budget_that_cannot_be_met_is_what_the_projection_refuses():
    most = pd.Series({"a": 0.2, "b": 0.6})
    wanted = STRATEGIES["unimax"](Offer(most, most, most), alpha=0.5, beta=2.0)
    assert wanted == pytest.approx({"a": 0.25, "b": 0.75})
    with pytest.raises(Infeasible, match=r"can fill 80\.00% of it"):
        projected(wanted, supply=most.to_dict())


@pytest.mark.parametrize("beta", [-5000.0, 5000.0, 1e300])
def test_no_weight_of_quality_is_too_much(beta):
    found = STRATEGIES["quality"](OFFER, alpha=0.5, beta=beta)
    best = "small" if beta > 0 else "big"
    assert found == {name: float(name == best) for name in found}


KEYS = pd.DataFrame(
    {"mood": ["bad", "bad", "good", "good", "so-so"], "source": ["a", "b", "a", "b", "a"]},
    index=["bad/a", "bad/b", "good/a", "good/b", "so-so/a"],
)


def test_explicit_shares_keep_the_other_keys_in_proportion():
    supply = pd.Series([10, 30, 50, 50, 100], index=KEYS.index)
    found = share_of(KEYS, supply, {"mood": {"bad": 0.4, "good": 0.6}})
    expected = {"bad/a": 0.1, "bad/b": 0.3, "good/a": 0.3, "good/b": 0.3, "so-so/a": 0.0}
    assert found == pytest.approx(expected)
    both = {"mood": {"bad": 0.4, "good": 0.6}, "source": {"a": 0.5, "b": 0.5}}
    found = share_of(KEYS, supply, both)
    assert found["bad/a"] == pytest.approx(0.2)


def test_a_share_of_what_no_document_has():
    wanted = {"mood": {"great": 0.4, "good": 0.3, "bad": 0.3}, "source": {"a": 1.0}}
    with pytest.raises(DataError, match="no candidate has mood great") as caught:
        unfilled(KEYS, wanted, {"mood": ["bad", "good", "so-so"]})
    assert caught.value.hint == "there are: bad, good, so-so"
    assert unfilled(KEYS, wanted, {"mood": ["great"], "source": []}) == {"mood": ["great"]}
    supply = pd.Series([10, 30, 50, 50, 100], index=KEYS.index)
    assert share_of(KEYS, supply, wanted)["good/a"] == pytest.approx(0.5), ".3 of .6"
    with pytest.raises(DataError, match="no candidate has mood great"):
        unfilled(KEYS, {"mood": {"great": 1.0, "bad": 0.0}}, {"mood": ["great", "bad"]})


# ── the projection


def projected(wanted, low=0.0, high=1.0, supply=10.0):
    def each(value):
        return value if isinstance(value, dict) else dict.fromkeys(wanted, value)

    return project_groups(wanted, low=each(low), high=each(high), supply=each(supply))


def test_what_keeps_the_limits_is_left_alone():
    wanted = {"a": 0.2, "b": 0.8}
    found = projected(wanted)
    assert found.shares == pytest.approx(wanted)
    assert set(found.bound.values()) == {None}


def test_a_cap_gives_to_the_others_in_proportion():
    found = projected({"a": 0.6, "b": 0.3, "c": 0.1}, supply={"a": 0.2, "b": 9, "c": 9})
    assert found.shares == pytest.approx({"a": 0.2, "b": 0.6, "c": 0.2})
    assert found.bound == {"a": "max_epochs", "b": None, "c": None}


def test_floors_and_ceilings_are_named():
    wanted = {"a": 0.9, "b": 0.05, "c": 0.05}
    found = projected(wanted, low={"a": 0, "b": 0.2, "c": 0}, high={"a": 0.7, "b": 1, "c": 1})
    assert found.bound == {"a": "max", "b": "min", "c": None}
    assert found.shares == pytest.approx({"a": 0.7, "b": 0.2, "c": 0.1})


def test_what_is_not_wanted_stays_out_unless_it_must():
    assert projected({"a": 1.0, "b": 0.0}).shares["b"] == 0.0
    assert projected({"a": 1.0, "b": 0.0}, low={"a": 0, "b": 0.1}).shares["b"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"supply": 0.3}, "can fill 60.00%"),
        ({"low": 0.7}, "smallest shares sum to 140"),
        ({"low": {"a": 0.5, "b": 0}, "high": {"a": 0.4, "b": 1}}, "a must have 50.00%"),
    ],
)
def test_limits_that_cannot_be_kept(limits, words):
    with pytest.raises(Infeasible, match=words):
        projected({"a": 0.5, "b": 0.5}, **limits)


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=5),
    st.lists(st.floats(0.05, 1), min_size=5, max_size=5),
    st.integers(0, 1000),
)
def test_no_feasible_shares_are_nearer(raw, caps, seed):
    wanted = {str(i): value / sum(raw) for i, value in enumerate(raw)}
    supply = {str(i): caps[i] for i in range(len(raw))}
    if sum(supply.values()) < 1.01:
        return
    found = projected(wanted, supply=supply).shares
    assert sum(found.values()) == pytest.approx(1)
    assert all(found[g] <= supply[g] + 1e-9 for g in found)
    rng = np.random.default_rng(seed)
    names = list(wanted)
    for _ in range(20):  # moving a little between two groups, where allowed, never comes nearer
        one, other = rng.choice(len(names), 2, replace=False)
        step = rng.uniform(0, 0.05)
        moved = dict(found)
        moved[names[one]] += step
        moved[names[other]] -= step
        allowed = moved[names[other]] > 0 and moved[names[one]] <= supply[names[one]]
        if allowed:
            assert divergence(moved, wanted) >= divergence(found, wanted) - 1e-9


def divergence(shares, wanted):
    return sum(w * np.log(w / wanted[g]) for g, w in shares.items() if w > 0)


# ── weights


def weigh(strategy, quality, temperature=1.0, **within):
    quality = np.array(quality, float)
    qualities = Qualities.of([Facts.of(np.ones(len(quality), int), quality)])
    group = np.zeros(len(quality), int)
    return WEIGHERS[strategy](quality, group, qualities, Within(temperature, **within))


def test_weights_follow_quality():
    quality = [0.1, 0.5, 0.9, np.nan]
    equal, soft = (weigh(name, quality) for name in ("equal", "softmax"))
    assert equal.tolist() == [1, 1, 1, 1]
    assert soft[0] < soft[1] < soft[2]
    assert soft[3] == pytest.approx(soft[1])  # unknown counts as average
    sharp = weigh("softmax", quality, 0.1)
    assert sharp[2] / sharp[0] > soft[2] / soft[0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_softmax_weights_by_hand(temperature):
    """Weights are exp(z / temperature) in each group, and the best document's is 1."""
    groups = [np.array([0.2, 0.6, 1.0]), np.array([0.5, 0.9, 0.9, 0.1])]
    quality = np.concatenate(groups)
    qualities = Qualities.of([Facts.of(np.ones(len(own), int), own) for own in groups])
    group = np.repeat([0, 1], [3, 4])
    weights = WEIGHERS["softmax"](quality, group, qualities, Within(temperature))
    step = (2 / 3) ** 0.5 * 0.4  # the standard deviation of .2, .6, 1.0
    assert groups[0].std() == pytest.approx(step)
    expected = [np.exp((own - own.max()) / own.std() / temperature) for own in groups]
    assert weights == pytest.approx(np.concatenate(expected))
    assert weights[0] == pytest.approx(np.exp(-0.8 / step / temperature))


def test_a_threshold_draws_what_is_known_to_reach_it():
    found = weigh("threshold", [0.1, 0.5, 0.7, np.nan], at_least=0.5)
    assert found.tolist() == [0, 1, 1, 0]


def test_quadmix_by_hand():
    """λ = 10, ω = .4, η = 2, ε = .01: at the cut 1, just beyond it ε."""
    own = {"steepness": 10.0, "cut": 0.4, "power": 2.0, "floor": 0.01}
    found = weigh("quadmix", [0.0, 0.2, 0.4, 0.41, 1.0], **own)
    best, middle = ((2 / (1 + np.exp(-10 * depth))) ** 2 for depth in (0.4, 0.2))
    assert found == pytest.approx([best + 0.01, middle + 0.01, 1.01, 0.01, 0.01])
    assert weigh("quadmix", [0.1, 0.4], steepness=1e6, cut=0.4) == pytest.approx([2.001, 1.001])


def test_relative_ranks_are_between_best_and_worst():
    assert relative_ranks(np.array([0, 1, 0, 3]), np.array([2, 2, 1, 4])).tolist() == [
        *[0.25, 0.75, 0.5, 0.875]
    ]


def test_merged_qualities_are_the_weighted_mean_of_z_scores():
    columns = np.array([[0.8, 30.0], [0.2, np.nan], [np.nan, np.nan]])
    means, spreads = np.tile([0.5, 20.0], (3, 1)), np.tile([0.1, 5.0], (3, 1))
    found = merged(columns, means, spreads, np.array([3.0, 1.0]))
    assert found[:2] == pytest.approx([0.75 * 3 + 0.25 * 2, 0.75 * -3])
    assert np.isnan(found[2])
    same = merged(columns[:1], means[:1], np.array([[0.0, 5.0]]), np.array([3.0, 1.0]))
    assert same == pytest.approx([0.25 * 2])  # a quality that is the same for all says nothing


def test_equal_quality_is_equal_weight():
    assert weigh("softmax", [0.4] * 5).tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("budget", "tokens"),
    [
        *[("20M", 20_000_000), ("1.5k", 1500), (300, 300), ("25%", 50), ("2B", 2_000_000_000)],
        *[("1.115k", 1115), ("27.5%", 55), ("1.0000000000001T", 1_000_000_000_000)],
        *[("5000 items", 5000), ("1 item", 1), ("2k items", 2000), ("1.5 h", 5_400_000)],
        *[("90 min", 5_400_000), ("0.25s", 250)],
    ],
)
def test_budgets(budget, tokens):
    assert amount_of(budget, 200) == tokens


@pytest.mark.parametrize("budget", ["lots", "0", "-5", "10 %%", "", "0 items", "3 days", "items"])
def test_budgets_that_are_none(budget):
    with pytest.raises(ValueError, match="is not a budget"):
        amount_of(budget, 200)


def test_budgets_of_one_mixture_count_the_same():
    phases = [{"name": "a", "budget": "10 items"}, {"name": "b", "budget": "20 items"}]
    assert MixSpec(phases=phases).unit == "items"
    assert MixSpec(budget="25%").unit == "tokens"
    for other in ("5M", "1 h", "25%"):
        with pytest.raises(ValueError, match="write all of them in one unit"):
            MixSpec(phases=[*phases, {"name": "c", "budget": other}])
    with pytest.raises(ValueError, match="budgets count items and tokens"):
        MixSpec(budget="10 items", limits={"a": {"max_tokens": "2k"}})


# ── the stage


@pytest.fixture
def pooled(offline):
    offline.reviews()
    offline.pool(holdout=0.2)
    offline.run("clean")
    return offline


def test_realised_is_within_one_document_of_promised(whole):
    largest = {}
    tokens = {row["id"]: row["tokens"] for row in whole.rows("clean")}
    for row in whole.rows("mix"):
        largest[row["group"]] = max(largest.get(row["group"], 0), tokens[row["id"]])
    budget = whole.workspace.tables.made("mix").facts["budget"]
    for row in whole.rows("groups"):
        assert abs(row["tokens"] - row["promised"] * budget) <= largest[row["group"]]
    assert sum(row["realised"] for row in whole.rows("groups")) == pytest.approx(1)


def test_expected_shares_add_up_over_classes(whole):
    groups = whole.rows("groups")
    assert all(row["expected"] is not None for row in groups)
    total = sum(row["expected"] for row in groups)
    assert 0.5 < total <= 1 + 1e-9


def test_the_holdout_is_never_drawn(pooled):
    pooled.run("mix", budget="100%", max_epochs=1)
    held = {row["id"] for row in pooled.rows("pool") if row["holdout"]}
    assert held
    assert not held & {row["id"] for row in pooled.rows("mix")}
    assert {row["copies"] for row in pooled.rows("mix")} == {1}


def test_several_epochs_are_whole_passes_first(pooled):
    pooled.run("mix", budget="250%", max_epochs=3)
    assert {row["copies"] for row in pooled.rows("mix")} == {2, 3}
    with pytest.raises(DataError, match="3 times at most"):
        pooled.run("mix", budget="310%", max_epochs=3)


def test_a_mixture_grows_with_its_budget(pooled):
    drawn = []
    for budget in ("20%", "40%", "60%"):
        pooled.run("mix", budget=budget)
        drawn.append({row["id"] for row in pooled.rows("mix") if row["copies"]})
    assert len(drawn[0] - drawn[1]) + len(drawn[1] - drawn[2]) <= 2  # the last of each group
    assert len(drawn[0]) < len(drawn[1]) < len(drawn[2])


def test_limits_bind(pooled):
    limits = {"films": {"max": 0.2}}
    made = pooled.run("mix", budget="50%", limits=limits)
    films = next(group for group in made.groups if group.group == "films")
    assert films.promised == pytest.approx(0.2)
    assert films.bound == "max"
    with pytest.raises(RecipeError, match="no group plays"):
        pooled.run("mix", limits={"plays": {"max": 0.2}})


def test_a_group_with_a_min_alone_takes_what_the_wanted_group_cannot(pooled):
    """All of the shares are wanted of meals; films have a `min` and nothing else."""
    between = {"shares": {"source": {"meals": 1.0}}}
    limits = {"meals": {"max": 0.35}, "films": {"min": 0.05}}
    made = pooled.run("mix", budget="40%", between=between, limits=limits)
    promised = {group.group: (group.promised, group.bound) for group in made.groups}
    assert promised == {
        "films": (pytest.approx(0.65), "min"),
        "meals": (pytest.approx(0.35), "max"),
    }
    budget = pooled.workspace.tables.made("mix").facts["budget"]
    assert made.tokens == pytest.approx(budget, abs=120)
    limits["films"]["max"] = 0.25
    words = r"can fill 60\.00% of it: films 25\.00% \(max\), meals 35\.00% \(max\)"
    with pytest.raises(DataError, match=words) as caught:
        pooled.run("mix", budget="40%", between=between, limits=limits)
    assert caught.value.hint == "raise `max` in `mix.limits`"
    del limits["films"]
    with pytest.raises(DataError, match=r"35\.00% of it") as caught:
        pooled.run("mix", budget="40%", between=between, limits=limits)
    assert caught.value.hint == "raise `max` in `mix.limits`, or give films a `min`"


def test_what_one_group_draws_too_little_the_next_makes_up_for():
    """Each of 40 groups is to draw a document and a half."""
    targets = np.full(40, 150.0)
    plans = Plans.of(targets, np.full((40, 1), 1000), np.full(40, 1))
    ends = Boundaries.of([Boundary(1, number, 100, 100) for number in range(40)])
    cuts = cuts_of(plans, targets, ends)
    assert set(cuts.tokens.tolist()) == {100, 200}
    assert cuts.tokens.sum() == 6000


def test_a_limit_whose_min_is_above_its_max_is_refused_at_once():
    with pytest.raises(ValueError, match=r"min is 0\.5, above max, 0\.4"):
        MixSpec(limits={"films": {"min": 0.5, "max": 0.4}})


def test_a_group_without_quality_counts_as_average():
    facts = {
        "good": Facts.of(np.ones(3, int), np.array([0.9, 0.9, np.nan])),
        "poor": Facts.of(np.ones(4, int), np.array([0.1] * 4)),
        "what": Facts.of(np.ones(2, int), np.array([np.nan] * 2)),
    }
    groups = Groups(tuple(facts), tuple((name,) for name in facts), tuple(facts.values()))
    assert groups.mean_qualities() == pytest.approx([0.9, 0.1, (2 * 0.9 + 4 * 0.1) / 6])


def test_top_k_takes_the_best(whole):
    whole.run("mix", groups=["source"], within={"strategy": "top_k"}, budget="30%")
    quality = {row["id"]: row["quality"] for row in whole.rows("scores")}
    for group in ("films", "meals"):
        rows = [row for row in whole.rows("mix") if row["group"] == group]
        taken = [quality[row["id"]] for row in rows if row["copies"]]
        left = [quality[row["id"]] for row in rows if not row["copies"]]
        assert min(taken) >= max(left) - 1e-12
        assert {row["bucket"] for row in rows} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"groups": ["mood"]}, "nothing to group by is called mood"),
        ({"within": {"strategy": "softmax"}}, "score"),
    ],
)
def test_what_cannot_be_mixed(pooled, settings, words):
    with pytest.raises(Exception, match=words) as caught:
        pooled.run("mix", **settings)
    assert caught.value.exit_code in (1, 2)


def test_shares_are_of_groups():
    with pytest.raises(ValueError, match="language is not among the groups"):
        MixSpec(between={"shares": {"language": {"en": 1}}})


def test_shares_must_sum_to_one():
    with pytest.raises(ValueError, match=r"sum to 0\.9"):
        MixSpec(between={"shares": {"source": {"a": 0.9}}})


@pytest.mark.parametrize("temperature", [0.5, 0.05, 0.01])
def test_no_temperature_leaves_a_document_without_weight(whole, temperature):
    within = {"strategy": "softmax", "temperature": temperature}
    whole.run("mix", groups=["source"], within=within, budget="90%")
    rows = whole.rows("mix")
    assert all(row["weight"] > 0 for row in rows)
    assert {row["copies"] for row in rows} == {0, 1}  # no second copy before all have one


def test_a_temperature_that_floats_cannot_hold_is_refused():
    """Below .01 documents some deviations from the best would have the same weight."""
    quality = np.append(np.linspace(0.2, 0.6, 60), 1.0)
    weights = weigh("softmax", quality, temperature=0.01)
    assert (np.diff(weights) > 0).all()
    for temperature in (0.0099, 1e-320, 0.0):
        with pytest.raises(ValueError, match=r"greater than or equal to 0\.01"):
            MixSpec(within={"strategy": "softmax", "temperature": temperature})


@pytest.mark.parametrize("budget", [0.25, 2.5, True, False, float("inf")])
def test_a_number_that_is_no_budget(budget):
    """`budget: true` was one token, and `budget: 0.25` no valid string."""
    with pytest.raises(ValueError, match=f"{budget} is not a budget: give tokens"):
        MixSpec(budget=budget)


def test_a_share_below_0_is_named():
    with pytest.raises(ValueError, match="a share of source is below 0"):
        MixSpec(between={"shares": {"source": {"a": 1.5, "b": -0.5}}})


def test_groups_of_one_name_are_not_added_up(offline):
    """`a/b` + `c` and `a` + `b/c` would both be called a/b/c."""
    text = "Chair number {} stands in the hall of {}."
    places = (("a/b", "c"), ("a", "b/c"))
    offline.lines("x.jsonl", [text.format(n, "x") for n in range(9)])
    offline.lines("y.jsonl", [text.format(n, "y") for n in range(9)])
    sources = [
        {"name": name, "paths": [f"data/{file}.jsonl"], "license": license}
        for file, (name, license) in zip("xy", places, strict=True)
    ]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", near_duplicates=None)
    with pytest.raises(DataError, match=r"two groups are called a/b/c: a/b \+ c and a \+ b/c"):
        offline.run("mix", groups=["source", "license"])
    groups = offline.run("mix", groups=["source"]).groups
    assert [group.group for group in groups] == ["a", "a/b"]


def test_groups_by_what_was_not_declared(whole):
    made = whole.run("mix", groups=["sentiment", "language"], budget="50%")
    assert {group.group for group in made.groups} <= {
        f"{value}/unknown" for value in ("negative", "neutral", "positive")
    }
    assert sum(group.expected for group in made.groups) > 0.5
    shares = {"language": {"unknown": 1.0}}
    made = whole.run("mix", groups=["language"], between={"shares": shares}, budget="50%")
    assert [group.promised for group in made.groups] == [1.0]


def test_a_column_that_is_no_group_is_refused(whole):
    for name in ("tokens", "id", "quality"):
        with pytest.raises(RecipeError, match=f"nothing to group by is called {name}") as caught:
            whole.run("mix", groups=[name])
        assert caught.value.hint.lower().endswith(
            "there are: source, language, license, host, quality_bucket, cluster, sentiment"
        )


def test_documents_that_nobody_scored_are_told(whole):
    whole.lines("more.jsonl", ["A new text that nobody has scored so far."])
    whole.pool(holdout=0)
    whole.run("clean")
    with pytest.raises(StaleInput, match="`scores` was not made from the present `pool`") as caught:
        whole.run("mix", groups=["sentiment", "source"], budget="50%")
    assert caught.value.hint.startswith("`curate score` makes it again")
    assert whole.run("mix", groups=["source"], budget="50%").tokens  # that needs none


def test_the_projection_of_equal_shares_is_unimax():
    """Chung et al. 2023 (arXiv 2304.09151): equal shares, none beyond its epochs."""
    sizes = SIZES.to_dict()
    wanted = dict.fromkeys(sizes, 0.2)
    found = projected(wanted, supply={name: 4 * size / 250e9 for name, size in sizes.items()})
    golden = (0.008795, 0.160441, 0.276921, 0.276921, 0.276921)
    assert tuple(found.shares.values()) == pytest.approx(golden, abs=1e-6)
    assert [name for name, bound in found.bound.items() if bound] == ["fao", "isl"]


def test_images_are_refused_in_words(offline):
    folder = offline.root / "data"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture())
    offline.lines("notes.jsonl", ["The soup was good."])
    offline.pool("*")
    offline.run("clean", rules=[])
    with pytest.raises(DataError, match="1 of the documents have only media, and so no tokens"):
        offline.run("mix", groups=["source"], within={"strategy": "equal"}, budget="100%")
    offline.run("clean", rules=["image"])  # it is too small
    offline.run("mix", groups=["source"], within={"strategy": "equal"}, budget="100%")
    assert [row["copies"] for row in offline.rows("mix")] == [1]


def test_a_limit_of_a_group_without_a_candidate_is_told(whole):
    groups = {"groups": ["sentiment", "source"], "budget": "50%"}
    made = whole.run("mix", **groups, limits={"neutral/films": {"max": 0.3}})
    told = {warning.key: warning.figures for warning in made.warnings}
    assert "neutral/films" not in [group.group for group in made.groups]
    assert told["mix.unused_limits"] == {"groups": ["neutral/films"]}
    assert told["mix.empty_class"] == {"values": ["neutral"]}
    with pytest.raises(RecipeError, match="no group neutrall/films"):
        whole.run("mix", **groups, limits={"neutrall/films": {"max": 0.3}})
    made = whole.run("mix", **groups, limits={"neutral/films": {"min": 0.1}})
    told = {warning.key: warning.figures for warning in made.warnings}
    assert told["mix.unused_limits"] == {"groups": ["neutral/films"]}


def test_a_share_of_a_class_without_a_candidate_goes_to_the_others(whole):
    """The people have answered by then, and a mixture can be made."""

    def mixed(shares):
        keys = {"groups": ["sentiment"], "budget": "20%", "max_epochs": 9}
        return whole.run("mix", **keys, between={"shares": {"sentiment": shares}})

    made = mixed({"neutral": 0.5, "negative": 0.1, "positive": 0.4})
    assert {group.group: group.wanted for group in made.groups} == pytest.approx(
        {"negative": 0.2, "positive": 0.8}
    )
    told = {warning.key: warning.figures for warning in made.warnings}
    assert told["mix.unfilled_shares"] == {"values": ["sentiment neutral"]}
    assert "mix.unfilled_shares" not in [key.key for key in mixed({"negative": 1.0}).warnings]
    with pytest.raises(DataError, match="no candidate has sentiment neutral") as caught:
        mixed({"neutral": 1.0})
    assert caught.value.hint == "there are: negative, positive"
    with pytest.raises(DataError, match="no candidate has sentiment neutrall"):
        mixed({"neutrall": 0.5, "positive": 0.5})


# ── words of other units


def test_messages_are_in_the_unit_of_the_budget(offline):
    offline.lines("few.jsonl", [{"text": f"one of few sentences, {n}"} for n in range(6)])
    offline.run("pool", sources=[{"paths": ["data/few.jsonl"]}], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    with pytest.raises(DataError) as caught:
        offline.run("mix", groups=["source"], budget="20 items", max_epochs=2)
    assert caught.value.message.startswith("a budget of 20 items cannot be met: ")
    assert "the candidates hold 6 items, each drawn 2 times at most" in caught.value.message
    made = offline.run("mix", groups=["source"], budget="4 items")
    assert (made.unit, made.tokens, made.supply) == ("items", 4, 6)
    assert did("mix", plain(made)) == "4 of 6 items drawn, 4 documents in 1 group"
