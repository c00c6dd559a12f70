"""Are planted label errors found? Beside cleanlab on a plain head.

    python -m tests.benchmarks.label_errors FOLDER [SEEDS]

FOLDER holds a folder for each set. Of 800 labels 10 % get another value at random. Ours doubts them
by the chosen head out of fold and by neighbours. The plain head is a logistic regression on one
encoder's embeddings, its regularisation chosen out of fold; cleanlab takes its predictions, with
the filter that it has by default, and with the one that ours uses. F1 is of the labels that are
said to be wrong, `precision` the average precision of the ranking.
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

from curate import chance
from curate.heads import Lesson, Options, learn
from curate.heads.doubting import doubt_choices
from tests.benchmarks import labelled, setting

DATA = Path("../shared/data")
LABELS, WRONG = 800, 80
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder}")
    with threadpool_limits(1):
        sets = {own.name: measured(own, seeds) for own in sets_of(folder)}
    names = next(iter(sets.values()))
    means = {name: round(float(np.mean([own[name] for own in sets.values()])), 4) for name in names}
    figures = {"labels": LABELS, "mean": means, "sets": sets}
    setting.write("label_errors", figures, range(seeds))


def sets_of(folder):
    for name, file, text, language in (
        *(("trec", "questions", "text", "en"), ("subj", "sentences", "text", "en")),
        ("sst5", "sentences", "text", "en"),
        *(("zh_waimai", "reviews", "review", "zh"), ("zh_shopping", "reviews", "review", "zh")),
    ):
        yield labelled.classes(folder, name, file, text, "label", language)


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
            **ours(own, rows, truth, vectors, encoder, wrong),
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


def ours(own, rows, truth, vectors, encoder, wrong):
    lesson = Lesson(
        kind=own.kind,
        values=own.values,
        ids=tuple(f"{row}" for row in rows),
        truth=truth,
        settled=np.ones(LABELS, bool),
        vectors=vectors,
        texts=[own.texts[row] for row in rows],
        groups=np.full(LABELS, "one"),
        background=own.texts[:3_000],
    )
    learned = learn(lesson, Options(resamples=2))
    doubts = doubt_choices(
        truth, learned.out_of_fold.probabilities, vectors[learned.encoder or encoder]
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
