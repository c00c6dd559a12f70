"""Take documents down: texts, vectors and server tasks go, and nothing brings them back.

    removed.jsonl       what was taken down: hash, reason, date; never a text
    removals/0001.json  what one request found: every export and shard that held it

The list is written first and everything is erased by the list, so that a request that was
interrupted is finished by the next one. Answers stay, by id. Source files are not touched: `pool`
refuses what they hold.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage
from curate.errors import RecipeError
from curate.records import now
from curate.takedown import listed
from curate.takedown.erasing import answers, erase_rows, erase_tasks, erase_vectors
from curate.takedown.naming import Found
from curate.workspace import Workspace

RECORDS = "removals"


@dataclass(frozen=True)
class RemoveResult:
    """What was taken down, from where, and what held it."""

    removed: int
    asked: int
    near_duplicates: int
    copies: int
    texts: int
    vectors: int
    tasks: int
    answers_kept: int
    exports: tuple[dict[str, Any], ...]
    record: str
    notes: tuple[str, ...] = ()


# ── taking it down


def run(
    workspace: Workspace, found: Sequence[Found], ids: Sequence[str], reason: str
) -> RemoveResult:
    """Write down what is taken down, and erase all that ever was from everything here.

    `ids` are those asked, in the pool or not; `found` is what goes with them.
    """
    check_reason(reason)
    gone = {*ids, *(each.id for each in found)}
    exports = tuple(_exports(workspace, gone | listed.removed(workspace.root)))
    at = now()
    new = listed.add(workspace.root, gone, reason, at)
    number = 1 + len(list((workspace.root / RECORDS).glob("[0-9]*.json")))
    record = workspace.root / RECORDS / f"{number:04}.json"
    about = {"at": at, "reason": reason, "ids": sorted(gone), "exports": exports, "after": None}
    storage.write_json(record, about)
    everything = listed.removed(workspace.root)
    tasks, notes = erase_tasks(workspace, everything)
    texts = erase_rows(workspace, everything)
    vectors = erase_vectors(workspace, everything)
    for folder in (workspace.root / ".building", workspace.root / ".kept"):
        shutil.rmtree(folder, ignore_errors=True)
    for path in storage.leftovers(workspace.root):
        path.unlink()
    if exports:
        shutil.rmtree(workspace.root / "export")
        notes.append("export/ held removed texts and is gone: `curate run` makes it anew")
    kinds = [each.why for each in found]
    return RemoveResult(
        removed=new,
        asked=len(set(ids)),
        near_duplicates=kinds.count("near_duplicate"),
        copies=kinds.count("copy"),
        texts=texts,
        vectors=vectors,
        tasks=tasks,
        answers_kept=answers(workspace, gone),
        exports=exports,
        record=record.relative_to(workspace.root).as_posix(),
        notes=tuple(notes),
    )


def check_reason(reason: str) -> None:
    """Raise RecipeError if no reason is given."""
    if not reason.strip():
        raise RecipeError("remove: give a reason", hint='--reason "asked by its author"')


def check(workspace: Workspace) -> list[dict[str, Any]]:
    """Look at the export as it is now, and write into every record that it holds none of it.

    Returns, for each record, what held its documents and what the export of today does.
    """
    told = []
    for path in sorted((workspace.root / RECORDS).glob("[0-9]*.json")):
        record = storage.read_json(path)
        held = list(_exports(workspace, set(record["ids"])))
        manifest = storage.read_json(workspace.root / "export" / "manifest.json")
        if manifest is not None:
            holds = sum(len(ids) for each in held for ids in each["shards"].values())
            record["after"] = {"at": now(), "content_sha256": manifest["content_sha256"]}
            record["after"]["holds"] = holds
            storage.write_json(path, record)
        told.append({"record": path.name, **{k: record[k] for k in ("reason", "exports", "after")}})
    return told


def _exports(workspace: Workspace, gone: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the export here if it holds any of them: its content, and the shards that do."""
    import pyarrow.parquet as pq

    folder = workspace.root / "export"
    manifest = storage.read_json(folder / "manifest.json")
    if manifest is None:
        return
    drawn = pq.read_table(folder / "draw.parquet", columns=["id", "copies"]).to_pylist()
    if not gone & {row["id"] for row in drawn}:
        return
    shards = {}
    for entry in manifest["files"]:
        held = sorted(gone & set(_ids_of(folder / entry["path"])))
        if held:
            shards[entry["path"]] = held
    yield {"content_sha256": manifest["content_sha256"], "shards": shards}


def _ids_of(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        yield from pq.read_table(path, columns=["id"])["id"].to_pylist()
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["id"]
