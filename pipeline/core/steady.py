"""Matrix products whose results do not depend on the number of threads: their sums would be cut where that says."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def steady() -> Iterator[None]:
    """Inside, matrix products take one thread each."""
    with threadpool_limits(1, user_api="blas"):
        yield
