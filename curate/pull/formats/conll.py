"""CoNLL: a token a line with its tag in the last column, a blank line after each sentence.

Tags are IOB1, IOB2, BIOES, BILOU, BMES, or bare labels. A line `# id = …` before a text says which
it is. A text goes on, over its sentences, up to the next `-DOCSTART-`, `# newdoc` or id; where no
document has the whole of it, each sentence is joined by itself. Tokens are brought into the
document's text, so the white space between them does not matter.

In CoNLL-U the token is the second column, and the tag stands in the last one (`NER=B-PER`) or in a
column of its own (`# global.columns`). Other columns are declared by number or by that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pull.formats.files import files, read_text
from curate.pull.formats.made import Asked, Columns, Made
from curate.pull.formats.values import answer, main_field, of_kinds
from curate.records import Form, Question
from curate.text import word_places

ID = "# id = "
STARTS = ("-DOCSTART-", "# newdoc")
HEADER = "# global.columns ="

TAG = re.compile(r"([BIESLUMW])[-_](.+)", re.IGNORECASE)
OUTSIDE = ("o", "_", "-", "-x-", "*", "")
BEGINS, ENDS = "BSUW", "ESLUW"
"""The prefixes that begin a span whatever is before them, and those after which it has ended."""

PATTERNS = ("*.conll", "*.conllu", "*.conllup", "*.iob", "*.bio", "*.txt", "*.tsv")

NAMED = ("ner", "ne", "parseme:ne", "name", "entity")
"""The names that CoNLL-U has for the tag, of a column or in the last one."""

NUMBER = re.compile(r"(\d+)(?:-(\d+)|(\.\d+))?")
"""The number of a word of CoNLL-U; of a token of several words; of one that is not there."""

Token = tuple[str, str]
"""A token and its tag."""


@dataclass(frozen=True)
class Layout:
    """Which columns hold the token and the tag (from 0; -1 is the last).

    `is_numbered`: the first column has the number of the word. `is_misc`: the tag is one of several
    things in its column.
    """

    token: int = 0
    tag: int = -1
    is_numbered: bool = False
    is_misc: bool = False


@dataclass
class Sentence:
    """Tokens up to a blank line, and the number of their first line. `last` ends a long token."""

    line: int
    tokens: list[Token]
    last: int = 0


@dataclass
class Text:
    """The sentences up to the next `-DOCSTART-` or id, and the columns of the first token."""

    id: str | None
    sentences: list[Sentence]
    columns: dict[str, str] = field(default_factory=dict)


def read(path: Path, form: Form, columns: Columns) -> Iterator[Made]:
    """Yield the spans of each text; a file is named after its person."""
    question = of_kinds(form, "entities")
    if question is None:
        raise DataError(f"{form.name} marks no spans", hint="CoNLL holds nothing else")
    for file in files(path, *PATTERNS):
        for text in _texts(file, columns, question):
            parts = [
                _made(f"{file.name}, line {sentence.line}", file.stem, sentence.tokens, question)
                for sentence in text.sentences
            ]
            tokens = [token for own in text.sentences for token in (*own.tokens, ("", "O"))]
            whole = _made(parts[0].where, file.stem, tokens, question)
            whole = replace(whole, id=text.id, data=text.columns)
            parts[0] = replace(parts[0], id=text.id)
            yield replace(whole, parts=tuple(parts) if len(parts) > 1 else ())


def _texts(path: Path, columns: Columns, question: Question) -> Iterator[Text]:
    """Yield the texts of a file that have tokens."""
    lines = read_text(path).split("\n")
    header = next((line for line in lines if line.startswith(HEADER)), "")
    names = header.removeprefix(HEADER).split()
    layout: Layout | None = None
    text, sentence = Text(None, []), Sentence(0, [])
    for number, line in enumerate(lines, 1):
        is_id, is_start = line.startswith(ID), line.startswith(STARTS)
        if is_id or is_start:
            if text.sentences:
                yield text
            text = Text(line.removeprefix(ID).strip() if is_id else None, [])
            sentence = Sentence(0, [])
        elif _is_remark(line, sentence):
            continue
        elif line.strip():
            cells = _cells(line, f"{path.name}, line {number}")
            layout = layout or _layout(cells, names, columns, question)
            if not sentence.tokens:
                sentence = Sentence(number, [])
                text.sentences.append(sentence)
                text.columns = text.columns or _columns(cells, names)
            _add(sentence, cells, layout, f"{path.name}, line {number}")
        else:
            sentence = Sentence(0, [])
    if text.sentences:
        yield text


def _is_remark(line: str, sentence: Sentence) -> bool:
    """Whether a line before a sentence says something of it; a token may begin with # too."""
    last = line.split()[-1:]
    is_tagged = bool(last) and (last[0].casefold() == "o" or TAG.fullmatch(last[0]) is not None)
    return line.startswith("#") and not sentence.tokens and not (is_tagged and " = " not in line)


