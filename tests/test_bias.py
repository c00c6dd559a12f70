"""Who is kept, scored and drawn: by brute force, by hand, and by simulation."""

import json

import numpy as np
import pytest
from scipy import stats

from curate.engine import Local
from curate.errors import DataError, RecipeError
from curate.evaluate.bias import counting
from curate.evaluate.bias.counting import edges
from curate.evaluate.bias.telling import Bias, documents_of, find_bias
from curate.evaluate.spec import EvaluateSpec
from curate.inference.contrasts import (
    Moments,
    Tokens,
    holm,
    of_means,
    of_rates,
    of_shares,
    wilson,
)
from curate.run.stages import run_stage
from curate.spec import validated
from tests.conftest import BAD, FILMS, GOOD, MEALS, reviews
from tests.shards import recut

# ── rates, means, shares


def test_the_difference_of_two_rates_is_that_of_newcombe():
    """The first example of Newcombe (1998): 56 of 70 beside 48 of 80, method 10."""
    own = of_rates(56, 70, 48, 80)
    assert own.value == pytest.approx(0.2)
    assert (own.low, own.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert own.p == pytest.approx(stats.fisher_exact([[56, 14], [48, 32]]).pvalue)
    many = of_rates(5600, 7000, 4800, 8000)
    table = [[5600, 1400], [4800, 3200]]
    assert many.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


@pytest.mark.parametrize(("hits", "trials"), [(0, 9), (9, 9), (3, 40), (500, 700)])
def test_the_interval_of_a_rate_is_that_of_wilson(hits, trials):
    expected = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def moments(values):
    return Moments(len(values), float(values.sum()), float((values**2).sum()))


def test_the_difference_of_two_means_is_that_of_welch():
    rng = np.random.default_rng(1)
    one, other = rng.normal(0.5, 0.1, 30), rng.normal(0.4, 0.3, 80)
    own, expected = (
        of_means(moments(one), moments(other)),
        stats.ttest_ind(one, other, equal_var=False),
    )
    interval = expected.confidence_interval(0.95)
    assert (own.low, own.high) == pytest.approx((interval.low, interval.high))
    assert own.p == pytest.approx(expected.pvalue)
    assert of_means(moments(np.ones(5)), moments(np.ones(9))) is None


def tokens(x, y):
    return Tokens(len(x), *(float(own.sum()) for own in (x, y, x**2, y**2, x * y)))


def draw(rng, n, more=0.0):
    """Documents of two groups, of any length, of which some are drawn, some twice."""
    inside = rng.random(n) < 0.3
    x = np.ceil(rng.lognormal(4, 0.8, n))
    copies = rng.binomial(2, np.where(inside, 0.3 + more, 0.3))
    return inside, x, x * copies


def contrast_of(inside, x, y):
    return of_shares(tokens(x[inside], y[inside]), tokens(x[~inside], y[~inside]))


def test_the_spread_of_a_share_is_that_of_resampled_documents():
    rng = np.random.default_rng(2)
    inside, x, y = draw(rng, 800, more=0.2)
    own = contrast_of(inside, x, y)
    after, before = y[inside].sum() / y.sum(), x[inside].sum() / x.sum()
    assert own.value == pytest.approx(after - before)
    values = []
    for _ in range(3000):
        rows = rng.integers(0, 800, 800)
        one, a, b = inside[rows], x[rows], y[rows]
        values.append(b[one].sum() / b.sum() - a[one].sum() / a.sum())
    assert (own.high - own.low) / 2 / 1.96 == pytest.approx(np.std(values), rel=0.06)
    nothing = tokens(x, 0 * y)
    assert of_shares(nothing, nothing) is None


def outside(true, contrasts):
    return np.mean([not own.low <= true <= own.high for own in contrasts])


def test_intervals_hold_the_truth_in_19_of_20_pools():
    """In 1,500 pools 95 % ± 1.1 %; of half the width it would be 67 %."""
    rng = np.random.default_rng(7)
    rates = [of_rates(*own) for own in zip(rng.binomial(60, 0.85, 1500), [60] * 1500,
                                           rng.binomial(400, 0.95, 1500), [400] * 1500,
                                           strict=True)]  # fmt: skip
    assert 0.03 <= outside(-0.1, rates) <= 0.065
    means = [
        of_means(moments(rng.beta(2, 5, 40)), moments(rng.beta(5, 5, 150))) for _ in range(1500)
    ]
    assert 0.035 <= outside(2 / 7 - 1 / 2, means) <= 0.07
    inside, x, y = draw(np.random.default_rng(0), 4_000_000, more=0.1)
    true = contrast_of(inside, x, y).value
    shares = [contrast_of(*draw(rng, 400, more=0.1)) for _ in range(1500)]
    assert 0.035 <= outside(true, shares) <= 0.07


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_where_nothing_differs_hardly_any_pool_has_a_certain_difference():
    """Twelve values that are kept alike: without correction 46 % of the pools had one."""
    rng = np.random.default_rng(3)
    alarms = plain = 0
    for _ in range(400):
        kept = rng.binomial(100, 0.7, 12)
        values = [of_rates(own, 100, kept.sum() - own, 1100).p for own in kept]
        alarms += min(holm(values)) < 0.05
        plain += min(values) < 0.05
    assert alarms <= 0.075 * 400
    assert plain >= 0.3 * 400


# ── words


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("language", "zh", "Chinese documents"),
        ("language", "zh-Hant", "Chinese (Traditional) documents"),
        ("language", "und", "undetermined documents"),
        ("language", "x-klingon", "x-klingon documents"),
        ("language", "unknown", "documents of unknown language"),
        ("source", "films", "documents of films"),
        ("license", "MIT", "documents under MIT"),
        ("host", "a.org", "documents from a.org"),
        ("length", "3 to 9 tokens", "documents of 3 to 9 tokens"),
        ("meta.dialect", "粤语", "documents with dialect 粤语"),
    ],
)
def test_documents_are_named_in_words(key, value, words):
    assert documents_of(key, value) == words


