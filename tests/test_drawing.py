"""The draw by passes over shards is the draw by sorting, whatever the shards and the workers."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.engine import Local
from curate.errors import StaleInput
from curate.mix.passes import Fifths
from curate.mix.spec import MixSpec
from curate.mixture import selection
from curate.mixture.drawing import Plans, copies_of, cuts_of, draw
from curate.mixture.groups import Facts
from curate.mixture.selection import (
    Boundaries,
    Rows,
    Target,
    ascending,
    boundaries,
    descending,
)
from curate.pool import stage as pool
from tests import whole_draw

# ── where a sum exceeds an amount


def found(rows, targets, batches, sizes=None):
    """Return the boundaries as passes over some batches find them."""
    parts = [rows.take(places) for places in np.array_split(np.arange(len(rows.group)), batches)]

    def count(cells):
        return sum(selection.histogram(part, cells) for part in parts)

    def gather(cells):
        return selection.joined([selection.members(part, cells) for part in parts])

    return boundaries(targets, count, gather, sizes)


@pytest.mark.parametrize("seed", range(12))
def test_small_groups_are_gathered_and_have_the_same_boundaries(monkeypatch, seed):
    for name, value in (("MANY", 3), ("SMALL", 40), ("BATCH", 100), ("FEW", 10)):
        monkeypatch.setattr(selection, name, value)
    rng = np.random.default_rng(seed)
    n, groups = 900, 30
    group = np.where(np.arange(n) < 200, 0, rng.integers(0, groups - 2, n))
    keys = descending(np.round(rng.normal(size=n), 1))
    rows = Rows(group, keys, rng.permutation(n).astype(np.uint64), rng.integers(0, 50, n))
    totals = np.bincount(group, rows.weight, groups)
    targets = [
        Target(int(number), float(rng.uniform(0, 1.2 * totals[number] + 1)))
        for number in rng.integers(0, groups - 2, 50)
    ]
    sizes = np.bincount(group, minlength=groups)
    results = found(rows, targets, 4, sizes)
    assert results == found(rows, targets, 4)
    assert sum(result is None for result in results) in range(1, 40)


def sorted_boundary(rows, target):
    """Return (key, tie, weight, before) by sorting, or None where the sum never exceeds it."""
    own = np.flatnonzero(rows.group == target.group)
    order = own[np.lexsort((rows.tie[own], rows.key[own]))]
    sums = np.cumsum(rows.weight[order])
    place = int(np.searchsorted(sums, target.amount, side="right"))
    if place == len(order):
        return None
    before = int(sums[place - 1]) if place else 0
    row = order[place]
    return int(rows.key[row]), int(rows.tie[row]), int(rows.weight[row]), before


@pytest.mark.parametrize("few", [1, 20, 100_000])
@pytest.mark.parametrize("values", ["normal", "constant", "few", "unknown"])
def test_a_boundary_is_that_of_a_sort(monkeypatch, few, values):
    monkeypatch.setattr(selection, "FEW", few)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        n, groups = 700, 1 + seed % 4
        numbers = {
            "normal": rng.normal(size=n),
            "constant": np.zeros(n),
            "few": rng.integers(-1, 2, n) * 1.0,
            "unknown": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
        }[values]
        rows = Rows(
            rng.integers(0, groups, n),
            descending(numbers),
            rng.permutation(n).astype(np.uint64),
            rng.integers(1, 50, n),
        )
        targets = [
            Target(int(group), float(rng.uniform(-1, 1.1 * rows.weight[rows.group == group].sum())))
            for group in rng.integers(0, groups, 6)
        ]
        for batches in (1, 7):
            results = found(rows, targets, batches)
            for target, result in zip(targets, results, strict=True):
                expected = sorted_boundary(rows, target)
                if expected is None:
                    assert result is None
                else:
                    own = (result.key, result.tie, result.weight, result.before)
                    assert own == expected


@pytest.mark.parametrize("few", [1, 100_000])
def test_a_boundary_is_behind_the_row_that_meets_its_amount(monkeypatch, few):
    monkeypatch.setattr(selection, "FEW", few)
    rng = np.random.default_rng(5)
    n = 300
    values = descending(rng.integers(-40, 40, n) * 1.0)
    rows = Rows(np.zeros(n, np.int64), values, np.arange(n).astype(np.uint64), np.full(n, 3))
    order = np.lexsort((rows.tie, rows.key))
    for place in range(0, n, 17):
        (result,) = found(rows, [Target(0, 3.0 * place)], 2)
        row = order[place]
        assert (result.key, result.tie) == (int(rows.key[row]), int(rows.tie[row]))
        assert result.before == 3 * place
    assert found(rows, [Target(0, 3.0 * n)], 2) == [None]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=30))
def test_keys_are_in_the_order_of_the_values(numbers):
    values = np.array(numbers)
    up, down = ascending(values), descending(values)
    for a in range(len(values)):
        for b in range(len(values)):
            if values[a] < values[b]:
                assert up[a] < up[b]
                assert down[a] > down[b]
            if values[a] == values[b]:
                assert up[a] == up[b]
            if np.isnan(values[b]) and not np.isnan(values[a]):
                assert up[a] < up[b]
                assert down[a] < down[b]


# ── a plan and a cut are the draw


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0.01, 5)), min_size=1, max_size=40),
    st.floats(0, 3.2),
    st.integers(1, 3),
    st.floats(-40, 40),
)
def test_a_cut_is_what_a_sort_draws(documents, share, max_copies, carry):
    tokens = np.array([size for size, _ in documents])
    weights = np.array([weight for _, weight in documents])
    noise = np.random.default_rng(len(tokens)).gumbel(size=len(tokens))
    target, supply = share * tokens.sum(), int(tokens.sum())
    try:
        expected = draw(weights, tokens, target, max_copies=max_copies, noise=noise, carry=carry)
    except ValueError:
        with pytest.raises(ValueError, match=r"tokens from|nothing to draw"):
            Plans.of(np.array([target]), np.array([[supply]]), np.array([max_copies]))
        return
    plans = Plans.of(np.array([target]), np.array([[supply]]), np.array([max_copies]))
    ties = np.arange(len(tokens)).astype(np.uint64)
    group = np.zeros(len(tokens), np.int64)
    rows = Rows(group, descending(np.log(weights) + noise), ties, tokens)
    sought = [Target(0, rest) for rest in plans.rest.tolist() if not np.isnan(rest)]
    ends = found(rows, sought, 3) if sought else []
    cuts = cuts_of(plans, np.array([target]), Boundaries.of(ends), carry)
    assert copies_of(rows, cuts).tolist() == expected.tolist()
    assert cuts.tokens.tolist() == [int((expected * tokens).sum())]


@given(st.lists(st.one_of(st.floats(-5, 5), st.just(float("nan"))), max_size=40), st.integers(1, 5))
def test_facts_add_up_in_parts(numbers, parts):
    quality = np.array(numbers, float)
    tokens = np.arange(1, len(quality) + 1)
    whole, joined = Facts.of(tokens, quality), Facts()
    for rows in np.array_split(np.arange(len(quality)), parts):
        joined = joined.joined(Facts.of(tokens[rows], quality[rows]))
    assert (joined.documents, joined.tokens, joined.known) == (
        *(whole.documents, whole.tokens, whole.known),
    )
    assert joined.mean == pytest.approx(whole.mean)
    assert joined.spread == pytest.approx(whole.spread, abs=1e-9)
    known = quality[~np.isnan(quality)]
    if len(known):
        assert joined.spread == pytest.approx(known.std(), abs=1e-9)
        sizes = np.diff([1, *whole.fifths(), len(known) + 1])
        assert sizes.tolist() == [len(own) for own in by_fifth(len(known))]


def by_fifth(n):
    """The ranks from 0 of each fifth, by the definition: five equal stretches of [0, 1)."""
    places = np.array([Fraction(5 * rank, n) for rank in range(n)])
    return [np.flatnonzero((places >= fifth) & (places < fifth + 1)) for fifth in range(5)]


@pytest.mark.parametrize(
    ("documents", "fifths"),
    [
        (1, [1]),
        (3, [1, 2, 4]),
        (6, [1, 1, 2, 3, 4, 5]),
        (15, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]),
    ],
)
def test_fifths_are_of_equal_size_and_rise_with_quality(documents, fifths):
    facts = [Facts.of(np.ones(2, int), np.array([0.1, 0.9])), Facts.of(*tokens_and(documents))]
    rng = np.random.default_rng(documents)
    order = rng.permutation(documents)
    keys = ascending((np.arange(documents) / documents)[order])
    group = np.ones(documents, np.int64)
    rows = Rows(group, keys, np.arange(documents).astype(np.uint64), np.ones(documents, np.int64))
    targets = [target for target in Fifths.targets(facts) if target.group == 1]
    edges = found(rows, targets, 2)
    made = Fifths.of([Facts(), facts[1]], edges)
    assert made.fifth(rows)[np.argsort(order)].tolist() == fifths


def tokens_and(documents):
    return np.ones(documents, int), np.arange(documents) / documents


# ── the stage, over recipes


VALUES = ("bad", "good")
WORDS = ("soup", "bread", "tea", "plum", "rice", "corn", "leek")


def scored(offline, monkeypatch, rows_per_shard, *, unknown=0.2):
    """Make a pool of three sources and scores for what was kept, as `score` lays them out."""
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", rows_per_shard)
    rng = np.random.default_rng(5)
    for source, n in (("web", 140), ("news", 60), ("code", 15)):
        texts = [
            f"{source} {number} " + " ".join(rng.choice(WORDS, rng.integers(1, 25)))
            for number in range(n)
        ]
        offline.lines(f"{source}.jsonl", texts)
    offline.pool(holdout=0.1)
    offline.run("clean", rules=[])
    workspace = offline.workspace
    made = workspace.freshness.provenance(
        "score",
        offline.spec("score"),
        workspace.tables.fingerprints(("pool", "clean")),
        questions={"mood": {"kind": "choice", "values": list(VALUES)}},
    )
    with workspace.tables.building("scores", made) as folder:
        for shard in workspace.documents.shards():
            ids = shard.read(["id"])["id"]
            noise = np.array([int(id[:6], 16) / 16**6 for id in ids.to_pylist()])
            quality = np.where(noise < unknown, np.nan, np.round(noise * 7) / 7)
            table = pa.table(
                {
                    "id": ids,
                    "quality": pa.array(quality, from_pandas=True),
                    **{name: pa.nulls(len(ids), pa.float64()) for name in ("low", "high")},
                    **{name: np.zeros(len(ids), bool) for name in ("abstained", "out_of_fold")},
                    "mood": pa.array([VALUES[int(part > 0.6)] for part in noise], pa.string()),
                    "mood:bad": 1 - noise,
                    "mood:good": noise,
                }
            )
            pq.write_table(table, folder / shard.name)
    return offline


def random_recipe(number):
    rng = np.random.default_rng(number)
    groups = [["source"], ["mood"], ["mood", "source"], ["source", "language"]][number % 4]
    return {
        "groups": groups,
        "between": {
            "strategy": str(rng.choice(["uniform", "proportional", "temperature"])),
            "alpha": float(rng.uniform(0, 1)),
        },
        "within": {
            "strategy": ["equal", "softmax", "top_k"][number % 3],
            "temperature": float(rng.choice([0.05, 0.7, 3.0])),
        },
        "budget": f"{rng.uniform(2, 110):.3f}%",
        "max_epochs": int(rng.integers(2, 9)),
        "seed": int(rng.integers(0, 99)),
    }


def check(offline, recipe):
    """Mix, and hold every row against the draw on whole frames."""
    spec = MixSpec.model_validate(recipe)
    offline.run("mix", **recipe)
    workspace = offline.workspace
    rows = whole_draw.frame(workspace.tables.read("mix"))
    groups = {row["group"]: row for row in offline.rows("groups")}
    items = whole_draw.candidates(workspace, spec.groups)
    promised = {name: row["promised"] for name, row in groups.items()}
    budget = workspace.tables.made("mix").facts["budget"]
    weights, copies = whole_draw.drawn(items, promised, spec, budget)
    assert rows["id"].tolist() == items["id"].tolist()
    assert rows["group"].tolist() == items["group"].tolist()
    assert rows["copies"].tolist() == copies.tolist()
    np.testing.assert_allclose(rows["weight"], weights, rtol=1e-9)
    np.testing.assert_array_equal(rows["bucket"].to_numpy(float), items["bucket"].to_numpy(float))
    taken = sums_by(copies * items["tokens"], items["group"])
    assert {name: row["tokens"] for name, row in groups.items()} == taken
    if "mood" in spec.groups:
        expected = whole_draw.expected_shares(items, copies, spec.groups)
        for name, row in groups.items():
            assert row["expected"] == pytest.approx(expected[name], rel=1e-9)
    return dict(zip(rows["id"], rows["copies"], strict=True))


def sums_by(values, keys):
    return {str(name): int(part.sum()) for name, part in values.groupby(keys)}


def test_two_dozen_recipes_draw_as_a_sort_does(offline, monkeypatch):
    """Each of four sets of groups with each of three weightings, twice."""
    scored(offline, monkeypatch, 40)
    monkeypatch.setattr(selection, "FEW", 10)
    for number in range(24):
        check(offline, random_recipe(number))


def test_neither_shards_nor_workers_change_the_draw(offline, tmp_path, monkeypatch):
    from tests.conftest import Offline

    other = Offline(tmp_path / "other")
    scored(offline, monkeypatch, 1000)
    scored(other, monkeypatch, 17)
    other.workspace.engine = Local(2)
    for number in (0, 1, 2, 10):
        recipe = random_recipe(number)
        assert check(offline, recipe) == check(other, recipe)
    other.workspace.engine.close()


def test_scores_of_other_documents_are_refused(offline, monkeypatch):
    scored(offline, monkeypatch, 40)
    offline.run("clean", rules=["length"], limits={"length:words": {"min": 12}})
    with pytest.raises(StaleInput, match="`scores` was not made from the present `clean`"):
        offline.run("mix", groups=["mood"])
    made = offline.run("mix", groups=["source"])  # needs none, and takes none of these
    assert made.documents
    assert {row["bucket"] for row in offline.rows("mix")} == {None}
