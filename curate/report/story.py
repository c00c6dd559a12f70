"""The page: its chapters in order, its headline figures, its verdict, and the warnings on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from curate import STAGES
from curate.annotated.disputes import disputed as most_disputed
from curate.errors import CurateError
from curate.records import now
from curate.report.counts import Counts, count
from curate.report.folding import scratch
from curate.report.qualities import Qualities, qualities_of
from curate.report.section import Chapter, Say, Section
from curate.report.sections import corpus, standing, training
from curate.report.sections.bias import bias
from curate.report.sections.disputed import SHOWN, disputed
from curate.report.sections.doubtful import doubtful, most_doubtful
from curate.report.sections.estimates import estimates
from curate.report.sections.judged import judged, repeated, weights_over_time
from curate.report.sections.map import map_of
from curate.report.sections.measures import confusion, measures, ratings
from curate.report.sections.media import media
from curate.report.sections.mixture import limits, proxy, shares
from curate.report.sections.model import (
    accuracy,
    calibration,
    comparisons,
    foresight,
    has_quality,
    quality,
)
from curate.report.sections.people import agreement, annotators, mistaken
from curate.report.sections.picture_map import picture_map
from curate.report.sections.provenance import headline, provenance
from curate.report.sections.verdict import Point, verdict
from curate.report.sections.what_if import what_if
from curate.report.texts import Texts, read_texts
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

READS = (
    *("pool", "duplicates", "clean", "sample", "annotations", "labels", "annotators"),
    *("scores", "doubtful", "mix", "groups", "export", "evaluate"),
)
"""The tables and files that the page tells of."""

DISPUTED = 200
"""So many of the most disputed labels may stand as examples of their groups."""

T = TypeVar("T")
Part = Callable[[], Section | None]
"""Tells one section of the page."""


@dataclass(frozen=True)
class Story:
    """Everything that the page shows. `made` is ISO 8601 in UTC, `own_warnings` are its own."""

    title: str
    made: str
    verdict: Sequence[Point]
    tiles: Sequence[tuple[Say, int]]
    warnings: tuple[StageWarning, ...]
    chapters: tuple[Chapter, ...]
    own_warnings: tuple[StageWarning, ...]


@dataclass(frozen=True)
class Picked:
    """What several sections show: quality by group, and the labels and texts of examples."""

    qualities: Qualities
    disputed: Sequence[Mapping[str, Any]]
    doubtful: Sequence[Mapping[str, Any]]
    texts: Texts


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


def tell(workspace: Workspace, title: str, *, has_map: bool = True) -> Story:
    """Everything that the page shows."""
    untold: list[StageWarning] = []
    with scratch(workspace) as folder:
        counts = count(workspace)
        picked = _picked(workspace, folder, untold)
        chapters = tuple(
            Chapter(key, told)
            for key, parts in _chapters(workspace, counts, picked, folder, has_map=has_map).items()
            if (told := _told(parts, untold))
        )
    doubted = (*_older(workspace), *untold)
    warnings = (*_before(workspace), *doubted)
    points = verdict(workspace, len(warnings))
    return Story(title, now(), points, headline(workspace), warnings, chapters, doubted)


def _chapters(
    workspace: Workspace, counts: Counts, picked: Picked, folder: Path, *, has_map: bool
) -> dict[str, tuple[Part, ...]]:
    """The sections of each chapter, in the order of the page."""
    texts, qualities = picked.texts, picked.qualities
    return {
        "corpus": (
            lambda: corpus.funnel(workspace, counts),
            lambda: corpus.reasons(workspace, texts),
            lambda: corpus.duplicates(workspace, counts, folder / "copies"),
            lambda: corpus.passages(workspace),
            lambda: corpus.languages(workspace, counts),
            lambda: corpus.privacy(workspace),
            lambda: corpus.contamination(workspace, counts),
            lambda: map_of(workspace) if has_map else None,
            lambda: picture_map(workspace) if has_map else None,
        ),
        "people": (
            lambda: agreement(workspace),
            lambda: annotators(workspace),
            lambda: mistaken(workspace),
            lambda: disputed(workspace, picked.disputed, texts),
            lambda: doubtful(workspace, picked.doubtful, texts),
            lambda: estimates(workspace),
        ),
        "model": (
            lambda: accuracy(workspace),
            lambda: measures(workspace),
            lambda: ratings(workspace),
            lambda: confusion(workspace),
            lambda: comparisons(workspace),
            lambda: calibration(workspace),
            lambda: foresight(workspace),
            lambda: quality(qualities),
            lambda: standing.standing(qualities, picked.disputed, texts),
        ),
        "mixture": (
            lambda: shares(workspace),
            lambda: media(workspace),
            lambda: limits(workspace),
            lambda: what_if(workspace, qualities),
            lambda: bias(workspace),
        ),
        "proof": (
            lambda: proxy(workspace),
            lambda: training.curves(workspace),
            lambda: training.samples(workspace),
            lambda: judged(workspace),
            lambda: repeated(workspace),
            lambda: weights_over_time(workspace),
        ),
        "origin": (lambda: provenance(workspace),),
    }


def _picked(workspace: Workspace, folder: Path, untold: list[StageWarning]) -> Picked:
    """Find the examples, and look all of their texts up at once."""
    has_labels = bool(workspace.tables.stored("labels"))
    nothing: list[dict[str, Any]] = []
    labels = _or(lambda: most_disputed(workspace) if has_labels else nothing, nothing, untold)
    labels = labels[:DISPUTED]
    ids = [row["id"] for row in labels]
    qualities = Qualities()
    if has_quality(workspace):
        qualities = _or(lambda: qualities_of(workspace, folder / "quality", ids), qualities, untold)
    doubts = _or(lambda: most_doubtful(workspace), nothing, untold)
    wanted = (
        *ids[: max(DISPUTED, SHOWN)],
        *(row["id"] for row in doubts),
        *standing.ids_of(qualities),
        *corpus.ids_of(corpus.both_sides(workspace)),
    )
    texts = _or(lambda: read_texts(workspace, wanted), Texts(), untold)
    return Picked(qualities, labels, doubts, texts)


def _or(make: Callable[[], T], otherwise: T, untold: list[StageWarning]) -> T:
    """What is made, or something else and a warning: a page is always written."""
    try:
        return make()
    except CurateError as error:
        untold.append(_missing(error))
        return otherwise


def _told(parts: Iterable[Part], untold: list[StageWarning]) -> tuple[Section, ...]:
    """The sections; what could not be told is told as a warning."""
    sections = (_or(part, None, untold) for part in parts)
    return tuple(section for section in sections if section is not None)


def _missing(error: CurateError) -> StageWarning:
    words = "a part of the report is missing: {message}"
    return warn("report.part", words, message=error.message, hint=error.hint)
