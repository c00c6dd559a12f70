"""The part of the walk that asks people; also the import of answers, and the restore."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from curate import storage
from curate.errors import DataError
from curate.forms import load_form
from curate.pull.elsewhere import Elsewhere
from curate.pull.importing import bring
from curate.pull.stage import PullResult
from curate.push.restoring import RestoreResult, restore
from curate.push.spec import PushSpec
from curate.rounds.standing import how_to_end
from curate.run.looking import check_documents
from curate.run.meant import remember
from curate.run.recipe import Recipe
from curate.run.stages import Step, fresh, run_stage
from curate.workspace import Workspace


def ask_people(
    recipe: Recipe,
    workspace: Workspace,
    next_round: bool,
    overrides: Sequence[str],
    started: Callable[[str], None],
) -> Iterator[Step]:
    """Open a round if one is due, send it, and fetch answers; the last step may be `waiting`.

    Raises DataError for `next_round` while people are still asked.
    """
    yield _sample(recipe, workspace, next_round, overrides, started)
    current = workspace.rounds.current()
    if current.closed:
        yield from (fresh(workspace, "push"), fresh(workspace, "pull"))
        return
    if _is_pushed(workspace, current.number):
        yield fresh(workspace, "push")
    else:
        started("push")
        yield run_stage(workspace, "push", recipe.section("push"))
    started("pull")
    step = run_stage(workspace, "pull", recipe.section("pull"))
    result: PullResult = step.result
    yield step if result.done else replace(step, state="waiting")


def _sample(
    recipe: Recipe,
    workspace: Workspace,
    next_round: bool,
    overrides: Sequence[str],
    started: Callable[[str], None],
) -> Step:
    rounds = workspace.rounds.asking()
    for open_round in workspace.rounds.open() if next_round else ():
        raise DataError(f"round {open_round.number} is still open", hint=how_to_end(open_round))
    if opens_round(recipe, workspace, next_round):
        check_documents(workspace, recipe.mix.between.shares or {})
        remember(workspace, workspace.next_round(), overrides)
        started("sample")
        return run_stage(workspace, "sample", recipe.section("sample"))
    if rounds[-1].push is None:
        remember(workspace, rounds[-1].number, overrides)
    return fresh(workspace, "sample")


def opens_round(recipe: Recipe, workspace: Workspace, next_round: bool) -> bool:
    """Whether a run opens a round; a pilot that has ended is followed by one that counts."""
    rounds = workspace.rounds.asking()
    only_pilots = all(round.purpose == "pilot" and round.closed for round in rounds)
    return next_round or not rounds or (only_pilots and recipe.sample.purpose == "label")


def _is_pushed(workspace: Workspace, number: int) -> bool:
    line = workspace.ledger.last("push")
    return line is not None and line["result"]["round"] == number


def bring_answers(
    workspace: Workspace, recipe: Recipe, answers: Path, how: Elsewhere | None = None
) -> PullResult:
    """Import answers made elsewhere, with the recipe's form; the ledger gets a line."""
    started = time.perf_counter()
    result = bring(workspace, answers, load_form(recipe.push.form, workspace.root), how)
    is_file = answers.is_file()
    inputs = {"answers": storage.sha256_of(answers) if is_file else None}
    provenance = workspace.freshness.provenance("import", recipe.push, inputs)
    outputs = workspace.tables.fingerprints(("annotations",))
    workspace.ledger.append(provenance, outputs, result, time.perf_counter() - started)
    return result


def put_back(workspace: Workspace) -> RestoreResult:
    """Restore the newest round on its server; the ledger gets a line."""
    started = time.perf_counter()
    inputs = workspace.tables.fingerprints(("annotations",))
    provenance = workspace.freshness.provenance("restore", PushSpec(), inputs)
    result = restore(workspace)
    outputs = workspace.tables.fingerprints(("project",))
    workspace.ledger.append(provenance, outputs, result, time.perf_counter() - started)
    return result
