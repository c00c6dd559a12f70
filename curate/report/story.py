"""The page: its sections in order, its headline figures, and the warnings that stand on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from curate import STAGES
from curate.errors import CurateError
from curate.records import now
from curate.report.counts import count
from curate.report.folding import scratch
from curate.report.section import Section
from curate.report.sections import training
from curate.report.sections.bias import bias
from curate.report.sections.corpus import (
    contamination,
    duplicates,
    funnel,
    languages,
    passages,
    privacy,
    reasons,
)
from curate.report.sections.disputed import disputed
from curate.report.sections.doubtful import doubtful
from curate.report.sections.estimates import estimates
from curate.report.sections.judged import judged, repeated, weights_over_time
from curate.report.sections.measures import confusion, measures
from curate.report.sections.media import media
from curate.report.sections.mixture import limits, proxy, shares
from curate.report.sections.model import (
    accuracy,
    calibration,
    comparisons,
    foresight,
    quality,
)
from curate.report.sections.people import agreement, annotators
from curate.report.sections.picture_map import picture_map
from curate.report.sections.provenance import headline, provenance
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

READS = (
    *("pool", "duplicates", "clean", "sample", "annotations", "labels", "annotators"),
    *("scores", "doubtful", "mix", "groups", "export", "evaluate"),
)
"""The tables and files that the page tells of."""

Part = Callable[[], Section | None]
"""Tells one section of the page."""


def doubts(workspace: Workspace) -> tuple[StageWarning, ...]:
    """What is doubtful in the stages before the report, and in how their tables fit together."""
    return (*_before(workspace), *_older(workspace))


def _before(workspace: Workspace) -> tuple[StageWarning, ...]:
    """The warnings of the newest runs of the stages before the report."""
    return workspace.lineage.warnings(*STAGES[:-1])


def _older(workspace: Workspace) -> tuple[StageWarning, ...]:
    """Warnings of tables that do not fit together, and of answers that are in no label yet."""
    made = [name for name in READS if workspace.lineage.inputs(name)]
    outdated = workspace.freshness.outdated(*made)
    tables = list(dict.fromkeys(pair.table for pair in outdated))
    words = "older than what they were made from: {tables}; `curate run` makes them again"
    newer = workspace.freshness.newer_answers("report")
    return (*newer, warn("report.outdated", words, tables=tables)) if tables else newer


def tell(workspace: Workspace, title: str) -> tuple[dict[str, Any], tuple[StageWarning, ...]]:
    """Everything that the page shows, by its name in the template, and the page's own warnings."""
    with scratch(workspace) as folder:
        counts = count(workspace)
        sections, untold = _told(
            (
                lambda: funnel(workspace, counts),
                lambda: duplicates(workspace, counts, folder / "copies"),
                lambda: reasons(workspace),
                lambda: passages(workspace),
                lambda: languages(workspace, counts),
                lambda: privacy(workspace),
                lambda: contamination(workspace, counts),
                lambda: agreement(workspace),
                lambda: annotators(workspace),
                lambda: disputed(workspace),
                lambda: doubtful(workspace),
                lambda: estimates(workspace),
                lambda: accuracy(workspace),
                lambda: measures(workspace),
                lambda: confusion(workspace),
                lambda: comparisons(workspace),
                lambda: calibration(workspace),
                lambda: foresight(workspace),
                lambda: quality(workspace, folder / "quality"),
                lambda: shares(workspace),
                lambda: media(workspace),
                lambda: picture_map(workspace),
                lambda: limits(workspace),
                lambda: proxy(workspace),
                lambda: training.curves(workspace),
                lambda: training.samples(workspace),
                lambda: bias(workspace),
                lambda: judged(workspace),
                lambda: repeated(workspace),
                lambda: weights_over_time(workspace),
                lambda: provenance(workspace),
            )
        )
    story = {"title": title, "made": now(), "sections": sections, "tiles": headline(workspace)}
    own = (*_older(workspace), *untold)
    return {**story, "warnings": (*_before(workspace), *own)}, own


def _told(parts: Iterable[Part]) -> tuple[list[Section], tuple[StageWarning, ...]]:
    """The sections, and a warning for each that could not be told: a page is always written."""
    sections, own = [], []
    for part in parts:
        try:
            section = part()
        except CurateError as error:
            words = "a part of the report is missing: {message}"
            own.append(warn("report.part", words, message=error.message, hint=error.hint))
        else:
            sections += [section] if section else []
    return sections, tuple(own)
