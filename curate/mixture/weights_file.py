"""Weights of groups out of a file: what a fit, a trainer's log, or a person wrote down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from curate.errors import RecipeError
from curate.finite import is_number, shown
from curate.names import absent, unknown


def shares_by(weights: Mapping[str, float], groups: Sequence[str], where: str) -> dict[str, float]:
    """The share of every group, by weights that sum to more than 0; 0 for one that has no weight.

    Raises RecipeError for a weight of a group that is not there; `where` names the file.
    """
    for name in weights:
        if name not in groups:
            raise unknown(f"{where} names {name}, and there is no such group", name, groups)
    total = sum(weights.values())
    return {name: weights.get(name, 0.0) / total for name in groups}


def read_weights(path: Path, where: str) -> dict[str, float]:
    """The weights of groups in a file; `where` names the setting. Raises RecipeError."""
    if not path.is_file():
        raise absent(f"{where}: no file {path}", path, hint=EXAMPLE)
    where = f"{where}: {path.name}"
    try:
        weights = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{where} is not JSON: {error}", hint=EXAMPLE) from None
    if not isinstance(weights, dict) or not weights:
        raise RecipeError(f"{where} is not a mapping of groups to weights", hint=EXAMPLE)
    for name, weight in weights.items():
        if not (is_number(weight) and weight >= 0):
            wrong = shown(json.dumps(weight, ensure_ascii=False))
            raise RecipeError(
                f"{where}: the weight of {name} is {wrong}, not a number from 0 up", hint=EXAMPLE
            )
    if not any(weights.values()):
        raise RecipeError(f"{where}: all weights are 0", hint=EXAMPLE)
    if not is_number(sum(map(float, weights.values()))):
        raise RecipeError(f"{where}: the weights have no finite sum", hint=EXAMPLE)
    return {name: float(weight) for name, weight in weights.items()}


EXAMPLE = 'it reads as {"web": 3, "wiki": 1}'
