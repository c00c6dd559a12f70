"""Who people see next, and with what probability."""

from collections import Counter
from shutil import rmtree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.embed import embed
from curate.pull.stage import close_round
from curate.sample.drawing import CERTAINTY, blended, drawn
from curate.sample.frame import Candidate, Frame
from curate.sample.strategies import STRATEGIES
from curate.sample.strategies.strategy import Stratum
from curate.sample.strategies.stratified import allocate

# ── shares of strata


def weights(sizes, how):
    return [1.0] * len(sizes) if how == "equal" else [float(size) for size in sizes]


@pytest.mark.parametrize(
    ("sizes", "n", "how", "given"),
    [
        ([100, 100], 10, "equal", [5, 5]),
        ([100, 2, 100], 12, "equal", [5, 2, 5]),
        ([1, 1, 1], 10, "equal", [1, 1, 1]),
        ([100, 100, 100], 10, "equal", [4, 3, 3]),
        ([90, 10], 10, "proportional", [9, 1]),
        ([50, 30, 20], 7, "proportional", [4, 2, 1]),
        ([1000, 1, 1], 10, "proportional", [10, 0, 0]),
        ([5], 3, "equal", [3]),
        ([], 3, "equal", []),
    ],
)
def test_allocate(sizes, n, how, given):
    assert allocate(sizes, n, weights(sizes, how)) == given


SIZES = st.lists(st.integers(1, 50), max_size=8)


@given(SIZES, st.integers(1, 200), st.sampled_from(["equal", "proportional"]))
def test_allocate_gives_all_and_no_more_than_there_is(sizes, n, how):
    found = allocate(sizes, n, weights(sizes, how))
    assert sum(found) == min(n, sum(sizes))
    assert all(0 <= share <= size for share, size in zip(found, sizes, strict=True))


@given(SIZES, st.integers(1, 200))
def test_equal_shares_differ_by_one_but_for_small_strata(sizes, n):
    found = allocate(sizes, n, weights(sizes, "equal"))
    top = max(found, default=0)
    assert all(top - share <= 1 or share == size for share, size in zip(found, sizes, strict=True))


@given(SIZES, st.integers(1, 200))
def test_proportional_shares_are_within_one_of_the_quota(sizes, n):
    n = min(n, sum(sizes))
    for share, size in zip(allocate(sizes, n, weights(sizes, "proportional")), sizes, strict=True):
        assert abs(share - n * size / sum(sizes)) < 1


# ── strategies


def frame(*sizes, seed=0, n=500, by_stratum=True):
    """Return the frame of strata of these sizes; ids are numbers."""
    strata = [f"s{place}" for place, size in enumerate(sizes) for _ in range(size)]
    noise = np.random.default_rng(seed).random(len(strata))
    rows = tuple(map(Candidate, noise.tolist(), map(str, range(len(strata))), strata))
    return Frame().joined(Frame(Counter(strata), rows), n, by_stratum)


ALLOCATIONS = {
    "random": "",
    "stratified": "equal",
    "stratified proportional": "proportional",
    "stratified neyman": "neyman",
    "mixture": "",
}
"""Every way to draw all documents at random."""


def chosen(name, sizes, n, seed=0):
    """Return the places drawn and their propensities; the strata differ in all that is known."""
    own, by_stratum = STRATEGIES[name.split()[0]], name != "random"
    whole = frame(*sizes, seed=seed, n=n, by_stratum=by_stratum)
    if not by_stratum:
        rows = drawn(whole, min(n, whole.documents))
    else:
        strata = {
            name: Stratum(size, 10.0 * size, 0.3 + 0.2 * place, 0.1 + 0.2 * place, place, 3.0)
            for place, (name, size) in enumerate(sorted(whole.sizes.items()))
        }
        rows = drawn(whole, own.shares(strata, n, ALLOCATIONS[name]))
    places = np.array([int(row.id) for row in rows], int)
    return places, np.array([row.propensity for row in rows])


