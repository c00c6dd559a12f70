"""`make attack`: run every collection of tries, and print how many held; exit 1 if one did not.

`python -m tests.attack damage` runs one kind.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random
from typing import Any


def kinds(names: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the modules that have `tries`, all of them or those named."""
    for module in iter_modules([str(Path(__file__).parent)]):
        if module.name != "__main__" and (not names or module.name in names):
            tries = getattr(import_module(f"tests.attack.{module.name}"), "tries", None)
            if tries is not None:
                yield module.name, tries


def attacked(kind: str, tries: Any, most: int | None = None) -> tuple[int, list[str]]:
    """Run the tries of a kind; return their number and what did not hold.

    `most` of them at random, with one seed; None for all.
    """
    count, failed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        chosen = tries(Path(folder))
        if most is not None:
            listed = list(chosen)
            chosen = Random(0).sample(listed, min(most, len(listed)))
        for label, hold in chosen:
            count += 1
            wrong = hold()
            if wrong is not None:
                failed.append(f"{kind}: {label}: {wrong}")
                print(failed[-1], flush=True)
    return count, failed


def main() -> int:
    """Run the tries; return the exit code."""
    rows = {kind: attacked(kind, tries) for kind, tries in kinds(sys.argv[1:])}
    print(f"{'kind':<12} {'tried':>6} {'held':>6}")
    for kind, (count, failed) in rows.items():
        print(f"{kind:<12} {count:>6} {count - len(failed):>6}")
    return int(not rows or any(failed for _, failed in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
