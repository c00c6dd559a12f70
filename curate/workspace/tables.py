"""The tables on disk: where each lies and what has been made."""

from __future__ import annotations

MAKERS = {
    "pool": "pool",
    "duplicates": "pool",
    "clean": "clean",
    "sample": "sample",
    "tasks": "push",
    "project": "push",
    "annotations": "pull",
    "labels": "agree",
    "annotators": "agree",
    "scores": "score",
    "mix": "mix",
    "groups": "mix",
    "export": "export",
    "evaluate": "evaluate",
    "report": "report",
}
"""Which stage makes what: the hint of a missing input."""

FILES = {"export": "export/manifest.json", "evaluate": "evaluate.json", "report": "report.html"}
"""What is made but is no table: fresh by the ledger, while the file is the one it names."""
