"""Which model does cross-validation choose, and is it the right one? RegMix's runs.

    python -m tests.benchmarks.swarm_choice FOLDER DRAWS [whole]

FOLDER holds `regmix` (sail-sg/regmix, MIT) as parquet. Models are fitted at 1M parameters, to 64
runs (so many draws) and to all 512 (`whole`). `propose` chooses one by its rank correlation out of
fold, in five folds, for the mean of 13 losses. Then every model ranks 256 runs at 1M and 60M that
took no part in the choice. `regret` is by how much the loss of the run that is foretold to be the
best lies above the least loss there is. Nothing was tuned on the runs that are ranked.
"""

import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np

from curate.mixture.regression.judging import spearman
from curate.mixture.regression.stacking import fit_models, out_of_fold
from curate.swarm.propose import MODELS
from tests.benchmarks import setting
from tests.benchmarks.swarm import columns, draws


def judged(runs, losses, tests, seed):
    """Return what each model has out of fold, and on runs that took no part."""
    start = time.process_time()
    objective = losses.mean(axis=1)
    predicted = out_of_fold(runs, losses, seed)
    models = fit_models(runs, losses, seed)
    rows = {}
    for name in MODELS:
        rows[name] = {"out of fold": spearman(predicted[name].mean(axis=1), objective)}
        for size, (mixtures, reached) in tests.items():
            own, truth = models[name](mixtures).mean(axis=1), reached.mean(axis=1)
            rows[name][size] = spearman(own, truth)
            rows[name][f"{size} regret"] = float(truth[own.argmin()] - truth.min())
    chosen = max(MODELS, key=lambda name: rows[name]["out of fold"])
    best = max(MODELS, key=lambda name: rows[name]["60m"])
    sys.stderr.write(f"{len(runs)} runs: {chosen}, {time.process_time() - start:.0f} s {rows}\n")
    return chosen, rows | {"chosen": rows[chosen], "best at 60m, known afterwards": rows[best]}


def summary(found):
    names = [chosen for chosen, _ in found]
    return {
        "chosen": {name: names.count(name) for name in dict.fromkeys(names)},
        "mean": {
            name: {
                key: round(float(np.mean([own[name][key] for _, own in found])), 4) for key in row
            }
            for name, row in found[0][1].items()
        },
    }


def main():
    """Measure, print, and write the result."""
    folder = Path(sys.argv[1]) / "regmix"
    runs = columns(folder / "train_mixture_1m.parquet")[1]
    losses = columns(folder / "train_pile_loss_1m.parquet")[1]
    runs /= runs.sum(axis=1, keepdims=True)
    tests = {}
    for size in ("1m", "60m"):
        mixtures = columns(folder / f"test_mixture_{size}.parquet")[1]
        reached = columns(folder / f"test_pile_loss_{size}.parquet")[1]
        tests[size] = mixtures / mixtures.sum(axis=1, keepdims=True), reached
    count = int(sys.argv[2])
    few = [
        judged(runs[rows], losses[rows], tests, number)
        for number, rows in enumerate(islice(draws(len(runs)), count))
    ]
    figures = {f"64 runs, draws: {count}": summary(few)}
    if "whole" in sys.argv[3:]:
        figures["512 runs"] = summary([judged(runs, losses, tests, 0)])
    setting.write("swarm_choice", figures)


if __name__ == "__main__":
    main()
