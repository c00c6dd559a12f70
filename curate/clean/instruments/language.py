"""The language of a document, declared or detected, and whether its source allows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curate.clean.by_source import check_sources, of_source
from curate.clean.detecting import MINIMUM, UNKNOWN, primary
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""

CONFIDENCE = "language:confidence"
DIFFERS = "language:differs"


class LanguageSpec(Spec):
    """The languages that pass, for all sources or by source, and the confidence they need."""

    allow: Annotated[
        tuple[str, ...] | dict[str, tuple[str, ...]] | None, Field(description="BCP 47 ranges.")
    ] = None
    minimum: Annotated[float, Field(ge=0, le=1, description="Below it a language is `und`.")] = (
        MINIMUM
    )


class Language:
    """The instrument: the columns `language`, `language:confidence` and `language:differs`.

    A declared language is used as it is. Otherwise the detected one is used, or `und` below the
    minimum. `differs` is 1 if the declared and the detected language differ, 0 if they agree, and
    NaN if one of them is unknown.
    """

    def prepare(self, workspace: Workspace, settings: LanguageSpec) -> float:
        """The smallest confidence. Raises RecipeError if the pool lacks a source of the setting."""
        if isinstance(settings.allow, Mapping):
            check_sources(workspace, settings.allow, "clean.languages")
        return settings.minimum

    def measure(self, batch: Batch, prepared: float) -> Mapping[str, pa.Array]:
        """The language of each document, the confidence, and whether a declared one differs."""
        import pyarrow as pa

        declared = batch.pool["language"].to_pylist()
        detections = batch.languages()
        detected = [tag if confidence >= prepared else UNKNOWN for tag, confidence in detections]
        pairs = list(zip(declared, detected, strict=True))
        differs = [
            nan if not tag or guess == UNKNOWN else float(primary(tag) != primary(guess))
            for tag, guess in pairs
        ]
        return {
            "language": pa.array([tag or guess for tag, guess in pairs], pa.string()),
            CONFIDENCE: pa.array([confidence for _, confidence in detections], pa.float32()),
            DIFFERS: pa.array(differs, pa.float32()),
        }

    def fails(self, measured: pa.Table, settings: LanguageSpec) -> NDArray[np.bool_]:
        """Whether each document is in a language that its source does not allow."""
        import numpy as np

        tags, sources = (measured[name].to_pylist() for name in ("language", "source"))
        allow = {} if settings.allow is None else settings.allow
        return ~np.array(verdicts(tags, sources, allow), bool)


def allowed(tag: str | None, ranges: Sequence[str]) -> bool:
    """Whether a tag lies in one of the ranges (RFC 4647: `zh` holds `zh-Hant`, not the reverse).

    `und` only passes if it is named.
    """
    parts = (tag or UNKNOWN).replace("_", "-").lower().split("-")
    for language_range in ranges:
        first, *others = language_range.replace("_", "-").lower().split("-")
        if first == UNKNOWN and not others:
            if parts[0] == UNKNOWN:
                return True
        elif primary(parts[0]) == primary(first) and parts[1 : len(others) + 1] == others:
            return True
    return False


def verdicts(
    tags: Sequence[str | None],
    sources: Sequence[str],
    allow: Sequence[str] | Mapping[str, Sequence[str]],
) -> list[bool]:
    """Whether each document is in a language that its source allows.

    One list is for all sources. In a mapping, a source without a list of its own uses the one under
    `*`. If there is none, it allows every language.
    """
    by_source = allow if isinstance(allow, Mapping) else None
    passes: dict[tuple[str | None, str], bool] = {}
    for tag, source in set(zip(tags, sources, strict=True)):
        ranges = of_source(by_source, source) if by_source is not None else tuple(allow)
        passes[tag, source] = ranges is None or allowed(tag, ranges)
    return [passes[pair] for pair in zip(tags, sources, strict=True)]
