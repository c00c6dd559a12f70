"""CoNLL: a token a line with its tag (IOB) in the last column, a blank line after each text.

A line `# id = …` before a text says which it is. Tokens are brought into the document's text, so
the white space between them does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, files, read_text
from curate.pull.formats.values import answer, of_kinds
from curate.records import Form, Question

ID = "# id = "

Token = tuple[str, str]
"""A token and its tag."""


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the spans of each text; a file is named after its person."""
    question = of_kinds(form, "entities")
    if question is None:
        raise DataError(f"{form.name} marks no spans", hint="CoNLL holds nothing else")
    for file in files(path, "*.conll"):
        for number, id, tokens in _texts(file):
            yield _made(f"{file.name}, line {number}", file.stem, id, tokens, question)


def _texts(path: Path) -> Iterator[tuple[int, str | None, list[Token]]]:
    """Yield the line, the id and the tokens of each text."""
    id: str | None = None
    tokens: list[Token] = []
    start = 1
    for number, line in enumerate([*read_text(path).split("\n"), ""], 1):
        if line.startswith(ID):
            id = line.removeprefix(ID).strip()
        elif line.startswith("-DOCSTART-") or (line.startswith("#") and not tokens):
            continue
        elif line.strip():
            parts = line.split("\t") if "\t" in line else line.split()
            if len(parts) < 2:
                raise DataError(f"{path.name}, line {number}: a token without a tag")
            start = start if tokens else number
            tokens.append((parts[0].strip(), parts[-1].strip()))
        elif tokens:
            yield start, id, tokens
            id, tokens = None, []


def _made(
    where: str, who: str, id: str | None, tokens: Sequence[Token], question: Question
) -> Made:
    spans: list[dict[str, Any]] = []
    at, before = 0, "O"
    for token, tag in tokens:
        kind, _, label = tag.partition("-")
        goes_on = kind == "I" and before.partition("-")[2] == label and spans
        if goes_on:
            spans[-1]["end"] = at + len(token)
        elif label:
            spans.append({"start": at, "end": at + len(token), "label": label})
        at, before = at + len(token) + 1, tag
    text = " ".join(token for token, _ in tokens)
    answers = {question.name: answer(question, spans)}
    return Made(where, who, answers, id, {question.fields[0]: text}, loose=True)


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts, a word a line, with nothing marked."""
    return "\n".join(
        f"{ID}{task.id}\n" + "".join(f"{word}\tO\n" for word in task.texts[form.fields[0]].split())
        for task in tasks
    )
