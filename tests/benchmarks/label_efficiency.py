"""How many labels does each sampling strategy need to be as good as 400 random ones?

    python -m tests.benchmarks.label_efficiency [FOLDER] [--only SET …] [--print]

From 50 random labels in batches of 50 up to 500, five paired seeds. In each batch a strategy picks
40 of a pool of at most 2,500 texts, by the functions that `sample` uses, and 10 are random. A
logistic head on embeddings learns from all; its strength is chosen once, on the first 50. The score
on the texts outside the pool is macro-F1, of rare classes (`hplt`) the AUC. The curves are means
over seeds, made monotone (isotonic regression). Strategies were tuned on TUNED alone.

Where texts have groups, `stratified` (equal, neyman) and `mixture` draw by them. `disagreement`
needs people's own answers: only `vader_tweets` has them. FOLDER keeps the embeddings and
the figures of each set.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from threadpoolctl import threadpool_limits

from curate.embed import encoders
from curate.metrics import cross_entropy
from curate.sample.candidates import Candidates, unit
from curate.sample.strategies import STRATEGIES, Chosen, Drawn
from curate.sample.strategies.disagreement import near
from curate.sample.strategies.strategy import Stratum

SHARED = Path("../shared/data")
TUNED = ("cr", "vader_amazon", "svcore")
JUDGED = (
    *("trec", "zh_waimai", "subj", "hplt", "vader_tweets", "sst5", "zh_shopping"),
    "zh_shopping_topic",
)
START, BATCH, GOAL, MOST = 50, 50, 400, 500
RANDOM_SHARE = 0.2
POOL, TEXTS, CHARACTERS = 2500, 6000, 2000
STRENGTHS = (1.0, 10.0, 100.0)
DRAWN = {"stratified equal": "equal", "stratified neyman": "neyman", "mixture": ""}
SAME_OF_TWO = ("least_confidence", "entropy")
"""With two classes they order texts as `margin` does."""

LIMIT = 0.75


@dataclass
class Task:
    """Texts as unit vectors, their classes, perhaps groups and people's disagreement."""

    vectors: np.ndarray
    classes: np.ndarray
    groups: np.ndarray | None
    disagreement: np.ndarray | None
    by_auc: bool

    @property
    def pool(self):
        """The number of texts that can be labelled, the first ones."""
        return min(POOL, int(0.65 * len(self.vectors)))


# ── the sets


def read(name):
    """Return a set's texts, classes, groups and disagreement, the last two or None."""
    if name.startswith("vader"):
        return read_vader(name)
    folder, file, text, label, group = FILES[name]
    data = pd.read_parquet(SHARED / folder / f"{file}.parquet")
    if name == "svcore":
        data["label"] = data["label"].str.split().str[0].fillna("")
        common = data["label"].value_counts().index[:8]
        data = data[data["label"].isin(common) & (data["label"] != "")]
    data = data[data[text].map(lambda own: isinstance(own, str) and bool(own.strip()))]
    return data[text], data[label], data[group] if group else None, None


FILES = {
    "trec": ("trec", "questions", "text", "label", None),
    "subj": ("subj", "sentences", "text", "label", None),
    "sst5": ("sst5", "sentences", "text", "label", None),
    "cr": ("cr", "sentences", "text", "label", None),
    "zh_waimai": ("zh_waimai", "reviews", "review", "label", None),
    "zh_shopping": ("zh_shopping", "reviews", "review", "label", "cat"),
    "zh_shopping_topic": ("zh_shopping", "reviews", "review", "cat", None),
    "hplt": ("hplt_web_quality", "docs", "text", "unnatural", "lang"),
    "svcore": ("svcore_registers", "docs", "text", "label", None),
}


def read_vader(name):
    """Return texts rated -4 to 4 as three classes, and how much the ratings' classes differ."""
    items = pd.read_parquet(SHARED / name / "items.parquet")
    ratings = pd.read_parquet(SHARED / name / "ratings.parquet").set_index("item")["ratings"]
    shares = [
        [np.mean(np.sign(own) == sign) for sign in (-1, 0, 1)]
        for own in (np.asarray(ratings[item]) for item in items["item"])
    ]
    classes = pd.cut(items["mean"], [-9, -0.5, 0.5, 9], labels=["negative", "neutral", "positive"])
    return items["text"], classes, None, 1 - (np.array(shares) ** 2).sum(axis=1)


