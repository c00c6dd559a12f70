"""Freeze a new round on disk, whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curate import storage, tables
from curate.rounds.views import View


@contextmanager
def freeze(
    root: Path,
    number: int,
    about: Mapping[str, Any],
    sample: list[dict[str, Any]],
    views: Mapping[str, View],
    gold: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Path]:
    """Freeze a new round on disk; what is added to the folder yielded belongs to it from the start.

    The round is there whole or not at all.
    """
    import pyarrow as pa

    folder = root / ".building" / f"round-{number:02}"
    shutil.rmtree(folder, ignore_errors=True)
    storage.write_json(folder / "spec.json", dict(about))
    storage.write_parquet(folder / "sample.parquet", tables.rows("sample", sample))
    shown = [
        {
            "id": id,
            "fields": json.dumps([*view.fields.items()], ensure_ascii=False),
            "edits": _edits(view),
        }
        for id, view in views.items()
    ]
    names = pa.schema([(name, pa.string()) for name in ("id", "fields", "edits")])
    storage.write_parquet(folder / "texts.parquet", pa.Table.from_pylist(shown, schema=names))
    if gold:
        storage.write_json(folder / "gold.json", dict(gold))
    yield folder
    storage.swap(folder, root / "rounds" / f"{number:02}")


def _edits(view: View) -> str | None:
    """Return a view's edits as JSON: a list, or a list for each field; null without any."""
    edits = view.edits or dict(view.by_field)
    return json.dumps(edits, ensure_ascii=False) if edits else None