# ── a pool


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    """A run in which short Chinese documents are dropped, and one source is drawn more often."""
    from tests.conftest import Offline

    offline = Offline(tmp_path_factory.mktemp("fares") / "run")
    rows = [
        {"text": text, "lang": "en", "dialect": "plain" if place % 3 else "broad"}
        for place, text in enumerate(reviews(FILMS, GOOD) + reviews(MEALS, BAD))
    ]
    rows += [
        {"text": f"第{place}家饭店的菜很好吃，服务也周到。" * (1 + place % 4), "lang": "zh"}
        for place in range(64)
    ]
    offline.lines("one.jsonl", rows[::2])
    offline.lines("two.jsonl", rows[1::2])
    offline.pool(
        sources=[{"paths": [f"data/{name}.jsonl"], "name": name, "language": {"field": "lang"}}
                 for name in ("one", "two")],
        holdout=0.1,
    )  # fmt: skip
    offline.run("clean", rules=["length"], limits={"length:chars": {"min": 40}})
    offline.run("mix", groups=["source"], between={"shares": {"source": {"one": 0.8, "two": 0.2}}},
                budget="90%", max_epochs=2)  # fmt: skip
    return offline


KEYS = ("language", "source", "length", "meta.dialect")


def brute_force(run, key):
    """The SUMS of each value, from all rows as Python objects."""
    pool = {row["id"]: row for row in run.rows("pool")}
    mix = {row["id"]: row for row in run.rows("mix")}
    found = {}
    for row in run.rows("clean"):
        meta = json.loads(pool[row["id"]]["meta"] or "{}")
        values = {"language": row["language"], "source": pool[row["id"]]["source"]}
        value = values.get(key, meta.get("dialect")) or "unknown"
        own = mix.get(row["id"])
        x, y = (own["size"], own["size"] * own["copies"]) if own else (0, 0)
        sums = (1, row["kept"], 0, 0, 0, own is not None, x, y, x * x, y * y, x * y)
        found[value] = found.get(value, 0) + np.array(sums, float)
    return found


@pytest.mark.parametrize("key", ["language", "source", "meta.dialect"])
@pytest.mark.parametrize(("rows", "workers"), [(1000, 1), (9, 2)])
def test_sums_are_those_of_all_rows_in_any_shards(fares, key, rows, workers):
    recut(fares.workspace, rows)
    fares.workspace.engine = Local(workers)
    own = counting.count(fares.workspace, [key], scores=False, mix=True)[key]
    fares.workspace.engine.close()
    fares.workspace.engine = Local(1)
    expected = brute_force(fares, key)
    assert max(row["copies"] for row in fares.rows("mix")) == 2
    assert set(own) == set(expected)
    for value, sums in expected.items():
        np.testing.assert_allclose(own[value], sums)


def test_fifths_of_length_hold_every_document_once(fares):
    own = find_bias(fares.workspace, ["length"], scores=False, mix=True).values
    lengths = sorted(row["tokens"] for row in fares.rows("clean"))
    assert sum(row.documents for row in own) == len(lengths)
    assert 2 <= len(own) <= 5
    ends = [[int(word.replace(",", "")) for word in row.value.split() if word[0].isdigit()]
            for row in own]  # fmt: skip
    for row, (low, *high) in zip(own, ends, strict=True):
        assert row.documents == sum(low <= length <= (high or [low])[0] for length in lengths)
    assert ends == sorted(ends)


