"""Arrays in scratch files: workers map them into memory, so that only a path travels to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

AT_ONCE = 50_000
"""So many rows are put side by side at once."""


@dataclass(frozen=True)
class Mapped(Generic[T]):
    """A record of arrays of one length that lies in a file; `kind` makes it of its arrays.

    The file holds nothing but rows of the type `row`, `size` in number: it is read some thousand
    times, and to read a header takes longer than to map a file.
    """

    path: Path
    kind: Callable[..., T]
    row: np.dtype[Any]
    size: int

    def read(self) -> T:
        """The record; its arrays are read where they are used."""
        import numpy as np

        if not self.size:
            rows = np.empty(0, self.row)
        else:
            rows = np.asarray(np.memmap(self.path, self.row, "r", shape=(self.size,)))
        return self.kind(**{name: rows[name] for name in self.row.fields or ()})


def mapped(path: Path, kind: Callable[..., T], **arrays: NDArray[Any]) -> Mapped[T]:
    """Write arrays of one length side by side, as the fields of `kind`."""
    import numpy as np

    row = np.dtype([(name, array.dtype) for name, array in arrays.items()], align=True)
    size = len(next(iter(arrays.values())))
    with path.open("wb") as file:
        for start in range(0, size, AT_ONCE):
            rows = np.empty(min(AT_ONCE, size - start), row)
            for name, array in arrays.items():
                rows[name] = array[start : start + AT_ONCE]
            rows.tofile(file)
    return Mapped(path, kind, row, size)
