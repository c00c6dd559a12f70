"""A command for each stage, made from its `Stage`: help, options, and a run of the stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

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
from curate.commands.settings import from_command_line, options
from curate.errors import RecipeError
from curate.run import files
from curate.run.meant import meant, undone_at
from curate.run.stages import find, run_stage
from curate.spec import refuse_unused, validated
from curate.stage import Stage

if TYPE_CHECKING:
    from curate.workspace import Workspace


@dataclass(frozen=True)
class Call:
    """One call of a stage's command: the settings on the command line, and the shared options."""

    stage: Stage[Any]
    settings: Mapping[str, Any]
    workspace: Path
    as_json: bool
    wait: float
    engine: str | None = None
    workers: int | None = None

    @property
    def names(self) -> list[str]:
        """The names of the settings on the command line."""
        return [name for name, value in self.settings.items() if value is not None]

    def run(self, *, accept_withdrawals: bool = False) -> None:
        """Run the stage with the recipe's settings; those on the command line replace them."""
        stage, name = self.stage, self.stage.name
        workspace = open_workspace(self.workspace, accept_withdrawals=accept_withdrawals)
        recipe = files.of_workspace(workspace, meant(workspace))
        of_recipe = recipe.section(name).model_dump(mode="json", exclude_unset=True)
        settings = from_command_line(stage.spec, self.settings)
        spec = validated(stage.spec, {**of_recipe, **settings}, where=f"curate {name}")
        refuse_unused(spec, where=f"curate {name}", only=lambda place: place[0] in settings)
        _require_beginning(workspace, stage.required(workspace, spec) if stage.reads else ())
        engine, workers = self.engine or recipe.engine, self.workers or recipe.workers
        with (
            workspace.lock.hold(name, wait=self.wait),
            working_on(workspace, engine, workers),
        ):
            workspace.init(workspace.root.name)
            for line in () if stage.asks_people else undone_at(stage, spec.settings(), workspace):
                console.note(line)
            step = run_stage(workspace, name, spec, overridden=[*settings])
        console.done(name, step.result, as_json=self.as_json)


def _require_beginning(workspace: Workspace, required: Collection[str]) -> None:
    """Raise MissingInput without a pool, or, for a stage that needs no table, a workspace."""
    if required:
        workspace.tables.require("pool")
    else:
        workspace.require()


def command(name: str) -> Any:
    """The command of a stage."""
    stage, action = find(name), ACTIONS.get(name, Call.run)
    own, extra, shared = _parameters(stage)

    def call(**values: Any) -> None:
        extra_values = {option.name: values.pop(option.name) for option in extra}
        shared_values = {option.name: values.pop(option.name) for option in shared}
        action(Call(stage, values, **shared_values), **extra_values)

    call.__signature__ = Signature([*own, *extra, *shared])  # type: ignore[attr-defined]
    app = plain_app()
    app.command(name, help=_help(stage))(call)
    return typer.main.get_command(app)


def parameters(name: str) -> list[Parameter]:
    """Every option of a stage's command, in order."""
    return [option for part in _parameters(find(name)) for option in part]


def _parameters(stage: Stage[Any]) -> tuple[list[Parameter], list[Parameter], list[Parameter]]:
    """The options of a stage's command: its settings, those of its own action, shared ones."""
    action = ACTIONS.get(stage.name)
    extra = _extra_options(action) if action else []
    return [*options(stage.spec)], extra, [*(_BULK if stage.bulk else ()), *_SHARED]


def _help(stage: Stage[Any]) -> str:
    summary = str(import_module(f"curate.{stage.name}").__doc__).splitlines()[0]
    return "\n\n".join([summary, *(f"Example: {line}" for line in stage.examples)])


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_SHARED = (
    _parameter("workspace", Root, HERE),
    _parameter("as_json", Json, False),
    _parameter("wait", Wait, 0.0),
)
_BULK = (_parameter("engine", EngineName, None), _parameter("workers", Workers, None))


def _extra_options(action: Callable[..., None]) -> list[Parameter]:
    hints = get_type_hints(action, include_extras=True)
    _, *extra = signature(action).parameters.values()
    return [_parameter(option.name, hints[option.name], option.default) for option in extra]


# ── commands with options of their own, which may do something else


def _clean(
    call: Call,
    explain: Annotated[
        str | None,
        typer.Option(
            help="RULE or RULE:SIGNAL: show documents near its limits. An id: what it shares."
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None, typer.Option(help="RULE:SIGNAL.min=VALUE: what that would keep.")
    ] = None,
) -> None:
    if not explain and not what_if:
        call.run()
        return
    from curate.commands.explaining import explained

    refuse_beside("--explain" if explain else "--what-if", call.names)
    explained(open_workspace(call.workspace), explain, what_if or (), call.as_json)


def _push(
    call: Call,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring back a lost project with its answers.")
    ] = False,
) -> None:
    if not restore:
        call.run()
        return
    from curate.run.asking import put_back

    refuse_beside("--restore", call.names)
    workspace = open_workspace(call.workspace)
    workspace.require()
    with workspace.lock.hold("push --restore", wait=call.wait):
        console.show(put_back(workspace), as_json=call.as_json)


