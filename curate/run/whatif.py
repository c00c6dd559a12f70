"""What the mixture would be with other settings: tried beside the workspace, which stays as it is.

The stages that a setting touches run in a folder of their own that goes at the end. What they do
not write is there as links. So no table, ledger, round or answer of the workspace is changed.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate import yamls
from curate.errors import CurateError, DataError, RecipeError
from curate.mix.whatif import Change, change
from curate.run.files import is_within, put
from curate.run.stages import find, run_stage
from curate.spec import Place, Spec, refuse_unused, validated
from curate.warning import StageWarning
from curate.workspace import Workspace

STAGES = {"agree": "labels", "score": "scores", "mix": "mix"}
"""The stages whose settings may be others, in their order, and a table that each has made."""

TODAY = "today"
"""The name of the mixture that is there."""

APART = ";"
"""Between settings that are changed together."""

LEDGER = "ledger.jsonl"


@dataclass(frozen=True)
class GroupShare:
    """A group in one mixture: shares of tokens."""

    group: str
    promised: float
    realised: float


@dataclass(frozen=True)
class Case:
    """One mixture: today's, or one with other settings; and what it changes of today's.

    `problem` says why there is none: then it has no groups.
    """

    name: str
    groups: tuple[GroupShare, ...] = ()
    tokens: int = 0
    documents: int = 0
    change: Change = field(default_factory=Change)
    problem: str | None = None


@dataclass(frozen=True)
class WhatIf:
    """Today's mixture and others beside it. Nothing was written."""

    cases: tuple[Case, ...]
    warnings: tuple[StageWarning, ...] = ()


def what_if(workspace: Workspace, wishes: Sequence[str]) -> WhatIf:
    """Make the mixture with other settings than those that today's tables were made with.

    A wish is `key=value`, or `key=one,other` for several mixtures. `agree.KEY` and `score.KEY` are
    settings of these stages, any other key is one of `mix`. `;` joins settings that are changed
    together. Every wish is tried alone.

    A mixture that cannot be made is told as one. Raises RecipeError for a wish that is no setting,
    MissingInput without a mixture, StaleInput if it is outdated, and the error of a mixture that
    cannot be made if no other was asked for.
    """
    check(workspace)
    trials = [trial for wish in wishes for trial in _trials(workspace, wish)]
    before = content(workspace)
    cases = [today(workspace)]
    errors = []
    for trial in trials:
        try:
            cases.append(_tried(workspace, trial))
        except RecipeError:
            raise
        except CurateError as error:
            errors.append(error)
            cases.append(impossible(trial.name, error))
    if len(errors) == len(trials) == 1:
        raise errors[0]
    if content(workspace) != before:
        raise DataError("the workspace was changed by another command", hint="ask again")
    return WhatIf(tuple(cases), workspace.freshness.newer_answers("mix"))


STAGES_READ = ("pool", "clean", "mix", "groups")


def check(workspace: Workspace) -> None:
    """Raise MissingInput without a mixture, StaleInput if it is outdated."""
    workspace.tables.require(*STAGES_READ)
    workspace.freshness.check(*STAGES_READ)


def content(workspace: Workspace) -> dict[str, str | None]:
    """The fingerprints of all that a mixture follows from: other commands may change it."""
    return workspace.tables.fingerprints((*STAGES_READ, "labels", "scores", "annotations"))


# ── the settings


@dataclass(frozen=True)
class Trial:
    """The settings of the stages from the first one that changes; `name` says what differs."""

    name: str
    specs: Mapping[str, Spec]


def _trials(workspace: Workspace, wish: str) -> Iterator[Trial]:
    """Yield a trial for each combination of the values that a wish names."""
    where = f"--what-if {wish}"
    options = [[*_read(part.strip(), where)] for part in wish.split(APART)]
    for settings in itertools.product(*options):
        first = min((stage for stage, *_ in settings), key=[*STAGES].index)
        rerun = [*STAGES][[*STAGES].index(first) :]
        data = {stage: dict(workspace.tables.made(STAGES[stage]).spec) for stage in rerun}
        for stage, key, value in settings:
            put(data, f"{stage}.{key}", value, where)
        keys = [(stage, tuple(key.split("."))) for stage, key, _ in settings]
        specs = {
            stage: _spec(stage, data[stage], [key for own, key in keys if own == stage], where)
            for stage in rerun
        }
        yield Trial(f"{APART} ".join(itertools.starmap(_told, settings)), specs)


