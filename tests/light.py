"""The light simulation: documents whose truth is known, a fast head, people of known skill.

2,000 documents in 16 dimensions, three classes (softmax of a linear and a sine part), four sources,
and a logistic head of fixed strength. So the truth comes from no model that is fitted. A run draws
labels, learns a head out of fold, and says for each interval whether it holds the truth.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import helmert

from curate.agree.truth import hierarchical
from curate.agree.truth.coded import Coded
from curate.agree.truth.settling import mean_of_four
from curate.heads.conformal import half_width, interval
from curate.inference.design import hajek
from curate.inference.groups import Labelled, Unlabelled, group_mean, share_of_draw
from curate.inference.joint import product, read_together, variances
from curate.inference.powered import best_trust, powered, tuned
from curate.rounds.design import DrawnRow, weighed

DOCUMENTS, DIMENSIONS, CLASSES, SOURCES, FOLDS = 2000, 16, 3, 4, 5
LEAST = 5
"""Labels of a group below which it is left out."""


@dataclass(frozen=True)
class World:
    """Documents: vectors, class and source of each."""

    vectors: np.ndarray
    truth: np.ndarray
    source: np.ndarray

    @staticmethod
    def make(rng, documents=DOCUMENTS):
        vectors = rng.normal(size=(documents, DIMENSIONS))
        source = rng.integers(0, SOURCES, documents)
        vectors[:, 0] += source / 2
        weights = 0.6 * np.random.default_rng(0).normal(size=(DIMENSIONS, CLASSES))
        logits = vectors @ weights + 0.5 * np.sin(2 * vectors[:, :CLASSES])
        chances = softmax(logits)
        draws = rng.random(documents)[:, None]
        truth = (draws > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return World(vectors, truth, source)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# ── a head of fixed strength


def learn(vectors, truth):
    """A head from soft labels (rows x classes): a function of vectors."""
    present = np.flatnonzero((truth > 1e-6).any(axis=0))
    if len(present) == 1:
        return lambda others: np.eye(truth.shape[1])[[present[0]] * len(others)]
    coefficients = logistic(with_intercept(vectors), truth[:, present])

    def predict(others):
        shares = np.zeros((len(others), truth.shape[1]))
        shares[:, present] = softmax(with_intercept(others) @ coefficients)
        return shares

    return predict


def with_intercept(vectors):
    return np.column_stack([vectors, np.ones(len(vectors))])


def logistic(design, truth):
    """Coefficients (dimensions x classes) of logistic regression with L2 (C = 1), by Newton steps.

    The last dimension is the intercept, which is not held back. `truth` are soft labels. These are
    the coefficients of LogisticRegression; they sum to 0 over the classes, so contrasts are fitted.
    """
    (rows, size), contrasts = design.shape, helmert(truth.shape[1])
    number, weights = len(contrasts), truth.sum(axis=1, keepdims=True)
    squares = (contrasts[:, None] * contrasts).reshape(-1, contrasts.shape[1]).T
    held = np.append(np.ones(size - 1), 0.0)
    fitted = np.zeros((number, size))
    for _ in range(50):
        shares = weights * softmax(design @ fitted.T @ contrasts)
        slope = contrasts @ (shares - truth).T @ design + held * fitted
        means = shares @ contrasts.T
        curves = (shares @ squares).reshape(rows, number, number)
        curves -= means[:, :, None] * (means / weights)[:, None]
        parts = (curves.reshape(rows, -1, 1) * design[:, None]).reshape(rows, -1).T @ design
        curve = parts.reshape(number, number, size, size).transpose(0, 2, 1, 3)
        curve = curve.reshape(slope.size, -1) + np.diag(np.tile(held, number))
        step = np.linalg.solve(curve, slope.ravel()).reshape(number, size)
        fitted -= step
        if np.abs(step).max() < 1e-4:  # what is left is about its square
            return fitted.T @ contrasts
    raise RuntimeError("the head has not converged")


def out_of_fold(vectors, truth, rng):
    """What heads that did not see a row predict of it."""
    folds = rng.permutation(len(vectors)) % FOLDS
    shares = np.empty_like(truth)
    for fold in range(FOLDS):
        inside = folds == fold
        shares[inside] = learn(vectors[~inside], truth[~inside])(vectors[inside])
    return shares


# ── which documents people see


@dataclass(frozen=True)
class Labels:
    """The rows of labelled documents, and the design weight of each."""

    rows: np.ndarray
    weights: np.ndarray


def drawn(rows):
    design = weighed(rows)
    return Labels(np.array([int(id) for id in design.ids]), design.weights)


def at_random(world, n, rng, answered=1.0):
    """n documents at random, of which a random part is answered."""
    total = len(world.truth)
    ids = rng.permutation(total)[:n]
    is_answered = rng.permutation(n) < round(answered * n)
    return drawn(
        [
            DrawnRow(str(id), 1, "", n / total, bool(done))
            for id, done in zip(ids, is_answered, strict=True)
        ]
    )


def closed_early(world, n, rng):
    """Seven in ten of the documents sent are answered: n in all."""
    return at_random(world, round(n / 0.7), rng, answered=0.7)


def actively(world, n, rng):
    """50 at random, then a batch: half by entropy with certainty, half at random from the rest."""
    first = at_random(world, 50, rng)
    head = learn(world.vectors[first.rows], np.eye(CLASSES)[world.truth[first.rows]])
    shares = head(world.vectors)
    entropy = -(shares * np.log(shares.clip(1e-12))).sum(axis=1)
    entropy[first.rows] = -1
    half = (n - 50) // 2
    certain = np.argsort(-entropy)[:half]
    rest = np.setdiff1d(np.arange(len(world.truth)), [*first.rows, *certain])
    random = rng.permutation(rest)[: n - 50 - half]
    chance = len(random) / len(rest)
    return drawn(
        [
            *(DrawnRow(str(id), 1, "", 50 / len(world.truth), True) for id in first.rows),
            *(DrawnRow(str(id), 2, "certainty", 1.0, True) for id in certain),
            *(DrawnRow(str(id), 2, "", chance, True) for id in random),
        ]
    )


DESIGNS = {"random": at_random, "active": actively, "closed": closed_early}


# ── what people say


def votes(truth, rng, people=10, each=3, hard=0.0):
    """The posteriors (rows x classes) of three noisy people's answers to each text.

    A right answer has chance U(.65, .95) for each person and class. In a `hard` share of the texts
    each answer is one fixed wrong class with chance one half.
    """
    right = rng.uniform(0.65, 0.95, (people, CLASSES))
    chances = np.zeros((people, CLASSES, CLASSES))
    for person, own in np.ndindex(people, CLASSES):
        others = [value for value in range(CLASSES) if value != own]
        chances[person, own, others] = (1 - right[person, own]) * rng.dirichlet([2, 2])
        chances[person, own, own] = right[person, own]
    edges = chances.cumsum(axis=2)
    edges = (edges / edges[..., -1:]).tolist()
    answers = []
    for item, own in enumerate(truth):
        wrong = (own + rng.integers(1, CLASSES)) % CLASSES if rng.random() < hard else None
        for person in rng.permutation(people)[:each]:
            leans = wrong is not None and rng.random() < 0.5
            value = wrong if leans else bisect_right(edges[person][own], rng.random())
            answers.append((item, int(person), int(value)))
    coded = Coded.of(answers)
    shares = np.zeros((len(truth), CLASSES))
    shares[np.ix_(coded.items, coded.values)] = mean_of_four(coded, hierarchical.fit(coded))
    return shares


# ── a run


@dataclass(frozen=True)
class Reading:
    """What is known after learning: truth and out-of-fold predictions of the labelled, and all.

    `everywhere` holds the predictions of all documents: out of fold where labelled. `by_head` are
    those of the final head, which has seen the labels.
    """

    labels: Labels
    truth: np.ndarray
    everywhere: np.ndarray
    by_head: np.ndarray

    @property
    def predicted(self):
        return self.everywhere[self.labels.rows]


def read(world, labels, truth, predicted, learned_from):
    head = learn(world.vectors[labels.rows], learned_from)
    by_head = head(world.vectors)
    everywhere = by_head.copy()
    everywhere[labels.rows] = predicted
    return Reading(labels, truth, everywhere, by_head)


def with_true_labels(world, labels, rng):
    """The reading of true labels."""
    truth = np.eye(CLASSES)[world.truth[labels.rows]]
    predicted = out_of_fold(world.vectors[labels.rows], truth, rng)
    return read(world, labels, truth, predicted, truth)


def by_votes(world, labels, posterior, rng):
    """The reading in which the votes' posterior is the truth."""
    predicted = out_of_fold(world.vectors[labels.rows], posterior, rng)
    return read(world, labels, posterior, predicted, posterior)


