"""Commands about forms: what people are asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, plain_app
from curate.errors import FormError

if TYPE_CHECKING:
    from curate.records import Form

forms = plain_app("Forms: what people are asked.")


@forms.command("list")
def forms_list(workspace: Root = HERE, as_json: Json = False) -> None:
    """List the forms and what they ask.

    Example: curate forms list
    """
    from curate.forms import known_forms

    found = [{"form": name, "asks": _asked(name, workspace)} for name in known_forms(workspace)]
    console.show({"forms": found}, as_json=True) if as_json else console.table(found)


Named = Annotated[str, typer.Argument(help="A form by name, or the path of a label config.")]


@forms.command("show")
def forms_show(name: Named, workspace: Root = HERE, as_json: Json = False) -> None:
    """Print a form's label config.

    Example: curate forms show sentiment
    """
    form = _form(name, workspace)
    if as_json:
        console.show({"form": form.name, "xml": form.xml}, as_json=True)
    else:
        sys.stdout.write(form.xml)


@forms.command("check")
def forms_check(name: Named, workspace: Root = HERE, as_json: Json = False) -> None:
    """Say whether a form can be read (if not, which tag on which line), and who can ask it.

    Example: curate forms check label_configs/mine.xml
    """
    from curate.backends.fits import fits

    try:
        form = _form(name, workspace)
    except FormError as error:
        if not as_json:
            raise
        wrong = {"form": name, "readable": False, "error": error.message, "hint": error.hint}
        console.show(wrong, as_json=True)
        raise typer.Exit(error.exit_code) from None
    found = fits(form)
    if as_json:
        asked = [
            {"name": q.name, "kind": q.kind, "values": q.labels, "required": q.required}
            for q in form.questions
        ]
        about = {"form": form.name, "readable": True, "questions": asked, "servers": found}
        console.show(about, as_json=True)
        return
    console.note(f"{form.name} asks {_asks(form)}")
    rows = [{"server": f.server, "can ask it": f.can, "notes": "; ".join(f.notes)} for f in found]
    console.table(rows)


def _form(name: str, workspace: Path) -> Form:
    """Return a form; a path is meant from the current folder, as on every command line."""
    from curate.forms import load_form

    return load_form(str(Path(name).absolute()) if name.endswith(".xml") else name, workspace)


def _asked(name: str, workspace: Path) -> str:
    try:
        return _asks(_form(name, workspace))
    except FormError as error:
        return f"cannot be read: {error.message}"


def _asks(form: Form) -> str:
    return ", ".join(f"{question.name} ({question.kind})" for question in form.questions)
