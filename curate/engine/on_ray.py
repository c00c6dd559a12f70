"""Ray: the same work on many machines; all of them must reach the shards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from curate.engine.bulk import Bulk
from curate.errors import CurateError
from curate.extras import require

T = TypeVar("T")
R = TypeVar("R")


class OnRay(Bulk):
    """Tasks on a Ray cluster: the one at RAY_ADDRESS, or a new one on this machine.

    Tasks read and write shards, so only names and counts travel. Ray repeats a task whose worker
    died.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._ray = _imported()
        self._requested_workers = workers
        self._started_cluster = False
        self.workers = workers or os.cpu_count() or 1

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (place, result) in the order of completion, a bounded number in flight."""
        if not items:
            return
        ray = self._ray
        self._connect()
        shared = ray.put(function)
        task = ray.remote(num_cpus=1, max_retries=3)(_call)
        running: dict[Any, int] = {}
        places = iter(range(len(items)))
        try:
            while True:
                while len(running) < 2 * self.workers and (place := next(places, None)) is not None:
                    running[task.remote(shared, items[place])] = place
                if not running:
                    return
                (done, *_), _ = ray.wait([*running])
                yield running.pop(done), self._result(done)
        finally:
            for reference in running:
                ray.cancel(reference)

    def _result(self, reference: Any) -> Any:
        ray = self._ray
        try:
            return ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            raise CurateError(
                f"Ray lost a task: {str(error).strip().splitlines()[0]}",
                hint="run the same command again: finished shards are kept",
            ) from None

    def _connect(self) -> None:
        ray = self._ray
        if not ray.is_initialized():
            address = os.environ.get("RAY_ADDRESS")
            ray.init(
                address=address,
                num_cpus=None if address else self.workers,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
            )
            self._started_cluster = True
        if self._requested_workers is None:
            self.workers = int(ray.cluster_resources().get("CPU", self.workers))

    def close(self) -> None:
        """End the cluster if this engine started it."""
        if self._started_cluster and self._ray.is_initialized():
            self._ray.shutdown()
        self._started_cluster = False


def _imported() -> Any:
    require("ray", "the engine ray")
    return import_module("ray")


def _call(function: Callable[[T], R], item: T) -> R:
    return function(item)
