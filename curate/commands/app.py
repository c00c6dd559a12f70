"""Every command, in sections by purpose. A command is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from curate import STAGES, __version__

SECTIONS: dict[str, tuple[str, ...]] = {
    "The loop": ("init", "run", *STAGES),
    "Looking and checking": (
        *("status", "labels", "estimate", "predict", "card", "verify", "trace", "diff"),
        *("swarm", "recipe", "forms"),
    ),
    "People and servers": ("round", "people", "server", "remove"),
}
"""The sections of `curate --help`, in the order of a person's work."""

MODULES = {
    "init": "loop",
    "run": "loop",
    "status": "looking",
    "labels": "labels",
    "estimate": "estimating",
    "verify": "looking",
    "trace": "tracing",
    "diff": "comparing",
    "predict": "predicting",
    "card": "cards",
    "recipe": "recipes",
    "swarm": "swarm",
    "forms": "forms",
    "round": "rounds",
    "people": "people",
    "server": "servers",
    "remove": "removing",
}
"""The module of each command; those of stages are made in `stages`."""

NAMES = tuple(name for names in SECTIONS.values() for name in names)


class Commands(TyperGroup):
    """The commands, in sections. `commands` holds only names, for suggestions after a typo."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(NAMES)  # type: ignore[assignment]

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line; `python -m curate` is called `curate` too."""
        return super().main(*args, **{**options, "prog_name": "curate"})

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return list(NAMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None for an unknown one.

        A completion gets that of a stage out of a list, which loads no setting.
        """
        if ctx.resilient_parsing and cmd_name in STAGES:
            from curate.commands import listing

            return listing.command(cmd_name)
        return load(cmd_name) if cmd_name in NAMES else None

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The names that begin as what was typed: no command is imported for them."""
        from typer._click.shell_completion import CompletionItem

        names = [CompletionItem(name) for name in NAMES if name.startswith(incomplete)]
        options = super().shell_complete(ctx, incomplete) if incomplete.startswith("-") else []
        return [*names, *options]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of `--help`."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary(name)) for name in names])


def load(name: str) -> Any:
    """Import the command of that name."""
    if name in STAGES:
        from curate.commands import stages

        return stages.command(name)
    return typer.main.get_command(_app_of(name))


def summary(name: str) -> str:
    """What a command does, in one line. That of a stage is in its package: no stage is imported."""
    if name in STAGES:
        return str(import_module(f"curate.{name}").__doc__).splitlines()[0]
    return str(load(name).get_short_help_str(200))


def _app_of(name: str) -> typer.Typer:
    module = import_module(f"curate.commands.{MODULES[name]}")
    command_app: typer.Typer = getattr(module, name)
    return command_app


def _version(is_asked: bool) -> None:
    if is_asked:
        sys.stdout.write(f"curate {__version__}\n")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Curate training data for language models, with people in the loop."""
