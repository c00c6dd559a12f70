"""What was seen of a document's media: a small value that rules and instruments read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curate.media.medium import Kind

Values = Mapping[str, float]
"""The signals of a rule set, by name."""


@dataclass(frozen=True)
class Seen:
    """What was seen of a document's media: signals by rule set, and why one cannot be read.

    `places` counts media whose metadata tell a place. Only a document with one medium has a
    fingerprint.
    """

    kinds: frozenset[Kind] = frozenset()
    values: Mapping[str, Values] = field(default_factory=dict)
    damage: str | None = None
    places: int = 0
    fingerprint: bytes | None = None


NOTHING = Seen()
