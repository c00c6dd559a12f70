"""The settings of `pull`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curate.spec import Spec


class PullSpec(Spec):
    """When a round counts as done."""

    enough: Annotated[
        float, Field(gt=0, le=1, description="Share of complete tasks that closes the round.")
    ] = 1.0