def _cells(line: str, where: str) -> list[str]:
    """The columns of a line; white space that stands as a token is one without letters."""
    line = line.rstrip()
    parts = line.split("\t") if "\t" in line else line.split()
    if len(parts) > 1:
        return [part.strip() for part in parts]
    if line[:1].isspace():
        return ["", parts[0]]
    raise DataError(f"{where}: a token without a tag")


def _columns(cells: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The columns of a line by their numbers, from 1, and by their names if they have any."""
    by_number = {str(number): cell for number, cell in enumerate(cells, 1)}
    return by_number | dict(zip(names, cells, strict=False))


def _layout(
    cells: Sequence[str], names: Sequence[str], columns: Columns, question: Question
) -> Layout:
    """Where the token and the tag stand, by what is declared, the names, or the first line."""
    is_numbered = bool(names) or (len(cells) >= 10 and NUMBER.fullmatch(cells[0]) is not None)
    known = [name.casefold() for name in names]
    own = next((known.index(name) for name in NAMED if name in known), -1)
    token = known.index("form") if "form" in known else int(is_numbered)
    places = {str(place): place - 1 for place in range(1, len(cells) + 1)}
    places |= {name: place for place, name in enumerate(names)}
    declared = {name: places.get(column, -1) for name, column in columns.names.items()}
    token = declared.get(question.fields[0], declared.get("text", token))
    tag = declared.get(question.name, own)
    return Layout(token, tag, is_numbered, is_numbered and tag == -1)


def _add(sentence: Sentence, cells: Sequence[str], layout: Layout, where: str) -> None:
    """Add a token; of one that holds several words only its form counts, and their first tag."""
    number = NUMBER.fullmatch(cells[0]) if layout.is_numbered else None
    if number and number[3]:
        return
    if max(layout.token, layout.tag) >= len(cells):
        raise DataError(
            f"{where}: {len(cells)} columns, and the tag or the token is in a later one"
        )
    cell = cells[layout.tag]
    tag = _misc(cell) if layout.is_misc else cell
    if number and not number[2] and int(number[1]) <= sentence.last:
        form, before = sentence.tokens[-1]
        sentence.tokens[-1] = (form, tag if before.casefold() in OUTSIDE else before)
        return
    sentence.last = int(number[2]) if number and number[2] else sentence.last
    sentence.tokens.append((cells[layout.token], tag))


def _misc(cell: str) -> str:
    """The tag among the things that the last column of CoNLL-U holds: `NER=B-PER|SpaceAfter=No`."""
    pairs = (own.partition("=") for own in cell.split("|"))
    said = {name.casefold(): value for name, _, value in pairs}
    return next((said[name] for name in NAMED if name in said), "O")


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


def _has_letters(span: Mapping[str, Any]) -> bool:
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
    """The texts with nothing marked: a line for each word, each ideograph and each mark."""
    shown = main_field(form)
    return "\n".join(
        f"{ID}{task.id}\n" + "".join(f"{token}\tO\n" for token in _tokens(task.texts[shown]))
        for task in tasks
    )


def _tokens(text: str) -> Iterator[str]:
    """Yield the words of a text, and every other character that is no white space."""
    at = 0
    for start, end in [*word_places(text), (len(text), len(text))]:
        yield from (letter for letter in text[at:start] if not letter.isspace())
        if start < end:
            yield text[start:end]
        at = end
