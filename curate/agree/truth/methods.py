"""Truth inference: one answer from many, its posterior, and the skill of each annotator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TIE = 1e-9


@dataclass(frozen=True)
class Label:
    """The settled answer about one item."""

    item: str
    value: Any
    posterior: Mapping[str, float]
    confidence: float
    votes: int
    agreement: float
    undecided: bool = False


@dataclass(frozen=True)
class Truth:
    """The settled answers, and the skill and bias of each annotator."""

    method: str
    labels: tuple[Label, ...]
    skill: Mapping[str, float | None] = field(default_factory=dict)
    bias: Mapping[str, float | None] = field(default_factory=dict)


def majority(votes: Sequence[tuple[str, str, Any]], values: Sequence[str]) -> Truth:
    """Take the majority: the posterior is the share of votes; a tie is undecided.

    Skill is the share of an annotator's answers that equal the majority of the others.
    """
    return Truth("majority", _labels(votes, values, _shares(votes, values)), _peer_skill(votes))


def dawid_skene(
    votes: Sequence[tuple[str, str, Any]],
    values: Sequence[str],
    *,
    smoothing: float = 0.01,
    tolerance: float = 1e-5,
    max_iterations: int = 100,
) -> Truth:
    """Estimate truth and each annotator's confusion matrix together, by EM, in log space.

    Dawid and Skene 1979 (Applied Statistics 28). EM starts at the vote shares. Each confusion
    matrix is smoothed: `smoothing` is added to every cell, and 10 times that to the diagonal. EM
    stops when the mean log likelihood of an answer changes by less than `tolerance`. Skill is the
    probability of the right answer, averaged over the estimated classes.
    """
    import numpy as np

    items, annotators, answers = _indexed(votes, values)
    posterior = _shares(votes, values)
    prior_counts = np.full((len(values), len(values)), smoothing)
    prior_counts += 10 * smoothing * np.eye(len(values))
    previous = -np.inf
    for _ in range(max_iterations):
        prevalence = posterior.mean(axis=0)
        confusion = np.tile(prior_counts, (int(annotators.max()) + 1, 1, 1))
        np.add.at(confusion.transpose(0, 2, 1), (annotators, answers), posterior[items])
        confusion /= confusion.sum(axis=2, keepdims=True)
        scores = np.tile(np.log(prevalence + 1e-12), (len(posterior), 1))
        np.add.at(scores, items, np.log(confusion)[annotators, :, answers])
        top = scores.max(axis=1, keepdims=True)
        evidence = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
        posterior = np.exp(scores - evidence[:, None])
        likelihood = float(evidence.sum()) / len(votes)
        if abs(likelihood - previous) < tolerance:
            break
        previous = likelihood
    correct = confusion[:, range(len(values)), range(len(values))] @ posterior.mean(axis=0)
    names = dict.fromkeys(annotator for _, annotator, _ in votes)
    skill = {name: float(share) for name, share in zip(names, correct, strict=True)}
    return Truth("dawid_skene", _labels(votes, values, posterior), skill)


def mean_rating(votes: Sequence[tuple[str, str, Any]]) -> Truth:
    """Average the ratings of each item; the posterior is the share of each rating.

    Confidence and agreement are the share of ratings within 0.5 of the mean. Bias is an
    annotator's mean difference to the mean of the others; skill is the correlation with it.
    """
    ratings_of: dict[str, dict[str, float]] = defaultdict(dict)
    for item, annotator, value in votes:
        ratings_of[item][annotator] = float(value)
    labels = tuple(_rated(item, list(ratings.values())) for item, ratings in ratings_of.items())
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for ratings in ratings_of.values():
        for annotator, rating in ratings.items():
            others = [other for name, other in ratings.items() if name != annotator]
            if others:
                pairs[annotator].append((rating, fmean(others)))
    bias = {name: fmean(rating - mean for rating, mean in rows) for name, rows in pairs.items()}
    skill = {name: _correlation(rows) for name, rows in pairs.items()}
    return Truth("mean", labels, skill, bias)


def _rated(item: str, ratings: list[float]) -> Label:
    mean = fmean(ratings)
    counts = sorted(Counter(ratings).items())
    posterior = {f"{rating:g}": count / len(ratings) for rating, count in counts}
    near = sum(abs(rating - mean) <= 0.5 for rating in ratings) / len(ratings)
    return Label(item, mean, posterior, confidence=near, votes=len(ratings), agreement=near)


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    from statistics import StatisticsError, correlation

    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:  # fewer than two pairs, or no variation
        return None


def _indexed(
    votes: Sequence[tuple[str, str, Any]], values: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the item, the annotator and the value of each vote as indices.

    Items and annotators are numbered by first appearance, values by their place in `values`.
    """
    import numpy as np

    item_index: dict[str, int] = {}
    annotator_index: dict[str, int] = {}
    value_index = {value: index for index, value in enumerate(values)}
    rows = [
        (
            item_index.setdefault(item, len(item_index)),
            annotator_index.setdefault(annotator, len(annotator_index)),
            value_index[value],
        )
        for item, annotator, value in votes
    ]
    items, annotators, answers = np.array(rows, np.int64).T
    return items, annotators, answers


def _shares(votes: Sequence[tuple[str, str, Any]], values: Sequence[str]) -> NDArray[np.float64]:
    import numpy as np

    items, _, answers = _indexed(votes, values)
    counts = np.zeros((int(items.max()) + 1, len(values)))
    np.add.at(counts, (items, answers), 1.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _labels(
    votes: Sequence[tuple[str, str, Any]],
    values: Sequence[str],
    posterior: NDArray[np.float64],
) -> tuple[Label, ...]:
    counts_of: dict[str, Counter[Any]] = defaultdict(Counter)
    for item, _, value in votes:
        counts_of[item][value] += 1
    labels = []
    for (item, counts), row in zip(counts_of.items(), posterior, strict=True):
        order = sorted(range(len(values)), key=lambda index: -row[index])
        best = values[order[0]]
        total = counts.total()
        labels.append(
            Label(
                item=item,
                value=best,
                posterior={value: float(share) for value, share in zip(values, row, strict=True)},
                confidence=float(row[order[0]]),
                votes=total,
                agreement=counts[best] / total,
                undecided=len(order) > 1 and bool(row[order[0]] - row[order[1]] < _TIE),
            )
        )
    return tuple(labels)


def _peer_skill(votes: Sequence[tuple[str, str, Any]]) -> dict[str, float | None]:
    counts_of: dict[str, Counter[Any]] = defaultdict(Counter)
    for item, _, value in votes:
        counts_of[item][value] += 1
    scores_of: dict[str, list[float]] = defaultdict(list)
    for item, annotator, value in votes:
        others = counts_of[item] - Counter([value])
        if others:
            top = max(others.values())
            leaders = [candidate for candidate, count in others.items() if count == top]
            scores_of[annotator].append(float(value in leaders) / len(leaders))
    return {annotator: fmean(scores) for annotator, scores in scores_of.items()}


Method = Callable[[Sequence[tuple[str, str, Any]], Sequence[str]], Truth]
"""Votes (item, annotator, value) and the values there are → the settled answers."""

METHODS: dict[str, Method] = {"majority": majority, "dawid_skene": dawid_skene}
"""The methods for categories, by the name in the settings."""
