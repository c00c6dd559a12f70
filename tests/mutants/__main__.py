"""Try the listed mutants: `python -m tests.mutants [NAME …]`. Exit 1 if one goes unnoticed.

First all tests run on the tree as it is: a test that fails anyway would notice everything.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

from tests.mutants.breaking import Mutant, copy_tree, run_tests, seen_by
from tests.mutants.listed import MUTANTS

WORKERS = 2


def tried(mutant: Mutant, trees: Queue[Path]) -> bool:
    """Try a mutant in a free tree, print what came of it, and return whether it was seen."""
    tree, began = trees.get(), time.monotonic()
    try:
        by = seen_by(tree, mutant)
    finally:
        trees.put(tree)
    outcome = f"seen by {by}" if by else "NOT SEEN"
    print(f"{time.monotonic() - began:4.0f} s  {mutant.name}: {outcome}", flush=True)
    return by is not None


def main() -> None:
    """Try the mutants that the command line names, all without one."""
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {mutant.name for mutant in MUTANTS}:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        trees: Queue[Path] = Queue()
        for number in range(WORKERS):
            copy_tree(Path(folder) / str(number))
            trees.put(Path(folder) / str(number))
        tests = tuple(sorted({test for mutant in mutants for test in mutant.tests}))
        code, words = run_tests(Path(folder) / "0", tests)
        if code:
            sys.exit(f"the tests fail on the tree as it is\n{words[-4000:]}")
        seen = list(pool.map(partial(tried, trees=trees), mutants))
    unseen = [mutant.name for mutant, found in zip(mutants, seen, strict=True) if not found]
    print(f"{len(seen) - len(unseen)} of {len(seen)} seen")
    sys.exit(f"not seen: {', '.join(unseen)}" if unseen else 0)


if __name__ == "__main__":
    main()