def by_joint(world, labels, posterior, rng):
    """The reading of votes together with the head: three products, the head refitted on each."""
    vectors = world.vectors[labels.rows]
    joint = read_together(posterior, lambda truth: out_of_fold(vectors, truth, rng))
    return read(world, labels, joint.truth, joint.predicted, joint.truth)


def by_product(world, labels, posterior, rng):
    """The reading of votes together with the head that learned from them, as `estimate` has it."""
    predicted = out_of_fold(world.vectors[labels.rows], posterior, rng)
    return read(world, labels, product(posterior, predicted), predicted, posterior)


@dataclass(frozen=True)
class Held:
    """An interval: what it is about, its width, and whether it holds the truth (a share of many).

    `half` says the same of an interval of half the width.
    """

    about: str
    holds: float
    width: float
    half: float

    @staticmethod
    def of(about, low, high, truth):
        """What is held between two ends; those of many intervals are told by their means."""
        middle, width = (low + high) / 2, high - low
        holds, half = (low <= truth) & (truth <= high), abs(truth - middle) <= width / 4
        return Held(about, *(float(np.mean(own)) for own in (holds, width, half)))


def held(about, estimate, truth):
    if estimate.low is None:
        return []
    return [Held.of(about, estimate.low, estimate.high, truth)]


