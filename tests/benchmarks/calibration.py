"""Do probabilities come true on texts that nobody labelled, and is a bad group noticed?

    python -m tests.benchmarks.calibration FOLDER [SEEDS] [abstention]

FOLDER holds a folder for each set. 800 labels a set; the rest (at least 2,000 texts) is measured.
`error` is the expected calibration error there. `out of fold` is that of the labelled texts, and
`chance` the share of seeds in which labels redrawn from the probabilities would give as large a one
with 5 % or more. Groups of 100 labels at random are sound; in each, labels are then shuffled.

`abstention` measures only these groups, of 50, 100 and 200 labels, with heads on one encoder's
embeddings (minutes, not an hour), and leaves the other figures as they are.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from curate import chance
from curate.calibration_error import calibration_error, ece, of_the_predicted
from curate.heads import Options, learn
from curate.heads.abstaining import abstaining
from tests.benchmarks import labelled, setting

DATA = Path("../shared/data")
LABELS, GROUP = 800, 100
SIZES = (50, 100, 200)
METHODS = ("temperature", "auto")
ENOUGH, BOUND = 2_000, 0.03


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder}")
    if sys.argv[3:] == ["abstention"]:
        abstention(folder, seeds)
        return
    with threadpool_limits(1):
        sets = {own.name: measured(own, seeds) for own in sets_of(folder)}
    below = {
        method: sum(own[method]["error"] <= BOUND for own in sets.values()) for method in METHODS
    }
    figures = {"labels": LABELS, "bound": BOUND, "sets_below": below, "sets": sets}
    setting.write("calibration", {**stored(), **figures}, range(seeds))


def stored():
    """The figures that are there."""
    return json.loads((setting.RESULTS / "calibration.json").read_text(encoding="utf-8"))["figures"]


def abstention(folder, seeds):
    """The share of groups of each size that abstain, with labels as they are and shuffled."""
    figures = {"seeds": seeds, "heads": "embeddings of the first encoder"}
    with threadpool_limits(1):
        for own in sets_of(folder):
            figures[own.name] = abstained(own, seeds)
            sys.stderr.write(f"{own.name} {figures[own.name]}\n")
    setting.write("calibration", {**stored(), "abstention": figures}, range(seeds))


def abstained(own, seeds):
    """The figures of a set, over seeds."""
    encoder = "minilm" if own.language == "en" else "use-m3"
    vectors = {encoder: labelled.encoded(own, encoder)}
    seen = defaultdict(list)
    for seed in range(seeds):
        rows = np.argsort(chance.uniform(own.ids(), seed, "label"))[:LABELS]
        options = Options(features="embeddings", resamples=0)
        predicted = learn(own.lesson(rows, vectors), options).out_of_fold.probabilities
        for size in SIZES:
            shares = groups(own.truth[rows], predicted, own.kind == "rating", seed, size)
            for name, share in shares.items():
                seen[f"{name}, {size} labels"].append(share)
    return {name: round(float(np.mean(shares)), 3) for name, shares in seen.items()}


def sets_of(folder):
    """Eight sets of single labels and ratings; one of the two spare ones is not needed."""
    for name, file, text in (
        *(("trec", "questions", "text"), ("subj", "sentences", "text")),
        *(("sst5", "sentences", "text"), ("cr", "sentences", "text")),
        *(("zh_waimai", "reviews", "review"), ("zh_shopping", "reviews", "review")),
    ):
        language = "zh" if name.startswith("zh") else "en"
        yield labelled.classes(folder, name, file, text, "label", language)
    yield labelled.vader(folder, "vader_tweets")
    yield labelled.vader(folder, "vader_movie")


def measured(own, seeds):
    """The mean figures of a set, by method."""
    figures = {method: defaultdict(list) for method in METHODS}
    vectors = own.vectors()
    for seed in range(seeds):
        order = np.argsort(chance.uniform(own.ids(), seed, "label"))
        rows, rest = order[:LABELS], order[LABELS:]
        assert len(rest) >= ENOUGH
        for method in METHODS:
            for name, figure in of_one(own, vectors, rows, rest, method, seed).items():
                figures[method][name].append(figure)
    means = {
        method: {name: round(float(np.mean(seen)), 4) for name, seen in by_name.items()}
        for method, by_name in figures.items()
    }
    sys.stderr.write(f"{own.name} {means}\n")
    return means


def of_one(own, vectors, rows, rest, method, seed):
    """The figures of one head."""
    learned = learn(own.lesson(rows, vectors), Options(calibration=method, resamples=2))
    given = {encoder: every[rest] for encoder, every in vectors.items()}
    predicted = learned.predict(given, [own.texts[row] for row in rest], None).probabilities
    inside = learned.out_of_fold.probabilities
    out_of_fold = calibration_error(own.truth[rows], inside, seed=seed)
    confidence, accuracy = of_the_predicted(own.truth[rest], predicted)
    logs = np.log(np.maximum(predicted, 1e-12))
    return {
        "error": ece(confidence, accuracy),
        "cross_entropy": -(own.truth[rest] * logs).sum(axis=1).mean(),
        "out_of_fold": out_of_fold.error,
        "chance": out_of_fold.p_value >= 0.05,
        **groups(own.truth[rows], inside, own.kind == "rating", seed),
    }


def groups(truth, predicted, ordered, seed, size=GROUP):
    """The share of groups that abstain, with labels as they are and shuffled."""
    names = np.array([f"{row % (LABELS // size)}" for row in range(LABELS)])
    rng, shuffled = np.random.default_rng(seed), truth.copy()
    for name in np.unique(names):
        inside = np.flatnonzero(names == name)
        shuffled[inside] = truth[rng.permutation(inside)]
    return {
        name: len(abstaining(labels, predicted, names, ordered=ordered, seed=seed)) * size / LABELS
        for name, labels in (("sound_abstain", truth), ("shuffled_abstain", shuffled))
    }


if __name__ == "__main__":
    main()
