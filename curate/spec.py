"""`Spec`: the frozen, closed base of every recipe section."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from curate.errors import RecipeError

AnySpec = TypeVar("AnySpec", bound="Spec")

MAY_BE_A_FILE = "may be a file"
"""Marks a setting that may name a file.

It is relative to the workspace in a recipe, and to the current folder on a command line.
"""


class Spec(BaseModel):
    """A stage's settings. Unknown keys are errors; defaults are tuples, never lists."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def settings(self) -> dict[str, Any]:
        """Return every setting as plain JSON values, defaults included."""
        return self.model_dump(mode="json")


def validated(model: type[AnySpec], data: Any, *, where: str) -> AnySpec:
    """Validate `data` against `model`; `where` is the file or command named in the error.

    Raises RecipeError with the first three faults.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise RecipeError(
            "; ".join(f"{where}: {_complaint(item)}" for item in error.errors()[:3]),
            hint="`curate recipe schema` prints every key",
        ) from None


def _complaint(item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"]) or "(top level)"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message = "unknown key"
    return f"{path}: {message[:1].lower()}{message[1:]}"
