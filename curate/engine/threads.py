"""How many threads the libraries of a worker have."""

from __future__ import annotations

import os

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""The variables by which libraries know it, read when they are loaded."""


def one_each() -> None:
    """Give each library one thread, unless the user says otherwise: processes run in parallel."""
    for name in NAMES:
        os.environ.setdefault(name, "1")