def task_of(name, folder):
    """Return a set as a task; its embeddings are made once."""
    texts, classes, groups, disagreement = read(name)
    order = np.random.default_rng(0).permutation(len(texts))[:TEXTS]
    path = folder / f"{name}.npy"
    if not path.exists():
        english = name in ("trec", "subj", "sst5", "cr", "vader_tweets", "vader_amazon")
        encoder = encoders.load("minilm" if english else "use-m3", folder, lambda: iter(()))
        np.save(path, encoder.encode([texts.iloc[row][:CHARACTERS] for row in order]))
    return Task(
        unit(np.load(path)),
        np.unique(np.asarray(classes).astype(str)[order], return_inverse=True)[1],
        None if groups is None else np.asarray(groups)[order],
        None if disagreement is None else disagreement[order],
        name == "hplt",
    )


# ── one run


def head(task, rows, strength):
    """Learn from rows; return a function from vectors to probabilities of all classes."""
    seen = np.unique(task.classes[rows])
    model = LogisticRegression(C=strength, max_iter=500)
    if len(seen) > 1:
        model.fit(task.vectors[rows], task.classes[rows])

    def predict(vectors):
        probabilities = np.full((len(vectors), task.classes.max() + 1), 1e-6)
        probabilities[:, seen] = model.predict_proba(vectors) if len(seen) > 1 else 1.0
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    return predict


def chosen_strength(task, rows):
    """Return the strength with the least cross-entropy in five folds of the first labels."""
    truth = np.eye(task.classes.max() + 1)[task.classes[rows]]
    folds = np.arange(len(rows)) % 5

    def loss(strength):
        predicted = np.zeros_like(truth)
        for fold in range(5):
            own = folds == fold
            predicted[own] = head(task, rows[~own], strength)(task.vectors[rows[own]])
        return cross_entropy(truth, predicted)

    return min(STRENGTHS, key=loss)


def curve(task, name, seed):
    """Return the score after each batch."""
    order = np.random.default_rng(seed).permutation(task.pool)
    labelled, scores = order[:START], []
    strength = chosen_strength(task, labelled)
    while True:
        predict = head(task, labelled, strength)
        scores.append(score(task, predict))
        if len(labelled) >= MOST:
            return scores
        rest = order[~np.isin(order, labelled)]
        labelled = np.append(labelled, batch(task, name, predict, labelled, rest))


def score(task, predict):
    """Return macro-F1, or the AUC, on the texts outside the pool."""
    truth, predicted = task.classes[task.pool :], predict(task.vectors[task.pool :])
    if task.by_auc:
        return roc_auc_score(truth, predicted[:, 1])
    return f1_score(truth, predicted.argmax(axis=1), average="macro")


def batch(task, name, predict, labelled, rest):
    """Return the next rows: picks, then random ones; `rest` is in random order."""
    if name in DRAWN:
        return drawn(task, name, predict, labelled, rest)
    strategy = STRATEGIES[name]
    if isinstance(strategy, Drawn):
        return rest[:BATCH]
    n = round(BATCH * (1 - RANDOM_SHARE))
    candidates = Candidates(
        ids=np.array([f"{row:05}" for row in rest]),
        values=values_of(task, strategy, predict, labelled, rest),
        shards=np.zeros(len(rest), np.int64),
        rows=rest,
    ).best(strategy.most(n))
    vectors, known = task.vectors[candidates.rows], task.vectors[labelled]
    candidates = Candidates(**{**vars(candidates), "vectors": vectors, "known": known})
    picked = candidates.rows[strategy.select(candidates, n)]
    return np.append(picked, rest[~np.isin(rest, picked)][: BATCH - len(picked)])


