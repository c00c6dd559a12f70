"""The command that says what the labels mean for the whole corpus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import console
from curate.commands.completing import Values
from curate.commands.options import (
    HERE,
    EngineName,
    Json,
    Root,
    Wait,
    Workers,
    open_workspace,
    plain_app,
    working_on,
)
from curate.rounding import filled, rounded

if TYPE_CHECKING:
    from curate.estimate.results import EstimateRow, Interval

estimate = plain_app()

KEYS = ("source", "language", "license")
"""The groups that estimates can be of."""

NAMES = {"powered": "powered", "hajek": "weighted", "nothing": None}
"""The columns to quote, as the terminal names them."""


@estimate.command("estimate")
def estimate_command(
    by: Annotated[
        str, typer.Option(help=f"Groups: {', '.join(KEYS)}.", autocompletion=Values(KEYS))
    ] = "source",
    engine: EngineName = None,
    workers: Workers = None,
    root: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Estimate shares and means of the whole corpus from the labels, with 90 % intervals.

    `weighted` uses the probabilities with which texts were drawn, `powered` also the predictions;
    `naive` ignores the draw. It writes estimates.json, which the report shows.

    Example: curate estimate -w my-run

    Example: curate estimate --by language --json
    """
    from curate.estimate.run import run

    workspace = open_workspace(root)
    workspace.require()
    with workspace.lock.hold("estimate", wait=wait), working_on(workspace, engine, workers):
        result = run(workspace, by)
    if as_json:
        console.show(result, as_json=True)
        return
    for question, rows in groupby(result.rows, attrgetter("question")):
        console.table([*_told(rows)], title=question)
    console.warnings(result.warnings)


def _told(rows: Iterator[EstimateRow]) -> Iterator[dict[str, Any]]:
    """The rows as the terminal shows them."""
    for row in rows:
        yield {
            "value": " · ".join(filter(None, (row.value, row.group or "all"))),
            "labels": row.labels,
            "naive": rounded(row.naive.value, ".3f"),
            "weighted": shown(row.hajek),
            "powered": shown(row.powered),
            "quote": NAMES[row.quote],
        }


def shown(interval: Interval | None) -> str | None:
    """A value with its interval; None without either."""
    if interval is None:
        return None
    if interval.low is None or interval.high is None:
        return rounded(interval.value, ".3f")
    return filled("{value:.3f} ({low:.2f}-{high:.2f})", vars(interval))
