"""Commands that start a run, and run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.options import (
    HERE,
    EngineName,
    Json,
    Root,
    Wait,
    Workers,
    open_workspace,
    plain_app,
    refuse_beside,
    working_on,
)
from curate.errors import RecipeError

if TYPE_CHECKING:
    from curate.run.recipe import Recipe
    from curate.workspace import Workspace

init, run = plain_app(), plain_app()


@init.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="The run's folder.")] = HERE,
    template: Annotated[str, typer.Option(help="A recipe by name.")] = "sentiment",
) -> None:
    """Make a folder a workspace, with a recipe and its form to start from.

    Example: curate init my-run --template sentiment
    """
    from curate.run.files import begin

    for line in begin(open_workspace(folder), template):
        console.note(line)


@run.command("run")
def run_command(
    path: Annotated[Path | None, typer.Argument(help="A recipe; it is copied.")] = None,
    next_round: Annotated[bool, typer.Option("--next-round", help="Ask people again.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="section.key=value")] = None,
    purpose: Annotated[str | None, typer.Option(help="Of the next round: label or pilot.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate time, disk and memory; write nothing.")
    ] = False,
    engine: EngineName = None,
    workers: Workers = None,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Run what is stale, skip what is fresh, pause where people are needed (exit 3).

    Example: curate run recipes/sentiment.yaml -w my-run

    Example: curate run recipes/sentiment.yaml -w my-run --dry-run
    """
    from curate.run import files
    from curate.run.asking import opens_round
    from curate.run.checking import asks_anew, check
    from curate.run.meant import undone
    from curate.run.standing import refuse_for_next_round

    workspace = open_workspace(root)
    if path is not None:
        files.load(path)
    else:
        workspace.require()
    if dry_run:
        of_rounds = {"next_round": next_round, "purpose": purpose}
        refuse_beside("--dry-run", (name for name, value in of_rounds.items() if value))
        recipe = files.load(path, set_ or ()) if path else files.of_workspace(workspace, set_ or ())
        with working_on(workspace, engine or recipe.engine, workers or recipe.workers):
            _forecast(recipe, workspace, as_json)
        return
    if purpose and not next_round and workspace.rounds.all():
        raise RecipeError("--purpose is for a new round", hint="add --next-round")
    overrides = [*(set_ or ()), *([f"sample.purpose={purpose}"] if purpose else ())]
    with workspace.lock.hold("run", wait=wait):
        overrides = [*_pending_overrides(workspace), *overrides]
        recipe = files.load(path or workspace.root / files.NAME, overrides)
        check(recipe, workspace, asks=asks_anew(recipe, workspace, next_round))
        if not opens_round(recipe, workspace, next_round):
            refuse_for_next_round(recipe, workspace, set_ or ())
        for field in files.adopt(workspace, path) if path else ():
            console.note(f"recipe.yaml: {field} changed")
        for line in undone(recipe, workspace):
            console.note(line)
        workspace.init(recipe.name or workspace.root.name)
        with working_on(workspace, engine or recipe.engine, workers or recipe.workers):
            _walk(recipe, workspace, next_round, overrides, as_json)


def _forecast(recipe: Recipe, workspace: Workspace, as_json: bool) -> None:
    from curate.run.forecast import estimate

    console.show(estimate(recipe, workspace), as_json=as_json)


def _pending_overrides(workspace: Workspace) -> tuple[str, ...]:
    from curate.run.meant import meant

    overrides = meant(workspace)
    for override in overrides:
        number = workspace.rounds.current().number
        console.note(f"round {number} was opened with --set {override}")
    return overrides


def _walk(
    recipe: Recipe, workspace: Workspace, next_round: bool, overrides: list[str], as_json: bool
) -> None:
    from curate.run.walk import walk

    steps = []
    try:
        for step in walk(recipe, workspace, next_round=next_round, overrides=overrides):
            console.step(step)
            steps.append(step)
    finally:
        if as_json and steps:
            console.show({"steps": steps}, as_json=True)
    if steps and steps[-1].state == "waiting":
        _wait_for_people(workspace, steps[-1].result)


def _wait_for_people(workspace: Workspace, result: Any) -> None:
    from curate.connections import Connections
    from curate.people.accounts import named_among
    from curate.people.people import load

    connections = Connections(workspace.root, console.watch)
    batches = workspace.rounds.current().batches
    projects = [batch.project for batch in batches]
    people = load(workspace.root)
    logins = [
        connections.login(
            project.backend, project.url, named=bool(named_among(people, project.backend))
        )
        for project in projects
    ]
    console.waiting(result, batches, logins)
    raise typer.Exit(3)
