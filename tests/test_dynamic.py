"""Weights that follow losses: golden steps, curves that are known, limits, states, bad input."""

import json
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest

from curate.errors import CurateError, DataError, RecipeError
from curate.mixture.dynamic import OnlineMixer
from curate.mixture.dynamic.curves import Curve, fit
from curate.mixture.dynamic.state import MOST, WHOLE, thinned
from curate.mixture.limits import Limit
from tests.trainers_of_powers import World, best, trained

PRIOR = {"a": 0.5, "b": 0.3, "c": 0.2}
EVEN = {"a": 1, "b": 1, "c": 1}
ZERO = {"a": 0.0, "b": 0.0, "c": 0.0}
LOSSES = {"a": 2.2, "b": 1.9, "c": 3.05}
REFERENCE = {"a": 2.0, "b": 2.0, "c": 3.0}


def mixer(strategy, prior=PRIOR, **settings):
    if strategy == "doremi":
        settings.setdefault("reference", REFERENCE)
    return OnlineMixer(prior, strategy=strategy, **settings)


# ── doremi


def test_the_step_of_doremi_is_the_golden_one():
    after = mixer("doremi").step(LOSSES)
    assert list(after.values()) == pytest.approx([0.544783, 0.267635, 0.187582], abs=5e-7)


def test_the_excess_of_a_group_that_is_missing_stays():
    own, whole = mixer("doremi"), mixer("doremi")
    own.step(LOSSES), whole.step(LOSSES)
    assert own.step({"b": 2.4}) == whole.step({**LOSSES, "b": 2.4})
    assert own.step({}) == whole.step({**LOSSES, "b": 2.4})


def test_the_final_weights_of_doremi_are_the_mean_over_the_steps():
    own, path = mixer("doremi", rate=2.0), []
    for number in range(7):
        path.append(own.step({"a": 2 + 0.3 * number, "b": 2.5, "c": 3.2}))
    for group in PRIOR:
        assert own.final[group] == pytest.approx(np.mean([step[group] for step in path]), abs=1e-12)
    assert own.final["a"] != pytest.approx(own.weights["a"], abs=0.01)


def test_a_huge_excess_overflows_nothing():
    after = mixer("doremi").step({"a": 1e6, "b": 2.0, "c": 3.0})
    assert list(after.values()) == pytest.approx([0.98, 0.01, 0.01], abs=1e-9)


# ── ado


@pytest.mark.parametrize(
    ("least", "scale", "exponent"), [(1.5, 60.0, 0.3), (0.2, 9.0, 0.12), (2.5, 900.0, 0.5)]
)
def test_a_known_curve_is_found_again(least, scale, exponent):
    curve = Curve(least, scale, exponent)
    points = [(n, curve.at(n)) for n in np.geomspace(1e5, 1e10, 60).tolist()]
    found = fit(points)
    assert found.least == pytest.approx(least, rel=0.01)
    assert found.scale == pytest.approx(scale, rel=0.01)
    assert found.exponent == pytest.approx(exponent, rel=0.01)
    again = fit(points, Curve(least * 0.8, scale * 1.3, exponent * 0.9))
    assert again.exponent == pytest.approx(exponent, rel=0.01)


def test_a_few_strange_losses_do_not_rule_the_curve():
    curve, rng = Curve(1.5, 60.0, 0.3), np.random.default_rng(0)
    points = [
        (n, curve.at(n) * float(np.exp(0.002 * rng.normal())) * (3 if place % 17 == 5 else 1))
        for place, n in enumerate(np.geomspace(1e5, 1e10, 100).tolist())
    ]
    found = fit(points)
    for tokens in (1e6, 1e8, 1e10):
        assert found.at(tokens) == pytest.approx(curve.at(tokens), rel=0.01)
        assert found.fall(tokens) == pytest.approx(curve.fall(tokens), rel=0.1)


def test_the_fall_is_the_slope_of_the_curve():
    curve = Curve(1.5, 60.0, 0.3)
    slope = (curve.at(1e6 - 1) - curve.at(1e6 + 1)) / 2
    assert curve.fall(1e6) == pytest.approx(slope, rel=1e-6)


