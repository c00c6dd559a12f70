"""Annotation servers behind one protocol; its laws are in `tests/backends/contract.py`.

Only `backends/x/client.py` imports the SDK of x.
"""

from curate.backends.backend import Backend

__all__ = [
    "Backend",
]
