"""What an instrument has prepared and the workers read: arrays in a file beside the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Kept:
    """Arrays under a digest of what they were made from; where they lie is not what they are."""

    def __init__(self, digest: str, folder: Path) -> None:
        self.digest = digest
        self.folder = folder

    def __str__(self) -> str:
        return self.digest

    def __deepcopy__(self, memo: Any) -> Kept:
        return self

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the arrays, mapped into memory, so that workers share them."""
        return _mapped(self.folder)


@lru_cache(maxsize=4)
def _mapped(folder: Path) -> dict[str, Any]:
    import numpy as np

    return {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}


def keep(root: Path, name: str, digest: str, make: Callable[[], Mapping[str, Any]]) -> Kept:
    """Return the arrays of that digest, made if they are not there; older ones of the name go.

    What another version has made is made again: it may have counted otherwise.
    """
    import shutil

    import numpy as np

    from curate import __version__

    digest = storage.digest([digest, __version__])
    place = root / ".kept" / f"{name}-{digest[:16]}"
    if not place.exists():
        for other in (root / ".kept").glob(f"{name}-*"):
            shutil.rmtree(other)
        building = root / ".building" / place.name
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for key, array in make().items():
            np.save(building / f"{key}.npy", array)
        storage.swap(building, place)
    return Kept(digest, place)
