"""The rows that are no documents: kept beside the pool with file, line and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import DataError
from curate.pool import batches
from curate.pool.batches import Before
from curate.pool.staging import StagedPart
from curate.pool.work import Work

NOTHING = "check the paths under `pool:`; `curate pool --strict` stops at the first bad row"


def stop_at_known(aside: Sequence[Mapping[str, Any]]) -> None:
    """Raise DataError for the first bad row of files that are not read again."""
    for row in aside:
        if not row["skipped"]:
            raise DataError(
                f"{row['file']}, line {row['row']}: {row['reason']}",
                hint="mend the row; without `strict` such rows are kept aside, counted",
            )


def first_bad(parts: Sequence[StagedPart]) -> str:
    """The first bad row of the parts, as the end of an error message; empty if there is none."""
    for part in parts:
        for row in part.bad:
            return f": {row['file']}, line {row['row']}: {row['reason']}"
    return ""


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
        "batch": batch,
        "left_out": was.left_out + sum(part.left_out for part in parts),
        "refused": was.refused + sum(part.refused for part in parts),
        "encodings": sum((Counter(part.encodings) for part in parts), Counter(was.encodings)),
        "replaced": was.replaced + sum(part.replaced for part in parts),
    }
    storage.write_json(folder / batches.RECORD, record)


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    storage.write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")
