"""`curate clean --explain` and `--what-if`: show what limits do, without writing anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from curate import console

if TYPE_CHECKING:
    from curate.workspace import Workspace


_ID = re.compile("[0-9a-f]{8,32}")


def explained(workspace: Workspace, name: str | None, limits: Sequence[str], as_json: bool) -> None:
    """Show documents on both sides of the limits of `name`, or what other `limits` would keep.

    If `name` is an id, or the first eight digits of one or more, show what that document shares.
    """
    from curate.clean.explaining import explain, what_if

    if name and _ID.fullmatch(name):
        _shared(workspace, name, as_json)
        name = None
        if not limits:
            return
    examples = explain(workspace, name) if name else []
    outcomes = what_if(workspace, limits) if limits else []
    if as_json:
        console.show({"examples": examples, "outcomes": outcomes}, as_json=True)
        return
    for (signal, limit), group in groupby(examples, attrgetter("signal", "limit")):
        rows = [
            {
                "value": example.value,
                "": example.side,
                "source": example.source,
                "text": example.text,
            }
            for example in sorted(group, key=attrgetter("value"))
        ]
        console.table(rows, title=f"{signal}: {limit}")
    if name and not examples:
        console.note(f"no limit of {name} was asked of any document: --what-if tries one")
    if outcomes:
        console.table(outcomes)


def _shared(workspace: Workspace, id: str, as_json: bool) -> None:
    """Show the verdict on a document, and the texts that it has in common with others."""
    from curate.clean.sharing import explain_document

    document = explain_document(workspace, id)
    if as_json:
        console.show(asdict(document), as_json=True)
        return
    verdict = "is kept" if document.kept else f"went: {document.reason}"
    console.note(f"{document.id} of {document.source} {verdict}")
    rows = [
        {
            "kind": one.kind,
            "": one.side,
            "with": " ".join(one.others),
            "documents": one.documents,
            "words": one.words,
            "similarity": one.similarity,
            "text": one.text,
        }
        for one in document.common
    ]
    if rows:
        console.table(rows)
    else:
        console.note("it shares no passage with others, and is not a near-duplicate")
