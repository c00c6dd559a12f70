"""Mixtures in the light simulation: shares by quality, and true shares of classes in a draw.

Every document is one token. Sources share by quality, n^.5 · exp(2 · Q), where the quality of a
document is whether it is of class 0. Predicted classes share .5, .3 and .2; three tenths of all
documents are drawn, alike within a class or by quality. Labelled documents are drawn by predictions
out of fold, as `mix` draws them.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from curate.inference.groups import Labelled, Unlabelled, group_mean, share_of_draw
from curate.inference.joint import variances
from curate.mixture.chances import expected_copies
from curate.mixture.drawing import Cuts, Plans, copies_of, cuts_of
from curate.mixture.intervals import draws_of, promised_intervals, qualities_of
from curate.mixture.selection import Boundaries, Boundary, Rows, descending
from curate.mixture.true_shares import chosen
from tests.light import (
    CLASSES,
    DESIGNS,
    READINGS,
    SOURCES,
    Held,
    World,
    at_random,
    summary,
    votes,
    with_true_labels,
)

ALPHA, BETA = 0.5, 2.0
WANTED = np.array([0.5, 0.3, 0.2])
BUDGET, MOST = 0.3, 4
WITHIN = ("equal", "softmax")


# ── shares of sources by quality


def promised(world, reading, draws=1000):
    """The intervals of the sources' shares."""
    numbers = np.bincount(world.source, minlength=SOURCES)

    def shares(qualities):
        weights = numbers**ALPHA * np.exp(BETA * qualities)
        return weights / weights.sum()

    foreseen, estimates, true = {}, {}, []
    for source in range(SOURCES):
        inside, own = world.source == source, world.source[reading.labels.rows] == source
        truth = reading.truth[own, 0]
        labelled = Labelled(
            truth, reading.predicted[own, 0], reading.labels.weights[own], variances(truth)
        )
        foreseen[source] = reading.everywhere[inside, 0].mean()
        estimates[source] = group_mean(labelled, foreseen[source])
        true.append((world.truth[inside] == 0).mean())
    found = promised_intervals(draws_of(qualities_of(foreseen, estimates), draws=draws), shares)
    for low, high, wanted in zip(found.low, found.high, shares(np.array(true)), strict=True):
        yield Held.of("promised share of a source", low, high, wanted)


# ── draws by predicted class


@dataclass(frozen=True)
class Draw:
    """What is drawn: the predicted class of each document, its copies, and these on the mean."""

    group: np.ndarray
    copies: np.ndarray
    expected: np.ndarray


def drawn(predicted, shares, noise, within):
    """A draw of three tenths of all documents, with these shares of predicted classes."""
    group = predicted.argmax(axis=1)
    logs = np.zeros(len(group))
    if within == "softmax":
        for own in (group == place for place in range(CLASSES)):
            quality = predicted[own, 0]
            logs[own] = (quality - quality.mean()) / (quality.std() or 1)
    keys, budget = descending(logs + noise), BUDGET * len(group)
    own = [_cuts(keys[group == place], shares[place] * budget) for place in range(CLASSES)]
    cuts = Cuts(*map(np.concatenate, zip(*(vars(each).values() for each in own), strict=True)))
    ones = np.ones(len(group), np.int64)
    copies = copies_of(Rows(group, keys, np.zeros(len(group), np.uint64), ones), cuts)
    return Draw(group, copies.astype(float), expected_copies(logs, group, cuts))


def _cuts(keys, target):
    """Where the draw from a class ends; each document is one token."""
    plans = Plans.of(np.array([target]), np.array([[len(keys)]]), np.array([MOST]))
    places = plans.rest[~np.isnan(plans.rest)].astype(int).tolist()
    ends = [Boundary(int(np.sort(keys)[place]), 0, 1, place) for place in places]
    return cuts_of(plans, np.array([target]), Boundaries.of(ends))


def estimated(world, reading, noise):
    """The intervals of true class shares: by expected copies, and by those that were drawn."""
    labels, predicted = reading.labels, reading.everywhere
    left = np.ones(len(world.truth), bool)
    left[labels.rows] = False
    for within, place in product(WITHIN, range(CLASSES)):
        draw = drawn(predicted, WANTED, noise, within)
        truth = reading.truth[:, place]
        labelled = Labelled(truth, reading.predicted[:, place], labels.weights, variances(truth))
        rest = Unlabelled.of(draw.copies[left], predicted[left, place])
        own = draw.copies[labels.rows]
        wanted = draw.copies @ (world.truth == place) / draw.copies.sum()
        for how, counts in (("", draw.expected[labels.rows]), (", drawn ones alone", own)):
            one = share_of_draw(labelled, own, counts, rest)
            if one.low is not None:
                about = f"true share of a class, {within}{how}"
                yield Held.of(about, one.low, one.high, wanted)


# ── true shares


def matrix(draw, truth):
    """What drawn documents are: classes x groups; `truth` is documents x classes.

    Of a group of which none is drawn it is what all its documents are.
    """
    columns = []
    for place in range(CLASSES):
        own = draw.group == place
        weights = draw.expected[own] if draw.expected[own].any() else np.ones(own.sum())
        columns.append(weights @ truth[own] / weights.sum())
    return np.stack(columns, axis=1)


def errors(world, reading, noise, within):
    """The mean error of a true share, promised as wanted and by `chosen`, over the draw's noise."""
    predicted = reading.everywhere
    ours = chosen(
        WANTED,
        WANTED,
        lambda shares: matrix(drawn(predicted, shares, noise, within), predicted),
    )
    truth = np.eye(CLASSES)[world.truth]
    for about, shares in (("prediction", WANTED), ("truth", ours.shares)):
        reached = matrix(drawn(predicted, shares, noise, within), truth) @ shares
        yield f"shares_of: {about}, {within}", float(np.abs(reached - WANTED).mean())


# ── runs


def readings(seed, n, labels_of="true labels", design="random", hard=0.0):
    """The world, and what is known of it: by true labels, or by each reading of votes."""
    rng = np.random.default_rng([seed, n, 15])
    world = World.make(rng)
    if labels_of == "true labels":
        labels = DESIGNS[design](world, n, rng)
        return world, {"": with_true_labels(world, labels, rng)}, rng
    labels = at_random(world, n, rng)
    posterior = votes(world.truth[labels.rows], rng, hard=hard)
    known = {f", {name}": make(world, labels, posterior, rng) for name, make in READINGS.items()}
    return world, known, rng


def run(seed, n, **settings):
    """The intervals of one run, and its errors by what they are about."""
    world, known, rng = readings(seed, n, **settings)
    noise = rng.gumbel(size=len(world.truth))
    intervals, off = [], {}
    for name, reading in known.items():
        for one in (*promised(world, reading), *estimated(world, reading, noise)):
            intervals.append(replace(one, about=one.about + name))
        for within in WITHIN:
            off |= {a + name: e for a, e in errors(world, reading, noise, within)}
    return intervals, off


def measured(runs, run):
    """Coverage, width and number of intervals, and mean errors, over runs."""
    held, off = [], defaultdict(list)
    for seed in range(runs):
        intervals, errors_of = run(seed)
        held += intervals
        for about, error in errors_of.items():
            off[about].append(error)
    errors = {about: round(float(np.mean(own)), 4) for about, own in sorted(off.items())}
    return {"intervals": summary(held), "mean errors": errors}
