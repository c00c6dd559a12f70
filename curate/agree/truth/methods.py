"""Truth inference: from many answers to one, with a posterior and a skill for each annotator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
    """The settled answers, and what they say about each annotator."""

    method: str
    labels: tuple[Label, ...]
    skill: Mapping[str, float | None] = field(default_factory=dict)
    bias: Mapping[str, float | None] = field(default_factory=dict)


def majority(votes: Sequence[tuple[str, str, Any]], values: Sequence[str]) -> Truth:
    """Count heads: the posterior is the share of votes, a tie is undecided.

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

    Dawid and Skene 1979 (Applied Statistics 28). Starts at the vote shares; each confusion matrix
    is smoothed by `smoothing` on every cell and 10 times that on the diagonal; stops when the log
    likelihood of an answer moves by less than `tolerance`. Skill is the probability of the right
    answer, averaged over the estimated classes.
    """
    import numpy as np

    items, workers, answers = _indexed(votes, values)
    posterior = _shares(votes, values)
    prior_counts = np.full((len(values), len(values)), smoothing)
    prior_counts += 10 * smoothing * np.eye(len(values))
    before = -np.inf
    for _ in range(max_iterations):
        prevalence = posterior.mean(axis=0)
        confusion = np.tile(prior_counts, (int(workers.max()) + 1, 1, 1))
        np.add.at(confusion.transpose(0, 2, 1), (workers, answers), posterior[items])
        confusion /= confusion.sum(axis=2, keepdims=True)
        scores = np.tile(np.log(prevalence + 1e-12), (len(posterior), 1))
        np.add.at(scores, items, np.log(confusion)[workers, :, answers])
        top = scores.max(axis=1, keepdims=True)
        evidence = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
        posterior = np.exp(scores - evidence[:, None])
        after = float(evidence.sum()) / len(votes)
        if abs(after - before) < tolerance:
            break
        before = after
    right = confusion[:, range(len(values)), range(len(values))] @ posterior.mean(axis=0)
    names = dict.fromkeys(annotator for _, annotator, _ in votes)
    skill = {name: float(value) for name, value in zip(names, right, strict=True)}
    return Truth("dawid_skene", _labels(votes, values, posterior), skill)


def mean_rating(votes: Sequence[tuple[str, str, Any]]) -> Truth:
    """Average the ratings of each item; the posterior is the share of each rating given.

    Bias is an annotator's mean difference to the mean of the others, skill the correlation.
    """
    given: dict[str, dict[str, float]] = defaultdict(dict)
    for item, annotator, value in votes:
        given[item][annotator] = float(value)
    labels = tuple(_rated(item, list(ratings.values())) for item, ratings in given.items())
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for ratings in given.values():
        for annotator, value in ratings.items():
            others = [other for name, other in ratings.items() if name != annotator]
            if others:
                pairs[annotator].append((value, fmean(others)))
    bias = {name: fmean(own - rest for own, rest in both) for name, both in pairs.items()}
    return Truth("mean", labels, {name: _correlation(p) for name, p in pairs.items()}, bias)


def _rated(item: str, ratings: list[float]) -> Label:
    mean = fmean(ratings)
    posterior = {f"{value:g}": n / len(ratings) for value, n in sorted(Counter(ratings).items())}
    near = sum(abs(rating - mean) <= 0.5 for rating in ratings) / len(ratings)
    return Label(item, mean, posterior, near, len(ratings), near)


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    from statistics import StatisticsError, correlation

    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:  # fewer than two, or no variation
        return None


def _indexed(
    votes: Sequence[tuple[str, str, Any]], values: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    import numpy as np

    places: tuple[dict[Any, int], dict[Any, int]] = ({}, {})
    rank = {value: place for place, value in enumerate(values)}
    rows = [
        (places[0].setdefault(i, len(places[0])), places[1].setdefault(a, len(places[1])), rank[v])
        for i, a, v in votes
    ]
    items, workers, answers = np.array(rows, np.int64).T
    return items, workers, answers


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
    given: dict[str, Counter[Any]] = defaultdict(Counter)
    for item, _, value in votes:
        given[item][value] += 1
    labels = []
    for (item, counts), row in zip(given.items(), posterior, strict=True):
        order = sorted(range(len(values)), key=lambda place: -row[place])
        best = values[order[0]]
        total = counts.total()
        labels.append(
            Label(
                item=item,
                value=best,
                posterior={value: float(p) for value, p in zip(values, row, strict=True)},
                confidence=float(row[order[0]]),
                votes=total,
                agreement=counts[best] / total,
                undecided=len(order) > 1 and bool(row[order[0]] - row[order[1]] < _TIE),
            )
        )
    return tuple(labels)


def _peer_skill(votes: Sequence[tuple[str, str, Any]]) -> dict[str, float | None]:
    given: dict[str, Counter[Any]] = defaultdict(Counter)
    for item, _, value in votes:
        given[item][value] += 1
    right: dict[str, list[float]] = defaultdict(list)
    for item, annotator, value in votes:
        others = given[item] - Counter([value])
        if others:
            top = max(others.values())
            leaders = [each for each, count in others.items() if count == top]
            right[annotator].append(float(value in leaders) / len(leaders))
    return {annotator: fmean(marks) for annotator, marks in right.items()}
