"""The ledger: one line for each run of a stage."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, is_dataclass
from typing import Any


def last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))


def plain(result: Any) -> Any:
    """Return a stage's result as plain JSON values."""
    return json.loads(json.dumps(result, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
