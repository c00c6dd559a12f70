"""The whole recipe as one closed model."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

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
from curate.spec import Spec, UsedIf

IF_PEOPLE_ARE_ASKED = UsedIf(lambda recipe: recipe.asks_people(), "without `sample` or `push`")
IF_MIXED = UsedIf(lambda recipe: "mix" in recipe.model_fields_set, "without a section `mix`")
IF_COMPARED = UsedIf(
    lambda recipe: _asks_bias_alone(recipe) or "mix" in recipe.model_fields_set,
    "without a section `mix`: it compares mixtures",
)
IF_HELD_OUT = UsedIf(
    lambda recipe: _asks_bias_alone(recipe) or recipe.pool.holdout > 0,
    "without held-out text to compare mixtures on, such as `pool: {holdout: 0.1}`",
)
"""Mark the sections that no run uses without others."""


def _asks_bias_alone(recipe: Recipe) -> bool:
    """Whether `evaluate` is asked about the bias of the mixture and nothing else."""
    return recipe.evaluate.model_fields_set <= {"bias"}


class Recipe(Spec):
    """A run from raw text to a mixture. A section left out has its defaults.

    `sample` and `push` belong together and bring people in; `mix` brings the export with it.
    """

    name: Annotated[
        str | None, Field(pattern=r"^[\w.-]+$", description="Used in the names of projects.")
    ] = None
    encoder: Annotated[
        str | None,
        Field(min_length=1, description="The encoder of every stage that does not name its own."),
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
    pull: Annotated[PullSpec, IF_PEOPLE_ARE_ASKED] = PullSpec()
    agree: AgreeSpec = AgreeSpec()
    score: ScoreSpec = ScoreSpec()
    mix: MixSpec = MixSpec()
    export: Annotated[ExportSpec, IF_MIXED] = ExportSpec()
    evaluate: Annotated[EvaluateSpec, IF_COMPARED, IF_HELD_OUT] = EvaluateSpec()
    report: ReportSpec = ReportSpec()

    @model_validator(mode="after")
    def _encoder_for_all(self) -> Recipe:
        relevance = self.clean.relevance
        if relevance is not None and self.encoder is not None:
            type(relevance).model_validate(_with_encoder(relevance, self.encoder).settings())
        return self

    def section(self, stage: str) -> Spec:
        """The settings of a stage; an encoder that it does not name is the recipe's."""
        spec = cast(Spec, getattr(self, stage))
        return spec if self.encoder is None else _with_encoder(spec, self.encoder)

    def asks_people(self) -> bool:
        """Whether the recipe brings people in."""
        return bool({"sample", "push"} & self.model_fields_set)


def _with_encoder(spec: Spec, encoder: str) -> Spec:
    """The settings with `encoder` wherever one is used and none is named."""
    unused = {setting.place for setting in spec.unused(defaults=True)}
    updates: dict[str, Any] = {
        name: _with_encoder(value, encoder)
        for name, value in ((name, getattr(spec, name)) for name in type(spec).model_fields)
        if isinstance(value, Spec) and (name,) not in unused
    }
    if "encoder" in type(spec).model_fields and "encoder" not in spec.model_fields_set:
        updates |= {} if ("encoder",) in unused else {"encoder": encoder}
    updates = {name: value for name, value in updates.items() if value != getattr(spec, name)}
    return spec.model_copy(update=updates) if updates else spec


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, for editors and checks."""
    return Recipe.model_json_schema()
