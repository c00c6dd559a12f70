"""Heads chosen out of fold beside single ones, on the same labels and the same texts.

    python -m tests.benchmarks.heads FOLDER [SEEDS]

FOLDER holds a folder for each set. Each seed draws labels (50, 200, 800; of web extracts 50 and
100) from the texts that are not for testing (at most 2,000, the same for all). The single heads are
scikit-learn's: logistic regression on the classes, or ridge regression on the mean rating, on
embeddings alone (each encoder by itself) and on character TF-IDF (1- to 5-grams within words,
fitted on the labelled texts); each with its own regularisation, by cross-validation. Regret is the
best single head's score (by the mean over seeds) less ours. Seconds are of the CPU, one thread.
"""

import sys
import time
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, ttest_rel
from threadpoolctl import threadpool_limits

import curate.heads
from curate import chance, storage
from curate.heads import Options, learn
from curate.heads.scores import macro_f1, rank_correlation
from tests.benchmarks import labelled, setting

DATA = Path("../shared/data")
NUMBERS, FEW = (50, 200, 800), (50, 100)
TESTED = 2_000
STRENGTHS = tuple(10.0**power for power in np.arange(-1, 2.5, 0.5))
LANGUAGES = {
    "en": ("trec", "subj", "sst5", "vader_tweets", "vader_movie", "gug"),
    "zh": ("zh_waimai", "zh_shopping", "zh_shopping topic"),
}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder}")
    with threadpool_limits(1):
        figures = figures_of(run(labelled.measured(folder), seeds))
    setting.write("heads", figures, range(seeds))


def run(sets, seeds):
    """The score of every head: (set, labels) → head → one score a seed."""
    scores = defaultdict(lambda: defaultdict(list))
    for seed in range(seeds):
        for own in sets:
            for number in FEW if own.measure == "auc" else NUMBERS:
                for head, figure in once(own, number, seed).items():
                    scores[own.name, number][head].append(figure)
    return scores


def once(own, number, seed):
    """The scores of one draw; kept while the heads stay as they are, so a stopped run goes on."""
    path = (
        labelled.CACHE.parent / f"heads {version_of_heads()}" / f"{own.name} {number} {seed}.json"
    )
    figures = storage.read_json(path)
    if figures is None:
        figures = measure(own, own.vectors(), *drawn(own, number, seed))
        storage.write_json(path, figures)
        sys.stderr.write(f"{own.name} {number} {seed} {figures}\n")
    return figures


@cache
def version_of_heads():
    """The digest of the sources of heads."""
    folder = Path(curate.heads.__file__).parent
    sources = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}
    return storage.digest(sources)[:12]


