"""Calibrators as plain arrays, and back: nothing of them needs pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from curate.heads.calibration.calibrator import Calibrator
from curate.heads.calibration.choosing import KINDS
from curate.heads.calibration.grouped import Grouped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    AnyArray = NDArray[Any]


def arrays_of(calibrator: Grouped) -> dict[str, AnyArray]:
    """The arrays of a calibrator, by `PLACE.METHOD.FIELD`; the place 0 is the map of all rows.

    `groups` holds the names of the groups with own maps, in order.
    """
    import numpy as np

    maps: list[Any] = [calibrator.everywhere, *calibrator.own.values()]
    arrays: dict[str, AnyArray] = {"groups": np.array(list(calibrator.own), np.str_)}
    for place, one in enumerate(maps):
        method = next(name for name, kind in KINDS.items() if isinstance(one, kind))
        arrays |= {
            f"{place}.{method}.{field.name}": getattr(one, field.name) for field in fields(one)
        }
    return arrays


def from_arrays(arrays: Mapping[str, AnyArray]) -> Grouped:
    """The calibrator of stored arrays.

    Raises KeyError if one is missing.
    """
    names = [str(name) for name in arrays["groups"]]
    everywhere, *own = (_map_at(arrays, place) for place in range(len(names) + 1))
    return Grouped(everywhere, dict(zip(names, own, strict=True)))


def _map_at(arrays: Mapping[str, AnyArray], place: int) -> Calibrator:
    """The map at a place."""
    own = {
        tuple(name.split(".")[1:]): array
        for name, array in arrays.items()
        if name.startswith(f"{place}.")
    }
    method = next((name for name, _ in own), "")
    calibrator: Calibrator = KINDS[method](**{field: array for (_, field), array in own.items()})
    return calibrator
