"""Labels that corpus estimates need for equal width, beside those of Hájek on labels alone.

    python -m tests.benchmarks.estimates FOLDER [REPEATS]

FOLDER holds a folder for each set. Each repeat draws labels at random from a set; the head is
`curate.heads`, its predictions of labelled texts are out of fold. Estimated are the share of each
value (choices) or the mean (ratings) of the whole set; a text's label is what all its people said.
Widths shrink with the root of the labels, so the labels needed are (width / Hájek's width)². They
are averaged over values, repeats and numbers of labels. `error` is the same of squared errors: it
is noisy, but knows nothing of intervals.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from curate import chance
from curate.heads import Options, learn
from curate.inference.design import hajek
from curate.inference.powered import powered, tuned
from tests.benchmarks import labelled, setting

DATA = Path("../shared/data")
SETS = ("trec", "subj", "sst5", "zh_waimai", "zh_shopping", "vader_tweets", "vader_movie", "gug")
NUMBERS = (100, 200, 400)
OPTIONS = Options(resamples=2)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if not folder.is_dir():
        sys.exit(f"skipped: there is no {folder}")
    figures, rows = {}, []
    with threadpool_limits(1):
        for own in (one for one in labelled.measured(folder) if one.name in SETS):
            measured = [
                row for number in NUMBERS for seed in range(repeats)
                for row in measure(own, number, seed)
            ]  # fmt: skip
            figures[own.name] = told(measured)
            rows.append(figures[own.name])
            sys.stderr.write(f"{own.name} {figures[own.name]}\n")
            mean = {name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]}
            setting.write(
                "estimates", {"repeats": repeats, "labels": NUMBERS, "mean": mean, **figures}
            )


def measure(own, number, seed):
    """One repeat: for every target, each estimate's squared width and error by Hájek's."""
    keys = chance.uniform(own.ids(), seed, f"estimates {number}")
    rows = np.argsort(keys)[:number]
    everywhere, out_of_fold = predicted(own, rows)
    weights = np.full(number, len(own.texts) / number)
    for truth, all_predicted, own_predicted in columns(own, everywhere, out_of_fold):
        wanted, values, mean = truth.mean(), truth[rows], all_predicted.mean()
        estimates = {
            "hajek": hajek(values, weights),
            "powered": powered(values, own_predicted, weights, mean),
            "ppi++": tuned(values, own_predicted, weights, mean),
        }
        if not estimates["hajek"].error:
            continue  # no label of the value, or nothing else
        yield {
            name: (one.width, one.value - wanted, one.low <= wanted <= one.high, number)
            for name, one in estimates.items()
        }


def predicted(own, rows):
    """The head's probabilities of all texts, out of fold where labelled; and of the labelled."""
    vectors = own.vectors()
    lesson = own.lesson(rows, vectors, ids=tuple(own.ids()[row] for row in rows))
    learned = learn(lesson, OPTIONS)
    everywhere = learned.predict(vectors, own.texts, None).probabilities.copy()
    everywhere[rows] = learned.out_of_fold.probabilities
    return everywhere, everywhere[rows]


def columns(own, everywhere, out_of_fold):
    """The truth and the predictions of every target: each value's share, or the mean."""
    if own.kind == "rating":
        levels = np.array(own.values, float)
        yield own.truth @ levels, everywhere @ levels, out_of_fold @ levels
        return
    for place in range(len(own.values)):
        yield own.truth[:, place], everywhere[:, place], out_of_fold[:, place]


def told(rows):
    """The mean ratios of labels needed, of squared errors, and the coverage."""
    figures = {}
    for name in ("powered", "ppi++"):
        ratios = [(row[name][0] / row["hajek"][0]) ** 2 for row in rows]
        errors = [np.mean([row[one][1] ** 2 for row in rows]) for one in (name, "hajek")]
        figures[name] = float(np.mean(ratios))
        figures[f"{name}, error"] = float(errors[0] / errors[1])
    by_number = defaultdict(list)
    for row in rows:
        by_number[row["ppi++"][3]].append((row["ppi++"][0] / row["hajek"][0]) ** 2)
    figures |= {f"ppi++, {number} labels": np.mean(one) for number, one in by_number.items()}
    for name in ("hajek", "powered", "ppi++"):
        figures[f"{name}, coverage"] = float(np.mean([row[name][2] for row in rows]))
    return {name: round(float(value), 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
