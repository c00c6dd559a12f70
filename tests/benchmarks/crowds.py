"""Truth inference on crowds whose truth is known, beside crowd-kit, and in simulation.

    python -m tests.benchmarks.crowds [FOLDER]

FOLDER holds a folder for each crowd, with `labels.parquet` (item, worker, label) and
`truth.parquet` (item, truth). Accuracy splits ties; the calibration error (ECE) has ten bins of
equal counts; NLL is in nats, clipped at 1e-6; seconds are of one core. crowd-kit is in the
extra `bench`; without it, only our own methods are measured. Its Wawa does not run beside
scikit-learn 1.9.
"""

import sys
import time
from collections import defaultdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curate.agree.truth import dawid_skene, hierarchical
from curate.agree.truth.coded import Coded
from curate.agree.truth.settling import mean_of_four, settle
from curate.agree.truth.votes import majority, wawa, weighted_vote
from tests.benchmarks import setting
from tests.crowds import SETTINGS, measure, simulate

DATA = Path("../shared/data")
CROWDS = ("duck", "adult2", "mozafari", "rte", "music_genre", "sp_amt", "weather_cf_amt")
OURS = {
    "auto": lambda coded: mean_of_four(coded, hierarchical.fit(coded)),
    "majority": majority,
    "dawid_skene": dawid_skene.posterior,
    "hierarchical": lambda coded: hierarchical.fit(coded).posterior,
    "weighted_vote": weighted_vote,
    "wawa": wawa,
    "dawid_skene, prior .01": lambda coded: (
        dawid_skene.fit(coded, off_diagonal=0.01, diagonal=0.11).posterior
    ),
}
SIMULATED = 8
"""Crowds of each setting."""


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    missing = [name for name in CROWDS if not (folder / name).is_dir()]
    if missing:
        sys.exit(f"skipped: {folder} lacks {', '.join(missing)}")
    with threadpool_limits(1):
        figures = {"crowds": on_crowds(folder), "simulated": in_simulation()}
    figures["crowd-kit"] = version("crowd-kit") if find_spec("crowdkit") else "not installed"
    setting.write("crowds", figures)


def on_crowds(folder):
    """Figures of every method: the mean over the crowds, and each crowd's."""
    figures = defaultdict(dict)
    for name in CROWDS:
        votes, truth = read(folder / name)
        coded = Coded.of(votes)
        for method, posterior in (ours(coded) | theirs(coded)).items():
            began = time.perf_counter()
            shares = posterior()
            seconds = time.perf_counter() - began
            figures[method][name] = told(measure(coded, shares, truth), seconds=seconds)
            sys.stderr.write(f"{name} {method} {figures[method][name]}\n")
    return {method: {"mean": mean(own), **own} for method, own in figures.items()}


def read(folder):
    """The votes of a crowd, and the truth of its items."""
    labels, truth = (pd.read_parquet(folder / f"{name}.parquet") for name in ("labels", "truth"))
    votes = labels[["item", "worker", "label"]].astype(str).itertuples(index=False, name=None)
    return list(votes), dict(
        truth[["item", "truth"]].astype(str).itertuples(index=False, name=None)
    )


def ours(coded):
    """Our methods, by name."""
    return {name: lambda method=method: method(coded) for name, method in OURS.items()}


def theirs(coded):
    """Those of crowd-kit, by name; none where it is not installed."""
    if not find_spec("crowdkit"):
        return {}
    from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene

    table = pd.DataFrame({"task": coded.item, "worker": coded.person, "label": coded.value})
    models = {
        "majority": MajorityVote(),
        "dawid_skene": DawidSkene(n_iter=100),
        "one_coin": OneCoinDawidSkene(n_iter=100),
        "mace": MACE(n_restarts=10, n_iter=50, random_state=0),
        "glad": GLAD(n_iter=100),
    }
    size = range(len(coded.values))

    def shares(model):
        found = model.fit_predict_proba(table).reindex(range(len(coded.items)), columns=size)
        return found.fillna(0.0).to_numpy()

    return {
        f"crowd-kit {name}": lambda model=model: shares(model) for name, model in models.items()
    }


def in_simulation():
    """Accuracy, ECE and NLL in each setting, and how often the intervals of skill hold."""
    figures, coverage, width = defaultdict(dict), {}, {}
    for number, own in enumerate(SETTINGS):
        name = f"{own.overlap} a text, {own.per_person} a person{', hard texts' * own.is_hard}"
        measured, held = defaultdict(list), []
        for seed in range(SIMULATED):
            crowd = simulate(own, np.random.default_rng([number, seed]))
            coded = Coded.of(crowd.votes)
            for method, posterior in OURS.items():
                measured[method].append(told(measure(coded, posterior(coded), crowd.truth)))
            skill = settle(crowd.votes, "majority").skill
            held += [
                (one.low <= crowd.skill[who] <= one.high, one.high - one.low)
                for who, one in skill.items()
            ]
        for method, rows in measured.items():
            figures[method][name] = mean(dict(enumerate(rows)))
        coverage[name], width[name] = np.round(np.mean(held, axis=0), 3).tolist()
    return {
        "crowds of each setting": SIMULATED,
        "labels": {method: {"mean": mean(own), **own} for method, own in figures.items()},
        "skill, 90 % interval": {
            "coverage": {"mean": round(float(np.mean([*coverage.values()])), 3), **coverage},
            "width": width,
        },
    }


def told(measured, **more):
    """The figures of a measurement, rounded."""
    figures = {"accuracy": measured.accuracy, "ece": measured.ece, "nll": measured.nll, **more}
    return {name: round(value, 4) for name, value in figures.items()}


def mean(rows):
    """The mean of each figure over rows."""
    first = next(iter(rows.values()))
    return {name: round(float(np.mean([row[name] for row in rows.values()])), 4) for name in first}


if __name__ == "__main__":
    main()
