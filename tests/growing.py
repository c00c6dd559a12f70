"""Two sources that grow: their texts, and exports that are kept as parts."""

import shutil

import numpy as np
import pytest

LONGEST = 70
"""No text has more tokens (bytes)."""


@pytest.fixture
def pooled(offline):
    """Two sources whose texts differ in length."""
    rng = np.random.default_rng(8)
    for source, texts in (("web", 200), ("wiki", 60)):
        rows = [f"{source} {n} " + "soup " * int(rng.integers(1, 11)) for n in range(texts)]
        offline.lines(f"{source}.jsonl", rows)
    read(offline)
    return offline


def read(offline):
    """Read all sources, those that came late too."""
    offline.pool(holdout=0)
    offline.run("clean", rules=[], near_duplicates=None)


def keep_part(offline, name, *, format="jsonl", **settings):
    """Mix and export; keep the export as a part of that name; return the result of `mix`."""
    made = offline.run("mix", **settings)
    offline.run("export", shard_documents=40, format=format)
    shutil.copytree(offline.root / "export", offline.root / name)
    return made
