"""Ratings: the mean of each item, and how each person rates beside the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean

from curate.agree.truth.truth import Label, Skill, Truth, Votes


def mean_rating(votes: Votes) -> Truth:
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
    correlations = {name: _correlation(rows) for name, rows in pairs.items()}
    skill = {name: Skill(value) for name, value in correlations.items() if value is not None}
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