@pytest.mark.parametrize("strategy", ALLOCATIONS)
@pytest.mark.parametrize("n", [1, 2, 7, 30, 500])
def test_a_strategy_gives_rows_once_and_their_probabilities(strategy, n):
    rows, chances = chosen(strategy, (20, 9, 1), n)
    assert len(rows) == len(set(rows.tolist())) == len(chances) == min(n, 30)
    assert set(rows.tolist()) <= set(range(30))
    assert ((chances > 0) & (chances <= 1)).all()
    if n >= 30:
        assert (chances == 1).all()


def assert_as_often_as_said(draw, size, seeds):
    """Every document is drawn in as many of the seeds as its propensities say: none is at 0."""
    held, said = np.zeros(size), np.full(size, np.nan)
    for seed in range(seeds):
        rows, chances = draw(seed)
        held[rows] += 1
        assert np.isnan(said[rows]).all() or np.nanmax(np.abs(said[rows] - chances)) < 1e-12
        said[rows] = chances
    assert not np.isnan(said).any(), "some document is never drawn"
    error = np.sqrt(said * (1 - said) / seeds)
    assert (np.abs(held / seeds - said) <= 4.5 * error).all()


@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("strategy", ALLOCATIONS)
def test_propensities_are_the_share_of_draws_that_hold_a_row(strategy, n):
    sizes = (12, 4, 1, 1)
    assert_as_often_as_said(lambda seed: chosen(strategy, sizes, n, seed), 18, 800)


@pytest.mark.parametrize("strategy", ALLOCATIONS)
def test_weights_of_one_over_the_propensity_sum_to_the_frame(strategy):
    for n in (3, 20):
        _, chances = chosen(strategy, (40, 25, 3), n, 1)
        assert (1 / chances).sum() == pytest.approx(68)


def test_strata_without_a_share_are_drawn_from_together():
    rows = drawn(frame(50, 3, 2, n=5), {"s0": 5, "s1": 0, "s2": 0})
    assert Counter(row.stratum for row in rows) == {"s0": 4, "small strata": 1}
    assert {row.propensity for row in rows} == {4 / 50, 1 / 5}
    rows = drawn(frame(50, 3, n=5), {"s0": 5, "s1": 0})
    assert Counter(row.stratum for row in rows) == {"s0": 4, "s1": 1}


# ── what is picked, and the random share


def test_the_random_share_is_drawn_from_what_was_not_picked():
    def draw(seed):
        rows = blended(frame(12, 4, seed=seed, n=6, by_stratum=False), ["3", "14"], 6)
        assert [row.stratum for row in rows[:2]] == [CERTAINTY] * 2
        return np.array([int(row.id) for row in rows]), np.array([row.propensity for row in rows])

    assert_as_often_as_said(draw, 16, 800)
    _, chances = draw(0)
    assert chances.tolist() == [1, 1, *[4 / 14] * 4]


def test_a_batch_as_large_as_the_frame_is_certain():
    rows = blended(frame(3, 2, n=9, by_stratum=False), ["1"], 9)
    assert len(rows) == 5
    assert {row.propensity for row in rows} == {1.0}


@given(SIZES, st.integers(1, 60), st.integers(1, 4), st.booleans())
def test_a_frame_in_parts_is_the_frame(sizes, n, parts, by_stratum):
    whole = frame(*sizes, n=n, by_stratum=by_stratum)
    rows = [
        frame(*sizes, n=500, by_stratum=by_stratum).first[start::parts] for start in range(parts)
    ]
    joined = Frame()
    for part in rows:
        sizes_of = Counter(candidate.stratum for candidate in part)
        joined = joined.joined(Frame(sizes_of, part), n, by_stratum)
    assert (joined.sizes, joined.first) == (whole.sizes, whole.first)


# ── the stage


def prepared(offline):
    offline.reviews()
    offline.pool(holdout=0.1)
    offline.run("clean", limits={"length:chars": {"min": 80}})


def opened(offline, **given):
    made = offline.run("sample", **given)
    return made, offline.workspace.rounds.current().sample().to_pylist()


