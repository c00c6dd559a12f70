"""What a manifest claims of an export, as far as `verify` checks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from curate import storage
from curate.errors import DataError

NO_EXPORT = "it is not an export, or not a complete one"


class _Claim(BaseModel):
    """A part of the manifest; what else stands there is not checked."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class FileClaim(_Claim):
    """A shard; `tokens` are those of its documents, `phase` and `group` of a layout by group.

    `messages` are its lines that have some, None where the export has no such column.
    """

    path: str
    phase: str | None = None
    group: str | None = None
    documents: int
    tokens: int
    messages: int | None = None
    sha256: str


class GroupClaim(_Claim):
    """A group; `promised` and `realised` are shares of tokens, of earlier parts and this one.

    `earlier`, `tokens` and `longest` (the longest candidate, drawn or not) are as the budget
    counts them. In a layout by group, `stored_documents` and `stored_tokens` lie in `folder`.
    """

    group: str
    phase: str | None = None
    promised: float
    realised: float
    earlier: int
    tokens: int
    pool_tokens: int
    documents: int
    longest: int
    folder: str | None = None
    stored_documents: int = 0
    stored_tokens: int = 0


class PhaseClaim(_Claim):
    """A phase, with a budget in tokens; `files` are paths, `tokens` as the pool counts them."""

    name: str
    budget: int
    files: list[str]
    documents: int
    tokens: int


class ValidationClaim(_Claim):
    """The holdout; `tokens` are as the pool counts."""

    files: list[FileClaim]
    documents: int
    tokens: int
    content_sha256: str


class LabelClaim(_Claim):
    """A question, and how many lines have its label of whom."""

    question: str
    people: int
    undecided: int
    model: int


class MediaClaim(_Claim):
    """What lines hold of each kind of media, and how many files lie beside the shards."""

    kinds: dict[str, dict[str, int | float]]
    files: int = 0
    without_places: int = 0


class TokenClaim(_Claim):
    """How a token export writes ids: the type as numpy names it, and the id after a document."""

    dtype: Literal["<u2", "<u4"]
    end_of_text: int | None = None


class Claims(_Claim):
    """The whole manifest.

    `budget` is in tokens, by `budget_tokenizer` (None: as the pool counts) and `extra_tokens` more
    a document; media count as `media_tokens`. Or it is in another `budget_unit`: items, each 1, or
    thousandths of a second. `earlier` are the digests of the content of earlier parts. Lines of an
    `original` export are the sources' rows; one with `token_ids` has no lines.
    """

    layout: Literal["mixed", "by_group"]
    files: list[FileClaim]
    validation: ValidationClaim | None = None
    media: MediaClaim | None = None
    original: bool = False
    token_ids: TokenClaim | None = None
    phases: list[PhaseClaim] = []
    groups: list[GroupClaim]
    labels: list[LabelClaim]
    tokenizer: str
    budget_tokenizer: str | None = None
    extra_tokens: int = 0
    media_tokens: dict[str, Any] | None = None
    budget_unit: Literal["tokens", "items", "seconds"] = "tokens"
    budget: int
    max_epochs: int
    earlier: list[str] = []
    content_sha256: str

    @property
    def budgets(self) -> dict[str | None, int]:
        """The budget of each phase; that of the whole, None, without phases."""
        return {phase.name: phase.budget for phase in self.phases} or {None: self.budget}

    @property
    def phase_of(self) -> dict[str, str]:
        """The phase of each file; empty without phases."""
        return {path: phase.name for phase in self.phases for path in phase.files}

    @property
    def held_out(self) -> list[FileClaim]:
        """The files of the holdout."""
        return self.validation.files if self.validation else []


def read_claims(folder: Path) -> Claims:
    """The manifest of an export. Raises DataError where there is none, or it lacks something."""
    path = folder / "manifest.json"
    try:
        manifest = storage.read_json(path)
    except (OSError, DataError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint=NO_EXPORT) from None
    if manifest is None:
        raise DataError(f"{folder} has no manifest.json", hint=NO_EXPORT)
    try:
        return Claims.model_validate(manifest)
    except ValidationError as error:
        raise DataError(
            f"{path} is not a manifest of this version: {_first(error.errors()[0])}",
            hint="make an export of an earlier version again: `curate export`",
        ) from None


def _first(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])