def test_bins_of_length_leave_no_gap():
    assert edges()[:10].tolist() == list(range(10))
    assert (np.diff(edges()) > 0).all()
    assert edges()[-1] > 2**38
    assert (np.diff(edges())[20:] <= edges()[20:-1] * 0.1 + 1).all()


def test_the_largest_differences_come_first_in_words(fares):
    result = fares.run("evaluate", seeds=2, bias=KEYS)
    stored = json.loads((fares.root / "evaluate.json").read_text())["bias"]
    rows = [row for row in stored["values"] if row["key"] == "language"]
    assert {row["value"] for row in rows} == {"en", "zh"}
    chinese = next(row for row in rows if row["value"] == "zh")
    assert chinese["keep_rate"] < 0.8
    sizes = [abs(row["difference"]) for row in stored["differences"] if row["is_certain"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) >= 2
    assert result.bias == tuple(row["words"] for row in stored["differences"][: len(result.bias)])
    by_language = [row for row in stored["differences"] if row["key"] == "language"]
    clean = next(row for row in by_language if row["stage"] == "clean")
    other = next(row for row in rows if row["value"] != clean["value"])
    own = next(row for row in rows if row["value"] == clean["value"])
    assert clean["here"] == own["keep_rate"]
    assert clean["beside"] == pytest.approx(other["keep_rate"])
    name, others = "Chinese", "English"
    if clean["value"] == "en":
        name, others = others, name
    assert f", of 1,000 {others} documents " in clean["words"]
    assert f"of 1,000 {name} documents `clean` keeps " in clean["words"]
    mixed = next(row for row in stored["differences"]
                 if row["stage"] == "mix" and row["key"] == "source")  # fmt: skip
    assert mixed["here"] == pytest.approx({"one": 0.8, "two": 0.2}[mixed["value"]], abs=0.05)
    assert mixed["difference"] == pytest.approx(mixed["here"] - mixed["beside"])


def test_of_two_values_one_says_what_the_other_would(fares):
    own = find_bias(fares.workspace, ["source"], scores=False, mix=True)
    assert len(own.values) == 2
    assert [row.stage for row in own.differences if row.stage == "clean"] == ["clean"]


def test_without_keys_nothing_is_compared(fares):
    assert find_bias(fares.workspace, [], scores=False, mix=True) == Bias()
    assert fares.run("evaluate", seeds=2, bias=[]).bias == ()


def test_quality_is_compared_where_it_is_trusted(whole):
    own = find_bias(whole.workspace, ["source"], scores=True, mix=True)
    scores = {row["id"]: row["quality"] for row in whole.rows("scores")}
    sources = {row["id"]: row["source"] for row in whole.rows("pool")}
    by_source = {name: np.array([q for id, q in scores.items() if sources[id] == name])
                 for name in ("films", "meals")}  # fmt: skip
    for row in own.values:
        assert row.quality == pytest.approx(by_source[row.value].mean())
    (score,) = [row for row in own.differences if row.stage == "score"]
    other = "meals" if score.value == "films" else "films"
    expected = stats.ttest_ind(by_source[score.value], by_source[other], equal_var=False)
    assert score.difference == pytest.approx(
        by_source[score.value].mean() - by_source[other].mean()
    )
    interval = expected.confidence_interval(0.95)
    assert (score.low, score.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(
    ("keys", "error", "words"),
    [
        (["langauge"], RecipeError, "nothing to compare by is called langauge"),
        (["meta."], RecipeError, "nothing to compare by is called meta."),
        (["source", "source"], RecipeError, "source appears twice"),
        (["meta.dialct"], DataError, "no document has meta.dialct"),
    ],
)
def test_a_key_that_is_not_there_is_refused_by_name(fares, keys, error, words):
    before = (fares.root / "evaluate.json").read_bytes()
    with pytest.raises(error, match=words):
        run_stage(
            fares.workspace, "evaluate", validated(EvaluateSpec, {"bias": keys}, where="evaluate")
        )
    assert (fares.root / "evaluate.json").read_bytes() == before


def test_a_key_that_names_documents_makes_no_groups(fares, monkeypatch):
    monkeypatch.setattr(counting, "MOST", 3)
    with pytest.raises(DataError, match="length has more than 3 values"):
        find_bias(fares.workspace, ["length"], scores=False, mix=False)
