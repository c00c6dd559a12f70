"""The whole recipe as one closed model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Field

from curate.agree.spec import AgreeSpec
from curate.clean.spec import CleanSpec
from curate.evaluate.spec import EvaluateSpec
from curate.export.spec import ExportSpec
from curate.mix.spec import MixSpec
from curate.pool.spec import PoolSpec
from curate.pull.spec import PullSpec
from curate.push.spec import PushSpec
from curate.report.spec import ReportSpec
from curate.sample.spec import SampleSpec
from curate.score.spec import ScoreSpec
from curate.spec import Spec


class Recipe(Spec):
    """A run from raw text to a mixture. A section left out has its defaults.

    `sample` and `push` belong together and bring people in; `mix` brings the export with it.
    """

    name: Annotated[
        str | None, Field(pattern=r"^[\w.-]+$", description="Used in the names of projects.")
    ] = None
    encoder: Annotated[
        str | None, Field(description="The encoder of every stage that does not name its own.")
    ] = None
    engine: Annotated[
        Literal["local", "ray"] | None, Field(description="What bulk work runs on.")
    ] = None
    workers: Annotated[int | None, Field(ge=1, description="Its processes; default all cores.")] = (
        None
    )
    pool: PoolSpec = PoolSpec()
    clean: CleanSpec = CleanSpec()
    sample: SampleSpec = SampleSpec()
    push: PushSpec = PushSpec()
    pull: PullSpec = PullSpec()
    agree: AgreeSpec = AgreeSpec()
    score: ScoreSpec = ScoreSpec()
    mix: MixSpec = MixSpec()
    export: ExportSpec = ExportSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    report: ReportSpec = ReportSpec()

    def section(self, stage: str) -> Spec:
        """The settings of a stage; `score` without an encoder has the recipe's."""
        spec = cast(Spec, getattr(self, stage))
        if stage == "score" and self.encoder and "encoder" not in spec.model_fields_set:
            return spec.model_copy(update={"encoder": self.encoder})
        return spec

    def asks_people(self) -> bool:
        """Whether the recipe brings people in."""
        return bool({"sample", "push"} & self.model_fields_set)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, for editors and checks."""
    return Recipe.model_json_schema()
