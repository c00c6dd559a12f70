"""The command that compares two mixtures or exports."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.options import EngineName, Json, Workers, plain_app

if TYPE_CHECKING:
    from curate.diff.diff import Compared

diff = plain_app()

SHOWN = 20
"""The documents, and the groups, that a terminal shows."""

COUNTS = ("documents", "changes", "reasons", "other_text", "tokens_added", "tokens_removed")

COLUMNS = ("id", "change", "why", "copies_a", "copies_b", "group_b")


@diff.command("diff")
def diff_command(
    a: Annotated[Path, typer.Argument(help="A workspace with a mixture, or an export.")],
    b: Annotated[Path, typer.Argument(help="Another one.")],
    output: Annotated[
        Path | None, typer.Option(help="A CSV file that gets every document, one a line.")
    ] = None,
    engine: EngineName = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Compare two mixtures or exports down to documents, and say why each differs.

    Example: curate diff before/export my-run --output changed.csv
    """
    from curate.diff.diff import compare
    from curate.engine import choose

    own = choose(engine, workers)
    try:
        with compare(a, b, own, watch=console.watch) as compared:
            if output is not None:
                console.write_csv(output, compared.documents())
            if as_json:
                console.show_with(compared.result, "found", compared.documents())
            else:
                _show(compared)
    finally:
        own.close()


def _show(compared: Compared) -> None:
    result = compared.result
    groups = sorted(result.groups, key=lambda own: -abs((own.tokens_b or 0) - (own.tokens_a or 0)))
    console.note(result.first)
    console.table(groups[:SHOWN], title="groups")
    console.show({name: getattr(result, name) for name in COUNTS}, as_json=False)
    first = islice(compared.documents(), SHOWN)
    rows = [{name: row[name] for name in COLUMNS} for row in first]
    if rows:
        console.table(rows, title="documents")
    if result.documents > len(rows):
        console.note(f"{result.documents - len(rows):,} more: --json and --output have them all")
    for line in result.notes:
        console.note(line)
