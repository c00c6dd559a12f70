"""Commands that start a run, and run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.completing import Values, form_names, template_names
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
from curate.commands.pages import pages_of
from curate.errors import RecipeError

if TYPE_CHECKING:
    from curate.run.recipe import Recipe
    from curate.workspace import Workspace

init, run = plain_app(), plain_app()

PURPOSES = ("label", "pilot")


@init.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="The run's folder.")] = HERE,
    data: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders of texts; by default those under FOLDER/data."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            help="A recipe of curate's, by name; by default `init` writes one that fits the data.",
            autocompletion=template_names,
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="The column that holds the texts.")] = None,
    form: Annotated[
        str | None,
        typer.Option(help="What people are asked; default: quality.", autocompletion=form_names),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="No server: tasks and answers are files.")
    ] = False,
) -> None:
    """Make a folder a workspace, with a recipe that fits your data.

    Example: curate init my-run reviews.csv

    Example: curate init my-run --template sentiment
    """
    workspace = open_workspace(folder)
    if template is not None:
        from curate.run.files import begin as from_template

        given = {"data": data, "text": text, "form": form, "offline": offline}
        refuse_beside("--template", (name for name, value in given.items() if value))
        lines = from_template(workspace, template)
    else:
        from curate.starting import Choice, begin

        lines = begin(workspace, Choice(data or (), text, form, offline))
    for line in lines:
        console.note(line)


@run.command("run")
def run_command(
    path: Annotated[Path | None, typer.Argument(help="A recipe; it is copied.")] = None,
    next_round: Annotated[bool, typer.Option("--next-round", help="Ask people again.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting for this run, as mix.budget=5M; may be repeated."),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option(help="Of the next round: label or pilot.", autocompletion=Values(PURPOSES)),
    ] = None,
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
    console.made(workspace.root, [step.stage for step in steps])


def _wait_for_people(workspace: Workspace, result: Any) -> None:
    console.waiting(result, pages_of(workspace))
    raise typer.Exit(3)
