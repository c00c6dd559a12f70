"""Processes without pandas, which pyarrow loads as soon as it makes an array."""

from __future__ import annotations

import sys
from typing import Any


class _Refusal:
    """A finder of modules that has no pandas."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        """Raise ImportError for pandas; leave all others to the next finder."""
        if name == "pandas":
            raise ImportError(name)


def keep_pandas_away() -> None:
    """Have pyarrow load pandas only where a frame is asked for.

    `pyarrow.array` looks whether its argument is of pandas, and imports it for that: a quarter of
    a second of a processor in every process. If that fails it asks no more, and `to_pandas`
    imports pandas later.
    """
    import pyarrow as pa

    if "pandas" in sys.modules:
        return
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(refusal)
