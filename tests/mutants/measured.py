"""Broken on purpose: measures, their intervals, and differences between groups."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

MEASURED = (
    Mutant(
        "the interval of a measure holds 95 %",
        "curate/metrics/bootstrap.py",
        "LEVEL = 0.95",
        "LEVEL = 0.67",
        ("tests/test_measures.py::test_the_interval_is_that_of_scipy",),
    ),
    Mutant(
        "the interval of a measure leans where the measure is skewed",
        "curate/metrics/bootstrap.py",
        "(6 * squares**1.5)",
        "(-6 * squares**1.5)",
        ("tests/test_measures.py::test_the_interval_is_that_of_scipy",),
    ),
    Mutant(
        "perplexity is a power of e",
        "curate/metrics/losses.py",
        "return exp(nats)",
        "return 2**nats",
        ("tests/test_measures.py::test_the_loss_of_texts_by_bytes_tokens_and_perplexity",),
    ),
    Mutant(
        "the Brier score is over all classes",
        "curate/metrics/losses.py",
        "((truth - predicted) ** 2).sum(axis=1)",
        "((truth - predicted) ** 2).mean(axis=1)",
        ("tests/test_metrics.py::test_by_hand",),
    ),
    Mutant(
        "recall is over the true texts",
        "curate/metrics/measures.py",
        "over(right, guessed), over(right, true)",
        "over(right, true), over(right, guessed)",
        ("tests/test_measures.py::test_measures_of_classes_are_those_of_scikit_learn",),
    ),
    Mutant(
        "a loss that falls is better",
        "curate/metrics/measures.py",
        "-1.0 if name in LOSSES else 1.0",
        "1.0",
        ("tests/test_measures.py::test_the_trivial_baseline_and_how_much_better_the_model_is",),
    ),
    Mutant(
        "ties have their mean rank",
        "curate/metrics/measures.py",
        "(below[:, first] + below[:, behind] + 1) / 2",
        "below[:, first] + 1",
        ("tests/test_measures.py::test_ranks_of_a_resample_are_those_of_its_rows",),
    ),
    Mutant(
        "micro F1 sums over the labels",
        "curate/metrics/measures.py",
        "micro = over(2 * every[0], 2 * every[0] + every[1] + every[2])",
        "micro = over(2 * every[0], 2 * every[0] + every[1])",
        ("tests/test_measures.py::test_measures_of_several_labels_are_those_of_scikit_learn",),
    ),
    Mutant(
        "spans that touch do not overlap",
        "curate/metrics/entities.py",
        'span["end"] - 1}',
        'span["end"]}',
        ("tests/test_measures.py::test_a_predicted_span_beside_a_marked_one",),
    ),
    Mutant(
        "a partial span is half right",
        "curate/metrics/entities.py",
        "right, both = correct + partial / 2,",
        "right, both = correct + partial,",
        ("tests/test_measures.py::test_figures_of_spans_by_hand_and_by_nervaluate",),
    ),
    Mutant(
        "the interval of a difference of groups holds 95 %",
        "curate/inference/contrasts.py",
        "LEVEL = 0.95",
        "LEVEL = 0.67",
        ("tests/test_bias.py::test_the_difference_of_two_rates_is_that_of_newcombe",),
    ),
    Mutant(
        "each end of a difference of rates takes the far end of the other",
        "curate/inference/contrasts.py",
        "value - hypot(one - low, others_high - other)",
        "value - hypot(one - low, other - others_low)",
        ("tests/test_bias.py::test_the_difference_of_two_rates_is_that_of_newcombe",),
    ),
    Mutant(
        "the degrees of freedom are those of Welch",
        "curate/inference/contrasts.py",
        "stdtrit(freedom, (1 + LEVEL) / 2)",
        "stdtrit(1e9, (1 + LEVEL) / 2)",
        ("tests/test_bias.py::test_the_difference_of_two_means_is_that_of_welch",),
    ),
    Mutant(
        "what is drawn of a document goes with its length",
        "curate/inference/contrasts.py",
        "- 2 * of_after * of_before * sums.products",
        "+ 2 * of_after * of_before * sums.products",
        ("tests/test_bias.py::test_the_spread_of_a_share_is_that_of_resampled_documents",),
    ),
    Mutant(
        "many looks are corrected for",
        "curate/inference/contrasts.py",
        "(len(values) - rank) * values[place]",
        "values[place]",
        ("tests/test_bias.py::test_holm_by_hand",),
    ),
    Mutant(
        "tokens drawn twice count twice",
        "curate/evaluate/bias/counting.py",
        'before * _numbers(table, "copies"), 0.0)',
        'before * (_numbers(table, "copies") > 0), 0.0)',
        ("tests/test_bias.py::test_sums_are_those_of_all_rows_in_any_shards",),
    ),
)
