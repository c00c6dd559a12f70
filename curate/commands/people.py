"""Commands about people: the annotators, their accounts, and what they did."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from curate import console
from curate.cells import guarded
from curate.commands.completing import Values
from curate.commands.options import HERE, Json, Root, Wait, open_workspace, plain_app
from curate.errors import RecipeError

PERIODS = ("day", "week", "month", "round")
"""What a report sums over."""

people = plain_app("People who annotate, and what they did.")


@people.command("list")
def people_list(root: Root = HERE, as_json: Json = False) -> None:
    """List who annotates, and under which accounts.

    Example: curate people list
    """
    from curate.people.people import load

    rows = [person.model_dump(mode="json", by_alias=True) for person in load(root).people]
    if as_json:
        console.show({"people": rows}, as_json=True)
    elif rows:
        console.table([{name: _cell(value) for name, value in row.items()} for row in rows])
    else:
        console.note("nobody is listed in people.yaml: `curate people add` lists a person")


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


@people.command("add")
def people_add(
    id: Annotated[str, typer.Argument(help="What tables and exports hold.")],
    name: Annotated[str | None, typer.Option(help="For people to read.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="An account, as in label_studio=anna@example.org.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="A language they read.")] = None,
    quota: Annotated[int | None, typer.Option(help="The most tasks of one round.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Asked from this day on.")] = None,
    until: Annotated[str | None, typer.Option(help="Asked up to this day.")] = None,
    root: Root = HERE,
    wait: Wait = 0,
) -> None:
    """Add a person, or what is new about one; one person on two servers is one annotator.

    Example: curate people add anna --account label_studio=anna@example.org --language zh
    """
    from curate.people import Person
    from curate.people.accounts import add
    from curate.spec import validated

    options = {
        "id": id,
        "name": name,
        "accounts": _accounts(account or ()) or None,
        "languages": language,
        "quota": quota,
        "from": from_,
        "until": until,
    }
    values = {key: value for key, value in options.items() if value is not None}
    person = validated(Person, values, where="curate people add")
    with open_workspace(root).lock.hold("people add", wait=wait):
        add(root, person)


def _accounts(texts: Sequence[str]) -> dict[str, list[str]]:
    accounts: dict[str, list[str]] = {}
    for backend, login in map(_account, texts):
        accounts.setdefault(backend, []).append(login)
    return accounts


def _account(text: str) -> tuple[str, str]:
    from curate.people.people import BACKENDS

    backend, sign, account = text.partition("=")
    if not sign or backend not in BACKENDS:
        raise RecipeError(
            f"--account {text}: name the backend",
            hint="label_studio=anna@example.org, argilla=anna or folder=anna",
        )
    return backend, account


@people.command("report")
def people_report(
    by: Annotated[
        str, typer.Option(help=f"{', '.join(PERIODS)}.", autocompletion=Values(PERIODS))
    ] = "month",
    annotator: Annotated[list[str] | None, typer.Option(help="Only these people.")] = None,
    zone: Annotated[str, typer.Option(help="Whose midnight: a time zone by name.")] = "UTC",
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Say what people did: answers, skips, revisions, withdrawn answers and minutes, as CSV.

    Example: curate people report --by week --zone Asia/Shanghai > hours.csv
    """
    from curate.people.effort import Effort, Period, effort
    from curate.rounds.answers import not_rejected

    periods: dict[str, Period] = {period: period for period in ("day", "week", "month", "round")}
    if by not in periods:
        raise RecipeError(f"--by {by}: no such period", hint=", ".join(periods))
    rounds = open_workspace(root).rounds.all()
    answers = (row for round_ in rounds for row in not_rejected(round_.history(), round_.required))
    efforts = [
        line
        for line in effort(answers, periods[by], _zone(zone))
        if not annotator or line.annotator in annotator
    ]
    if as_json:
        console.show({"report": efforts}, as_json=True)
        return
    writer = csv.DictWriter(sys.stdout, [field.name for field in fields(Effort)])
    writer.writeheader()
    writer.writerows(
        {name: guarded(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in map(asdict, efforts)
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise RecipeError(
            f"--zone {name}: no such time zone", hint="as in Asia/Shanghai or Europe/Berlin"
        ) from None
