"""How an export is laid out: the parts that shards hold, and the lines of each document in them.

    sequence   the lines of one group in one phase, or those of the holdout
    entry      a document in a sequence, with its copies there
    part       what shards hold together: in `mixed` a phase (the whole without phases), in
               `by_group` a sequence; the holdout is a part of its own in both

A phase is a part of the mixture that is read after those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import tables
from curate.export.spec import ExportSpec
from curate.names import slug
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

TRAIN, VALIDATION = "data", "validation"
"""What the names of shards begin with."""


@dataclass(frozen=True)
class Part:
    """What shards hold together; `group` only in a layout by group, `folder` ends with a slash."""

    phase: str | None = None
    group: str | None = None
    folder: str = ""
    is_validation: bool = False

    def stem(self, number: int) -> str:
        """Where its shard of that number lies; in one folder, numbers say the order of phases.

        A format gives it an ending, and may give it a folder.
        """
        phase = self.phase if self.group is None else None
        name = VALIDATION if self.is_validation else TRAIN
        return f"{self.folder}{name}-{number:05}{'' if phase is None else f'-{phase}'}"


@dataclass(frozen=True)
class Layout:
    """The parts of an export. `groups` are the names of each phase's groups, in their order."""

    phases: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ((),)
    by_group: bool = False
    validation: bool = True

    @staticmethod
    def of(workspace: Workspace, spec: ExportSpec) -> Layout:
        """That of the mixture that is there."""
        phases = workspace.tables.made("mix").spec.get("phases") or ()
        names = tuple(str(phase["name"]) for phase in phases)
        groups: dict[str | None, list[str]] = {name: [] for name in names or (None,)}
        table = workspace.tables.read("groups", ["phase", "group"])
        for phase, group in zip(
            table["phase"].to_pylist(), table["group"].to_pylist(), strict=True
        ):
            groups[phase].append(group)
        by_group = spec.layout == "by_group"
        return Layout(names, tuple(map(tuple, groups.values())), by_group, spec.validation)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of their lines; that of the holdout comes last."""
        return (*self._training(), Part(is_validation=True))

    def _training(self) -> tuple[Part, ...]:
        if not self.by_group:
            return tuple(Part(phase) for phase in self.phases or (None,))
        return tuple(
            Part(phase, group, f"{'' if phase is None else f'{phase}/'}{number:02}-{slug(group)}/")
            for phase, groups in zip(self.phases or (None,), self.groups, strict=True)
            for number, group in enumerate(groups)
        )

    @property
    def holdout(self) -> int:
        """The number of the holdout's sequence: it comes after those of all groups."""
        return sum(map(len, self.groups))

    @property
    def copies(self) -> list[str]:
        """The columns of `mix` with the copies of each phase."""
        return tables.by_phase("copies", self.phases)

    @property
    def columns(self) -> list[str]:
        """The columns that say which lines a document has."""
        groups = tables.by_phase("group", self.phases)
        return list(
            dict.fromkeys(["copies", *self.copies, *groups, "holdout", "kept", "tokens", "media"])
        )

    @property
    def of_phases(self) -> list[str]:
        """The columns of `mix` that several phases alone have."""
        groups = tables.by_phase("group", self.phases)
        pairs = zip(self.copies, groups, strict=True)
        return [name for pair in pairs for name in pair] if len(self.phases) > 1 else []

    def entries(self, documents: pa.Table) -> Entries:
        """The entries of all documents of a shard, dropped ones included."""
        import numpy as np
        import pyarrow.compute as pc

        copies = np.zeros((documents.num_rows, len(self.copies) + 1), np.int64)
        for phase, name in enumerate(self.copies):
            copies[:, phase] = pc.fill_null(documents[name], 0).to_numpy()
        if self.validation:
            has_text = pc.fill_null(pc.greater(documents["tokens"], 0), False)
            has_content = pc.or_(has_text, documents["media"].is_valid())
            held = pc.and_(pc.and_(documents["kept"], documents["holdout"]), has_content)
            copies[:, -1] = held.to_numpy()
        row, part = np.nonzero(copies)
        return Entries(row, self.sequences(documents)[row, part], copies[row, part])

    def sequences(self, documents: pa.Table) -> Numbers:
        """The sequence of each document in each phase, and in the holdout: a column each.

        A document that is no candidate has any.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        sequence = np.full((documents.num_rows, len(self.copies) + 1), self.holdout, np.int64)
        first = 0
        for phase, name in enumerate(tables.by_phase("group", self.phases)):
            groups = pa.array(self.groups[phase], pa.string())
            place = pc.fill_null(pc.index_in(documents[name], value_set=groups), 0)
            sequence[:, phase] = first + place.to_numpy()
            first += len(groups)
        return sequence

    def part_of(self, sequence: Numbers) -> Numbers:
        """The number of the part that holds each sequence."""
        import numpy as np

        if self.by_group:
            return sequence
        ends = np.cumsum([len(groups) for groups in self.groups])
        return np.searchsorted(ends, sequence, "right").astype(np.int64)

    def lines(self, entries: Entries) -> Lines:
        """The lines of some entries: a line a copy, or by group one for each entry."""
        import numpy as np

        times = np.ones(len(entries.row), np.int64) if self.by_group else entries.copies
        entry = np.repeat(np.arange(len(times)), times)
        passed = 1 + np.arange(len(entry)) - np.repeat(np.cumsum(times) - times, times)
        row = entries.row[entry]
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        copy = 1 + np.arange(len(row)) - np.repeat(starts, np.diff(starts, append=len(row)))
        return Lines(row, entry, passed, copy, self.part_of(entries.sequence[entry]))

    def names(self) -> tuple[list[str | None], list[str | None]]:
        """The phase and the group of every sequence; null for the holdout."""
        phases = [
            phase
            for phase, groups in zip(self.phases or (None,), self.groups, strict=True)
            for _ in groups
        ]
        return [*phases, None], [*(name for groups in self.groups for name in groups), None]


@dataclass(frozen=True)
class Entries:
    """Entries of a shard: each one's row there, its sequence, and its copies in it.

    They are in the order of rows; those of one document in the order of phases.
    """

    row: Numbers
    sequence: Numbers
    copies: Numbers


@dataclass(frozen=True)
class Lines:
    """Lines: each one's row, entry, and part, `passed` (its copy in the entry) and `copy`.

    Both count from 1; `copy` counts through all phases.
    """

    row: Numbers
    entry: Numbers
    passed: Numbers
    copy: Numbers
    part: Numbers

    def take(self, places: Numbers | slice) -> Lines:
        """The lines at these places."""
        columns = (self.row, self.entry, self.passed, self.copy, self.part)
        return Lines(*(column[places] for column in columns))
