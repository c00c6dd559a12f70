"""The part of the walk where people are asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from curate import storage
from curate.errors import DataError
from curate.forms import load_form
from curate.pull.importing import bring
from curate.pull.stage import PullResult
from curate.push.restoring import RestoreResult, restore
from curate.push.spec import PushSpec
from curate.run.recipe import Recipe
from curate.run.stages import Step, run_stage
from curate.storage import Provenance
from curate.workspace import Workspace


def ask_people(
    recipe: Recipe,
    workspace: Workspace,
    next_round: bool,
    overrides: Sequence[str],
    started: Callable[[str], None],
) -> Iterator[Step]:
    rounds = [each for each in workspace.rounds if each.purpose != "import"]
    if next_round and rounds and not rounds[-1].closed:
        unsent = "`curate run` sends it" if rounds[-1].push is None else "let people finish it"
        raise DataError(
            f"round {rounds[-1].number} is still open",
            hint=f"{unsent}, or end it with `curate round close`",
        )
    only_pilots = all(each.purpose == "pilot" and each.closed for each in rounds)
    if next_round or (only_pilots and recipe.sample.purpose == "label") or not rounds:
        _remember(workspace, workspace.next_number, overrides)
        started("sample")
        yield run_stage(workspace, "sample", recipe.section("sample"))
    else:
        if rounds[-1].push is None:
            _remember(workspace, rounds[-1].number, overrides)
        yield Step("sample", "fresh")
    current = workspace.round
    if current.closed:
        yield from (Step("push", "fresh"), Step("pull", "fresh"))
        return
    if _is_pushed(workspace, current.number):
        yield Step("push", "fresh")
    else:
        started("push")
        yield run_stage(workspace, "push", recipe.section("push"))
    started("pull")
    step = run_stage(workspace, "pull", recipe.section("pull"))
    result: PullResult = step.result
    yield step if result.done else Step("pull", "waiting", result, step.seconds)


def _remember(workspace: Workspace, number: int, overrides: Sequence[str]) -> None:
    """Write down how a round is meant to be pushed, before it is there: a push may fail."""
    asked = [each for each in overrides if each.startswith("push.")]
    if asked:
        made = Provenance("meant", {"set": asked}, {}, "")
        workspace.record(made, (), {"round": number}, 0.0)


def meant(workspace: Workspace) -> tuple[str, ...]:
    """Return the overrides of `push` that the newest round was opened with, until it is sent."""
    asked = [each for each in workspace.rounds if each.purpose != "import"]
    line = workspace.last_run("meant")
    if not asked or line is None or asked[-1].push is not None or asked[-1].closed:
        return ()
    return tuple(line["spec"]["set"]) if line["result"]["round"] == asked[-1].number else ()


def _is_pushed(workspace: Workspace, number: int) -> bool:
    line = workspace.last_run("push")
    return line is not None and line["result"]["round"] == number


def bring_answers(workspace: Workspace, recipe: Recipe, answers: Path) -> PullResult:
    """Bring in answers made elsewhere, with the recipe's form, and write it into the ledger."""
    started = time.perf_counter()
    result = bring(workspace, answers, load_form(recipe.push.form, workspace.root))
    made = workspace.provenance("import", recipe.push, {"answers": storage.sha256_of(answers)})
    workspace.record(made, ("annotations",), result, time.perf_counter() - started)
    return result


def put_back(workspace: Workspace) -> RestoreResult:
    """Restore the newest round on its server, and write it into the ledger."""
    started = time.perf_counter()
    made = workspace.provenance("restore", PushSpec(), workspace.inputs(("annotations",)))
    result = restore(workspace)
    workspace.record(made, ("project",), result, time.perf_counter() - started)
    return result
