"""`curate pull --answers`: bring in what was labelled elsewhere, or write what a tool reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curate import console

if TYPE_CHECKING:
    from curate.pull.elsewhere import Elsewhere
    from curate.workspace import Workspace


def brought(
    workspace: Workspace,
    answers: Path,
    how: Elsewhere | None,
    template: bool,
    as_json: bool,
) -> None:
    """Import a file with the recipe's form; as a `template`, write it for the tool to fill."""
    from curate.forms import load_form
    from curate.pull.importing import write_template
    from curate.run import files
    from curate.run.asking import bring_answers

    recipe = files.of_workspace(workspace)
    if template and how is not None:
        form = load_form(recipe.push.form, workspace.root)
        result = {"file": str(answers), "texts": write_template(workspace, answers, form, how)}
        console.show(result, as_json=as_json)
    else:
        console.show(bring_answers(workspace, recipe, answers, how), as_json=as_json)