def test_what_is_frozen(offline):
    prepared(offline)
    made, rows = opened(offline, n=20, strategy="stratified", seed=4)
    assert made.round == 1
    assert made.documents == len(rows) == 20
    assert made.strata == {"films": 10, "meals": 10}
    assert [row["rank"] for row in rows] == list(range(20))
    assert {row["kind"] for row in rows} == {"design"}
    assert Counter(row["stratum"] for row in rows) == made.strata
    about = offline.workspace.rounds.current().spec
    assert about["purpose"] == "label"
    assert about["sample"]["seed"] == 4
    assert about["frame"]["documents"] == made.frame == sum(about["frame"]["strata"].values())
    for row in rows:
        assert row["propensity"] == pytest.approx(10 / about["frame"]["strata"][row["stratum"]])
    shown = offline.workspace.rounds.current().texts()
    pool = {row["id"]: row["text"] for row in offline.rows("pool")}
    assert shown == {row["id"]: {"text": pool[row["id"]]} for row in rows}


def test_the_frame_holds_what_was_kept_and_is_not_held_out(offline):
    prepared(offline)
    made, rows = opened(offline, n=1000)
    held = {row["id"] for row in offline.rows("pool") if row["holdout"]}
    kept = {row["id"] for row in offline.rows("clean") if row["kept"]}
    assert held & kept
    assert {row["id"] for row in rows} == kept - held
    assert made.documents == made.frame == len(kept - held) < 112
    assert {row["propensity"] for row in rows} == {1.0}


def test_no_round_sends_a_text_twice(offline):
    prepared(offline)
    sent = set()
    for purpose in ("label", "pilot", "label"):
        made, rows = opened(offline, n=15, purpose=purpose)
        ids = {row["id"] for row in rows}
        assert len(ids) == 15
        assert not ids & sent
        assert made.frame == offline.workspace.rounds.current().spec["frame"]["documents"]
        sent |= ids
        offline.run("push", backend="folder", form="topic")
        close_round(offline.workspace)
    assert [each.purpose for each in offline.workspace.rounds.all()] == ["label", "pilot", "label"]
    assert [row["round"] for row in rows] == [3] * 15


def test_a_seed_gives_the_same_round_again(offline, tmp_path_factory):
    def forget():
        rmtree(offline.root / "rounds")
        (offline.root / "ledger.jsonl").unlink()

    prepared(offline)
    _, first = opened(offline, n=12, seed=5)
    forget()
    _, again = opened(offline, n=12, seed=5)
    assert again == first
    forget()
    _, other = opened(offline, n=12, seed=6)
    assert [row["id"] for row in other] != [row["id"] for row in first]


def test_rounds_draw_differently_under_one_seed(offline):
    prepared(offline)
    order = [row["id"] for row in offline.rows("pool")]
    places = []
    for _ in range(2):
        _, rows = opened(offline, n=30, seed=5)
        places.append([order.index(row["id"]) for row in rows])
        close_round(offline.workspace)
    assert places[0][:5] != places[1][:5]


def test_strata_by_several_columns_and_by_one_that_is_not_declared(offline):
    prepared(offline)
    made, _ = opened(offline, n=4, strategy="stratified", by=["source", "language", "license"])
    assert made.strata == {"films/unknown/unknown": 2, "meals/unknown/unknown": 2}


def test_settings_of_a_frozen_round_do_not_change_with_the_recipe(offline):
    prepared(offline)
    opened(offline, n=5)
    frozen = offline.workspace.rounds.current().spec
    offline.run("clean")
    assert offline.workspace.rounds.current().spec == frozen


def with_chargram(monkeypatch):
    """Let strategies embed with the encoder that needs no weights."""
    from curate.sample import context

    monkeypatch.setattr(context, "embed", lambda workspace, name: embed(workspace, "chargram"))


def test_neither_shards_nor_workers_change_the_choice(offline, tmp_path, monkeypatch):
    from curate.engine import Local
    from curate.pool import stage as pool
    from tests.conftest import Offline

    with_chargram(monkeypatch)
    other = Offline(tmp_path / "other")
    prepared(offline)
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 9)
    prepared(other)
    other.workspace.engine = Local(2)
    assert len(other.workspace.tables.shards("clean")) > 9
    for strategy in ("random", "stratified", "k_means", "k_center", "facility_location"):
        made, rows = opened(offline, n=20, strategy=strategy)
        again, others = opened(other, n=20, strategy=strategy)
        assert made == again
        assert [row["id"] for row in rows] == [row["id"] for row in others]
        close_round(offline.workspace)
        close_round(other.workspace)
    other.workspace.engine.close()
