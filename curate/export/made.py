"""What an export was made of: a digest for each stage, so that a run that differs can name it."""

from __future__ import annotations

from curate.export.drawn import has_scores
from curate.workspace import Workspace

TABLE_OF = {"pool": "pool", "clean": "clean", "agree": "labels", "score": "scores", "mix": "mix"}
"""The stages before an export in their order, and the table of each that tells its content."""


def made_of(workspace: Workspace) -> dict[str, str | None]:
    """The digest of what each stage has made, by stage; None for one that took no part.

    It is of the files as they lie there, so another version of the libraries may have another.
    """
    digests = {stage: workspace.tables.fingerprint(name) for stage, name in TABLE_OF.items()}
    return digests if has_scores(workspace) else {**digests, "score": None}
