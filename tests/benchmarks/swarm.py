"""How well fits of small runs rank others: RegMix's runs, and those of Data Mixing Laws.

    python -m tests.benchmarks.swarm FOLDER

FOLDER holds `regmix` (sail-sg/regmix, MIT) and `mixinglaws` (yegcjs/mixinglaws) as parquet. Models
are fitted at 1M parameters, to 512 runs and to 64 (five draws), and rank 256 runs at 1M and 60M by
the mean of 13 losses. Every model stands beside the baselines, and with half own weight. Nothing
was tuned on the runs that are ranked; the settings of LightGBM are RegMix's.

Mixing laws: models are fitted to three quarters of the runs of a suite and size at the last step
that most have, and rank the rest (five splits), by the mean over domains, which is fitted as one
loss. The names of runs hold their shares, not their groups, so there is no own weight.
"""

import re
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from curate.mixture.regression.baselines import (
    judged_groups,
    nearest_run,
    negative_entropy,
    own_weight,
    own_weights,
)
from curate.mixture.regression.judging import Scale, halved, ranked, spearman
from curate.mixture.regression.stacking import fit_models
from tests.benchmarks import setting

FEW = 64


def columns(path):
    table = pq.read_table(path)
    names = [name for name in table.column_names if name != "index"]
    return names, np.column_stack([table[name].to_numpy().astype(float) for name in names])


def predictions(runs, losses, mixtures, groups, metrics, seed):
    """Yield the name of each model or baseline, and the macro-average and metrics it predicts."""
    judged = judged_groups(groups, metrics)
    even = np.ones(len(metrics))
    own = own_weights(mixtures, groups, metrics, judged)
    mean_own = own_weight(own, even)
    runs_own = own_weight(own_weights(runs, groups, metrics, judged), even)
    for name, model in fit_models(runs, losses, seed).items():
        predicted, fitted = model(mixtures), model(runs).mean(axis=1)
        yield name, predicted.mean(axis=1), predicted
        if mean_own is not None:
            scales = Scale.of(fitted), Scale.of(runs_own)
            yield f"{name}, half own weight", halved(predicted.mean(1), mean_own, *scales), None
    if mean_own is not None:
        yield "own weight", mean_own, own
    yield "entropy", negative_entropy(mixtures), None
    near = nearest_run(mixtures, runs, losses)
    yield "nearest run", near.mean(axis=1), near


def figures(macro, by_metric, losses):
    """Return the correlation of the macro-average, with its interval, and the metrics' mean."""
    found = ranked(macro, losses.mean(axis=1))
    row = {"macro": found.spearman, "low": found.low, "high": found.high}
    if by_metric is not None:
        each = [spearman(*pair) for pair in zip(by_metric.T, losses.T, strict=True)]
        row["mean of metrics"] = float(np.nanmean(each))
    return {name: round(value, 4) for name, value in row.items()}


def regmix(folder):
    groups, runs = columns(folder / "train_mixture_1m.parquet")
    metrics, losses = columns(folder / "train_pile_loss_1m.parquet")
    runs /= runs.sum(axis=1, keepdims=True)
    tests = {}
    for size in ("1m", "60m"):
        mixtures = columns(folder / f"test_mixture_{size}.parquet")[1]
        reached = columns(folder / f"test_pile_loss_{size}.parquet")[1]
        tests[size] = mixtures / mixtures.sum(axis=1, keepdims=True), reached
    return {
        "512 runs": ranks(runs, losses, tests, groups, metrics, 0),
        "64 runs, mean of 5 draws": mean_of(
            ranks(runs[rows], losses[rows], tests, groups, metrics, seed)
            for seed, rows in enumerate(draws(len(runs)))
        ),
    }


def draws(runs):
    for seed in setting.SEEDS:
        yield np.random.default_rng(seed).permutation(runs)[:FEW]


def ranks(runs, losses, tests, groups, metrics, seed):
    """Return the figures of each model on each set of runs; all are ranked by one fit."""
    start = time.process_time()
    mixtures = np.vstack([test[0] for test in tests.values()])
    ends = np.cumsum([len(test[0]) for test in tests.values()])[:-1]
    found = {size: {} for size in tests}
    for name, macro, by_metric in predictions(runs, losses, mixtures, groups, metrics, seed):
        parts = np.split(macro, ends)
        metric_parts = [None] * len(parts) if by_metric is None else np.split(by_metric, ends)
        for size, part, own in zip(tests, parts, metric_parts, strict=True):
            found[size][name] = figures(part, own, tests[size][1])
    sys.stderr.write(f"{len(runs)} runs: {time.process_time() - start:.0f} s\n")
    return found


def mean_of(tables):
    tables = list(tables)
    return {
        size: {
            name: {
                figure: round(float(np.mean([each[size][name][figure] for each in tables])), 4)
                for figure in row
                if figure not in ("low", "high")
            }
            for name, row in rows.items()
        }
        for size, rows in tables[0].items()
    }


def mixing_laws(folder):
    table = pq.read_table(folder / "losses.parquet").to_pandas()
    found = {}
    for (suite, size), part in table.groupby(["suite", "size"]):
        domains = sorted(part["domain"].unique())
        wide = part.pivot_table(index=["run", "step"], columns="domain", values="loss").dropna()
        counts = wide.groupby("step").size()
        step = counts[counts == counts.max()].index.max()
        wide = wide.xs(step, level="step")
        shares = [proportions(run) for run in wide.index]
        if len({len(row) for row in shares}) != 1 or len(wide) < 16:
            found[f"{suite} {size}"] = {"runs": len(wide), "left out": "fewer than 16 runs"}
            continue
        runs = np.array(shares) / np.sum(shares, axis=1, keepdims=True)
        found[f"{suite} {size}"] = {
            "runs": len(wide),
            "step": int(step),
            "domains": domains,
            "spearman": split(runs, wide.to_numpy().mean(axis=1, keepdims=True)),
        }
    return found


def proportions(run):
    """Return the shares at the end of a run's name, as in `70M_14-0.25-0.25-0.5`."""
    return [float(number) for number in re.findall(r"(?<=-)\d*\.?\d+(?:e-?\d+)?", run)]


def split(runs, losses):
    groups = [f"group {place}" for place in range(runs.shape[1])]
    tables = []
    for seed in setting.SEEDS:
        order = np.random.default_rng(seed).permutation(len(runs))
        rest, known = np.split(order, [len(order) // 4])
        tests = {"rest": (runs[rest], losses[rest])}
        tables.append(ranks(runs[known], losses[known], tests, groups, ["mean"], seed))
    return mean_of(tables)["rest"]


if __name__ == "__main__":
    place = Path(sys.argv[1])
    setting.write(
        "swarm",
        {"regmix": regmix(place / "regmix"), "mixinglaws": mixing_laws(place / "mixinglaws")},
    )