def _read(part: str, where: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (stage, key, value) for each value of `key=value,value`."""
    name, sign, values = part.partition("=")
    if not sign or not values.strip() or not all(name.split(".")):
        raise RecipeError(f"{where}: write key=value", hint="as in between.alpha=.3,.5,1")
    stage, _, key = name.partition(".")
    if stage not in STAGES or not key:
        stage, key = "mix", name
    for value in yamls.parse(f"[{values}]", where, hint="as in between.alpha=.3,.5,1"):
        yield stage, key, value


def _told(stage: str, key: str, value: Any) -> str:
    """A setting as a person writes it."""
    return f"{key if stage == 'mix' else f'{stage}.{key}'}={yamls.inline(value)}"


def _spec(stage: str, data: Mapping[str, Any], keys: Sequence[Place], where: str) -> Spec:
    """The settings of a stage, without those that have no effect beside the `keys` that changed.

    Raises RecipeError if one of these is wrong, or has no effect itself.
    """
    model: type[Spec] = find(stage).spec
    spec = validated(model, data, where=where)
    refuse_unused(
        spec,
        where=where,
        only=lambda place: any(is_within(place, key) or is_within(key, place) for key in keys),
    )
    return validated(model, spec.settings(), where=where)


# ── the mixtures


def today(workspace: Workspace) -> Case:
    """The mixture that is there."""
    return Case(TODAY, *_groups(workspace))


def _tried(workspace: Workspace, trial: Trial) -> Case:
    """Run the stages of a trial, and compare its mixture with today's."""
    with beside(workspace, [*trial.specs]) as other:
        return compared(workspace, other, trial)


def compared(workspace: Workspace, other: Workspace, trial: Trial) -> Case:
    """Run the stages of a trial in `other`, and compare its mixture with that of a workspace."""
    for stage, spec in trial.specs.items():
        run_stage(other, stage, spec)
    return Case(trial.name, *_groups(other), change(workspace, other))


def impossible(name: str, error: CurateError) -> Case:
    """The case of a mixture that cannot be made, with the reason."""
    hint = f" ({error.hint})" if error.hint else ""
    return Case(name, problem=f"{error.stage or 'mix'}: {error.message}{hint}")


def _groups(workspace: Workspace) -> tuple[tuple[GroupShare, ...], int, int]:
    """The groups of a mixture, its tokens, and its documents, copies counted."""
    columns = ["group", "promised", "realised", "tokens", "documents"]
    rows = workspace.tables.read("groups", columns).to_pylist()
    shares = tuple(GroupShare(row["group"], row["promised"], row["realised"]) for row in rows)
    return shares, sum(row["tokens"] for row in rows), sum(row["documents"] for row in rows)


class _Beside(Workspace):
    """A workspace of links to another one, whose relative paths still work."""

    home: Path

    def path(self, name: str) -> Path:
        """A recipe's path: relative ones are relative to the workspace that is linked."""
        return self.home / Path(name).expanduser()


@contextmanager
def beside(
    workspace: Workspace, stages: Sequence[str], tables: Sequence[str] = ()
) -> Iterator[Workspace]:
    """A workspace in which these stages can run; it is gone at the end.

    Only what they write is its own (their tables, vectors, and the ledger), and further `tables`,
    which are not there until they are written.
    """
    written = {*tables, *(name for stage in stages for name in find(stage).writes)}
    with tempfile.TemporaryDirectory(prefix="curate-what-if-") as name:
        vectors = workspace.root / "vectors"
        if "score" in stages and vectors.is_dir():
            _mirror(vectors, Path(name) / "vectors")
            written.add("vectors")
        yield linked(workspace, Path(name), written)


def linked(workspace: Workspace, folder: Path, without: Collection[str]) -> Workspace:
    """A workspace of links in an empty folder, without some tables; its ledger is a copy."""
    for child in workspace.root.iterdir():
        if child.name == LEDGER:
            shutil.copyfile(child, folder / LEDGER)
        elif not child.name.startswith(".") and child.stem not in without:
            (folder / child.name).symlink_to(child)
    other = _Beside(folder, engine=workspace.engine, watch=workspace.watch, maker=workspace.maker)
    other.home = workspace.root
    return other


def _mirror(source: Path, target: Path) -> None:
    """Make folders like those of `source`, with links to its files: whatever goes is a link."""
    target.mkdir()
    for child in source.iterdir():
        if child.is_dir():
            _mirror(child, target / child.name)
        else:
            (target / child.name).symlink_to(child)
