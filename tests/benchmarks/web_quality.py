"""What the signals know of web text, beside what people have said of it.

    python -m tests.benchmarks.web_quality            # figures
    python -m tests.benchmarks.web_quality --fit      # the coefficients of curate/clean/lines.py

Lines: line F1 of what stays (turku_line_quality), fitted and its threshold chosen on three
languages and asked about the fourth, beside keeping everything and beside C4's rule for lines.
Pages: AUC of "unnatural" (hplt_web_quality, 17 languages), a logistic regression on our signals
fitted on the other sixteen languages, beside one on length alone.
"""

import sys
from pathlib import Path
from pprint import pformat

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curate.clean import c4, lines
from curate.clean.features import Features
from curate.clean.measuring import measured
from curate.clean.rules import RULES
from tests.benchmarks import setting

SHARED = Path("../shared/data")
THRESHOLDS = np.linspace(0.2, 0.6, 17)


# ── lines


def judged_lines():
    """Return lines in the order of their pages, with what tells them and what people said."""
    data = pd.read_parquet(SHARED / "turku_line_quality" / "lines.parquet")
    order = ["lang", "split", "doc", "line"]
    data = data.sort_values(order, kind="stable").reset_index(drop=True)
    pages = data.groupby(order[:3], sort=False)["text"]
    told = np.concatenate([lines.describe(page.tolist()) for _, page in pages])
    return data, told


def fit_lines(told, keep, languages):
    """Return a regression in which every language weighs the same."""
    weight = np.zeros(len(keep))
    for language in np.unique(languages):
        weight[languages == language] = 1 / (languages == language).sum()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=3000))
    scale = len(keep) / len(np.unique(languages))
    return model.fit(told, keep, logisticregression__sample_weight=weight * scale)


def best_threshold(likely, keep, languages):
    """Return the threshold of the best mean F1 over some languages."""

    def mean(threshold):
        return np.mean(
            [
                f1_score(keep[languages == name], likely[languages == name] > threshold)
                for name in np.unique(languages)
            ]
        )

    return float(max(THRESHOLDS, key=mean))


def line_figures():
    """Return line F1 per language, each asked of a model that never saw it."""
    data, told = judged_lines()
    keep, languages = data["keep"].to_numpy(int), data["lang"].to_numpy(str)
    rule = np.array([_stays_in_c4(text) for text in data["text"]])
    figures = {}
    for language in np.unique(languages):
        own, rest = languages == language, languages != language
        model = fit_lines(told[rest], keep[rest], languages[rest])
        likely = model.predict_proba(told)[:, 1]
        threshold = best_threshold(likely[rest], keep[rest], languages[rest])
        everything = f1_score(keep[own], np.ones(own.sum()))
        ours = f1_score(keep[own], likely[own] > threshold)
        figures[language] = {
            "lines": int(own.sum()),
            "keep_everything": round(everything, 3),
            "c4": round(f1_score(keep[own], rule[own]), 3),
            "ours": round(ours, 3),
            "gain": round(ours - everything, 3),
            "auc": round(roc_auc_score(keep[own], likely[own]), 3),
            "threshold": threshold,
        }
    return figures


def _stays_in_c4(line):
    return bool(c4.read(Features(line), terminal_marks=True).lines)


def print_coefficients():
    """Print the constants of curate/clean/lines.py, fitted on all languages."""
    data, told = judged_lines()
    keep, languages = data["keep"].to_numpy(int), data["lang"].to_numpy(str)
    scaler, regression = fit_lines(told, keep, languages)
    weights = regression.coef_[0] / scaler.scale_
    bias = regression.intercept_[0] - (weights * scaler.mean_).sum()
    likely = 1 / (1 + np.exp(-(told @ weights + bias)))
    found = dict(zip(lines.NAMES, (round(float(w), 4) for w in weights), strict=True))
    sys.stdout.write(f"WEIGHTS = {pformat(found, sort_dicts=False)}\nBIAS = {bias:.4f}\n")
    sys.stdout.write(f"threshold {best_threshold(likely, keep, languages)}\n")


if __name__ == "__main__":
    if not SHARED.exists():
        sys.exit(f"skipped: {SHARED} is absent")
    if "--fit" in sys.argv:
        print_coefficients()
