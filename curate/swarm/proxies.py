"""The proxies that a swarm can be trained with, by name."""

from __future__ import annotations

from typing import get_args

from curate.errors import RecipeError
from curate.proxies.spec import ProxySpec

OWN = "own"
"""Runs are trained by somebody's own trainer: configurations go out, losses come in."""


def check_proxy(name: str) -> None:
    """Raise RecipeError for a name that is none."""
    known = (*get_args(ProxySpec.model_fields["proxy"].annotation), OWN)
    if name not in known:
        raise RecipeError(f"--proxy {name}: there is no such proxy", hint=", ".join(known))
