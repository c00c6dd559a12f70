"""How the texts of examples begin: looked up by id, all at once, after the edits of `clean`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curate.report.pictures import pictures_in
from curate.report.section import Example, Row
from curate.workspace import Workspace

LETTERS = 160
"""So many characters of a text are shown."""

READ = 4 * LETTERS
"""So many characters of a text are read: white space is joined."""


@dataclass(frozen=True)
class Texts:
    """The beginning and the source of each text, by id; what is gone is not in it.

    `pictures` are small ones of documents with media.
    """

    beginnings: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, id: object) -> bool:
        return id in self.beginnings

    def example(self, id: str, facts: Row) -> Example:
        """A document as the page shows it. Raises KeyError for one that is not there."""
        own = {**facts, "source": self.sources[id]}
        return Example(id, self.beginnings[id], own, self.pictures.get(id, ""))


def read_texts(workspace: Workspace, ids: Iterable[str]) -> Texts:
    """Look texts up, also those of documents that `clean` dropped; none without `clean`.

    Raises CurateError where clean is not of pool.
    """
    import pyarrow.compute as pc

    wanted = frozenset(ids)
    beginnings: dict[str, str] = {}
    sources: dict[str, str] = {}
    pictures: dict[str, str] = {}
    if not wanted or not workspace.tables.stored("clean"):
        return Texts()
    columns = ("id", "text", "source", "media")
    for table in workspace.documents.lookup(wanted, columns, dropped=True):
        names = table["id"].to_pylist()
        texts = pc.utf8_slice_codeunits(table["text"], 0, READ).to_pylist()
        sources |= zip(names, table["source"].to_pylist(), strict=True)
        beginnings |= zip(names, map(beginning, texts), strict=True)
        pictures |= pictures_in(table, workspace.path("."))
    return Texts(beginnings, sources, pictures)


def beginning(text: str, letters: int = LETTERS) -> str:
    """The beginning of a text, as one line."""
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[:letters]}…"
