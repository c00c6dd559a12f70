"""What `sample` freezes of a round in spec.json, and what ends it in closed.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

Purpose = Literal["label", "pilot", "review", "relabel", "import"]
"""Why people are asked. A pilot is reported but never enters labels."""


class Frame(TypedDict, total=False):
    """What could be drawn: the number of documents, by stratum too, and the digest of `clean`."""

    documents: int
    strata: dict[str, int]
    clean: str | None


class Scores(TypedDict, total=False):
    """The scores that a strategy went by: the digest of the table, and the question."""

    content: str | None
    question: str


class Opened(TypedDict, total=False):
    """The record spec.json: purpose, time (UTC, ISO 8601), settings of `sample`, and the frame.

    `scores` are those that it went by, if there were any. Of an import, `file` is the digest of the
    answers' file, and `at_home` the number of answers in each earlier round.
    """

    purpose: Purpose
    created: str
    sample: Mapping[str, Any]
    frame: Frame
    scores: Scores
    file: str | None
    at_home: Mapping[str, int]


class Closed(TypedDict, total=False):
    """The record closed.json: when and why, the answered share by stratum, and unanswered tasks.

    `answers` are those that had come home by then, changed and withdrawn ones too.
    """

    at: str
    why: str
    answered: dict[str, float]
    withdrawn: list[str]
    answers: int