def test_four_points_make_no_curve():
    assert fit([(0, 9.0), (1, 5.0), (2, 4.0), (3, 3.5), (4, 3.2)]) is None
    assert fit([(1, 5.0), (2, 4.0), (3, 3.5), (4, 3.2), (4, 3.2)]) is None


def test_ado_weighs_falls_prior_and_credit_as_the_formula():
    curves = {"a": Curve(1.0, 30, 0.2), "b": Curve(2.0, 50, 0.3), "c": Curve(0.5, 80, 0.4)}
    own = mixer("ado", warm_up=8, refit=1)
    total, credit = dict(ZERO), dict(PRIOR)
    for number in range(8):
        tokens = {"a": 5e6 + number, "b": 3e6, "c": 2e6 + number}
        total = {group: total[group] + tokens[group] for group in PRIOR}
        whole = sum(tokens.values())
        credit = {g: 0.9 * credit[g] + 0.1 * tokens[g] / whole for g in PRIOR}
        after = own.step({group: curves[group].at(total[group]) for group in PRIOR}, tokens)
        if number < 7:
            assert after == pytest.approx(PRIOR)
    asked = np.array(
        [
            PRIOR[g]
            * curves[g].exponent
            * (curves[g].at(total[g]) - curves[g].least)
            / total[g]
            * credit[g] ** 0.5
            for g in PRIOR
        ]
    )
    wish = asked / asked.sum()
    mean = (np.array([*PRIOR.values()]) + wish) / 2
    assert list(after.values()) == pytest.approx((0.9 * mean + 0.1 * wish).tolist(), rel=1e-3)


def test_in_simulated_worlds_ado_beats_uniform_and_proportional():
    for seed in range(3):
        world = World.make(np.random.default_rng(seed))
        even = np.full(8, 1 / 8)
        floor = best(world, steps=60)
        uniform, _ = trained(world, even, steps=60)
        proportional, _ = trained(world, world.supply, steps=60)
        own, path = trained(world, even, "ado", steps=60)
        assert floor - 1e-9 <= own < min(uniform, proportional)
        assert own - floor < 0.5 * (uniform - floor)
        assert path.min() >= 0.01 - 1e-9


def test_curves_are_fitted_again_after_a_tenth_more_steps():
    own, fits = mixer("ado", warm_up=10, refit=4), []
    for number in range(1, 81):
        own.step(dict.fromkeys(PRIOR, 1 + 3 * number**-0.3), 1e6)
        fits.append(own.state_dict()["fitted"])
    assert sorted({*fits}) == [0, 10, 14, 18, 22, 26, 30, 34, 38, 42, 47, 52, 58, 64, 71, 79]


# ── loss


def test_weights_follow_the_falls_per_token():
    own = mixer("loss", smoothing=0.0, floor=0.0)
    own.step({"a": 5.0, "b": 4.0, "c": 3.0}, {"a": 100, "b": 100, "c": 100})
    after = own.step({"a": 4.0, "b": 3.9, "c": 3.2}, {"a": 1000, "b": 50, "c": 10})
    assert after == pytest.approx({"a": 1 / 3, "b": 2 / 3, "c": 0.0}, abs=1e-9)
    assert own.step({"a": 6.0, "b": 5.0, "c": 4.0}, EVEN)["a"] > 0


def test_the_weights_stay_where_nothing_falls_and_move_slowly_where_it_does():
    own = mixer("loss", floor=0.0)
    for loss in (2.0, 2.5, 3.0):
        assert own.step(dict.fromkeys(PRIOR, loss)) == pytest.approx(PRIOR)
    own = mixer("loss", floor=0.0, smoothing=0.75)
    own.step(dict.fromkeys(PRIOR, 3.0), EVEN)
    after = own.step({"a": 3.0, "b": 3.0, "c": 2.0}, EVEN)
    assert after == pytest.approx({"a": 0.375, "b": 0.225, "c": 0.4})


def test_only_the_last_losses_count():
    own = mixer("loss", smoothing=0.0, floor=0.0, window=2)
    for loss in (9.0, 5.0, 2.0, 2.0):
        after = own.step({"a": loss, "b": 5 - own._state.step / 10, "c": 3.0}, EVEN)
    assert after == pytest.approx({"a": 0.0, "b": 1.0, "c": 0.0}, abs=1e-9)


