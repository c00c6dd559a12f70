"""What truth inference returns: labels, and what the answers say about each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Vote = tuple[str, str, Any]
"""(item, annotator, value)."""

Votes = Sequence[Vote]


@dataclass(frozen=True)
class Label:
    """The settled answer about one item.

    `confidence` is the largest probability in the posterior. Where it is `undecided`, `value` is
    None.
    """

    item: str
    value: Any
    posterior: Mapping[str, float]
    confidence: float
    votes: int
    agreement: float
    undecided: bool = False


@dataclass(frozen=True)
class Skill:
    """A person's skill, with the ends of its 90 % interval where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Rightness:
    """The probability that each answer of a person is right: with the answer, and without it."""

    with_own: Array
    without_own: Array


@dataclass(frozen=True)
class Truth:
    """The settled answers, and the skill and bias of each person.

    `rightness` is what the interval of a skill comes from, where it has one.
    """

    method: str
    labels: tuple[Label, ...]
    skill: Mapping[str, Skill] = field(default_factory=dict)
    bias: Mapping[str, float] = field(default_factory=dict)
    rightness: Mapping[str, Rightness] = field(default_factory=dict)
