"""Files in the format xz, which Arrow does not unpack."""

from __future__ import annotations

import lzma
from typing import Any


class XzFile:
    """The bytes of an xz file as they are read; OSError if it is damaged, or cut short."""

    def __init__(self, packed: Any) -> None:
        self._file = lzma.LZMAFile(packed)  # noqa: SIM115 (whoever opened `packed` closes it)

    def read(self, size: int | None = -1) -> bytes:
        """Read some bytes, or all that are left."""
        try:
            return self._file.read(-1 if size is None else size)
        except (lzma.LZMAError, EOFError) as error:
            raise OSError(str(error)) from None