def drawn(own, number, seed):
    """The rows to label and those to test; of rare classes both get their share."""
    ids = own.ids()
    order = np.argsort(chance.uniform(ids, 0, "test"))
    size = len(ids)
    if own.measure == "auc":
        keys = chance.uniform(ids, seed, "label")
        return stratified(own.wanted, keys, number)
    tested, pool = np.split(order, [min(TESTED, size // 2)])
    keys = chance.uniform([ids[row] for row in pool], seed, "label")
    return pool[np.argsort(keys)[:number]], tested


def stratified(wanted, keys, number):
    """So many rows with the class shares of all, and the rest."""
    chosen = []
    for value in np.unique(wanted):
        own = np.flatnonzero(wanted == value)
        share = round(number * len(own) / len(wanted))
        chosen += own[np.argsort(keys[own])[:share]].tolist()
    rows = np.array(chosen)
    rest = np.setdiff1d(np.arange(len(wanted)), rows)
    return rows, rest[np.argsort(keys[rest])[:TESTED]]


def measure(own, vectors, rows, tested):
    """The score of every head that learns from the same rows, on the same texts."""
    began = time.process_time()
    ours, choice = chosen(own, vectors, rows, tested)
    figures = {"chosen": score(own, ours, tested), "seconds": time.process_time() - began}
    figures["choice"] = choice
    folds = np.random.default_rng(0).permutation(len(rows)) % 5
    for encoder, all_vectors in vectors.items():
        learned = all_vectors[rows].astype(float)
        mean = learned.mean(axis=0)
        spread = np.sqrt(((learned - mean) ** 2).sum(axis=1).mean())
        both = [(part - mean) / spread for part in (learned, all_vectors[tested])]
        figures[f"embeddings {encoder}"] = score(own, single(own, rows, *both, folds), tested)
    both = characters([own.texts[row] for row in rows], [own.texts[row] for row in tested])
    figures["characters"] = score(own, single(own, rows, *both, folds), tested)
    trivial = np.tile(own.truth[rows].mean(axis=0), (len(tested), 1))
    figures["majority"] = score(own, trivial, tested)
    return figures


def chosen(own, vectors, rows, tested):
    """Our predictions, and what was chosen: what decides (choices) or the probabilities."""
    lesson = own.lesson(rows, vectors)
    learned = learn(lesson, Options())
    given = {encoder: all_vectors[tested] for encoder, all_vectors in vectors.items()}
    predicted = learned.predict(given, [own.texts[row] for row in tested], None)
    choice = f"{learned.choice.features} {learned.choice.encoder} {learned.choice.class_weight}"
    if own.measure == "macro_f1":
        return np.eye(len(own.values))[predicted.decided], choice
    return predicted.probabilities, choice


def score(own, predicted, tested):
    """Macro-F1, Spearman's correlation with the mean rating, or the AUC."""
    wanted = own.wanted[tested]
    if own.measure == "macro_f1":
        return macro_f1(predicted.argmax(axis=1), np.eye(len(own.values))[wanted])
    if own.measure == "spearman":
        return rank_correlation(predicted @ np.array(own.values, float), wanted)
    ranks, is_one = rankdata(predicted[:, 1]), wanted == 1
    positive = is_one.sum()
    pairs = positive * (~is_one).sum()
    return float((ranks[is_one].sum() - positive * (positive + 1) / 2) / pairs)


def characters(learned, tested):
    """TF-IDF of learned and tested texts, rotated: the products of rows stay as they are."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True)
    first = vectorizer.fit_transform(learned)
    variances, vectors = np.linalg.eigh((first @ first.T).toarray())
    kept = variances > 1e-10
    basis = vectors[:, kept] / np.sqrt(variances[kept])
    return (first @ first.T) @ basis, (vectorizer.transform(tested) @ first.T) @ basis


def single(own, rows, learned, tested, folds):
    """A plain linear head: probabilities of the tested texts, texts x values."""
    return (classified if own.kind == "choice" else ranked)(own, rows, learned, tested, folds)


def classified(own, rows, learned, tested, folds):
    """Logistic regression, its regularisation chosen by cross-entropy."""
    from sklearn.linear_model import LogisticRegression

    classes, size = own.wanted[rows], len(own.values)

    def path(known, wanted):
        model = LogisticRegression(max_iter=300, tol=1e-3, warm_start=True)
        for strength in STRENGTHS:
            model.set_params(C=strength).fit(learned[known], classes[known])
            full = np.full((len(wanted), size), 1e-6)
            full[:, model.classes_] = model.predict_proba(wanted)
            yield full

    losses = np.zeros(len(STRENGTHS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fold in range(5):
            inside = folds == fold
            for place, full in enumerate(path(~inside, learned[inside])):
                losses[place] -= np.log(full[np.arange(inside.sum()), classes[inside]]).sum()
        return list(path(np.ones(len(rows), bool), tested))[losses.argmin()]


def ranked(own, rows, learned, tested, folds):
    """Ridge regression, its regularisation chosen by squared error; as a spike at the mean."""
    from sklearn.linear_model import Ridge

    wanted = own.wanted[rows]

    def loss(strength):
        return sum(
            (
                (
                    Ridge(1 / strength)
                    .fit(learned[folds != fold], wanted[folds != fold])
                    .predict(learned[folds == fold])
                    - wanted[folds == fold]
                )
                ** 2
            ).sum()
            for fold in range(5)
        )

    means = Ridge(1 / min(STRENGTHS, key=loss)).fit(learned, wanted).predict(tested)
    levels = np.array(own.values, float)
    predicted = np.zeros((len(means), len(levels)))
    predicted[:, -1] = (means - levels[0]) / (levels[-1] - levels[0])
    predicted[:, 0] = 1 - predicted[:, -1]
    return predicted


def figures_of(scores):
    """Means, regrets and tests of all comparisons, and the means by language."""
    rows, tests = {}, {}
    for (name, number), heads in scores.items():
        singles = [head for head in heads if head.startswith(("embeddings", "characters"))]
        best = max(singles, key=lambda head: np.mean(heads[head]))
        means = {
            head: round(float(np.mean(own)), 4) for head, own in heads.items() if head != "choice"
        }
        regret = float(np.mean(heads[best]) - np.mean(heads["chosen"]))
        oracle = np.max([heads[head] for head in singles], axis=0) - heads["chosen"]
        rows[f"{name}, {number}"] = {
            **means,
            "best single": best,
            "regret": round(regret, 4),
            "regret to the best of each seed": round(float(oracle.mean()), 4),
            "choices": {choice: heads["choice"].count(choice) for choice in set(heads["choice"])},
        }
        for head in singles:
            tests[f"{name}, {number}, {head}"] = loss_test(heads["chosen"], heads[head])
    regrets = np.array([row["regret"] for row in rows.values()])
    return {
        "mean regret": round(float(regrets.mean()), 4),
        "mean regret, gains counted as 0": round(float(regrets.clip(0).mean()), 4),
        "mean regret to the best of each seed": round(
            float(np.mean([row["regret to the best of each seed"] for row in rows.values()])), 4
        ),
        "significant losses after Holm at 5 %": holm(tests),
        "smallest p of a loss": min(tests.values()),
        "means by language": by_language(scores),
        "sets": rows,
    }


def loss_test(ours, other):
    """The p of a one-sided paired t-test that ours is lower; 1 where all are equal."""
    if len(ours) < 2 or np.allclose(ours, other):
        return 1.0
    return float(ttest_rel(ours, other, alternative="less").pvalue)


def holm(tests, level=0.05):
    """The comparisons that Holm's procedure rejects."""
    rejected = []
    for place, name in enumerate(sorted(tests, key=tests.get)):
        if tests[name] > level / (len(tests) - place):
            break
        rejected.append(name)
    return rejected


def by_language(scores):
    """The mean of ours and of character TF-IDF over the sets of a language."""
    means = {}
    for language, names in LANGUAGES.items():
        own = [heads for (name, _), heads in scores.items() if name in names]
        means[language] = (
            {
                head: round(float(np.mean([np.mean(heads[head]) for heads in own])), 4)
                for head in ("chosen", "characters")
            }
            if own
            else {}
        )
    return means


if __name__ == "__main__":
    main()