def of_groups(world, reading):
    """The means of sources: the probability of class 0 is their quality."""
    labels, truth, predicted = reading.labels, reading.truth[:, 0], reading.predicted[:, 0]
    trust = best_trust(truth, predicted, labels.weights)  # of all: a group may have few labels
    for source in range(SOURCES):
        inside, own = world.source == source, world.source[labels.rows] == source
        if own.sum() < LEAST:
            continue
        labelled = Labelled(truth[own], predicted[own], labels.weights[own], variances(truth[own]))
        mean, wanted = reading.everywhere[inside, 0].mean(), (world.truth[inside] == 0).mean()
        small = " under 20 labels" if own.sum() < 20 else ""
        yield from held(f"group mean{small}", group_mean(labelled, mean), wanted)
        given = (truth[own], predicted[own], labels.weights[own], mean, labelled.variances)
        yield from held(f"group mean{small}, PPI++", powered(*given, trust=trust), wanted)


def of_corpus(world, reading):
    """The share of each class in the corpus."""
    labels = reading.labels
    for place in range(CLASSES):
        truth, predicted = reading.truth[:, place], reading.predicted[:, place]
        mean, wanted = reading.everywhere[:, place].mean(), (world.truth == place).mean()
        own = variances(truth)
        yield from held("corpus share, Hájek", hajek(truth, labels.weights, own), wanted)
        given = (truth, predicted, labels.weights, mean, own)
        yield from held("corpus share, prediction-powered", powered(*given), wanted)
        yield from held("corpus share, PPI++", tuned(*given), wanted)


def of_draw(world, reading):
    """The share of each class in a draw that prefers class 0."""
    labels = reading.labels
    drawn, honest = np.exp(reading.by_head[:, 0] / 0.5), np.exp(reading.everywhere[:, 0] / 0.5)
    left = np.ones(len(world.truth), bool)
    left[labels.rows] = False
    for place in range(CLASSES):
        truth = reading.truth[:, place]
        labelled = Labelled(truth, reading.predicted[:, place], labels.weights, variances(truth))
        rest = Unlabelled.of(drawn[left], reading.by_head[left, place])
        estimate = share_of_draw(labelled, drawn[labels.rows], honest[labels.rows], rest)
        wanted = drawn @ (world.truth == place) / drawn.sum()
        yield from held("share of a draw", estimate, wanted)


def of_documents(world, reading):
    """What people would say of documents that nobody labelled: split conformal, class 0."""
    labels = reading.labels
    half = half_width(reading.truth[:, 0] - reading.predicted[:, 0], labels.weights)
    left = np.ones(len(world.truth), bool)
    left[labels.rows] = False
    low, high = interval(reading.by_head[left, 0], half)
    yield Held.of("document", low, high, (world.truth[left] == 0).astype(float))


def intervals(world, reading):
    """Every interval of a reading."""
    yield from of_documents(world, reading)
    yield from of_groups(world, reading)
    yield from of_corpus(world, reading)
    yield from of_draw(world, reading)


def run_true(seed, n, design="random"):
    """The intervals of one run with true labels."""
    rng = np.random.default_rng([seed, n])
    world = World.make(rng)
    reading = with_true_labels(world, DESIGNS[design](world, n, rng), rng)
    return list(intervals(world, reading))


READINGS = {"votes": by_votes, "votes and head": by_product, "three products": by_joint}
"""Votes alone; read with the head once; three times with the head refitted."""


def run_noisy(seed, n, hard=0.0, by=tuple(READINGS)):
    """The intervals of one run with three noisy people, by some of READINGS."""
    rng = np.random.default_rng([seed, n, 3])
    world = World.make(rng)
    labels = at_random(world, n, rng)
    posterior = votes(world.truth[labels.rows], rng, hard=hard)
    return [
        replace(one, about=f"{one.about}, {name}")
        for name in by
        for one in intervals(world, READINGS[name](world, labels, posterior, rng))
    ]


def coverage(runs: int, run: Callable[[int], list[Held]]) -> dict[str, dict[str, float]]:
    """Coverage, mean width and number of intervals over runs, by what they are about."""
    rows = [one for seed in range(runs) for one in run(seed)]
    return summary(rows)


def summary(rows):
    """Coverage, mean width and number of intervals, by what they are about."""
    own = defaultdict(list)
    for one in rows:
        own[one.about].append(one)
    return {
        about: {
            "coverage": round(float(np.mean([one.holds for one in held])), 3),
            "width": round(float(np.mean([one.width for one in held])), 3),
            "intervals": len(held),
        }
        for about, held in sorted(own.items())
    }
