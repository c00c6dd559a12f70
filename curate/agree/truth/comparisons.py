"""Comparisons: the first or the second of two sides, or a tie.

Sides are sorted, so that an answer is the same wherever its document stood on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curate.agree.truth.truth import Label, Truth, Votes

PLACES = ("first", "second")

Sides = Mapping[str, tuple[str, ...]]
"""The two sides of each item, sorted: documents, or fields of the one document compared."""


def by_place(votes: Votes, sides: Sides) -> Votes:
    """The votes as places of the sides; a tie stays as it is."""
    place_of = {item: dict(zip(own, PLACES, strict=True)) for item, own in sides.items()}
    return [(item, person, place_of[item].get(value, value)) for item, person, value in votes]


def by_side(truth: Truth, sides: Sides) -> Truth:
    """The truth about places as one about the sides themselves."""
    labels = tuple(_named(label, sides[label.item]) for label in truth.labels)
    return replace(truth, labels=labels)


def _named(label: Label, sides: tuple[str, ...]) -> Label:
    side_of = dict(zip(PLACES, sides, strict=True))
    posterior = {side_of.get(value, value): share for value, share in label.posterior.items()}
    return replace(label, value=side_of.get(label.value, label.value), posterior=posterior)
