"""Commands about recipes: their schema, and whether one is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curate import console
from curate.commands.options import HERE, Root, plain_app

recipe = plain_app("Recipes: their schema, and whether one is right.")


@recipe.command("schema")
def recipe_schema() -> None:
    """Print the JSON Schema of a recipe.

    Example: curate recipe schema > recipe.schema.json
    """
    from curate.run.recipe import json_schema

    console.show(json_schema(), as_json=True)


@recipe.command("check")
def recipe_check(
    path: Annotated[Path, typer.Argument(help="A recipe.")], root: Root = HERE
) -> None:
    """Say whether a recipe can be used as written.

    Example: curate recipe check recipes/sentiment.yaml
    """
    from curate.run.files import load

    load(path)
    console.note(f"{path} is right")
