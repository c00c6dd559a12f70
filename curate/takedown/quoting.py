"""What people typed where it repeats a text that is taken down: named, and erased on request."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from curate import storage
from curate.records import Form
from curate.rounds import Round

LETTERS = 20
"""As many characters in a row, of both a text and what was typed, are a quotation."""

ERASED = "[erased: it quoted a text that was taken down]"
"""What stands in place of what was erased."""

Texts = Mapping[str, Collection[str]]
"""The texts that are taken down, by the task that shows them in this round ("": by none)."""


@dataclass(frozen=True)
class Quotation:
    """An answer that quotes a text; `value` is the digest of what was typed."""

    round: int
    task: str
    question: str
    annotator: str
    value: str

    @property
    def name(self) -> str:
        """How a person is told of it."""
        return f"round {self.round}: {self.annotator} ({self.question})"


def quotations(round_: Round, texts: Texts) -> Iterator[Quotation]:
    """Yield every answer of a round in which a person typed any of the texts.

    Comments can be about other texts than the one that they quote. Earlier answers count too:
    history is kept. So do answers that were rejected, which may hold anything. A text shorter than
    LETTERS is looked for in the answers to its own task alone.
    """
    if round_.push is None:
        return
    form, typed = round_.form, defaultdict[str, list[dict[str, Any]]](list)
    for row in round_.history():
        words = "" if row["value"] is None else _plain(" ".join(typed_in(row, form)))
        if words:
            typed[words].append(row)
    quoting = _quoting(typed, {_plain(text) for own in texts.values() for text in own})
    short = {
        task: [plain for plain in map(_plain, own) if 0 < len(plain) < LETTERS]
        for task, own in texts.items()
    }
    for words, rows in typed.items():
        for row in rows:
            if words in quoting or any(text in words for text in short.get(row["id"], ())):
                name, value = _question(row, form), storage.digest(row["value"])
                yield Quotation(round_.number, row["id"], name, row["annotator"], value)


def typed_in(row: Mapping[str, Any], form: Form) -> Iterator[str]:
    """Yield what a person may have typed in an answer: its strings but for labels of the form."""
    known = {question.name for question in form.questions} | {*form.fields}
    known.update(label for question in form.questions for label in question.labels)
    waiting = [row["question"], json.loads(row["value"])]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and item not in known:
            yield item
        elif isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item


def _question(row: Mapping[str, Any], form: Form) -> str:
    """The name of a question as a person is told it: that of none may be what somebody typed."""
    names = [question.name for question in form.questions]
    return row["question"] if row["question"] in names else "no question of the form"


def _quoting(typed: Collection[str], texts: Iterable[str]) -> set[str]:
    """Those of `typed` that have LETTERS characters in a row with any of the texts."""
    pieces: dict[str, set[str]] = defaultdict(set)
    for words in typed:
        for start in range(len(words) - LETTERS + 1):
            pieces[words[start : start + LETTERS]].add(words)
    quoting: set[str] = set()
    for text in texts if pieces else ():
        for start in range(len(text) - LETTERS + 1):
            if both := pieces.get(text[start : start + LETTERS]):
                quoting |= both
    return quoting


def erase_quoting(round_: Round, quoting: Collection[Quotation]) -> int:
    """Put ERASED in place of these answers, all around them stays; return their number.

    The round refuses them from then on: a server may still have them.
    """
    typed = {(own.task, own.value) for own in quoting if own.round == round_.number}

    def erased(row: Mapping[str, Any]) -> dict[str, Any]:
        question = row["question"] if _question(row, round_.form) == row["question"] else "erased"
        reason = None if row["reason"] is None else ERASED
        return {**row, "question": question, "value": json.dumps(ERASED), "reason": reason}

    return round_.erase_answers(typed, erased) if typed else 0


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
