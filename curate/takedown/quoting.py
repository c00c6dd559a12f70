"""What people typed about documents, where it repeats their words: named, and erased on request."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from curate import storage
from curate.rounds import Round

LETTERS = 20
"""As many characters in a row, of both text and comment, are a quotation."""

ERASED = "[erased: it quoted a text that was taken down]"
"""What stands in place of a comment that was erased."""


@dataclass(frozen=True)
class Quotation:
    """A comment that quotes the text of its task; `value` is the digest of what was typed."""

    round: int
    task: str
    question: str
    annotator: str
    value: str

    @property
    def name(self) -> str:
        """How a person is told of it."""
        return f"round {self.round}: {self.annotator} ({self.question})"


def quotations(round_: Round, tasks: set[str]) -> Iterator[Quotation]:
    """Yield every comment on `tasks` that quotes the text of its task.

    Earlier answers count too: history is kept. Texts that are erased already quote nothing.
    """
    if round_.push is None:
        return
    comments = {question.name for question in round_.form.questions if question.kind == "comment"}
    texts = round_.texts() if comments else {}
    for row in round_.history():
        if row["id"] not in tasks or row["question"] not in comments or row["value"] is None:
            continue
        typed, shown = str(json.loads(row["value"])), texts.get(row["id"], {})
        if any(_quotes(typed, text) for text in shown.values()):
            yield Quotation(
                round_.number,
                row["id"],
                row["question"],
                row["annotator"],
                storage.digest(row["value"]),
            )


def erase_comments(round_: Round, quoting: Collection[Quotation]) -> int:
    """Put ERASED in place of these comments, the answers around them stay; return their number."""
    typed = {(own.task, own.question, own.value) for own in quoting if own.round == round_.number}

    def quotes(row: dict[str, str]) -> bool:
        return (row["id"], row["question"], storage.digest(row["value"])) in typed

    return round_.replace_values(quotes, json.dumps(ERASED)) if typed else 0


def _quotes(typed: str, text: str) -> bool:
    """Whether both have as many characters in a row; a shorter text must stand whole."""
    typed, text = " ".join(typed.split()).casefold(), " ".join(text.split()).casefold()
    size = min(LETTERS, len(text))
    pieces = {text[start : start + size] for start in range(len(text) - size + 1)}
    return size > 0 and any(
        typed[start : start + size] in pieces for start in range(len(typed) - size + 1)
    )