# ── floor and limits


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
def test_floor_and_limits_hold_after_every_step(strategy):
    rng = np.random.default_rng(1)
    own = mixer(
        strategy, floor=0.05, limits={"a": (0.1, 0.3), "c": (0.0, 0.4)}, warm_up=5, smoothing=0.0
    )
    for number in range(30):
        losses = {group: 2 + rng.gamma(2.0) / (1 + number) for group in PRIOR}
        after = own.step(losses, tokens=1e6)
        assert sum(after.values()) == pytest.approx(1, abs=1e-12)
        assert 0.1 - 1e-9 <= after["a"] <= 0.3 + 1e-9
        assert after["b"] >= 0.05 - 1e-9
        assert 0.05 - 1e-9 <= after["c"] <= 0.4 + 1e-9


def test_what_is_free_keeps_its_proportions():
    after = mixer("doremi", limits={"a": (0.0, 0.4)}, spread=0.0).step({}, reference=REFERENCE)
    assert after == pytest.approx({"a": 0.4, "b": 0.36, "c": 0.24})


def test_limits_of_several_groups_hold():
    both = Limit("language=zh", np.array([0, 1]), 0.0, 0.6)
    after = mixer("doremi", limits=[both], spread=0.0).step({})
    assert after == pytest.approx({"a": 0.375, "b": 0.225, "c": 0.4})


def test_a_group_that_the_prior_leaves_out_gets_the_floor():
    own = mixer("loss", {"a": 1, "b": 0}, floor=0.1)
    assert own.weights == pytest.approx({"a": 0.9, "b": 0.1})


def test_many_groups_have_a_floor_that_fits():
    own = OnlineMixer({f"g{n}": 1.0 + n for n in range(400)})
    assert min(own.weights.values()) == pytest.approx(0.1 / 400)


# ── states


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
def test_a_state_goes_on_exactly(strategy):
    rng = np.random.default_rng(2)
    curve = Curve(1.0, 30, 0.2)

    def losses(number):
        return {
            group: curve.at(1e6 * (1 + number)) * float(np.exp(0.01 * rng.normal()))
            for group in PRIOR
            if group != "b" or number % 3
        }

    one, steps = mixer(strategy, refit=4), [losses(number) for number in range(40)]
    for step in steps[:23]:
        one.step(step, 1e6)
    state = json.loads(json.dumps(one.state_dict()))
    other = mixer(strategy, refit=4)
    other.load_state_dict(state)
    assert other.state_dict() == one.state_dict() == state
    for step in steps[23:]:
        assert one.step(step, 1e6) == other.step(step, 1e6)
    assert one.final == other.final


def test_a_state_of_another_mixer_is_refused():
    state = mixer("doremi").state_dict()
    for other in (mixer("ado"), mixer("doremi", {"a": 1, "b": 1, "d": 1}, reference={})):
        before = other.state_dict()
        with pytest.raises(DataError, match="another mixer"):
            other.load_state_dict(state)
        assert other.state_dict() == before
    for broken in (
        {**state, "step": None, "points": 3},
        {**state, "weights": [1.0]},
        {**state, "weights": ["x", 0.5, 0.5]},
        {**state, "tokens": [nan, 0.0, 0.0]},
        *({**state, "step": value} for value in ("x", None, -1, 1.5, True, 10**400)),
        *({**state, "fitted": value} for value in ("x", None, -1)),
        *({**state, "wished": value} for value in ("x", 0, nan)),
        *({**state, "falls": value} for value in (["x", None, None], [None], None, [inf] * 3)),
        {**state, "points": [[["a", "b"]], [], []]},
        {**state, "points": [[["a", "b"]]]},
        {**state, "points": [[[1.0, 1e308]], [], []]},
        {**state, "points": [[[-1.0, 2.0]], [], []]},
        *({**state, "curves": [own, None, None]} for own in ("x", 0, {"least": 1})),
        {**state, "curves": [{"least": "x", "scale": 1, "exponent": 1}, None, None]},
        {**state, "weights": {0: 0.5, 1: 0.5, 2: 0.0}},
        {**state, "weights": [-1.0, 1.0, 1.0]},
        {
            key: own[:2] if isinstance(own, list) and key != "groups" else own
            for key, own in state.items()
        },
    ):
        with pytest.raises(DataError, match="cannot be read"):
            mixer("doremi").load_state_dict(broken)
    for broken in (None, "x", [], {}):
        with pytest.raises(DataError, match="another mixer"):
            mixer("doremi").load_state_dict(broken)
    falling = {**mixer("ado").state_dict(), "step": 1, "points": [[[1.0, 0.0]], [], []]}
    with pytest.raises(DataError, match="points have a loss in them"):
        mixer("ado").load_state_dict(falling)


