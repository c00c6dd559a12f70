"""The rows that are no documents: kept beside the pool with file, line and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import DataError
from curate.pool import batches
from curate.pool.batches import Before
from curate.pool.staging import StagedPart
from curate.pool.work import Work, as_stored
from curate.sources.finding import is_loss
from curate.sources.reading import MEND

NOTHING = "check the paths under `pool:`; `curate pool --strict` stops at the first bad row"


def stop_at_known(aside: Sequence[Mapping[str, Any]]) -> None:
    """Raise DataError for the first bad row of files that are not read again."""
    for row in aside:
        if not row["skipped"]:
            raise DataError(
                f"{row['file']}, line {row['row']}: {row['reason']}",
                hint=MEND,
            )


def first_bad(parts: Sequence[StagedPart]) -> str:
    """The first bad row of the parts, as the end of an error message; empty if there is none."""
    for part in parts:
        for row in part.bad:
            return f": {row['file']}, line {row['row']}: {row['reason']}"
    return ""


def bad_rows(unused: Iterable[Mapping[str, Any]]) -> int:
    """The number of rows that could not be used; one entry may stand for many."""
    return sum(row.get("rows", 1) for row in unused if not row["skipped"])


def first_of(unused: Iterable[Mapping[str, Any]]) -> str:
    """The first row that could not be used: its file, line and reason; empty if there is none."""
    bad = (row for row in unused if not row["skipped"])
    return next((f"{row['file']}, line {row['row']}: {row['reason']}" for row in bad), "")


def not_read(unused: Iterable[Mapping[str, Any]]) -> list[str]:
    """The files and folders that should have been read and were not, each with the reason."""
    return [
        f"{row['file']}: {row['reason']}"
        for row in unused
        if row["skipped"] and not row["row"] and is_loss(row["reason"])
    ]


def write_records(
    folder: Path, old: Path, work: Work, parts: Sequence[StagedPart], batch: int
) -> None:
    """Write the record of the files and the list of the rows that were not used."""
    aside = storage.read_json(old / "_rejected.json") or [] if work.grows else []
    _write_rows(
        folder / "_rejected.json", chain(aside, (row for part in parts for row in part.bad))
    )
    was = work.was if work.grows else Before()
    record = {
        "files": work.files,
        "reading": work.reading,
        "counts": work.counts,
        "media_tokens": as_stored(work.media_tokens),
        "batch": batch,
        "left_out": was.left_out + sum(part.left_out for part in parts),
        "refused": was.refused + sum(part.refused for part in parts),
        "encodings": sum((Counter(part.encodings) for part in parts), Counter(was.encodings)),
        "replaced": was.replaced + sum(part.replaced for part in parts),
        "guessed": _guessed(was.guessed, parts),
    }
    storage.write_json(folder / batches.RECORD, record)


def _guessed(was: Mapping[str, Any], parts: Sequence[StagedPart]) -> dict[str, Any]:
    """How many files had their encoding guessed from few bytes, and the one with the fewest."""
    files = {guess["file"]: guess for part in parts for guess in part.guessed}
    weakest = min([*files.values(), *([was] if was else [])], key=itemgetter("bytes"), default=None)
    if weakest is None:
        return {}
    return {**weakest, "files": was.get("files", 0) + len(files)}


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    storage.write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")
