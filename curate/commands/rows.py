"""Stages, rounds and people as rows of tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curate.wording import did, local_time

if TYPE_CHECKING:
    from curate.fetching.progress import AnnotatorStatus
    from curate.rounds.standing import RoundStatus
    from curate.run.standing import StageStatus


def told(own: StageStatus) -> dict[str, Any]:
    """A stage as a row: its state, when it last ran, and what it did."""
    when = local_time(own.at) if own.at else None
    return {
        "stage": own.stage,
        "state": own.state,
        "last run": when,
        "what it did": did(own.stage, own.result),
    }


def of_round(own: RoundStatus) -> dict[str, Any]:
    """A round as a row: how many of its texts are complete, and how it ended."""
    return {
        "round": own.round,
        "purpose": own.purpose,
        "where": own.backend,
        "complete": f"{own.complete:,} of {own.tasks:,}",
        "answers": own.answers,
        "people": own.annotators,
        "ended": own.closed,
    }


def of_person(own: AnnotatorStatus) -> dict[str, Any]:
    """A person as a row: how many of the texts of a round they have answered."""
    return {
        "person": own.annotator,
        "part": own.part,
        "answered": f"{own.submitted:,} of {own.tasks:,}",
        "skipped": own.skipped,
        "drafts": own.draft,
        "rejected": own.rejected,
        "known from": "the server" if own.live else "the last pull",
    }
