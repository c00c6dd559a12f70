"""One thread for numbers: on small matrices threads only wait for each other.

Several threads would also add up in another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the libraries of linear algebra to one thread.

    A limit reaches only libraries that are loaded, so they are loaded first.
    """
    import scipy.linalg
    import scipy.optimize  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
