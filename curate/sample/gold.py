"""Gold items: texts with known answers, mixed in so that nobody can recognise them.

    {"text": "…", "answers": {"sentiment": "positive"}}
    {"fields": {"prompt": "…", "response": "…"}, "answers": {"quality": 5}}

The answers never leave the workspace: the server gets only the text, under an ordinary id. Other
keys, such as `language`, decide to which part of a split round an item belongs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.names import absent
from curate.text import TEXT, canonical, canonical_offset, content_id

EDGES = ("start", "end")

SPAN_HINT = 'give it its field, as in {"start": 0, "end": 3, "label": "PERSON", "field": "prompt"}'

HINT = 'a line is {"text": "…", "answers": {"sentiment": "positive"}}'


@dataclass(frozen=True)
class Gold:
    """A gold item: its canonical fields, its known answers (question → value), its other keys."""

    fields: Mapping[str, str]
    answers: Mapping[str, Any]
    about: Mapping[str, Any]


def read_gold(path: Path, longest: int | None = None) -> dict[str, Gold]:
    """Return the gold items of a JSONL file by content id. Raises DataError with file and line.

    `longest` is the window size in characters, None without windows. Longer items are refused,
    since people could recognise them.
    """
    if not path.is_file():
        raise absent(f"sample.gold: no file {path}", path, hint=HINT, kind=DataError)
    items = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"{path.name}, line {number}"
                item = _gold(line, where)
                id = content_id(item.fields)
                if id in items:
                    raise DataError(f"{where}: this text appears twice", hint=HINT)
                if longest and max(map(len, item.fields.values())) > longest:
                    raise DataError(
                        f"{where}: longer than the window of {longest:,} characters",
                        hint="cut it, or people can tell it from the other texts",
                    )
                items[id] = item
    if not items:
        raise DataError(f"{path.name} holds no gold item", hint=HINT)
    return items


def _gold(line: bytes, where: str) -> Gold:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:  # no JSON, or no UTF-8
        raise DataError(f"{where}: not JSON ({error})", hint=HINT) from None
    if not isinstance(row, dict) or not isinstance(row.get("answers"), dict) or not row["answers"]:
        raise DataError(f"{where}: no answers", hint=HINT)
    fields = row.get("fields") or {TEXT: row.get(TEXT) or None}
    if not isinstance(fields, dict) or not all(isinstance(text, str) for text in fields.values()):
        raise DataError(f"{where}: no text", hint=HINT)
    about = {key: value for key, value in row.items() if key not in ("fields", TEXT, "answers")}
    texts = {name: canonical(text) for name, text in fields.items()}
    answers = {name: _followed(value, fields, where) for name, value in row["answers"].items()}
    return Gold(texts, answers, about)


def _followed(value: Any, fields: Mapping[str, str], where: str) -> Any:
    """An answer with its offsets as in the canonical texts; other values as they are.

    Raises DataError for a span without a field, where several are shown and one of them changes.
    """
    if not isinstance(value, list) or all(canonical(text) == text for text in fields.values()):
        return value
    return [_span_followed(span, fields, where) if _is_span(span) else span for span in value]


def _is_span(value: Any) -> bool:
    return isinstance(value, dict) and all(type(value.get(name)) is int for name in EDGES)


def _span_followed(
    span: Mapping[str, Any], fields: Mapping[str, str], where: str
) -> dict[str, Any]:
    name = span.get("field") or (next(iter(fields)) if len(fields) == 1 else "")
    if name not in fields:
        raise DataError(f"{where}: a span names none of the fields", hint=SPAN_HINT)
    ends = {edge: canonical_offset(fields[name], span[edge]) for edge in EDGES}
    return {**span, **ends}
