"""A run from Python: what the command line does, with tables as data frames.

run = Run("my-run")
run.begin("offline")            # a recipe by name, or a dictionary
run.go()                        # stops where people are asked
run.texts()                     # what they are asked
run.answer({id: "positive"})    # with the backend `folder`; servers have a page
run.go()
run.table("mix")                # a pandas DataFrame
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError, RecipeError
from curate.progress import unwatched

if TYPE_CHECKING:
    import pandas as pd

    from curate.run.recipe import Recipe
    from curate.run.stages import Step
    from curate.workspace import Workspace


class Run:
    """A run's folder. Every method reads the disk, so the command line can be used beside it."""

    def __init__(self, folder: str | Path) -> None:
        from curate.connections import Connections
        from curate.run.stages import maker
        from curate.workspace import Workspace

        root = Path(folder)
        connect = Connections(root, unwatched)
        self.workspace: Workspace = Workspace(root, connect=connect, maker=maker)

    @property
    def root(self) -> Path:
        """The run's folder."""
        return self.workspace.root

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands in the folder. Raises RecipeError."""
        from curate.run import files

        return files.of_workspace(self.workspace)

    def begin(self, recipe: str | Mapping[str, Any]) -> None:
        """Make the folder a workspace, by a template's name or by a recipe as a dictionary.

        Raises RecipeError for a recipe that cannot be used, DataError if the folder has one.
        """
        from curate import storage, yamls
        from curate.run import files
        from curate.run.recipe import Recipe
        from curate.spec import validated

        if isinstance(recipe, str):
            files.begin(self.workspace, recipe)
            return
        target = self.root / files.NAME
        if target.exists():
            raise DataError(
                f"{target} exists already",
                hint="use another folder, or call `go` to continue the run in this one",
            )
        name = validated(Recipe, dict(recipe), where="recipe").name
        self.workspace.init(name or self.root.name)
        storage.write_text(target, yamls.text_of(dict(recipe)))

    def go(
        self, *, next_round: bool = False, set: Sequence[str] = (), workers: int | None = None
    ) -> tuple[Step, ...]:
        """Run what is stale; the last step is `waiting` where people have not finished.

        `set` are settings for this call, as `section.key=value`. Raises CurateError.
        """
        from curate.engine import choose
        from curate.run import files
        from curate.run.asking import opens_round
        from curate.run.checking import asks_anew, check
        from curate.run.meant import meant
        from curate.run.standing import refuse_for_next_round
        from curate.run.walk import walk

        workspace = self.workspace
        workspace.require()
        with workspace.lock.hold("run"):
            overrides = [*meant(workspace), *set]
            recipe = files.load(self.root / files.NAME, overrides)
            check(recipe, workspace, asks=asks_anew(recipe, workspace, next_round))
            if not opens_round(recipe, workspace, next_round):
                refuse_for_next_round(recipe, workspace, set)
            workspace.engine = choose(recipe.engine, workers or recipe.workers)
            try:
                return tuple(walk(recipe, workspace, next_round=next_round, overrides=overrides))
            finally:
                workspace.engine.close()

    def texts(self) -> pd.DataFrame:
        """What the newest round asks people about: a row a text, with `id` and the shown fields."""
        import pandas as pd

        current = self.workspace.rounds.current()
        return pd.DataFrame([{"id": id, **fields} for id, fields in current.texts().items()])

    def answer(
        self, values: Mapping[str, Any], *, question: str | None = None, annotator: str = "me"
    ) -> None:
        """Give answers to the newest round: `values` by the ids of `texts`.

        `question` can be left out where the form asks one. Raises RecipeError for a round that is
        not on the backend `folder`, whose people answer on their page.
        """
        current = self.workspace.rounds.current()
        if current.project is None or current.project.backend != "folder":
            raise RecipeError(
                "people answer this round on its page", hint="push: {backend: folder}"
            )
        name = question or current.form.questions[0].name
        rows = (
            {"id": id, "question": name, "annotator": annotator, "value": value}
            for id, value in values.items()
        )
        path = current.folder / "answers.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table of the run, such as `pool`, `labels`, `scores` or `mix`. Raises MissingInput."""
        frame: pd.DataFrame = self.workspace.tables.read(name, columns).to_pandas()
        return frame

    def status(self) -> dict[str, str]:
        """The state of every stage: fresh, stale, missing, open, unused, skipped or failed."""
        from curate.run import standing

        return {each.stage: each.state for each in standing.status(self.recipe, self.workspace)}

    def evaluation(self) -> dict[str, Any]:
        """What `evaluate` measured, as it stands in evaluate.json. Raises MissingInput."""
        self.workspace.tables.require("evaluate")
        return dict(json.loads((self.root / "evaluate.json").read_text(encoding="utf-8")))
