"""CoNLL: a token a line with its tag in the last column, a blank line after each sentence.

Tags are IOB1, IOB2, BIOES, BILOU, BMES, or bare labels. A line `# id = …` before a text says which
it is. A text goes on, over its sentences, up to the next `-DOCSTART-` or id; where no document has
the whole of it, each sentence is joined by itself. Tokens are brought into the document's text, so
the white space between them does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.made import Asked, Columns, Made, files, read_text
from curate.pull.formats.values import answer, main_field, of_kinds
from curate.records import Form, Question

ID = "# id = "

TAG = re.compile(r"([BIESLUMW])[-_](.+)", re.IGNORECASE)
OUTSIDE = ("o", "_", "-", "-x-", "")
BEGINS, ENDS = "BSUW", "ESLUW"
"""The prefixes that begin a span whatever is before them, and those after which it has ended."""

Token = tuple[str, str]
"""A token and its tag."""


@dataclass
class Sentence:
    """Tokens up to a blank line, and the number of their first line."""

    line: int
    tokens: list[Token]


@dataclass
class Text:
    """The sentences up to the next `-DOCSTART-` or id."""

    id: str | None
    sentences: list[Sentence]


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the spans of each text; a file is named after its person."""
    question = of_kinds(form, "entities")
    if question is None:
        raise DataError(f"{form.name} marks no spans", hint="CoNLL holds nothing else")
    for file in files(path, "*.conll"):
        for text in _texts(file):
            parts = [
                _made(f"{file.name}, line {sentence.line}", file.stem, sentence.tokens, question)
                for sentence in text.sentences
            ]
            tokens = [token for own in text.sentences for token in (*own.tokens, ("", "O"))]
            whole = replace(_made(parts[0].where, file.stem, tokens, question), id=text.id)
            parts[0] = replace(parts[0], id=text.id)
            yield replace(whole, parts=tuple(parts) if len(parts) > 1 else ())


def _texts(path: Path) -> Iterator[Text]:
    """Yield the texts of a file that have tokens."""
    text, sentence = Text(None, []), Sentence(0, [])
    for number, line in enumerate(read_text(path).split("\n"), 1):
        is_id, is_start = line.startswith(ID), line.startswith("-DOCSTART-")
        if is_id or is_start:
            if text.sentences:
                yield text
            text = Text(line.removeprefix(ID).strip() if is_id else None, [])
            sentence = Sentence(0, [])
        elif _is_remark(line, sentence):
            continue
        elif line.strip():
            if not sentence.tokens:
                sentence = Sentence(number, [])
                text.sentences.append(sentence)
            sentence.tokens.append(_token(line, f"{path.name}, line {number}"))
        else:
            sentence = Sentence(0, [])
    if text.sentences:
        yield text


def _is_remark(line: str, sentence: Sentence) -> bool:
    """Whether a line before a sentence says something of it; a token may begin with # too."""
    last = line.split()[-1:]
    is_tagged = bool(last) and (last[0].casefold() == "o" or TAG.fullmatch(last[0]) is not None)
    return line.startswith("#") and not sentence.tokens and not (is_tagged and " = " not in line)


def _token(line: str, where: str) -> Token:
    """A token and its tag; white space that stands as a token is one without letters."""
    line = line.rstrip()
    parts = line.split("\t") if "\t" in line else line.split()
    if len(parts) > 1:
        return parts[0].strip(), parts[-1].strip()
    if line[:1].isspace():
        return "", parts[0]
    raise DataError(f"{where}: a token without a tag")


def _made(where: str, who: str, tokens: Sequence[Token], question: Question) -> Made:
    spans: list[dict[str, Any]] = []
    at = 0
    before: tuple[str, str] | None = None
    for token, tag in tokens:
        own = _parts_of(tag)
        end = at + len(token)
        if own is not None and before is not None and _goes_on(own, before):
            spans[-1]["end"] = end if token else spans[-1]["end"]
        elif own is not None:
            spans.append({"start": at, "end": end, "label": own[1]})
        at, before = end + bool(token), own
    text = " ".join(token for token, _ in tokens if token)
    answers = {question.name: answer(question, [span for span in spans if _has_letters(span)])}
    return Made(where, who, answers, None, {question.fields[0]: text}, loose=True)


def _has_letters(span: dict[str, Any]) -> bool:
    return bool(span["start"] < span["end"])


def _parts_of(tag: str) -> tuple[str, str] | None:
    """The prefix of a tag and its label; None outside. A bare label is as one within a span."""
    if tag.casefold() in OUTSIDE:
        return None
    parts = TAG.fullmatch(tag)
    return (parts[1].upper(), parts[2]) if parts else ("I", tag)


def _goes_on(own: tuple[str, str], before: tuple[str, str]) -> bool:
    """Whether a tag goes on with the span of the tag before it."""
    return own[1] == before[1] and own[0] not in BEGINS and before[0] not in ENDS


def template(tasks: Iterable[Asked], form: Form) -> str:
    """The texts, a word a line, with nothing marked."""
    field = main_field(form)
    return "\n".join(
        f"{ID}{task.id}\n" + "".join(f"{word}\tO\n" for word in task.texts[field].split())
        for task in tasks
    )