def test_a_state_stays_small():
    points = ()
    for number in range(10_000):
        points = thinned((*points, (float(number), 1.0)))
    assert len(points) <= MOST
    assert [n for n, _ in points[-WHOLE:]] == list(range(10_000 - WHOLE, 10_000))
    assert points[0][0] == 0
    assert all(one < other for one, other in pairwise(points))


# ── bad input changes nothing


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
@pytest.mark.parametrize(
    ("losses", "tokens", "complaint"),
    [
        ({"a": nan}, None, "the loss of a is nan, not a finite number"),
        ({"a": 2.0, "b": inf}, None, "the loss of b is inf, not a finite number"),
        ({"a": "2"}, None, "the loss of a is 2, not a finite number"),
        ({"a": np.float32(nan)}, None, "the loss of a is nan, not a finite number"),
        ({"a": True}, None, "the loss of a is True, not a finite number"),
        ({"a": -(10**309)}, None, f"the loss of a is -1{'0' * 38}…, not a finite number"),
        ({"a": 2.0, "bb": 2.0}, None, "a loss is for bb, and there is no such group"),
        ({"a": 2.0}, {"a": -1}, "a number of tokens is below 0"),
        ({"a": 2.0}, nan, "the number of tokens of a is nan, not a finite number"),
        ({"a": 2.0}, {"x": 1}, "a number of tokens is for x, and there is no such group"),
    ],
)
def test_bad_losses_are_one_error_and_change_nothing(strategy, losses, tokens, complaint):
    own = mixer(strategy)
    own.step(LOSSES, 100)
    before = own.state_dict()
    with pytest.raises(DataError) as caught:
        own.step(losses, tokens)
    assert caught.value.message == complaint
    assert own.state_dict() == before


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
def test_numbers_of_numpy_count_as_those_of_python(strategy):
    plain, other = mixer(strategy, warm_up=5), mixer(strategy, warm_up=5)
    for number in range(12):
        losses = {"a": 3 - number / 8, "b": 2 - number / 16, "c": 4.0}  # exact in 32 bits
        kinds = {group: np.float32(loss) for group, loss in losses.items()}
        after = other.step(kinds, {group: np.int64(1000) for group in PRIOR})
        assert after == plain.step(losses, dict.fromkeys(PRIOR, 1000))
    assert after != PRIOR
    assert json.loads(json.dumps(other.state_dict())) == plain.state_dict()


def test_losses_beyond_what_can_be_computed_are_one_error_and_change_nothing():
    own = mixer("doremi", rate=1e300)
    before = own.state_dict()
    with pytest.raises(DataError, match="too large to compute weights from"):
        own.step({"a": 1e50, "b": 1e50, "c": 1e50})
    assert own.state_dict() == before


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
def test_a_step_that_is_too_large_is_refused_and_those_after_it_pass(strategy):
    own, without = mixer(strategy, window=10), mixer(strategy, window=10)
    for loss in (3, 2.9, 2.8, 1e308, -1e308, 1.1e60, *[2.7] * 60):
        losses = dict.fromkeys(PRIOR, loss)
        if abs(loss) > 1e60:
            with pytest.raises(
                DataError, match=r"the loss of a is -?1.*, too large to compute with"
            ):
                own.step(losses)
        else:
            assert own.step(losses) == without.step(losses)
    assert own.state_dict()["step"] == 63


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
@pytest.mark.parametrize("tokens", [{"a": 1.7e308, "b": 1}, 1e300, {"a": 10**100}])
def test_tokens_that_are_too_large_change_nothing(strategy, tokens):
    own = mixer(strategy)
    own.step(LOSSES, 100)
    before = own.state_dict()
    for _ in range(3):
        with pytest.raises(DataError, match=r"the number of tokens of a is .*, too large"):
            own.step(LOSSES, tokens)
    assert own.state_dict() == before


