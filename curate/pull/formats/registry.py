"""The tools whose files can be read, and how: one row a tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from curate.pull.formats import conll, doccano, label_studio, mturk, potato, prodigy, table
from curate.pull.formats.made import Asked, Columns, Made
from curate.pull.offsets import CHARACTERS, READINGS, UTF16
from curate.records import Form


@dataclass(frozen=True)
class Tool:
    """How the files of a tool are read, and how texts are handed to it (`template`).

    `unopened_is_empty`: a text that a person never opened stands as one with nothing marked.
    `offsets` are what those of its spans may count.
    """

    read: Callable[[Path, Form, Columns], Iterator[Made]]
    template: Callable[[Iterable[Asked], Form], str]
    unopened_is_empty: bool = False
    offsets: tuple[str, ...] = (CHARACTERS, UTF16)


TOOLS: dict[str, Tool] = {
    "potato": Tool(potato.read, potato.template, offsets=tuple(READINGS)),
    "prodigy": Tool(prodigy.read, prodigy.template),
    "doccano": Tool(doccano.read, doccano.template, unopened_is_empty=True),
    "label_studio": Tool(label_studio.read, label_studio.template),
    "label_studio_min": Tool(label_studio.read_min, label_studio.template),
    "mturk": Tool(mturk.read, mturk.template),
    "conll": Tool(conll.read, conll.template),
    "csv": Tool(table.read, table.template),
}
