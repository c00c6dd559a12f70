"""Commands that look at a run, and check an export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, open_workspace, plain_app
from curate.commands.pages import pages_of
from curate.commands.rows import of_person, of_round, told
from curate.errors import CurateError

if TYPE_CHECKING:
    from curate.fetching.progress import AnnotatorStatus
    from curate.workspace import Workspace

status, verify = plain_app(), plain_app()


@status.command("status")
def status_command(root: Root = HERE, as_json: Json = False) -> None:
    """Show where every stage stands, and how far each person is.

    A server that runs is asked; none is started.

    Example: curate status -w my-run
    """
    from curate.rounds.standing import overview
    from curate.run import files, standing
    from curate.run.upcoming import upcoming

    workspace = open_workspace(root)
    recipe = files.of_workspace(workspace)
    workspace.about()  # raises MissingInput if the folder is no workspace
    stages = standing.status(recipe, workspace)
    settings = standing.for_next_round(recipe, workspace)
    rounds, people = overview(workspace.rounds.all()), _progress(workspace)
    following = upcoming(recipe, workspace, stages)
    if as_json:
        states = [{"stage": own.stage, "state": own.state, "at": own.at} for own in stages]
        report = {"stages": states, "rounds": rounds, "people": people, "for_next_round": settings}
        console.show({**report, "next": following}, as_json=True)
        return
    console.table([told(own) for own in stages if own.state != "unused"])
    if rounds:
        console.table([of_round(own) for own in rounds], title="rounds")
    if people:
        console.table([of_person(own) for own in people], title="people")
    for field in settings:
        console.note(f"{field} is not that of round {rounds[-1].round}: it acts on the next one")
    console.note(f"\n{following.why}")
    console.following(following.command, pages_of(workspace) if following.labels else ())


def _progress(workspace: Workspace) -> list[AnnotatorStatus]:
    from curate.connections import Connections
    from curate.fetching.progress import progress

    pushed = [round for round in workspace.rounds.asking() if round.push]
    if not pushed:
        return []
    current = pushed[-1]
    try:
        backend = None
        if not current.closed:
            connections = Connections(workspace.root, console.watch)
            backend = connections.running(current.batches[0].project.backend)
        return progress(current, workspace.root, backend)
    except CurateError as fault:
        console.note(f"{fault.message}: people's progress is that of the last pull")
        return progress(current, workspace.root, None)


@verify.command("verify")
def verify_command(
    folder: Annotated[Path, typer.Argument(help="An export.")] = Path("export"),
    against: Annotated[
        str | None, typer.Option(help="The sum of SHA256SUMS, as export printed it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check an export against its manifest: sums, counts, ids, groups, copies.

    It finds accidents. Somebody who edits files on purpose can write new sums: keep the
    `sums_sha256` that export prints in another place, and give it to --against.

    Example: curate verify my-run/export
    """
    from curate.export.verify import verify as check

    result = check(folder, against=against, watch=console.watch)
    console.show(result, as_json=as_json)
    if not (result.problems or as_json):
        console.note("nothing is wrong with it")
    if result.problems:
        raise CurateError(f"{folder}: {len(result.problems)} things are wrong")
