"""What every benchmark needs: a base to start from, the baseline, and where results go."""

import json
import os
import platform
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np

from curate.backends.folder import FolderBackend
from curate.embed import embed
from curate.metrics import cross_entropy
from curate.run.recipe import Recipe
from curate.run.stages import run_stage
from curate.workspace import Workspace

RUNS = Path("runs/bench").resolve()
RESULTS = Path(__file__).parent / "results"
SEEDS = range(5)


def workspace(folder):
    """Return the workspace in a folder, with the folder backend."""
    found = Workspace(folder, connect=lambda name: FolderBackend(folder / "rounds"))
    found.init("bench")
    return found


def stage(where, name, **settings):
    """Run one stage; return its result."""
    spec = type(Recipe().section(name)).model_validate(settings)
    return run_stage(where, name, spec).result


def base(name, write, pool, clean, encoder):
    """Return a workspace with pool, clean and vectors, made once."""
    folder = RUNS / name
    if not (folder / "vectors").exists():
        shutil.rmtree(folder, ignore_errors=True)
        write(folder / "data", Path("runs/downloads").resolve())
        where = workspace(folder)
        stage(where, "pool", **pool)
        stage(where, "clean", **clean)
        embed(where, encoder)
    return folder


def copy_of(folder, name):
    """Return a workspace that shares the base's tables."""
    place = RUNS / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, copy_function=os.link)
    return workspace(place)


def tfidf_head(texts, rows, truth, folds):
    """Return probabilities by logistic regression on character n-grams, learned from soft labels.

    The trivial competitor: TF-IDF of 1- to 5-grams fitted on all texts, its regularisation chosen
    as the head's is, by cross-entropy out of fold.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 5), min_df=3, max_features=200_000, sublinear_tf=True
    )
    everything = vectorizer.fit_transform(texts)
    known = everything[rows]

    def learn(part, strength):
        at, classes = np.nonzero(truth[part] > 1e-6)
        model = LogisticRegression(C=strength, max_iter=2000)
        return model.fit(known[part][at], classes, sample_weight=truth[part][at, classes])

    def loss(strength):
        guessed = np.zeros_like(truth)
        for fold in np.unique(folds):
            model = learn(np.flatnonzero(folds != fold), strength)
            own = np.flatnonzero(folds == fold)
            guessed[np.ix_(own, model.classes_)] = model.predict_proba(known[own])
        return cross_entropy(truth, guessed)

    model = learn(np.arange(len(rows)), min((0.1, 1.0, 10.0, 100.0), key=loss))
    probabilities = np.zeros((len(texts), truth.shape[1]))
    probabilities[:, model.classes_] = model.predict_proba(everything)
    return probabilities


def posteriors(where, ids, values):
    """Return the labelled rows of `ids`, and their posteriors."""
    labels = {row["id"]: dict(row["posterior"]) for row in where.tables.read("labels").to_pylist()}
    rows = np.array([place for place, id in enumerate(ids) if id in labels])
    truth = [[labels[ids[row]].get(value, 0.0) for value in values] for row in rows]
    return rows, np.array(truth)


def spread(values):
    """Return mean and standard deviation of figures over seeds."""
    return {"mean": round(fmean(values), 4), "sd": round(pstdev(values), 4)}


def write(name, figures, seeds=SEEDS):
    """Print the figures and write them with date, hardware and versions."""
    packages = ("numpy", "scikit-learn", "sentence-transformers", "torch", "pyarrow")
    record = {
        "date": date.today().isoformat(),
        "command": " ".join(["python -m", f"tests.benchmarks.{name}", *sys.argv[1:]]),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, no GPU",
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
        "seeds": len(seeds),
        "figures": figures,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
