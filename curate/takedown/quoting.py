"""What people typed about documents, where it repeats their words: a takedown names it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from curate.rounds import Round

LETTERS = 20
"""As many characters in a row, of both text and comment, are a quotation."""


def quotations(round_: Round, tasks: set[str]) -> Iterator[str]:
    """Yield round, person and question of every comment that quotes the text of its task.

    Earlier answers count too: history is kept. Texts that are erased already quote nothing.
    """
    if round_.push is None:
        return
    comments = {question.name for question in round_.form.questions if question.kind == "comment"}
    texts = round_.texts() if comments else {}
    told = set()
    for row in round_.history():
        if row["id"] not in tasks or row["question"] not in comments or row["value"] is None:
            continue
        typed, shown = str(json.loads(row["value"])), texts.get(row["id"], {})
        if any(_quotes(typed, text) for text in shown.values()):
            told.add(f"round {round_.number}: {row['annotator']} ({row['question']})")
    yield from sorted(told)


def _quotes(typed: str, text: str) -> bool:
    """Whether both have as many characters in a row; a shorter text must stand whole."""
    typed, text = " ".join(typed.split()).casefold(), " ".join(text.split()).casefold()
    size = min(LETTERS, len(text))
    pieces = {text[start : start + size] for start in range(len(text) - size + 1)}
    return size > 0 and any(
        typed[start : start + size] in pieces for start in range(len(typed) - size + 1)
    )
