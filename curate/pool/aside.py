"""What was kept aside: rows that are no documents, with file, line and reason."""

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
from curate.pool.staging import Found
from curate.pool.work import Work


def stop_at_known(aside: Sequence[Mapping[str, Any]]) -> None:
    """Raise DataError for the first bad row of files that are not read again."""
    for row in aside:
        if not row["skipped"]:
            raise DataError(
                f"{row['file']}, line {row['row']}: {row['reason']}",
                hint="mend the row; without `strict` such rows are kept aside, counted",
            )


NOTHING = "check the paths under `pool:`; `curate pool --strict` stops at the first bad row"


def first_bad(found: Sequence[Found]) -> str:
    for each in found:
        for row in each.bad:
            return f": {row['file']}, line {row['row']}: {row['reason']}"
    return ""


def write_records(folder: Path, old: Path, work: Work, found: Sequence[Found], batch: int) -> None:
    """Write what was read and what was set aside, beside the shards."""
    aside = storage.read_json(old / "_rejected.json") or [] if work.grows else []
    _write_rows(
        folder / "_rejected.json", chain(aside, (row for each in found for row in each.bad))
    )
    was = work.was if work.grows else Before()
    record = {
        "files": work.files,
        "reading": work.reading,
        "counts": work.counts,
        "batch": batch,
        "left_out": was.left_out + sum(each.left_out for each in found),
        "refused": was.refused + sum(each.refused for each in found),
        "encodings": sum((Counter(each.encodings) for each in found), Counter(was.encodings)),
        "replaced": was.replaced + sum(each.replaced for each in found),
    }
    storage.write_json(folder / batches.RECORD, record)


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    storage.write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")