def values_of(task, strategy, predict, labelled, rest):
    """Return how much the strategy wants each of the rest."""
    if strategy.measure:
        return strategy.measure(predict(task.vectors[rest]))
    if strategy.value == "disagreement":
        return near(task.vectors[rest], task.vectors[labelled], task.disagreement[labelled])
    return -np.arange(len(rest), dtype=float)


def drawn(task, name, predict, labelled, rest):
    """Return the next rows by groups; the quality is the probability of the last class."""
    quality, strata = predict(task.vectors[rest])[:, -1], {}
    for group in np.unique(task.groups[rest]):
        own = quality[task.groups[rest] == group]
        answered = int((task.groups[labelled] == group).sum())
        strata[group] = Stratum(len(own), len(own), own.mean(), own.std(), answered)
    strategy = STRATEGIES[name.split()[0]]
    shares = strategy.shares(strata, BATCH, DRAWN[name])
    parts = [rest[task.groups[rest] == group][: shares[group]] for group in strata]
    return np.concatenate(parts)


# ── all runs


def strategies_of(task):
    """Return the strategies that a task has something for."""
    names = [
        "random",
        "margin",
        *(name for name, own in STRATEGIES.items() if isinstance(own, Chosen) and name != "margin"),
    ]
    names = [name for name in names if name != "disagreement" or task.disagreement is not None]
    return names + (list(DRAWN) if task.groups is not None else [])


def monotone(scores):
    """Return the mean curve over seeds, made monotone."""
    mean = np.mean(scores, axis=0)
    return IsotonicRegression().fit_transform(np.arange(len(mean)), mean)


def needed(curve, goal):
    """Return the labels at which a monotone curve reaches a score; None if it never does."""
    counts = np.arange(START, MOST + 1, BATCH)
    if curve[-1] < goal:
        return None
    place = int(np.argmax(curve >= goal))
    if place == 0:
        return START
    below, above = curve[place - 1], curve[place]
    return round(float(counts[place - 1] + BATCH * (goal - below) / (above - below)), 1)


def measure(name, folder):
    """Return what each strategy needs and reaches on one set."""
    kept = folder / f"{name}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    task, figures, goal = task_of(name, folder), {}, 0.0
    at = {count: (count - START) // BATCH for count in (100, 200, GOAL)}
    for strategy in strategies_of(task):
        if strategy in SAME_OF_TWO and task.classes.max() == 1:
            figures[strategy] = figures["margin"]
            continue
        scores = [curve(task, strategy, seed) for seed in range(5)]
        mean = monotone(scores)
        goal = mean[at[GOAL]] if strategy == "random" else goal
        figures[strategy] = {
            "labels": needed(mean, goal),
            **{f"at {count}": round(float(np.mean(scores, axis=0)[at[count]]), 4) for count in at},
        }
        print(name, strategy, figures[strategy], file=sys.stderr, flush=True)
    kept.write_text(json.dumps(figures))
    return figures


def summary(figures):
    """Return the labels needed over 400, mean over sets; one that never gets there counts 500.

    `random` itself may be there before 400, where its curve is flat.
    """
    ratios = {}
    for own in figures.values():
        for strategy, row in own.items():
            ratios.setdefault(strategy, []).append((row["labels"] or MOST) / GOAL)
    return {
        strategy: {
            "sets": len(own),
            "mean": round(float(np.mean(own)), 3),
            "lost": sum(ratio > 1 for ratio in own),
        }
        for strategy, own in ratios.items()
    }


def main():
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/label_efficiency"))
    parser.add_argument("--only", nargs="*", default=[*JUDGED, *TUNED])
    parser.add_argument("--print", action="store_true", help="write no results")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        figures = {name: measure(name, given.folder) for name in given.only}
    parts = {"tuned on": TUNED, "judged on": JUDGED}
    result = {
        part: {"mean of labels / 400": summary(own), "sets": own}
        for part, names in parts.items()
        if (own := {name: figures[name] for name in names if name in figures})
    }
    if given.print:
        for part, own in result.items():
            print(part, own["mean of labels / 400"])
    else:
        from tests.benchmarks.setting import write

        write("label_efficiency", {"default": "uncertainty_diversity", "limit": LIMIT, **result})


if __name__ == "__main__":
    main()
