"""The settings of `report`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curate.spec import Spec


class ReportSpec(Spec):
    """How the page presents itself."""

    title: Annotated[str | None, Field(description="By default the workspace's name.")] = None
