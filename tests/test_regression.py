"""Losses over mixtures by value: known laws, baselines by hand, the optimum against others."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import spearmanr

from curate.mixture.regression import baselines, models, stacking
from curate.mixture.regression.judging import Scale, halved, leans_on_own, ranked, spearman
from curate.mixture.regression.proposing import (
    Objective,
    optimum,
    pulled_back,
    supported_distance,
)
from curate.mixture.regression.region import Region, Row, kept

LAW = models.LogLinear(np.log([2.0, 1.2]), np.array([[-0.5, 0.8, 0.3, 0.0], [0.7, -1.0, 0.2, 0.4]]))


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setitem(models.TREES, "n_estimators", 40)
    monkeypatch.setitem(models.TREES, "learning_rate", 0.1)


def mixtures(count, groups=4, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(groups), count)


def test_a_log_linear_law_is_recovered():
    runs, fresh = mixtures(80), mixtures(200, seed=1)
    fitted = models.fit_log_linear(runs, LAW(runs))
    np.testing.assert_allclose(fitted(fresh), LAW(fresh), atol=2e-3)
    np.testing.assert_allclose(np.exp(fitted.constants), [2.0, 1.2], atol=0.1)


@pytest.mark.parametrize("unit", [0.001, 0.02, 50.0])
def test_a_law_is_recovered_however_little_losses_differ(unit):
    """A swarm of small proxies differs by a few hundredths of a nat on a loss of 3."""
    runs, fresh = mixtures(80), mixtures(200, seed=1)
    for law in (lambda own: unit * LAW(own), lambda own: 3 + max(unit, 0.02) * LAW(own)):
        fitted = models.fit_log_linear(runs, law(runs))
        spread = law(fresh).std(axis=0)
        assert (np.abs(fitted(fresh) - law(fresh)).max(axis=0) < 0.02 * spread).all()


def test_a_law_is_by_hand():
    shares = np.array([[0.5, 0.5, 0.0, 0.0]])
    np.testing.assert_allclose(LAW(shares), [[2 + np.exp(0.15), 1.2 + np.exp(-0.15)]])


def test_outliers_do_not_move_a_law():
    runs = mixtures(80)
    losses = LAW(runs)
    losses[:4] += 3
    fitted = models.fit_log_linear(runs, losses)
    assert np.abs(fitted(runs) - LAW(runs)).mean() < 0.02


def test_the_gradient_of_huber_is_that_of_differences():
    runs, losses = mixtures(20), LAW(mixtures(20)).T
    at = np.array([[0.1, 0.3, -0.2, 0.5, 0.0], [0.19, 0.2, 0.8, -0.3, -0.59]])
    value, gradient, curve = models._huber(at, runs, losses)
    assert (value > 0).all()
    for row, nudge in enumerate(1e-6 * np.eye(5)):
        after, before = (
            models._huber(at + nudge, runs, losses),
            models._huber(at - nudge, runs, losses),
        )
        np.testing.assert_allclose(gradient[:, row], (after[0] - before[0]) / 2e-6, atol=1e-8)
        np.testing.assert_allclose(curve[:, row], (after[1] - before[1]) / 2e-6, atol=1e-7)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.2])
def test_a_fit_is_as_good_as_that_of_another_solver(noise):
    """L-BFGS from the same starts; both may end in a valley that another start does not reach."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(8)
    runs = mixtures(40, seed=3)
    losses = LAW(runs) + noise * rng.normal(size=(40, 2))
    fitted = models.fit_log_linear(runs, losses)
    for metric, loss in enumerate(losses.T):
        unit = loss.var()

        def huber(at, loss=loss, unit=unit):
            value, gradient, _ = models._huber(at[None], runs, loss[None])
            return value[0] / unit, gradient[0] / unit

        starts = models._starts(runs, loss)
        ends = [minimize(huber, at, method="L-BFGS-B", jac=True).fun for at in starts]
        own = huber(np.append(fitted.constants[metric], fitted.slopes[metric]))
        assert own[0] <= min(ends) + 1e-9
        assert np.abs(own[1]).max() < 1e-4


def test_ridge_recovers_what_is_linear_in_its_features():
    runs, fresh = mixtures(100), mixtures(50, seed=1)

    def law(shares):
        return (3 - shares[:, 0] - 0.2 * np.log(shares[:, 1] + 1e-3) + np.sqrt(shares[:, 2]))[
            :, None
        ]

    np.testing.assert_allclose(models.fit_linear(runs, law(runs))(fresh), law(fresh), atol=0.01)


def test_trees_see_a_step():
    runs = mixtures(200)
    step = (runs[:, :1] > 0.3) * 1.0
    fitted = models.fit_boosting(runs, step)
    wrong = (fitted(mixtures(100, seed=1))[:, 0] > 0.5) != (mixtures(100, seed=1)[:, 0] > 0.3)
    assert wrong.mean() < 0.05


