"""The command that scores texts outside the pool."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from curate import console
from curate.commands.options import HERE, Json, Root, open_workspace, plain_app
from curate.errors import RecipeError

predict = plain_app()


@predict.command("predict")
def predict_command(
    files: Annotated[
        list[str], typer.Argument(help="Files of texts, of any kind that pool reads.")
    ],
    text: Annotated[
        str | None, typer.Option(help="The column of the text, as `text:` of a source.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here; default is stdout.")
    ] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Score texts outside the pool by the heads that `score` has learned, a line of JSON each.

    Example: curate predict more.jsonl --text body -o scored.jsonl
    """
    from curate import storage
    from curate.predict import predict as score_files
    from curate.sources.source_spec import SourceSpec
    from curate.spec import validated

    if as_json and output is None:
        raise RecipeError("--json says what was done, and lines go to stdout", hint="give --output")
    paths = [str(Path(file).expanduser().resolve()) for file in files]
    settings = {"paths": paths} | ({"text": text} if text else {})
    source = validated(SourceSpec, settings, where="curate predict")
    workspace = open_workspace(root)
    workspace.require()
    if output is None:
        result = score_files(workspace, source, sys.stdout)
        for note in result.notes:
            console.note(note)
    else:
        with storage.replacing(output) as temporary, temporary.open("w", encoding="utf-8") as file:
            result = score_files(workspace, source, file)
    if output is not None or as_json:
        console.show(result, as_json=as_json)
