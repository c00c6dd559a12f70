"""The settings of `report`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curate.spec import Spec

Language = Literal["en", "zh"]


class ReportSpec(Spec):
    """How the page presents itself."""

    title: Annotated[str | None, Field(description="By default the workspace's name.")] = None
    lang: Annotated[Language, Field(description="The language of the page.")] = "en"
    map: Annotated[
        bool, Field(description="Whether embeddings are drawn as a map, with beginnings of texts.")
    ] = True
