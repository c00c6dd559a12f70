"""Arrays in scratch files: workers map them into memory, so that only a path travels to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True)
class Mapped(Generic[T]):
    """A record of arrays of one length that lies in a file; `kind` makes it of its arrays."""

    path: Path
    kind: Callable[..., T]

    def read(self) -> T:
        """The record; its arrays are read where they are used."""
        import numpy as np

        rows = np.load(self.path, mmap_mode="r")
        return self.kind(**{name: np.asarray(rows[name]) for name in rows.dtype.names})


def mapped(path: Path, kind: Callable[..., T], **arrays: NDArray[Any]) -> Mapped[T]:
    """Write arrays of one length side by side, as the fields of `kind`."""
    import numpy as np

    fields = [(name, array.dtype) for name, array in arrays.items()]
    rows = np.empty(len(next(iter(arrays.values()))), np.dtype(fields, align=True))
    for name, array in arrays.items():
        rows[name] = array
    np.save(path, rows)
    return Mapped(path, kind)
