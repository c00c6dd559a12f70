"""Lines of swarms and of fits over mixtures, broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

RUNS = "tests/test_swarm_runs.py"
FITS = "tests/test_regression.py"

SWARM = (
    Mutant(
        "the prior of a design is flattened by its root",
        "curate/swarm/designs.py",
        "FLATTENED = 0.5",
        "FLATTENED = 1.0",
        (f"{RUNS}::test_designs_lie_around_the_flattened_prior",),
    ),
    Mutant(
        "every strength of the Dirichlet comes once in fifteen runs",
        "curate/swarm/designs.py",
        "order = np.random.default_rng([seed, block, 0]).permutation(STRENGTHS)",
        "order = np.random.default_rng([seed, block, 0]).integers(0, STRENGTHS, STRENGTHS)",
        (f"{RUNS}::test_every_strength_comes_once_in_fifteen_runs",),
    ),
    Mutant(
        "the fingerprint of a group is a sum",
        "curate/swarm/contents.py",
        'return f"{sum(parts) % MODULUS:032x}"',
        'return f"{max(parts) % MODULUS:032x}"',
        (f"{RUNS}::test_fingerprints_add_up_whatever_the_order",),
    ),
    Mutant(
        "a part of a group that was split has the share of its size",
        "curate/swarm/standing.py",
        "shares[part] = run.shares[name] * free[part].tokens / total",
        "shares[part] = run.shares[name] / len(own)",
        (f"{RUNS}::test_a_group_that_was_split_is_said_in_its_parts",),
    ),
    Mutant(
        "groups that became one add up",
        "curate/swarm/standing.py",
        "shares[name] = sum(run.shares.get(part, 0.0) for part in own)",
        "shares[name] = max(run.shares.get(part, 0.0) for part in own)",
        (f"{RUNS}::test_groups_that_became_one_add_up",),
    ),
    Mutant(
        "a run at another budget does not hold",
        "curate/swarm/standing.py",
        "if abs(run.budget - today.budget) > NEAR * today.budget:",
        "if abs(run.budget - today.budget) > today.budget:",
        (f"{RUNS}::test_runs_measured_otherwise_do_not_hold",),
    ),
    Mutant(
        "a proxy repeats texts as often as the target run would",
        "curate/swarm/planning.py",
        "proportional = may_be.budget * float(sums.sum() / may_be.supply.sum())",
        "proportional = float(may_be.budget)",
        (f"{RUNS}::test_a_proxy_repeats_texts_as_often_as_the_target_would",),
    ),
    Mutant(
        "a limit of a column counts by the part of each group under it",
        "curate/swarm/allowed.py",
        "part = np.bincount(cells.group[limit.cells], parts[limit.cells], count)",
        "part = np.bincount(cells.group[limit.cells], minlength=count).clip(0, 1) * 1.0",
        (f"{RUNS}::test_limits_of_columns_hold_as_far_as_shares_of_groups_carry_them",),
    ),
    Mutant(
        "multipliers of rows are signed by their side",
        "curate/mixture/regression/region.py",
        "high = [(-row.part, -row.most)",
        "high = [(row.part, -row.most)",
        (f"{FITS}::test_the_nearest_mixture_under_rows_is_that_of_another_solver",),
    ),
    Mutant(
        "the law's gradient is that of its Huber loss",
        "curate/mixture/regression/models.py",
        "slope, bend = np.clip(residual, -HUBER, HUBER) / count, is_square / count",
        "slope, bend = np.clip(residual, -1, 1) / count, is_square / count",
        (f"{FITS}::test_the_gradient_of_huber_is_that_of_differences",),
    ),
    Mutant(
        "the law is fitted in units of the variance of its loss",
        "curate/mixture/regression/models.py",
        "units = np.repeat([min(1.0, float(loss.var())) or 1.0 for loss in losses.T], count)",
        "units = np.repeat([1e4 for loss in losses.T], count)",
        (f"{FITS}::test_a_law_is_recovered_however_little_losses_differ",),
    ),
    Mutant(
        "a run is far from others in robust standard deviations",
        "curate/swarm/runs.py",
        "spread = float(np.median(apart)) / NORMAL",
        "spread = float(np.std(objective))",
        ("tests/test_swarm.py::test_a_run_that_failed_is_named",),
    ),
    Mutant(
        "own weight is a loss: more of its own group is less",
        "curate/mixture/regression/baselines.py",
        "own[:, place] = -np.log(shares[:, groups.index(judged[metric])] + FLOOR)",
        "own[:, place] = np.log(shares[:, groups.index(judged[metric])] + FLOOR)",
        (FITS,),
    ),
    Mutant(
        "half own weight is the mean of two standardised predictions",
        "curate/mixture/regression/judging.py",
        "return (predicted_scale.standardised(predicted) + own_scale.standardised(own)) / 2",
        "return predicted_scale.standardised(predicted) + own_scale.standardised(own) / 2",
        (FITS,),
    ),
    Mutant(
        "the weights of a stacked fold come from other folds",
        "curate/mixture/regression/stacking.py",
        "weights = stacking_weights(apart[fold][:, ~own], losses[~own])",
        "weights = stacking_weights(alone[:, own], losses[own])",
        (FITS,),
    ),
    Mutant(
        "a proposal lies as near to a run as most runs to theirs",
        "curate/mixture/regression/proposing.py",
        "return float(np.quantile(apart.min(axis=1), COMMON))",
        "return float(np.quantile(apart, COMMON))",
        (FITS,),
    ),
)