@pytest.mark.parametrize("strategy", ["doremi", "ado", "loss"])
@pytest.mark.parametrize("scale", [1e60, 1e-60, 1e-300])
def test_a_state_of_numbers_at_the_ends_can_be_loaded_and_gone_on_from(strategy, scale):
    own = mixer(strategy, warm_up=6, reference=ZERO)
    for number in range(30):
        losses = {"a": scale / (number + 1), "b": scale / 2, "c": scale}
        own.step(losses, {"a": scale, "b": 1.0, "c": scale * number / 30})
    other = mixer(strategy, warm_up=6, reference=ZERO)
    other.load_state_dict(json.loads(json.dumps(own.state_dict())))
    assert other.step(LOSSES, 1000) == own.step(LOSSES, 1000)
    assert sum(own.weights.values()) == pytest.approx(1)


def test_a_prior_counts_by_its_proportions_however_large():
    own = OnlineMixer({"a": 1.5e308, "b": 0.5e308, "c": 1e308})
    assert own.weights == pytest.approx({"a": 0.5, "b": 1 / 6, "c": 1 / 3})
    whole = OnlineMixer({"a": 17 * 10**307, "b": 17 * 10**307, "c": 1.5}, floor=0)
    assert whole.weights == pytest.approx({"a": 0.5, "b": 0.5, "c": 0})


def test_what_a_strategy_needs_is_told():
    with pytest.raises(DataError, match="the loss of b is 0: ado needs losses above 0"):
        mixer("ado").step({"a": 2.0, "b": 0.0})
    with pytest.raises(DataError, match="doremi needs the reference loss of b"):
        mixer("doremi", reference={"a": 2.0}).step({"a": 2.0, "b": 2.0})


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"strategy": "doremy"}, "there is no strategy doremy"),
        ({"floor": 0.5}, "floor is 0.5, not between 0 and 0.333333"),
        ({"smoothing": 1.5}, "smoothing is 1.5, not between 0 and 1"),
        ({"prior": {"a": 0.0}}, "all weights of the prior are 0"),
        ({"prior": {"a": nan}}, "the prior has no groups"),
        ({"prior": {}}, "the prior has no groups"),
        ({"limits": {"d": (0, 1)}}, "a limit is for d, and there is no such group"),
        ({"limits": {"a": (0.5, 0.2)}}, "the limits of a are not shares: 0.5 to 0.2"),
        ({"limits": {"a": (0.5,)}}, "the limits of a are not shares: 0.5"),
        ({"limits": {"a": ("x", 1)}}, "the limits of a are not shares: x to 1"),
        ({"limits": {"a": 0.5}}, "the limits of a are not shares: 0.5"),
        ({"limits": {"a": None}}, "the limits of a are not shares: None"),
        ({"limits": {"a": "01"}}, "the limits of a are not shares: 01"),
        ({"limits": 0.5}, "limits are 0.5, neither shares by group nor a list of `Limit`"),
        ({"limits": ["a"]}, "limits are ['a'], neither shares by group nor a list of `Limit`"),
        ({"floor": "x"}, "floor is x, not between 0 and 0.333333"),
        ({"prior": {"a": "3"}}, "the prior has no groups"),
        ({"prior": {"a": 10**309}}, "the prior has no groups"),
        ({"limits": {"a": (0, 0.2), "b": (0, 0.2), "c": (0, 0.2)}}, "floor and limits: "),
    ],
)
def test_settings_that_are_none_are_refused(settings, complaint):
    with pytest.raises(CurateError) as caught:
        OnlineMixer(**{"prior": PRIOR, **settings})
    assert isinstance(caught.value, RecipeError)
    assert caught.value.message.startswith(complaint)
