"""Media as references: hashed, probed and, if asked, copied; their bytes stay where they lie."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from curate.media.kinds import HEAD
from curate.media.limits import LIMITS, Limits
from curate.media.medium import Medium, MediumError


class Referred(dict[str, Any]):
    """A medium in the row of a reader: the values of the pool's struct but its field."""


@dataclass(frozen=True)
class Referring:
    """How media are referred to.

    `limits` bound each medium. `store` is the folder that they are copied to, named by their
    hashes, and `prefix` what the addresses of copies begin with; None copies nothing. `again` reads
    what a pool has read before, so bytes that lie in no file need no address.
    """

    limits: Limits = LIMITS
    store: Path | None = None
    prefix: str = "media"
    again: bool = False

    def __call__(self, file: BinaryIO, address: str | None, suffix: str = "") -> Referred:
        """Refer to an open file. ValueError with the reason why it cannot be used.

        Without an address its bytes lie in no file, so they have to be copied.
        """
        from curate.media.opening import digest
        from curate.media.probing import probe

        file.seek(0)
        facts = probe(file, file.read(HEAD), suffix=suffix, limits=self.limits)
        if isinstance(facts, str):
            raise MediumError(facts)
        sha256, size = digest(file)
        if self.store is not None:
            address = self._copied(file, f"{sha256}.{facts.format}")
        if address is None and not self.again:
            raise MediumError("its bytes are not in a file of yours: set `pool: {media: copy}`")
        return Referred(address=address or "", sha256=sha256, bytes=size, **asdict(facts))

    def _copied(self, file: BinaryIO, name: str) -> str:
        """The address of a copy, which is written unless it is there."""
        assert self.store is not None
        folder = self.store / name[:2]
        target = folder / name
        if not target.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f".{name}.{os.getpid()}"
            try:
                with part.open("wb") as copy:
                    shutil.copyfileobj(file, copy, 1 << 20)
                part.replace(target)
            finally:
                with suppress(OSError):
                    part.unlink()
        return f"{self.prefix}/{name[:2]}/{name}"


REFERRING = Referring()
"""Media are referred to and not copied, within the usual limits."""

AGAIN = Referring(Limits(frames=1 << 62, seconds=1e18, bytes=1 << 62), again=True)
"""For media of a pool, which were within its limits."""


def reference(address: str, sha256: str | None = None, size: int | None = None) -> Referred:
    """A medium whose bytes are not read: its address, and its sha256 and size if known."""
    return _values(Medium("", "image", address, sha256, size))


def recorded(values: dict[str, Any]) -> Referred:
    """A medium as a pool or an export recorded it. ValueError if it is no such record."""
    medium = Medium.of({**values, "field": ""})
    if not isinstance(medium.address, str):
        raise ValueError("holds an image without an address")
    if not (isinstance(medium.sha256, str | None) and isinstance(medium.bytes, int | None)):
        raise ValueError("holds an image whose sha256 or bytes are not valid")
    return _values(medium)


def _values(medium: Medium) -> Referred:
    """The values of a medium but its field."""
    return Referred({name: value for name, value in medium.as_dict().items() if name != "field"})
