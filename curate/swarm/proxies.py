"""The proxies that a swarm can be trained with, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from curate.errors import RecipeError
from curate.proxies.proxy import Proxy

Holdout = Mapping[str, Sequence[str]]
Maker = Callable[[Sequence[str], Holdout], Proxy]
"""Candidates and the held-out texts of each source → a proxy."""

OWN = "own"
"""Runs are trained by somebody's own trainer: configurations go out, losses come in."""


def _ngram(candidates: Sequence[str], holdout: Holdout) -> Proxy:
    from curate.proxies.ngram import Corpus

    return Corpus(candidates, holdout)


PROXIES: dict[str, Maker] = {"ngram": _ngram}


def check_proxy(name: str) -> None:
    """Raise RecipeError for a name that is none."""
    known = (*PROXIES, OWN)
    if name not in known:
        raise RecipeError(f"--proxy {name}: there is no such proxy", hint=", ".join(known))
