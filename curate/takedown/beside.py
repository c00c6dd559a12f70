"""Files that a person wrote into the workspace, such as labels: those that name what is gone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from curate import tables
from curate.workspace import Workspace
from curate.workspace.tables import FILES

OWN = frozenset(
    {
        *tables.TABLES,
        *(f"{name}.parquet" for name in tables.TABLES),
        *FILES.values(),
        *("ledger.jsonl", "people.yaml", "recipe.yaml", "removed.jsonl", "workspace.json"),
    }
)
"""What curate keeps in the folder of a workspace: it names documents by id, or is erased."""

LARGEST = 1 << 28
"""A larger file is data, no list that a command has written."""

BLOCK = 1 << 20
LIST = b"0123456789abcdef\r\n \t"
"""The bytes of a file that lists ids and says nothing else."""

_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def files_naming(workspace: Workspace, gone: Collection[str]) -> list[str]:
    """The names of files in the workspace's own folder that name any of the documents.

    Labels, predictions and traces that a person has asked for have an id beside each text.
    """
    ids = {id.encode() for id in gone}
    return [
        path.name
        for path in sorted(workspace.root.iterdir())
        if path.name not in OWN
        and not path.name.startswith(".")
        and path.is_file()
        and path.stat().st_size <= LARGEST
        and not ids.isdisjoint(_ids(path))
    ]


def _ids(path: Path) -> Iterator[bytes]:
    """Yield all ids in a file; of a Parquet file those of the column `id`.

    None of a file that holds nothing else: a list of ids has no text.
    """
    if path.suffix == ".parquet":
        yield from _ids_of_table(path)
        return
    with path.open("rb") as file:
        if not any(block.translate(None, LIST) for block in iter(lambda: file.read(BLOCK), b"")):
            return
        file.seek(0)
        rest = b""
        while block := file.read(BLOCK):
            yield from _ID.findall(rest + block)
            rest = block[-40:]


def _ids_of_table(path: Path) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["id"]):
                yield from (str(row["id"]).encode() for row in batch.to_pylist() if "id" in row)
    except (pa.ArrowInvalid, OSError):
        return  # it is no table
