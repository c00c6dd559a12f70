"""One thread for learning: on small matrices threads only wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the libraries that heads are learned with to one thread.

    A limit reaches only libraries that are loaded, so they are loaded first.
    """
    import scipy.linalg
    import scipy.optimize  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