def test_baselines_are_those_by_hand():
    shares = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    groups, metrics = ("train_web", "code", "books"), ("metric/web_val_loss", "Code", "maths")
    judged = baselines.judged_groups(groups, metrics)
    assert judged == {"metric/web_val_loss": "train_web", "Code": "code"}
    own = baselines.own_weights(shares, groups, metrics, judged)
    np.testing.assert_allclose(own[:, 0], -np.log([0.501, 0.201]))
    assert np.isnan(own[:, 2]).all()
    expected = [-np.log(0.501), (-np.log(0.201) - 3 * np.log(0.301)) / 4]
    np.testing.assert_allclose(baselines.own_weight(own, np.array([1.0, 3.0, 2.0])), expected)
    assert baselines.own_weight(own, np.array([0.0, 0.0, 1.0])) is None
    entropies = [-np.log(2), 0.2 * np.log(0.2) + 0.3 * np.log(0.3) + 0.5 * np.log(0.5)]
    np.testing.assert_allclose(baselines.negative_entropy(shares), entropies)
    np.testing.assert_allclose(baselines.distances(shares, shares), [[0, 0.5], [0.5, 0]])
    near = baselines.nearest_run(np.array([[0.3, 0.3, 0.4]]), shares, np.array([[1.0], [2.0]]))
    assert near.tolist() == [[2.0]]


def test_stacking_finds_the_better_model_and_the_mean():
    losses = np.random.default_rng(0).normal(size=(200, 2))
    noise = np.random.default_rng(1).normal(size=(3, 200, 2))
    weights = stacking.stacking_weights(np.stack([losses, noise[0], noise[1]]), losses)
    np.testing.assert_allclose(weights, [[1, 1], [0, 0], [0, 0]], atol=1e-9)
    halves = np.stack([losses + noise[2], losses - noise[2]])
    np.testing.assert_allclose(stacking.stacking_weights(halves, losses), 0.5, atol=1e-9)


def test_no_prediction_out_of_fold_knows_its_fold():
    runs = mixtures(30)
    losses = LAW(runs)
    before = stacking.out_of_fold(runs, losses)
    folds = stacking.fold_numbers(30)
    changed = losses.copy()
    changed[folds == 2] += np.random.default_rng(3).normal(size=(6, 2))
    after = stacking.out_of_fold(runs, changed)
    assert set(before) == {"linear", "log_linear", "boosting", "stacked", "nearest run"}
    for name, predicted in before.items():
        np.testing.assert_array_equal(predicted[folds == 2], after[name][folds == 2], name)
        assert (predicted[folds != 2] != after[name][folds != 2]).any(), name


def test_spearman_is_that_of_scipy_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    one = rng.normal(size=60).round(1)
    other = one + rng.normal(size=60).round(1)
    found = ranked(one, other)
    assert found.spearman == pytest.approx(spearmanr(one, other)[0])
    assert found.low < found.spearman < found.high
    # Fisher's interval at 90 %, with the variance 1.06 / (n - 3) of rank correlations
    around = np.tanh(np.arctanh(found.spearman) + np.array([-1, 1]) * 1.645 * np.sqrt(1.06 / 57))
    np.testing.assert_allclose([found.low, found.high], around, atol=0.05)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(ranked(np.ones(5), np.arange(5.0)).low)


def test_halves_are_by_hand():
    predicted, own = np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.0, 2.0])
    both = halved(predicted, own, Scale.of(predicted), Scale.of(own))
    unit = np.sqrt(3 / 2)
    np.testing.assert_allclose(both, [0, -unit / 2, unit / 2], atol=1e-12)
    assert (leans_on_own(101, 10), leans_on_own(100, 10), leans_on_own(None, 10)) == (1, 0, 0)


def goal(prior, kl):
    return Objective(lambda shares: LAW(shares) @ [0.5, 0.5], prior, kl)


@pytest.mark.parametrize("kl", [0.0, 0.05, 1.0])
def test_the_optimum_is_that_of_cvxpy(kl):
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is an oracle of this test alone")
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    box = Region(np.array([0.0, 0.0, 0.05, 0.0]), np.array([1.0, 0.45, 1.0, 0.5]))
    found = optimum(goal(prior, kl), mixtures(20), box)
    shares = cvxpy.Variable(4)
    law = sum(cvxpy.exp(slope @ shares) for slope in LAW.slopes) / 2
    asked = cvxpy.Minimize(law + kl * cvxpy.sum(cvxpy.rel_entr(shares, prior)))
    problem = cvxpy.Problem(asked, [shares >= box.low, shares <= box.high, cvxpy.sum(shares) == 1])
    problem.solve(solver="CLARABEL")
    np.testing.assert_allclose(found, shares.value, atol=2e-4)
    assert goal(prior, kl)(found[None])[0] <= problem.value + np.exp(LAW.constants).mean() + 1e-7


