"""What a trace of one document says: values that are shown, or printed as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["drawn", "not_drawn", "not_mixed", "held_out", "dropped", "unjudged", "removed"]
"""Where a document is today; `not_mixed` and `unjudged` where mix or clean are not there."""


@dataclass(frozen=True)
class Origin:
    """Where a document came from. `tokens` are as the pool counts, before any edit.

    `also` are the other sources that hold an exact copy, `batch` is the run of `pool` that added
    it.
    """

    source: str
    origin: str
    also: tuple[str, ...]
    license: str
    language: str | None
    tokens: int
    batch: int
    held_out: bool


@dataclass(frozen=True)
class TracedMedium:
    """A medium of a document: where its bytes lie, and whether they are as `pool` read them.

    `state` says so in words. `exported` is where it lies in the export: a file, a member of a tar,
    or a column.
    """

    field: str
    kind: str
    address: str
    sha256: str | None
    bytes: int | None
    about: str
    state: str
    exported: str | None = None


@dataclass(frozen=True)
class Duplicate:
    """A copy that was not kept, or the document that was kept instead of this one.

    `how` is `exact copy`, `near-duplicate` (a document that went for this one) or `kept instead`.
    """

    how: str
    id: str
    source: str
    origin: str
    similarity: float | None = None


@dataclass(frozen=True)
class Check:
    """One thing that `clean` asked of a document: what was measured, and the bounds.

    `margin` is the distance to the nearest bound, in the unit of the value, below 0 outside. It is
    None where nothing was measured or a side is not a number. `asked` is what passes where bounds
    are no numbers.
    """

    name: str
    value: float | str | None
    low: float | None
    high: float | None
    margin: float | None
    passes: bool
    asked: str | None = None


@dataclass(frozen=True)
class Answer:
    """An answer about a document. `label` is the document, or the comparison, that it is about.

    `why` says why it does not count; None where it does. `guideline` and `form` are digests.
    """

    annotator: str
    question: str
    value: str | None
    round: int
    at: str | None
    form: str | None
    guideline: str | None
    blind: bool | None
    label: str
    why: str | None

    @property
    def counts(self) -> bool:
        """Whether a label was settled from it."""
        return self.why is None


@dataclass(frozen=True)
class Label:
    """What people's answers settled: a value as JSON, and how."""

    question: str
    value: str | None
    confidence: float | None
    votes: int
    agreement: float | None
    method: str
    adjudicator: str | None
    label: str


@dataclass(frozen=True)
class Predicted:
    """What the heads say of a document: the value of a question, and its probability."""

    question: str
    value: Any
    probability: float | None


@dataclass(frozen=True)
class Teachers:
    """Whose answers taught a question's head: `labels` it learned from, `answers` behind them."""

    question: str
    annotator: str
    round: int
    labels: int
    answers: int


@dataclass(frozen=True)
class Neighbour:
    """A labelled document that taught a head, near to the traced one (cosine, -1 to 1)."""

    question: str
    id: str
    value: str | None
    similarity: float
    encoder: str


@dataclass(frozen=True)
class Score:
    """Why a document has its quality. `is_teacher`: heads learned from its own labels.

    Its predictions are then by heads that never saw them (`out_of_fold`).
    """

    quality: float | None
    low: float | None
    high: float | None
    abstained: bool
    out_of_fold: bool
    is_teacher: bool
    predictions: tuple[Predicted, ...]
    labels: dict[str, int]
    teachers: tuple[Teachers, ...]
    nearest: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Weight:
    """Why a document was drawn as often as it was; shares are of the tokens of the mixture.

    `share` is its own, all copies together. `low` to `high` is what limits allow its group, and
    `bound` the limit that moved it; limits multiply the share of its cell there by `factor`, and
    let it be drawn `max_epochs` times. `why` says in words what decided.
    """

    phase: str | None
    group: str
    bucket: int | None
    weight: float
    copies: int
    earlier: int
    size: int
    max_epochs: int | None
    factor: float | None
    share: float
    wanted: float
    promised: float
    realised: float
    low: float
    high: float
    bound: str | None
    why: str


@dataclass(frozen=True)
class Line:
    """Where a copy of a document stands in the export; `position` counts lines from 0."""

    shard: str
    position: int
    copy: int


@dataclass(frozen=True)
class Trace:
    """All that is known of one document; what is not there yet is empty, and `notes` say so."""

    id: str
    state: State
    says: str
    origin: Origin | None = None
    media: tuple[TracedMedium, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    checks: tuple[Check, ...] = ()
    edits: tuple[dict[str, Any], ...] = ()
    tokens: int | None = None
    answers: tuple[Answer, ...] = ()
    labels: tuple[Label, ...] = ()
    score: Score | None = None
    weights: tuple[Weight, ...] = ()
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
