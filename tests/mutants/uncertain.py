"""Lines of intervals of mixtures and of true shares, broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

UNCERTAIN = (
    Mutant(
        "a group without labels is one more value, not the mean of values",
        "curate/mixture/intervals.py",
        "* sqrt(1 + 1 / len(own)) if",
        "if",
        (
            "tests/test_intervals.py::test_a_group_without_labels_is_one_more_of_those_that_have_some",
        ),
    ),
    Mutant(
        "qualities of groups are drawn apart",
        "curate/mixture/intervals.py",
        "rng.permuted(np.tile(np.arange(draws), (size[0], 1)), axis=1)",
        "np.tile(np.arange(draws), (size[0], 1))",
        ("tests/test_intervals.py",),
    ),
    Mutant(
        "groups are told apart at 90 %",
        "curate/mixture/intervals.py",
        "(above <= 1 - tail) & (below <= 1 - tail)",
        "(above <= 1 - 2 * tail) & (below <= 1 - 2 * tail)",
        ("tests/test_intervals.py::test_groups_are_told_apart_where_their_difference_is_large",),
    ),
    Mutant(
        "shares of sum 1 are nearest to what is wanted",
        "curate/mixture/true_shares.py",
        "np.vstack([matrix - wanted[:, None], np.ones(matrix.shape[1])])",
        "np.vstack([matrix, np.ones(matrix.shape[1])])",
        ("tests/test_true_shares.py",),
    ),
    Mutant(
        "shares that swing are halved",
        "curate/mixture/true_shares.py",
        "step = step / 2 if moved >= last else step",
        "step = step",
        ("tests/test_true_shares.py::test_shares_that_swing_settle",),
    ),
    Mutant(
        "a document is drawn once more if its noise lies above the cut",
        "curate/mixture/chances.py",
        "copies = passes - np.expm1(-np.exp(",
        "copies = passes + np.exp(-np.exp(",
        ("tests/test_drawn.py::test_expected_copies_are_the_mean_over_the_noise",),
    ),
)
