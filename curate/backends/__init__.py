"""Annotation servers behind one protocol; the laws it obeys stand in `tests/backends/contract.py`.

Only `backends/x.py` imports the SDK of x.
"""

from curate.backends.backend import Backend

__all__ = [
    "Backend",
]
