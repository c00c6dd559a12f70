"""Commands about recipes: their schema, and whether one is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curate import console
from curate.commands.options import HERE, Root, open_workspace, plain_app

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
    """Say whether a recipe can be used as written: every name and file in it is looked up.

    Files are looked for in the workspace; without `-w`, in the recipe's folder if that is one.

    Example: curate recipe check recipes/sentiment.yaml
    """
    from curate.run.checking import check
    from curate.run.files import load
    from curate.run.templates import is_template

    recipe = load(path)
    is_own = root == HERE and (path.parent / "workspace.json").exists()
    workspace = open_workspace(path.parent if is_own else root)
    has_texts = not (root == HERE and is_template(path))
    check(recipe, workspace, asks=recipe.asks_people(), has_texts=has_texts)
    console.note(f"{path} is right")
