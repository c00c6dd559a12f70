"""Compare two sides: their groups, their stages, and every document that differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from curate.diff.comparing import About, Compare, Group
from curate.diff.rows import load, parts_of, read_rows, rows_of
from curate.diff.sides import Side
from curate.diff.stages import StageDifference, compare_stages, first
from curate.engine import Engine, buckets_for
from curate.progress import Watch, unwatched
from curate.takedown.listed import removed

WIDTH = 120
"""About the bytes of a row that is shuffled."""


@dataclass(frozen=True)
class GroupDifference:
    """A group on both sides: promised and realised shares, tokens and documents, copies counted.

    None where a side has no such group.
    """

    group: str
    phase: str | None
    promised_a: float | None
    promised_b: float | None
    realised_a: float | None
    realised_b: float | None
    tokens_a: int | None
    tokens_b: int | None
    documents_a: int | None
    documents_b: int | None


@dataclass(frozen=True)
class Diff:
    """What differs between two sides, in numbers.

    `changes` and `reasons` count documents (in phases, where both have the same), `other_text`
    those that were edited otherwise. `tokens_added` and `tokens_removed` are those of copies that
    b has more, or less.
    """

    a: str
    b: str
    first: str
    documents: int
    changes: dict[str, int]
    reasons: dict[str, int]
    other_text: int
    tokens_added: int
    tokens_removed: int
    groups: tuple[GroupDifference, ...]
    stages: tuple[StageDifference, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """The result of a comparison, and where its documents lie, a file a bucket of ids."""

    result: Diff
    files: tuple[Path, ...]

    def documents(self) -> Iterator[Mapping[str, Any]]:
        """Yield every document that differs; the columns are those of `comparing.schema`."""
        for path in self.files:
            yield from read_rows(path)


@contextmanager
def compare(a: Path, b: Path, engine: Engine, *, watch: Watch = unwatched) -> Iterator[Compared]:
    """Compare two workspaces or exports. The documents can be read until the context ends.

    Raises MissingInput for what is neither, StaleInput for an outdated mixture.
    """
    sides = Side.of(a), Side.of(b)
    phases = sides[0].phases if sides[0].phases == sides[1].phases else ()
    alike = sides[0].tokenizer == sides[1].tokenizer
    rows = sum(map(rows_of, sides))
    with TemporaryDirectory(prefix="curate-diff-") as scratch, watch("comparing", rows) as advance:
        files = engine.shuffle(
            Compare(_about(sides[0], phases), _about(sides[1], phases), alike),
            [part for number, side in enumerate(sides) for part in parts_of(side, number, phases)],
            Path(scratch),
            key="id",
            buckets=buckets_for(rows * max(1, len(phases)), WIDTH),
            load=load,
            advance=advance,
        )
        notes = tuple(_notes(sides, phases, alike))
        yield Compared(_result(sides, files, phases, notes), tuple(files))


def _about(side: Side, phases: Sequence[str]) -> About:
    workspace = side.workspace
    groups = _groups(side, phases)
    return About(
        name=side.name,
        promised={group: own["promised"] or 0.0 for group, own in groups.items()},
        tokens={group: own["tokens"] for group, own in groups.items()},
        is_whole=workspace is not None,
        removed=frozenset() if workspace is None else removed(workspace.root),
    )


def _groups(side: Side, phases: Sequence[str]) -> dict[Group, dict[str, Any]]:
    """The groups by phase and name; of other phases than are compared, all together by name."""
    groups: dict[Group, dict[str, Any]] = {}
    is_one = bool(phases) or not side.phases
    for row in side.groups:
        key = ((row.get("phase") or "") if phases else "", str(row["group"]))
        own = groups.setdefault(key, {"tokens": 0, "documents": 0})
        own["tokens"] += row["tokens"]
        own["documents"] += row["documents"]
        own["promised"], own["realised"] = row["promised"], row["realised"]
    total = sum(own["tokens"] for own in groups.values()) or 1
    for own in groups.values():
        if not is_one:
            own["promised"], own["realised"] = None, own["tokens"] / total
    return groups


def _notes(sides: Sequence[Side], phases: Sequence[str], alike: bool) -> Iterator[str]:
    if sides[0].phases != sides[1].phases:
        yield "the phases are not the same: copies are compared over all phases together"
    if not alike:
        yield "tokens are counted by two tokenizers: their sums cannot be compared"
    alone = [side.name for side in sides if side.workspace is None]
    if alone:
        words = " and ".join(alone)
        yield f"{words}: an export without its workspace does not say why a document is not in it"


def _result(
    sides: Sequence[Side], files: Sequence[Path], phases: Sequence[str], notes: tuple[str, ...]
) -> Diff:
    """Count the documents that differ, one bucket in memory at a time."""
    changes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for path in files:
        for row in read_rows(path):
            changes[row["change"]] += 1
            reasons[row["why"]] += 1
            more = row["tokens_b"] - row["tokens_a"]
            sums["documents"] += 1
            sums["other_text"] += row["other_text"]
            sums["added" if more > 0 else "removed"] += abs(more)
    stages = compare_stages(*sides)
    return Diff(
        a=sides[0].name,
        b=sides[1].name,
        first=first(stages),
        documents=sums["documents"],
        changes=dict(changes.most_common()),
        reasons=dict(reasons.most_common()),
        other_text=sums["other_text"],
        tokens_added=sums["added"],
        tokens_removed=sums["removed"],
        groups=tuple(_compare_groups(sides, phases)),
        stages=tuple(stages),
        notes=notes,
    )


def _compare_groups(sides: Sequence[Side], phases: Sequence[str]) -> Iterator[GroupDifference]:
    own = [_groups(side, phases) for side in sides]
    for phase, group in dict.fromkeys([*own[0], *own[1]]):
        a, b = (groups.get((phase, group), {}) for groups in own)
        pairs = {
            f"{name}_{side}": values.get(name)
            for name in ("promised", "realised", "tokens", "documents")
            for side, values in (("a", a), ("b", b))
        }
        yield GroupDifference(group, phase or None, **pairs)
