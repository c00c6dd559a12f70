"""Arrays that an instrument prepares and the workers read, in files beside the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class StoredArrays:
    """Arrays on disk. The digest of their inputs identifies them, not the folder."""

    def __init__(self, digest: str, folder: Path) -> None:
        self.digest = digest
        self.folder = folder

    def __str__(self) -> str:
        return self.digest

    def __deepcopy__(self, memo: Any) -> StoredArrays:
        return self

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """The arrays by name, mapped into memory, so that workers share them."""
        return _mapped(self.folder)


@lru_cache(maxsize=4)
def _mapped(folder: Path) -> dict[str, Any]:
    import numpy as np

    return {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}


def store_arrays(
    root: Path, name: str, digest: str, make: Callable[[], Mapping[str, Any]]
) -> StoredArrays:
    """Make and store the arrays of a digest, unless they are there; delete older ones of the name.

    Arrays made by another version of curate are made again, since it may have counted differently.
    """
    import shutil

    import numpy as np

    from curate import __version__

    digest = storage.digest([digest, __version__])
    folder = root / ".kept" / f"{name}-{digest[:16]}"
    if not folder.exists():
        for other in (root / ".kept").glob(f"{name}-*"):
            storage.remove(other)
        building = root / ".building" / folder.name
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for key, array in make().items():
            np.save(building / f"{key}.npy", array)
        storage.swap(building, folder)
    return StoredArrays(digest, folder)
