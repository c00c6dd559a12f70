"""The walk through the stages: it runs stale ones, skips fresh ones, and waits for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from curate.errors import CurateError, NothingToDo
from curate.run.asking import ask_people
from curate.run.meant import names_of
from curate.run.recipe import Recipe
from curate.run.stages import Step, every, find, fresh, is_fresh, run_stage, skip, takes_part
from curate.workspace import Workspace

Started = Callable[[str], None]
"""Called with the name of each stage that is about to run."""

LAST = "report"
"""The stage that also runs after another one has failed."""


def walk(
    recipe: Recipe,
    workspace: Workspace,
    *,
    next_round: bool = False,
    overrides: Sequence[str] = (),
    started: Started = lambda stage: None,
) -> Iterator[Step]:
    """Run every stage that is stale, in order, and yield each step as it ends.

    The last step is `waiting` if people have not finished. `overrides` are those that the recipe
    was loaded with; those of `push` last until the round has been sent. After a stage that failed
    the report is written, and the error is raised.
    """
    walking = _Walk(recipe, workspace, started, tuple(overrides))
    try:
        yield from walking.through(next_round, overrides)
    except CurateError as error:
        if error.stage is not None and error.stage != LAST:
            yield Step(error.stage, "failed", warnings=workspace.lineage.warnings(error.stage))
            yield from walking.report()
        raise


@dataclass
class _Walk:
    """One walk; `missing` holds the tables of the stages that it skipped."""

    recipe: Recipe
    workspace: Workspace
    started: Started
    overrides: tuple[str, ...] = ()
    missing: set[str] = field(default_factory=set)

    def through(self, next_round: bool, overrides: Sequence[str]) -> Iterator[Step]:
        """Yield the step of every stage, up to one that waits for people."""
        people_asked = False
        for name in self._taking_part():
            if not find(name).asks_people:
                yield self._step(name)
            elif not people_asked:
                people_asked = True
                for step in ask_people(
                    self.recipe, self.workspace, next_round, overrides, self.started
                ):
                    yield step
                    if step.state == "waiting":
                        return

    def report(self) -> Iterator[Step]:
        """Yield the step of the report, unless it fails too."""
        try:
            yield self._step(LAST)
        except CurateError:
            return  # the error before it is the one to be told

    def _taking_part(self) -> Iterator[str]:
        """Yield the names of the stages, each when its turn comes: answers may have come home."""
        stages = (stage.name for stage in every())
        return (name for name in stages if takes_part(self.recipe, self.workspace, name))

    def _step(self, name: str) -> Step:
        """Run a stage, or find it fresh, or skip it if it has nothing to do and may be skipped.

        Raises NothingToDo where the mixture needs what the stage would make.
        """
        spec = self.recipe.section(name)
        lacking = self.missing.intersection(find(name).required(self.workspace, spec))
        try:
            if lacking:
                raise NothingToDo(f"it needs {', '.join(sorted(lacking))}")
            if is_fresh(self.workspace, name, spec):
                return fresh(self.workspace, name)
            self.started(name)
            overridden = names_of(self.overrides, name)
            return run_stage(self.workspace, name, spec, overridden=overridden)
        except NothingToDo as reason:
            if not find(name).optional or self._is_needed(name):
                raise
            self.missing.update(find(name).writes)
            return skip(self.workspace, name, reason)

    def _is_needed(self, name: str) -> bool:
        """Whether a later stage cannot do without what a stage makes."""
        later = list(self._taking_part())
        return any(
            set(find(name).writes) & set(find(other).required(self.workspace, spec))
            and (not find(other).optional or self._is_needed(other))
            for other in later[later.index(name) + 1 :]
            for spec in [self.recipe.section(other)]
        )
