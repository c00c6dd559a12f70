"""What `sample` freezes of a round in spec.json, and what ends it in closed.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

Purpose = Literal["label", "pilot", "review", "relabel", "import"]
"""Why people are asked. A pilot is reported but never enters labels."""


class Frame(TypedDict, total=False):
    """The documents that could be drawn: how many, how many a stratum, and of which `clean`."""

    documents: int
    strata: dict[str, int]
    clean: str | None


class Opened(TypedDict, total=False):
    """Purpose, time (UTC, ISO 8601), settings of `sample`, and the frame of the propensities.

    `file` is the digest of the answers' file where the round is an import.
    """

    purpose: Purpose
    created: str
    sample: Mapping[str, Any]
    frame: Frame
    file: str | None


class Closed(TypedDict, total=False):
    """When and why the round ended, the answered share of each stratum, tasks not answered."""

    at: str
    why: str
    answered: dict[str, float]
    withdrawn: list[str]
