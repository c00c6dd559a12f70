"""Lines of calibration, abstention, conformal intervals, doubt and drift, broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

CALIBRATION = (
    Mutant(
        "a conformal quantile counts the new document too",
        "curate/heads/conformal.py",
        "wanted = level * (effective + 1) / effective",
        "wanted = level",
        ("tests/test_conformal.py",),
    ),
    Mutant(
        "unequal weights are fewer effective labels",
        "curate/heads/conformal.py",
        "effective = weights.sum() ** 2 / (weights**2).sum()",
        "effective = len(weights)",
        ("tests/test_conformal.py",),
    ),
    Mutant(
        "a conformal quantile goes by what labels stand for",
        "curate/heads/conformal.py",
        "shares = np.cumsum(weights[order]) / weights.sum()",
        "shares = np.cumsum(0 * weights[order] + 1) / len(weights)",
        ("tests/test_conformal.py",),
    ),
    Mutant(
        "Venn-Abers merges for log loss",
        "curate/heads/calibration/venn_abers.py",
        "high / (1 - low + high)",
        "(low + high) / 2",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "Platt's targets are no labels",
        "curate/heads/calibration/platt.py",
        "low, high = 1 / (negative + 2), (positive + 1) / (positive + 2)",
        "low, high = 0.0, 1.0",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "isotonic steps are never sure",
        "curate/heads/calibration/isotonic.py",
        "least = 1 / (len(scores) + 2)",
        "least = 0.0",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "shifts are held back by a penalty",
        "curate/heads/calibration/shifted.py",
        "penalty = shift / len(truth)",
        "penalty = 0 * shift",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "a fold is calibrated by the others",
        "curate/heads/calibration/choosing.py",
        "fit(method, rows.take(~inside), kind)(rows.logits[inside])",
        "fit(method, rows, kind)(rows.logits[inside])",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "a gain within its standard error is none",
        "curate/heads/calibration/choosing.py",
        "gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains))",
        "gains.mean() > 0",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "a small group has no map of its own",
        "curate/heads/calibration/grouped.py",
        "names[numbers >= ENOUGH]",
        "names[numbers >= 10]",
        ("tests/test_calibration.py",),
    ),
    Mutant(
        "a p-value counts the sample itself",
        "curate/calibration_error.py",
        "p_value = (1 + int((by_chance >= error).sum())) / (1 + draws)",
        "p_value = int((by_chance >= error).sum()) / draws",
        ("tests/test_calibration_error.py",),
    ),
    Mutant(
        "an interval of the calibration error is as wide as it says",
        "curate/calibration_error.py",
        "ENDS = (0.03, 0.97)",
        "ENDS = (0.25, 0.75)",
        ("tests/test_calibration_error.py::test_the_interval_holds_the_error",),
    ),
    Mutant(
        "a group abstains at one in a hundred",
        "curate/heads/abstaining.py",
        "self.calibration.p_value <= LEVEL",
        "self.calibration.p_value <= 10 * LEVEL",
        ("tests/test_calibration_error.py",),
    ),
    Mutant(
        "head and neighbours are joined as a geometric mean",
        "curate/heads/doubting.py",
        "logs = (1 - SHARE) * np.log(_positive(predicted)) + SHARE * np.log(_positive(nearby))",
        "logs = np.log((1 - SHARE) * _positive(predicted) + SHARE * _positive(nearby))",
        ("tests/test_doubting.py",),
    ),
    Mutant(
        "a text is no neighbour of its own",
        "curate/heads/doubting.py",
        "cosines[np.arange(len(block)), block] = -np.inf",
        "cosines[np.arange(len(block)), block] += 0",
        ("tests/test_doubting.py",),
    ),
    Mutant(
        "drift is judged on texts of equal propensity",
        "curate/inference/drift.py",
        "<= weights / weights.max()",
        "<= 1.0",
        ("tests/test_drift.py",),
    ),
    Mutant(
        "two tests of drift are paid for",
        "curate/inference/drift.py",
        "2 * min(self.auc_p_value, self.mmd_p_value)",
        "min(self.auc_p_value, self.mmd_p_value)",
        ("tests/test_drift.py",),
    ),
    Mutant(
        "drift is learned out of fold",
        "curate/inference/drift.py",
        "known, wanted = pooled[~inside], members[~inside]",
        "known, wanted = pooled, members",
        ("tests/test_drift.py",),
    ),
)
