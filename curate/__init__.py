"""Curate training data for language models, with people in the loop.

    pool → clean → sample → push → [people] → pull → agree → score
            ▲                                              │
            └─────────────── next round ◀──────────────────┤
                                                           ▼
                              report ◀ evaluate ◀ export ◀ mix

One word names a stage everywhere: the command `curate sample`, the package `curate.sample`, the
recipe section `sample:` and the test `tests/test_sample.py`. Verbs are stages, nouns are things.
"""

__version__ = "0.1.0"

STAGES = (
    "pool",
    "clean",
    "sample",
    "push",
    "pull",
    "agree",
    "score",
    "mix",
    "export",
    "evaluate",
    "report",
)
"""The stages, in the order in which data flows through them."""

__all__ = ["STAGES", "__version__"]
