"""Commands about forms: what people are asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.completing import form_names
from curate.commands.options import HERE, Json, Root, plain_app
from curate.errors import FormError

if TYPE_CHECKING:
    from curate.records import Form

forms = plain_app("Forms: what people are asked.")


@forms.command("list")
def forms_list(root: Root = HERE, as_json: Json = False) -> None:
    """List the forms and what they ask.

    Example: curate forms list
    """
    from curate.forms import known_forms

    rows = [{"form": name, "asks": _questions_of(name, root)} for name in known_forms(root)]
    console.show({"forms": rows}, as_json=True) if as_json else console.table(rows)


FormName = Annotated[
    str,
    typer.Argument(
        help="A form by name, or the path of a label config.", autocompletion=form_names
    ),
]


@forms.command("show")
def forms_show(name: FormName, root: Root = HERE, as_json: Json = False) -> None:
    """Print a form's label config.

    Example: curate forms show sentiment
    """
    form = _form(name, root)
    if as_json:
        console.show({"form": form.name, "xml": form.xml}, as_json=True)
    else:
        sys.stdout.write(form.xml)


@forms.command("check")
def forms_check(name: FormName, root: Root = HERE, as_json: Json = False) -> None:
    """Say whether a form can be read (if not, which tag on which line), and who can ask it.

    Example: curate forms check label_configs/mine.xml
    """
    from curate.backends.fits import fits

    try:
        form = _form(name, root)
    except FormError as error:
        if not as_json:
            raise
        report = {"form": name, "readable": False, "error": error.message, "hint": error.hint}
        console.show(report, as_json=True)
        raise typer.Exit(error.exit_code) from None
    servers = fits(form)
    if as_json:
        questions = [
            {"name": q.name, "kind": q.kind, "values": q.labels, "required": q.required}
            for q in form.questions
        ]
        report = {"form": form.name, "readable": True, "questions": questions, "servers": servers}
        console.show(report, as_json=True)
        return
    console.note(f"{form.name} asks {_questions(form)}")
    rows = [
        {"server": fit.server, "can ask it": fit.can, "notes": "; ".join(fit.notes)}
        for fit in servers
    ]
    console.table(rows)


def _form(name: str, root: Path) -> Form:
    """The form of that name; a path is relative to the current folder."""
    from curate.forms import load_form

    return load_form(str(Path(name).absolute()) if name.endswith(".xml") else name, root)


def _questions_of(name: str, root: Path) -> str:
    try:
        return _questions(_form(name, root))
    except FormError as error:
        return f"cannot be read: {error.message}"


def _questions(form: Form) -> str:
    return ", ".join(f"{question.name} ({question.kind})" for question in form.questions)