def test_the_optimum_is_that_of_brute_force():
    prior = np.array([0.5, 0.3, 0.2])

    def loss(shares):
        return np.sin(6 * shares[:, 0]) + (shares[:, 1] - 0.4) ** 2

    box = Region(np.array([0.1, 0.0, 0.0]), np.array([1.0, 0.6, 0.5]))
    for is_smooth in (True, False):
        objective = Objective(loss, prior, 0.1, is_smooth)
        grid = np.linspace(0, 1, 401)
        first, second = map(np.ravel, np.meshgrid(grid, grid))
        every = np.column_stack([first, second, 1 - first - second])
        every = every[((every >= box.low) & (every <= box.high)).all(axis=1)]
        best = every[objective(every).argmin()]
        found = optimum(objective, mixtures(40, 3), box)
        np.testing.assert_allclose(found, best, atol=0.01)
        assert objective(found[None])[0] <= objective(best[None])[0] + 1e-4


def test_the_nearest_mixture_is_that_of_a_solver():
    wanted, low, high = np.array([0.7, 0.2, 0.1]), np.array([0, 0, 0.2]), np.array([0.5, 1, 1])
    found = Region(low, high).nearest(np.log(wanted)[None])[0]
    # by hand: the first is at its top, the third at its bottom
    np.testing.assert_allclose(found, [0.5, 0.3, 0.2], atol=1e-12)
    solved = minimize(
        lambda shares: float((shares * np.log(shares / wanted)).sum()),
        [0.4, 0.3, 0.3],
        bounds=list(zip(low + 1e-9, high, strict=True)),
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1},
    )
    np.testing.assert_allclose(found, solved.x, atol=1e-4)


def test_a_group_that_the_prior_leaves_out_stays_out():
    prior = np.array([0.5, 0.5, 0.0, 0.0])
    found = optimum(goal(prior, 0.1), mixtures(20), Region(np.zeros(4), np.ones(4)))
    assert found[2:].tolist() == [0, 0]
    assert found.sum() == pytest.approx(1)


def test_a_corner_is_pulled_back_until_a_run_is_near():
    runs = np.array([[0.6, 0.4], [0.5, 0.5], [0.4, 0.6]])
    box = Region(np.zeros(2), np.ones(2))
    assert supported_distance(runs) == pytest.approx(0.1)
    found = pulled_back(np.array([1.0, 0.0]), runs, box, 0.1)
    np.testing.assert_allclose(found, [0.7, 0.3], atol=1e-9)
    inside = np.array([0.55, 0.45])
    assert pulled_back(inside, runs, box, 0.1) is inside
    far = Region(np.array([0.9, 0.0]), np.ones(2))
    assert pulled_back(np.array([1.0, 0.0]), runs, far, 0.1) is None


ROWS = (
    Row("language=zh", np.array([0.9, 0.1, 0.5, 0.0]), 0.0, 0.3),
    Row("host=x", np.array([0.0, 0.0, 1.0, 0.4]), 0.35, 1.0),
)
ROOMY = Region(np.array([0.0, 0.0, 0.05, 0.0]), np.array([1.0, 0.45, 1.0, 0.5]), ROWS)


def slsqp(loss, region, start):
    """The optimum under the rows, by scipy."""
    rows = [
        {
            "type": "ineq",
            "fun": lambda x, row=row: [row.most - row.part @ x, row.part @ x - row.least],
        }
        for row in region.rows
    ]
    return minimize(
        loss,
        start,
        method="SLSQP",
        bounds=list(zip(np.maximum(region.low, 1e-9), region.high, strict=True)),
        constraints=[{"type": "eq", "fun": lambda x: x.sum() - 1}, *rows],
        options={"ftol": 1e-14, "maxiter": 1000},
    ).x


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_mixture_under_rows_is_that_of_another_solver(seed):
    wanted = mixtures(1, seed=seed)[0]
    found = ROOMY.nearest(np.log(wanted)[None])[0]
    assert ROOMY.holds(found, 1e-7)
    other = slsqp(lambda x: float((x * np.log(x / wanted)).sum()), ROOMY, np.full(4, 0.25))
    np.testing.assert_allclose(found, other, atol=2e-5)


def test_the_optimum_under_rows_is_that_of_another_solver():
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    objective = goal(prior, 0.05)
    found = optimum(objective, mixtures(4), ROOMY)
    assert ROOMY.holds(found, 1e-7)
    other = slsqp(lambda x: float(objective(x[None])[0]), ROOMY, np.full(4, 0.25))
    assert objective(found[None])[0] <= objective(other[None])[0] + 1e-7


def test_rows_that_no_mixture_keeps_are_left_out_by_name():
    never = Row("source=x", np.array([0.8, 0.9, 0.8, 0.7]), 0.0, 0.5)
    region = Region(np.zeros(4), np.ones(4), (*ROWS, never))
    assert region.is_empty
    assert not ROOMY.is_empty
    left, names = kept(region)
    assert names == ("source=x",)
    assert left.rows == ROWS
    assert not left.is_empty
    assert kept(ROOMY) == (ROOMY, ())
