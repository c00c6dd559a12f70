"""Scores as they were made with all vectors in memory: what `score` must still come to."""

import numpy as np

from curate import chance
from curate.metrics import cross_entropy
from curate.score.calibration import fit_temperature, softmax
from curate.score.learning import INVERSE_STRENGTHS

LOWEST = -30.0


def choice_head(values):
    def learn(vectors, truth, strength):
        from sklearn.linear_model import LogisticRegression

        rows, classes = np.nonzero(truth > 1e-6)
        present = np.unique(classes)
        model = LogisticRegression(C=strength, max_iter=1000)
        if len(present) > 1:
            model.fit(vectors[rows], classes, sample_weight=truth[rows, classes])

        def predict(inputs):
            logits = np.full((len(inputs), len(values)), LOWEST)
            logits[:, present] = model.predict_log_proba(inputs) if len(present) > 1 else 0.0
            return np.maximum(logits, LOWEST)

        return predict

    return learn


def rating_head(values):
    def learn(vectors, truth, strength):
        from sklearn.linear_model import Ridge

        levels = np.array([float(value) for value in values])
        shares = truth / truth.sum(axis=1, keepdims=True)
        model = Ridge(alpha=1 / strength).fit(vectors, shares @ levels)
        return lambda inputs: -((levels - model.predict(inputs)[:, None]) ** 2) / 2

    return learn


def scaled(vectors):
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt((centred**2).mean()))
    return np.asarray(centred / spread if spread else centred, np.float64)


def out_of_fold(learn, labelled, truth, folds, strength):
    logits = np.empty_like(truth)
    for fold in np.unique(folds):
        inside = folds == fold
        predict = learn(labelled[~inside], truth[~inside], strength)
        logits[inside] = predict(labelled[inside])
    return logits


def best(learn, labelled, truth, folds):
    candidates = []
    for strength in INVERSE_STRENGTHS:
        logits = out_of_fold(learn, labelled, truth, folds, strength)
        loss = cross_entropy(truth, softmax(logits / fit_temperature(logits, truth)))
        candidates.append((loss, strength, logits))
    return min(candidates, key=lambda candidate: candidate[:2])[1:]


def whole_scores(vectors, rows, truth, folds, learn, quality_of, resamples, seed):
    """Return the probabilities of every row, and quality, low and high; None without a quality.

    `rows` are the labelled ones, in the order of their ids.
    """
    inputs = scaled(vectors)
    labelled = inputs[rows]
    strength, logits = best(learn, labelled, truth, folds)
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(learn(labelled, truth, strength)(inputs) / temperature)
    for fold in np.unique(folds):
        inside = folds == fold
        own = fit_temperature(logits[~inside], truth[~inside])
        probabilities[rows[inside]] = softmax(logits[inside] / own)
    if quality_of is None:
        return probabilities, None
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(resamples):
        sample = rng.integers(0, len(rows), len(rows))
        resampled = softmax(learn(labelled[sample], truth[sample], strength)(inputs) / temperature)
        resampled[rows[sample]] = np.nan
        samples.append(quality_of(resampled))
    samples = np.stack(samples)
    middle = quality_of(probabilities)
    always = np.isnan(samples).all(axis=0)
    samples[:, always] = middle[always]
    low, high = np.nanquantile(samples, [0.05, 0.95], axis=0)
    return probabilities, (middle, np.fmin(low, middle), np.fmax(high, middle))


def labelled_rows(workspace, ids, question, values):
    """Return the rows of `ids` that have a label outside the holdout, and their posteriors."""
    pool = workspace.tables.read("pool", ["id", "holdout"]).to_pylist()
    holdout = {row["id"] for row in pool if row["holdout"]}
    labels = {
        row["id"]: dict(row["posterior"])
        for row in workspace.tables.read("labels").to_pylist()
        if row["question"] == question and row["id"] not in holdout
    }
    rows = [
        row
        for row, id in enumerate(ids)
        if any(labels.get(id, {}).get(value, 0) for value in values)
    ]
    rows.sort(key=lambda row: ids[row])
    truth = np.array([[labels[ids[row]].get(value, 0.0) for value in values] for row in rows])
    return np.array(rows), truth / truth.sum(axis=1, keepdims=True)


def folds_of(ids, spec):
    order = np.argsort(chance.uniform(ids, spec.seed, "fold"))
    folds = np.empty(len(ids), np.int64)
    folds[order] = np.arange(len(ids)) % spec.folds
    return folds
