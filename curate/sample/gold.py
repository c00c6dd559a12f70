"""Gold items: texts whose answer is known, shown among the others so that nobody can tell.

    {"text": "…", "answers": {"sentiment": "positive"}}
    {"fields": {"prompt": "…", "response": "…"}, "answers": {"quality": 5}}

The answers stay at home: the server gets the text, under an id like any other. Further keys, such
as `language`, say to which part of a split round an item belongs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.text import TEXT, canonical, content_id

HINT = 'a line is {"text": "…", "answers": {"sentiment": "positive"}}'


@dataclass(frozen=True)
class Gold:
    """A text, or several fields, the known answers (question → value), and what else is said."""

    fields: Mapping[str, str]
    answers: Mapping[str, Any]
    about: Mapping[str, Any]


def read_gold(path: Path, longest: int | None = None) -> dict[str, Gold]:
    """Return the gold items of a JSONL file by content id. Raises DataError with file and line.

    `longest` is the size of the windows shown of other texts: what is longer would stand out.
    """
    if not path.is_file():
        raise DataError(f"sample.gold: no file {path}", hint=HINT)
    found = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"{path.name}, line {number}"
                item = _gold(line, where)
                id = content_id(item.fields)
                if id in found:
                    raise DataError(f"{where}: this text stands there twice", hint=HINT)
                if longest and max(map(len, item.fields.values())) > longest:
                    raise DataError(
                        f"{where}: longer than the window of {longest:,} characters",
                        hint="cut it, or people can tell it from the other texts",
                    )
                found[id] = item
    if not found:
        raise DataError(f"{path.name} holds no gold item", hint=HINT)
    return found


def _gold(line: bytes, where: str) -> Gold:
    try:
        row = json.loads(line)
    except ValueError as error:  # no JSON, or no UTF-8
        raise DataError(f"{where}: not JSON ({error})", hint=HINT) from None
    if not isinstance(row, dict) or not isinstance(row.get("answers"), dict) or not row["answers"]:
        raise DataError(f"{where}: no answers", hint=HINT)
    fields = row.get("fields") or {TEXT: row.get(TEXT) or None}
    if not isinstance(fields, dict) or not all(isinstance(text, str) for text in fields.values()):
        raise DataError(f"{where}: no text", hint=HINT)
    about = {key: value for key, value in row.items() if key not in ("fields", TEXT, "answers")}
    return Gold({k: canonical(text) for k, text in fields.items()}, row["answers"], about)
