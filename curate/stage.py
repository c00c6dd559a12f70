"""What a stage is: one object that says all about it.

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
"""Whether a stage belongs to a run, by the sections that its recipe sets and the workspace."""


def always(sections: Collection[str], workspace: Workspace) -> bool:
    """Every run."""
    return True


def if_people_are_asked(sections: Collection[str], workspace: Workspace) -> bool:
    """Runs whose recipe brings people in."""
    return bool({"sample", "push"} & set(sections))


def if_mixed(sections: Collection[str], workspace: Workspace) -> bool:
    """Runs whose recipe makes a mixture."""
    return "mix" in sections


def if_answered(sections: Collection[str], workspace: Workspace) -> bool:
    """Runs in which people have answered, be it in a pilot."""
    return bool(_answered_purposes(workspace))


def if_learnable(sections: Collection[str], workspace: Workspace) -> bool:
    """Runs with answers that labels can be made of: pilots are none."""
    return any(purpose != "pilot" for purpose in _answered_purposes(workspace))


def _answered_purposes(workspace: Workspace) -> list[str]:
    rounds = workspace.rounds.all()
    return [round.purpose for round in rounds if round.fingerprint("annotations")]


@dataclass(frozen=True)
class Cost(Generic[AnySpec]):
    """How a dry run measures a stage on a probe of documents.

    `run` does the work that is timed, and `writes` is the folder that it fills. `alone` says that
    one process does it, whatever the engine. `documents` is how many of the probe's documents it
    takes (None: all, and a smaller probe tells the fixed part). `scratch` is the disk that it gives
    back, in bytes a document.
    """

    run: Callable[[Workspace, AnySpec], Any]
    writes: str
    alone: bool = False
    documents: int | None = None
    scratch: Callable[[AnySpec], int] = lambda spec: 0


@dataclass(frozen=True)
class Stage(Generic[AnySpec]):
    """One stage of the loop.

    `run` reads the tables `reads`, writes the tables or files `writes`, and returns a Result: what
    happened, in numbers. `inputs` returns the fingerprints of what it is made from, where these are
    more than its tables. `takes_part` says which runs it belongs to. Stages that `asks_people` are
    frozen by rounds and never stale. A `bulk` stage works on the engine. `examples` are commands.
    """

    name: str
    spec: type[AnySpec]
    run: Callable[[Workspace, AnySpec], Any]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    examples: tuple[str, ...]
    takes_part: TakesPart = always
    inputs: Callable[[Workspace, AnySpec], dict[str, str | None]] | None = None
    asks_people: bool = False
    bulk: bool = False
    cost: Cost[AnySpec] | None = None

    def fingerprints(self, workspace: Workspace, spec: AnySpec) -> dict[str, str | None]:
        """The fingerprints of what the stage would be made from now."""
        if self.inputs is not None:
            return self.inputs(workspace, spec)
        return workspace.tables.fingerprints(self.reads)
