"""How far each person is in a round: by the answers at home, and by those still on the server."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.backends import Backend
from curate.fetching.projects import incoming
from curate.people import accounts, people
from curate.people.users import Directory
from curate.rounds import Batch, Round
from curate.rounds.answers import KEY, Answer, newest, submissions


@dataclass(frozen=True)
class AnnotatorStatus:
    """How many tasks of a round a person has answered, skipped or begun, of those there are.

    The counts are those that a pull would bring home now if `live`, else those of the answers on
    disk.
    """

    round: int
    part: str | None
    annotator: str
    tasks: int
    submitted: int
    skipped: int
    draft: int
    rejected: int
    live: bool


def progress(current: Round, root: Path, backend: Backend | None) -> list[AnnotatorStatus]:
    """The progress of each annotator, with what the server has; without one, as it is at home."""
    rows = []
    numbers = Counter(task["batch"] for task in current.tasks() if task["id"] not in current.erased)
    directory = None if backend is None else Directory.of(root, backend, keep=False)
    for batch in current.batches:
        own = _at_home(current, batch)
        if backend is not None and directory is not None:
            new = incoming(current, backend, batch, directory).rows
            own = newest([*own, *new], ("project", *KEY))
        by_annotator = _counts(own, current)
        for annotator in sorted({*_named(root, batch), *by_annotator}):
            counts = by_annotator.get(annotator, {})
            rows.append(
                AnnotatorStatus(
                    round=current.number,
                    part=batch.name,
                    annotator=annotator,
                    tasks=numbers[batch.name],
                    submitted=counts.get("submitted", 0),
                    skipped=counts.get("skipped", 0),
                    draft=counts.get("draft", 0),
                    rejected=counts.get("rejected", 0),
                    live=backend is not None,
                )
            )
    return rows


def _named(root: Path, batch: Batch) -> Sequence[str]:
    """The ids of the people who were named for a batch."""
    if batch.people is not None:
        return batch.people
    return accounts.named_among(people.load(root), batch.project.backend)


def _at_home(current: Round, batch: Batch) -> list[dict[str, object]]:
    rows = current.answers(by_project=True)
    return [row for row in rows if row["project"] == batch.project.name]


def _counts(answers: Iterable[Answer], current: Round) -> dict[str, Mapping[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    rows = (row for row in answers if row["id"] not in current.erased)
    for (_, annotator), status in submissions(rows, current.required).items():
        counts[annotator][status] += 1
    return dict(counts)
