"""Choose encoder, features, learner and strength by what is foretold out of fold.

The loss of a strength, or of a candidate, is the mean of noisy rows. So strengths are averaged by
how likely each is the best one, and features are only left out where that is better than noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.foretelling import INVERSE_STRENGTHS, Foretold, Material
from curate.heads.scores import score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NOISE = 0.5
"""Losses that differ by less than this many standard errors of the difference are equal."""

PREFERRED = ("both", "embeddings", "characters")
"""Features of equal loss: what reads both loses the least where another is better."""


@dataclass(frozen=True)
class Figures:
    """A candidate at its best strength, and how well it foretells labels out of fold.

    `loss` is the mean of the rows: cross-entropy in nats (choices, preferences), or the squared
    error of the mean on a scale from 0 to 1 (ratings). `behind` is the mean difference to the least
    loss of all candidates, and `error` its standard error over rows. `score` is the macro-F1 of
    choices, the rank correlation of ratings, the accuracy of preferences.
    """

    encoder: str | None
    features: str
    learner: str
    inverse_strength: float
    loss: float
    behind: float
    error: float
    score: float


@dataclass(frozen=True)
class Choice:
    """The head that was chosen, with the figures of every candidate."""

    encoder: str | None
    features: str
    learner: str
    inverse_strength: float
    class_weight: str
    candidates: tuple[Figures, ...]


@dataclass(frozen=True)
class Chosen:
    """A candidate by its place, and the place of its strength; figures of all candidates."""

    candidate: int
    strength: int
    figures: tuple[Figures, ...]


def choose(
    kind: str,
    materials: Sequence[Material],
    foretold: Sequence[Foretold],
    truth: Array,
    known: NDArray[np.bool_],
    settled: NDArray[np.bool_],
) -> Chosen:
    """Choose a strength for each candidate, and the candidate of the least loss out of fold.

    Among candidates of about equal loss with the same encoder, PREFERRED decides, then the loss.
    """
    losses, strengths, scores = [], [], []
    for material, own in zip(materials, foretold, strict=True):
        place, rows = at_best_strength(material, own, truth, known)
        losses.append(rows)
        strengths.append(place)
        scores.append(score(kind, own.within[place][settled], truth[settled]))
    best = min(losses, key=lambda rows: float(rows.mean()))
    figures = tuple(
        _figures(material, INVERSE_STRENGTHS[place], rows, best, own_score)
        for material, place, rows, own_score in zip(
            materials, strengths, losses, scores, strict=True
        )
    )
    candidate = _preferred(figures)
    return Chosen(candidate, strengths[candidate], figures)


def _preferred(figures: Sequence[Figures]) -> int:
    """The place of the least loss; noise may change what is read, but never the encoder."""
    best = min(range(len(figures)), key=lambda place: figures[place].behind)
    encoder = figures[best].encoder
    near = (
        place
        for place, own in enumerate(figures)
        if own.behind <= NOISE * own.error and encoder in (None, own.encoder)
    )
    return min(near, key=lambda at: (PREFERRED.index(figures[at].features), figures[at].loss))


def at_best_strength(
    material: Material, foretold: Foretold, truth: Array, known: NDArray[np.bool_]
) -> tuple[int, Array]:
    """The place of a candidate's strength, and the loss of each known row there."""
    import numpy as np

    losses = np.stack(
        [material.learner.losses(logits[known], truth[known]) for logits in foretold.within]
    )
    place = likely_place(losses)
    return place, losses[place]


def likely_place(losses: Array) -> int:
    """The mean place of the least loss, strengths x rows, by how likely each is the least.

    The likelihood is normal: exp(-z² / 2), where z is the difference to the least mean loss in
    standard errors.
    """
    import numpy as np

    behind = losses - losses[losses.mean(axis=1).argmin()]
    errors = behind.std(axis=1) / np.sqrt(losses.shape[1])
    distances = behind.mean(axis=1) / np.maximum(errors, 1e-12)
    likelihood = np.exp(-(distances**2) / 2)
    return round(float(likelihood @ np.arange(len(losses)) / likelihood.sum()))


def _figures(
    material: Material, strength: float, losses: Array, least: Array, own_score: float
) -> Figures:
    import numpy as np

    behind = losses - least
    return Figures(
        encoder=material.space.encoder,
        features=material.space.features,
        learner=material.learner.name,
        inverse_strength=strength,
        loss=float(losses.mean()),
        behind=float(behind.mean()),
        error=float(behind.std() / np.sqrt(len(behind))),
        score=own_score,
    )
