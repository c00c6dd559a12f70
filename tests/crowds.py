"""Crowds of known truth and skill, and how well a posterior foretells the truth.

Skills come from no model's prior: most people are fair to good, some are careless in a way of
their own. On hard texts everybody guesses half of the time, so that answers to one text depend on
each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from curate.agree.truth.coded import Coded
from curate.metrics import leaders

ITEMS = 2000
HARD = 0.25
"""The share of hard texts, where there are any."""


@dataclass(frozen=True)
class Setting:
    """Answers a text, answers a person, and whether some texts are hard."""

    overlap: int
    per_person: int
    is_hard: bool


SETTINGS = [Setting(*values) for values in product((3, 5), (5, 20, 100), (False, True))]


@dataclass(frozen=True)
class Crowd:
    """Votes, the truth of each item, and the true skill of each person."""

    votes: list[tuple[str, str, str]]
    truth: dict[str, str]
    skill: dict[str, float]


def simulate(setting: Setting, rng: np.random.Generator, items: int = ITEMS) -> Crowd:
    """A crowd of 2 to 4 values of unequal prevalence.

    The skill of a person is the probability of a right answer to a text of this crowd.
    """
    size = int(rng.integers(2, 5))
    prevalence = rng.dirichlet(np.full(size, 4.0))
    people = max(setting.overlap, round(items * setting.overlap / setting.per_person))
    rows = np.stack([_rows(size, rng) for _ in range(people)])
    truth = rng.choice(size, items, p=prevalence)
    is_hard = (rng.random(items) < HARD) & setting.is_hard
    chances = np.where(is_hard[:, None], 0.5 * rows[:, truth] + 0.5 / size, rows[:, truth])
    skill = chances[:, np.arange(items), truth].mean(axis=1)
    turns = np.tile(np.arange(people), -(-items * setting.overlap // people))
    person = turns[: items * setting.overlap]
    item = np.repeat(np.arange(items), setting.overlap)
    bounds = chances[person, item].cumsum(axis=1)
    drawn = rng.random(len(item))[:, None] >= bounds / bounds[:, -1:]
    votes = [
        (f"text {text}", f"person {who}", f"value {value}")
        for text, who, value in zip(item, person, drawn.sum(axis=1), strict=True)
    ]
    return Crowd(
        votes,
        {f"text {item}": f"value {value}" for item, value in enumerate(truth)},
        {f"person {person}": float(share) for person, share in enumerate(skill)},
    )


def _rows(size: int, rng: np.random.Generator) -> np.ndarray:
    """A person's probabilities of each value, true x given."""
    if rng.random() < 0.1:  # careless: much the same answers, whatever the truth
        habit = rng.dirichlet(np.ones(size))
        return 0.2 * np.eye(size) + 0.8 * habit
    right = rng.uniform(0.55, 0.95, size)
    errors = np.stack([rng.dirichlet(np.ones(size - 1)) for _ in range(size)])
    rows = np.diag(right)
    rows[~np.eye(size, dtype=bool)] = (errors * (1 - right)[:, None]).ravel()
    return rows


@dataclass(frozen=True)
class Measured:
    """Accuracy with ties split, expected calibration error in ten bins, and NLL in nats."""

    accuracy: float
    ece: float
    nll: float


def measure(coded: Coded, posterior: np.ndarray, truth: Mapping[str, str]) -> Measured:
    """Measure a posterior on the items whose truth is known; NLL is clipped at 1e-6."""
    rows = np.array([row for row, item in enumerate(coded.items) if item in truth])
    code_of = {value: code for code, value in enumerate(coded.values)}
    right = np.array([code_of.get(truth[coded.items[row]], -1) for row in rows])
    known = posterior[rows]
    leading = leaders(known)
    places = np.arange(len(rows))
    is_right = (right >= 0) * leading[places, right] / leading.sum(axis=1)
    probability = np.where(right >= 0, known[places, right], 0.0)
    return Measured(
        float(is_right.mean()),
        calibration_error(known.max(axis=1), is_right),
        float(-np.log(np.maximum(probability, 1e-6)).mean()),
    )


def calibration_error(confidence: Sequence[float], is_right: Sequence[float]) -> float:
    """The mean distance of confidence and accuracy over ten bins of equal counts."""
    confidence, is_right = np.asarray(confidence), np.asarray(is_right)
    bins = np.array_split(np.argsort(confidence, kind="stable"), 10)
    gaps = [len(part) * abs(confidence[part].mean() - is_right[part].mean()) for part in bins]
    return float(sum(gaps) / len(confidence))
