"""Several labels of one text: the set of those that are present, each settled by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import prod
from statistics import fmean

from curate.agree.truth.skill import interval
from curate.agree.truth.truth import Label, Rightness, Skill, Truth, Votes

PRESENT, ABSENT = "present", "absent"


def united(votes: Votes, parts: Mapping[str, Truth]) -> Truth:
    """The set of labels of each item, from the truth about each label.

    The posterior holds the probability that each label is present. Confidence is the product over
    the labels, as if these were independent. A set is undecided where a label is. Agreement is the
    share of the answers that equal the set. Skill is the probability that a label is judged
    rightly: the mean over the labels.
    """
    sets_of: dict[str, list[frozenset[str]]] = defaultdict(list)
    for item, _, value in votes:
        sets_of[item].append(frozenset(value))
    by_item: dict[str, dict[str, Label]] = defaultdict(dict)
    for name, part in parts.items():
        for label in part.labels:
            by_item[label.item][name] = label
    labels = tuple(_united(item, sets_of[item], own) for item, own in by_item.items())
    method = next(part.method for part in parts.values())
    return Truth(method, labels, _skills(list(parts.values())))


def _united(item: str, sets: Sequence[frozenset[str]], labels: Mapping[str, Label]) -> Label:
    value = [name for name, label in labels.items() if label.value == PRESENT]
    is_undecided = any(label.undecided for label in labels.values())
    counts = Counter(sets)
    same = max(counts.values()) if is_undecided else counts[frozenset(value)]
    return Label(
        item=item,
        value=None if is_undecided else value,
        posterior={name: label.posterior[PRESENT] for name, label in labels.items()},
        confidence=prod(label.confidence for label in labels.values()),
        votes=len(sets),
        agreement=same / len(sets),
        undecided=is_undecided,
    )


def _skills(parts: Sequence[Truth]) -> dict[str, Skill]:
    """The mean of each person's skills, with its interval.

    The judgments in one answer depend on each other: an answer counts once, by their mean.
    """
    import numpy as np

    found = {}
    for person in parts[0].skill:
        own = [part.rightness[person] for part in parts]
        right = Rightness(
            np.mean([label.with_own for label in own], axis=0),
            np.mean([label.without_own for label in own], axis=0),
        )
        mean = fmean(part.skill[person].value for part in parts)
        found[person] = Skill(mean, *interval(right))
    return found