def _pull(
    call: Call,
    answers: Annotated[
        Path | None, typer.Option(help="Answers made elsewhere (JSONL, or as --from says).")
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="What made --answers: potato, prodigy, doccano, label_studio, label_studio_min, "
            "mturk, conll or csv.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="With --from: join by what rows and documents share, as meta.url."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="With --from: NAME=COLUMN (or key, or tag), as text=body."),
    ] = None,
    offsets: Annotated[
        str | None,
        typer.Option(
            help="With --from: what offsets of spans count: characters, utf-16, shown or "
            "shown-utf-16 (white space as on a page). It is found out."
        ),
    ] = None,
    template: Annotated[
        bool,
        typer.Option(
            "--template", help="With --from: write the file --answers, for the tool to fill."
        ),
    ] = False,
    accept_withdrawals: Annotated[
        bool,
        typer.Option(
            "--accept-withdrawals", help="Count answers that are gone from the server as withdrawn."
        ),
    ] = False,
) -> None:
    own = {"from": tool, "key": key, "column": column, "offsets": offsets, "template": template}
    needed = "--answers" if answers is None else "--from"
    for name in own if answers is None else () if tool else [own for own in own if own != "from"]:
        if own[name]:
            raise RecipeError(f"--{name} has no effect without {needed}", hint="leave it out")
    if answers is None:
        call.run(accept_withdrawals=accept_withdrawals)
        return
    from curate.commands.bringing import brought
    from curate.pull.elsewhere import Elsewhere

    refuse_beside("--answers", [*call.names, *(["accept_withdrawals"] * accept_withdrawals)])
    workspace = open_workspace(call.workspace)
    workspace.tables.require("pool")
    with workspace.lock.hold("pull", wait=call.wait):
        how = Elsewhere.of(tool, key, column or (), offsets) if tool else None
        brought(workspace, answers, how, template, call.as_json)


def _mix(
    call: Call,
    what_if: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE,VALUE: what it would change; agree.KEY and score.KEY too."),
    ] = None,
    dynamic: Annotated[
        Path | None, typer.Option(help="A log of losses: weights that follow them; draws nothing.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="With --dynamic: ado (default), doremi or loss.")
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(help="With --dynamic: weights that the run was trained on; default even."),
    ] = None,
    floor: Annotated[
        float | None, typer.Option(help="With --dynamic: the least share of every group.")
    ] = None,
    smoothing: Annotated[
        float | None, typer.Option(help="With --dynamic: the part of the old weights that is kept.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="With --dynamic: where to write {group: share}, as JSON."
        ),
    ] = None,
) -> None:
    if dynamic is not None:
        from curate.commands.following import followed
        from curate.mix.following import Following

        refuse_beside("--dynamic", [*call.names, *(["what_if"] * bool(what_if))])
        how = Following.of_files(strategy, prior, floor, smoothing)
        followed(open_workspace(call.workspace), dynamic, how, output, call.as_json)
        return
    own = {"strategy": strategy, "prior": prior, "floor": floor, "smoothing": smoothing}
    for name, value in {**own, "output": output}.items():
        if value is not None:
            raise RecipeError(f"--{name} has no effect without --dynamic", hint="leave it out")
    if not what_if:
        call.run()
        return
    from curate.commands.supposing import supposed

    refuse_beside("--what-if", call.names)
    workspace = open_workspace(call.workspace)
    workspace.require()
    with working_on(workspace, call.engine, call.workers):
        supposed(workspace, what_if, call.as_json)


def _export(
    call: Call,
    replay: Annotated[
        Path | None,
        typer.Option(help="The draw.parquet of an export: write its lines again, without scores."),
    ] = None,
) -> None:
    if replay is None:
        call.run()
        return
    from curate.replay.replay import replay as written_again

    refuse_beside("--replay", [name for name in call.names if name != "format"])
    workspace = open_workspace(call.workspace)
    workspace.require()
    with (
        workspace.lock.hold("export --replay", wait=call.wait),
        working_on(workspace, call.engine, call.workers),
    ):
        result = written_again(workspace, replay, call.settings["format"])
    console.show(result, as_json=call.as_json)


ACTIONS: dict[str, Callable[..., None]] = {
    "clean": _clean,
    "push": _push,
    "pull": _pull,
    "mix": _mix,
    "export": _export,
}
"""The functions of commands that have options of their own."""
