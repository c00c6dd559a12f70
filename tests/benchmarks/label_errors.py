"""Are planted label errors found? Beside cleanlab on a plain head.

    python -m tests.benchmarks.label_errors FOLDER [SEEDS] [PARTS]

FOLDER holds a folder for each set. PARTS are `sets`, `held_out` and `spans`, all by default; the
others keep their figures. Settings of `doubting` were tried on four of the `sets`, and on none of
those that are `held_out`. `spans` are those of `span_errors`.

Of 800 labels 10 % get another value at random. Ours doubts them by the chosen head out of fold and
by neighbours. The plain head is a logistic regression on one encoder's embeddings, its
regularisation chosen out of fold; cleanlab takes its predictions, with the filter that it has by
default, and with the one that ours uses. F1 is of the labels that are said to be wrong, `precision`
the average precision of the ranking.
"""

import sys
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from threadpoolctl import threadpool_limits

from curate import chance, storage
from curate.heads import Options, learn
from curate.heads.doubting import doubt_choices
from tests.benchmarks import labelled, setting, span_errors

DATA = Path("../shared/data")
LABELS, WRONG = 800, 80
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
PARTS = ("sets", "held_out", "spans")
SETS = (
    *(("trec", "questions", "text", "label", "en"), ("subj", "sentences", "text", "label", "en")),
    ("sst5", "sentences", "text", "label", "en"),
    ("zh_waimai", "reviews", "review", "label", "zh"),
    ("zh_shopping", "reviews", "review", "label", "zh"),
)
HELD_OUT = (
    ("cr", "sentences", "text", "label", "en"),
    ("hs_brexit", "items", "text", "majority", "en"),
    ("turku_line_quality", "lines", "text", "keep", "xx"),
)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder}")
    parts = sys.argv[3:] or PARTS
    known = storage.read_json(setting.RESULTS / "label_errors.json") or {}
    figures = {"labels": LABELS, **known.get("figures", {})}
    with threadpool_limits(1):
        if "sets" in parts:
            figures |= means_of("sets", SETS, folder, seeds)
        if "held_out" in parts:
            figures |= means_of("held_out", HELD_OUT, folder, seeds)
        if "spans" in parts:
            sets = span_errors.sets_of(folder)
            own = {name: span_errors.measured(*one, seeds) for name, *one in sets}
            figures["spans"] = {"seeds": seeds, "mean": mean_of(own), "sets": own}
    setting.write("label_errors", figures, range(seeds))


def means_of(part, listed, folder, seeds):
    """The figures of some sets, and their means."""
    sets = {}
    for name, file, text, label, language in listed:
        own = labelled.classes(folder, name, file, text, label, language)
        sets[own.name] = measured(own, seeds)
    if part == "sets":
        return {"seeds": seeds, "mean": mean_of(sets), "sets": sets}
    return {part: {"seeds": seeds, "mean": mean_of(sets), "sets": sets}}


def mean_of(sets):
    names = next(iter(sets.values()))
    return {name: round(float(np.mean([own[name] for own in sets.values()])), 4) for name in names}


def measured(own, seeds):
    """The mean figures of a set."""
    figures = defaultdict(list)
    encoder = "minilm" if own.language == "en" else "use-m3"
    every = own.vectors()
    for seed in range(seeds):
        rows = np.argsort(chance.uniform(own.ids(), seed, "label"))[:LABELS]
        labels, wrong = planted(own.wanted[rows], len(own.values), seed)
        truth = np.eye(len(own.values))[labels]
        vectors = {name: part[rows] for name, part in every.items()}
        for name, figure in {
            **ours(own, rows, truth, every, encoder, wrong),
            **plain(vectors[encoder], labels, truth, wrong),
        }.items():
            figures[name].append(figure)
    means = {name: round(float(np.mean(seen)), 4) for name, seen in figures.items()}
    sys.stderr.write(f"{own.name} {means}\n")
    return means


def planted(labels, values, seed):
    """Labels of which 10 % have another value, and which."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(LABELS, bool)
    wrong[rng.choice(LABELS, WRONG, replace=False)] = True
    return (labels + wrong * rng.integers(1, values, LABELS)) % values, wrong


def ours(own, rows, truth, every, encoder, wrong):
    lesson = own.lesson(rows, every, truth)
    learned = learn(lesson, Options(resamples=2))
    doubts = doubt_choices(
        truth, learned.out_of_fold.probabilities, every[learned.encoder or encoder][rows]
    )
    said = np.zeros(LABELS, bool)
    said[doubts.ranking(lesson.ids)[: doubts.number]] = True
    return {
        "f1": f1_score(wrong, said),
        "precision": average_precision_score(wrong, doubts.doubt),
        "said": doubts.number,
    }


def plain(vectors, labels, truth, wrong):
    """Cleanlab on a plain head."""
    mean = vectors.mean(axis=0)
    features = (vectors - mean) / np.sqrt(((vectors - mean) ** 2).mean())
    folds = np.random.default_rng(0).permutation(LABELS) % 5
    tried = [out_of_fold(features, labels, truth, folds, strength) for strength in STRENGTHS]
    predicted = max(tried, key=lambda own: np.log((own * truth).sum(axis=1)).sum())
    figures = {}
    for name, rule in (("cleanlab", "prune_by_noise_rate"), ("same_rule", "confident_learning")):
        said = find_label_issues(labels, predicted, filter_by=rule, n_jobs=1)
        if rule == "confident_learning":  # so many, by the ranking
            scores = get_label_quality_scores(labels, predicted, method="self_confidence")
            said = np.isin(np.arange(LABELS), np.argsort(scores)[: said.sum()])
        figures[f"{name}_f1"] = f1_score(wrong, said)
    figures["cleanlab_precision"] = average_precision_score(wrong, -scores)
    return figures


def out_of_fold(features, labels, truth, folds, strength):
    predicted = np.full_like(truth, 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fold in range(5):
            inside = folds == fold
            model = LogisticRegression(C=strength, max_iter=300)
            model.fit(features[~inside], labels[~inside])
            predicted[np.ix_(inside, model.classes_)] = model.predict_proba(features[inside])
    return predicted / predicted.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    main()
