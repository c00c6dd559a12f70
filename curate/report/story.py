"""The page: its sections in order, and its headline figures."""

from __future__ import annotations

from typing import Any

from curate.records import now
from curate.report.counts import count
from curate.report.folding import scratch
from curate.report.sections.corpus import (
    contamination,
    duplicates,
    funnel,
    languages,
    privacy,
    reasons,
)
from curate.report.sections.mixture import proxy, shares
from curate.report.sections.model import accuracy, calibration, quality
from curate.report.sections.people import agreement, annotators
from curate.report.sections.provenance import headline, provenance
from curate.workspace import Workspace


def tell(workspace: Workspace, title: str) -> dict[str, Any]:
    """Everything that the page shows, by its name in the template."""
    with scratch(workspace) as folder:
        counts = count(workspace)
        parts = (
            funnel(workspace, counts),
            duplicates(workspace, counts, folder / "copies"),
            reasons(workspace),
            languages(workspace, counts),
            privacy(workspace),
            contamination(workspace, counts),
            agreement(workspace),
            annotators(workspace),
            accuracy(workspace),
            calibration(workspace),
            quality(workspace, folder / "quality"),
            shares(workspace),
            proxy(workspace),
            provenance(workspace),
        )
    sections = [part for part in parts if part]
    return {"title": title, "made": now(), "sections": sections, "tiles": headline(workspace)}
