"""A stage as one object that describes it completely.

The object of a stage is `STAGE` in `curate/<name>/stage.py`. The order, the makers of tables,
freshness, hints, `--dry-run` and the commands all derive from these objects (see `run/stages.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic

from curate.spec import AnySpec
from curate.workspace import Workspace

TakesPart = Callable[[Collection[str], Workspace], bool]
"""Whether a stage belongs to a run, by the sections that the recipe sets and the workspace."""


def always(sections: Collection[str], workspace: Workspace) -> bool:
    """True: the stage belongs to every run."""
    return True


def if_people_are_asked(sections: Collection[str], workspace: Workspace) -> bool:
    """Whether the recipe brings people in."""
    return bool({"sample", "push"} & set(sections))


def if_mixed(sections: Collection[str], workspace: Workspace) -> bool:
    """Whether the recipe makes a mixture."""
    return "mix" in sections


def if_answered(sections: Collection[str], workspace: Workspace) -> bool:
    """Whether people have answered, in a pilot too."""
    return bool(_answered_purposes(workspace))


def if_learnable(sections: Collection[str], workspace: Workspace) -> bool:
    """Whether there are answers to make labels of; those of pilots do not count."""
    return any(purpose != "pilot" for purpose in _answered_purposes(workspace))


def _answered_purposes(workspace: Workspace) -> list[str]:
    rounds = workspace.rounds.all()
    return [round.purpose for round in rounds if round.fingerprint("annotations")]


@dataclass(frozen=True)
class Bounded(Generic[AnySpec]):
    """What a stage does with so much text at most, however many documents there are.

    `least` are settings with which it reads next to none, `bytes` is the most that it reads.
    """

    least: Callable[[AnySpec], AnySpec]
    bytes: Callable[[AnySpec], int]


@dataclass(frozen=True)
class Cost(Generic[AnySpec]):
    """How a dry run measures a stage on a probe of documents.

    `run` does the work that is timed, and `writes` is the folder or file that it fills. `alone`
    says that one process does it, whatever the engine. `documents` is how many of the probe's
    documents it takes (None: all of them, and a smaller probe measures the fixed part).

    Bytes a document: `scratch` is disk that it frees at its end, and `grows` is memory for what it
    holds of all documents. A stage that `spills` frees as much disk as it fills. What is `bounded`
    is measured apart.
    """

    run: Callable[[Workspace, AnySpec], Any]
    writes: str
    alone: bool = False
    documents: int | None = None
    scratch: Callable[[AnySpec], int] = lambda spec: 0
    grows: Callable[[AnySpec], int] = lambda spec: 0
    spills: bool = False
    bounded: Bounded[AnySpec] | None = None


@dataclass(frozen=True)
class Stage(Generic[AnySpec]):
    """One stage of the loop.

    `run` reads the tables `reads`, writes the tables or files `writes`, and returns what happened,
    in numbers. `inputs` returns the fingerprints of its inputs, if these are more than its tables.
    `needs` returns the tables without which it cannot run, if these are not all that it reads.
    `takes_part` says whether it belongs to a run. An `optional` stage that has nothing to do is
    skipped, if no other needs its tables. A stage that `asks_people` is frozen by rounds and never
    stale. A `bulk` stage works on the engine. `examples` are commands.
    """

    name: str
    spec: type[AnySpec]
    run: Callable[[Workspace, AnySpec], Any]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    examples: tuple[str, ...]
    takes_part: TakesPart = always
    inputs: Callable[[Workspace, AnySpec], dict[str, str | None]] | None = None
    needs: Callable[[Workspace, AnySpec], tuple[str, ...]] | None = None
    optional: bool = False
    asks_people: bool = False
    bulk: bool = False
    cost: Cost[AnySpec] | None = None

    def required(self, workspace: Workspace, spec: AnySpec) -> tuple[str, ...]:
        """The tables without which the stage cannot run."""
        return self.reads if self.needs is None else self.needs(workspace, spec)

    def fingerprints(self, workspace: Workspace, spec: AnySpec) -> dict[str, str | None]:
        """The fingerprints of the inputs that the stage would have now."""
        if self.inputs is not None:
            return self.inputs(workspace, spec)
        return workspace.tables.fingerprints(self.reads)
