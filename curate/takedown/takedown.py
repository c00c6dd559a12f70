"""Take documents down: erase their texts, vectors and server tasks for ever.

    removed.jsonl       the documents that were taken down: hash, reason, date; never a text
    removals/0001.json  the record of one request: every export and shard that held its documents

A request first writes the list, then erases everything on the list. So the next request finishes
one that was interrupted. Answers stay, by id; those that quote a text are named in the record,
and erased on request. Source files are not touched: `pool` skips the
documents that they still hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate import storage
from curate.clean.passages.reading import in_common as passages_in_common
from curate.errors import RecipeError
from curate.export.holding import shards_with
from curate.records import now
from curate.takedown import listed
from curate.takedown.beside import files_naming
from curate.takedown.erasing import (
    bring_home,
    count_answers,
    erase_rows,
    erase_tasks,
    erase_vectors,
    quoting_answers,
)
from curate.takedown.media import erase_media, erase_report
from curate.takedown.naming import NamedDocument
from curate.takedown.quoting import Quotation, erase_quoting
from curate.workspace import Workspace

RECORDS = "removals"


@dataclass(frozen=True)
class RemoveResult:
    """The result of a request, in numbers, and the exports and shards that held the documents.

    `removed` counts the ids that are new on the list, `copies` the further places of a document.
    `texts`, `vectors` and `tasks` count what was erased from pool, vectors and servers, `media` the
    files that the pool had copied, `comments` what was erased because it quoted a text.
    """

    removed: int
    asked: int
    near_duplicates: int
    copies: int
    texts: int
    media: int
    vectors: int
    tasks: int
    comments: int
    answers_kept: int
    exports: tuple[dict[str, Any], ...]
    record: str
    notes: tuple[str, ...] = ()


def run(
    workspace: Workspace,
    documents: Sequence[NamedDocument],
    ids: Sequence[str],
    reason: str,
    *,
    comments: bool = False,
) -> RemoveResult:
    """List the documents as taken down, and erase everything on the list from the workspace.

    `ids` are the ids asked for, in the pool or not. `documents` are those that go with them. With
    `comments`, answers that quote a text are erased too, with those that earlier requests named.
    Raises RecipeError without a reason.
    """
    check_reason(reason)
    gone = {*ids, *(document.id for document in documents)}
    exports = tuple(_exports(workspace, gone | listed.removed(workspace.root)))
    at = now()
    new = listed.add(workspace.root, gone, reason, at)
    number = 1 + len(_records(workspace))
    record = workspace.root / RECORDS / f"{number:04}.json"
    everything = listed.removed(workspace.root)
    bring_home(workspace, everything)
    quoting = quoting_answers(workspace, everything)
    about = {"at": at, "reason": reason, "ids": sorted(gone), "exports": exports, "after": None}
    storage.write_json(record, {**about, "quoting": [asdict(own) for own in quoting]})
    tasks, notes = erase_tasks(workspace, everything)
    erased = erase_named(workspace) if comments else 0
    notes += _what_stays(workspace, gone, quoting, erased=comments)
    media = erase_media(workspace, everything)
    texts = erase_rows(workspace, everything)
    workspace.ledger.forget(everything)
    vectors = erase_vectors(workspace, everything)
    building = workspace.root / ".building"
    if exports:
        storage.swap(workspace.root / "export", building / "export")
        notes.append("export/ held removed texts and is gone: `curate run` makes it again")
    for folder in (building, workspace.root / ".kept"):
        storage.remove(folder)
    for path in storage.leftovers(workspace.root):
        path.unlink()
    if erase_report(workspace):
        notes.append("report.html may show removed documents and is gone: `curate report`")
    kinds = [document.why for document in documents]
    return RemoveResult(
        removed=new,
        asked=len(set(ids)),
        near_duplicates=kinds.count("near_duplicate"),
        copies=kinds.count("copy"),
        texts=texts,
        media=media,
        vectors=vectors,
        tasks=tasks,
        comments=erased,
        answers_kept=count_answers(workspace, gone),
        exports=exports,
        record=record.relative_to(workspace.root).as_posix(),
        notes=tuple(notes),
    )


def _what_stays(
    workspace: Workspace, gone: Collection[str], quoting: Sequence[Quotation], *, erased: bool
) -> Iterator[str]:
    """Yield notes on what still speaks of removed texts: answers, and passages in common."""
    if quoting and not erased:
        names = "; ".join(sorted({quotation.name for quotation in quoting}))
        yield f"answers that quote removed texts stay: {names}; --comments erases them"
    tasks = {round_.number: round_.erased for round_ in workspace.rounds.all()}
    elsewhere = [own for own in quoting if own.task not in tasks[own.round]]
    if elsewhere:
        names = "; ".join(sorted({quotation.name for quotation in elsewhere}))
        yield (
            f"{len(elsewhere)} of them are about texts that stay, so their servers keep them: "
            f"{names}; who gave them can change them there"
        )
    if files := files_naming(workspace, gone):
        yield f"{', '.join(files)} of this folder name removed documents: delete or write them anew"
    if holders := passages_in_common(workspace, gone):
        yield (
            f"{len(holders):,} documents that stay have passages in common with them: "
            f"`curate clean --explain {min(holders)}` shows those of one"
        )


def named_comments(workspace: Workspace) -> set[Quotation]:
    """The answers that a record names because they quote a text, erased or not."""
    return {
        Quotation(**own)
        for path in _records(workspace)
        for own in storage.read_json(path).get("quoting", ())
    }


def erase_named(workspace: Workspace) -> int:
    """Erase every answer that a record names; return how many were erased now."""
    quoting = named_comments(workspace)
    return sum(erase_quoting(round_, quoting) for round_ in workspace.rounds.all())


def _records(workspace: Workspace) -> list[Path]:
    return sorted((workspace.root / RECORDS).glob("[0-9]*.json"))


def check_reason(reason: str) -> None:
    """Raise RecipeError if the reason is empty."""
    if not reason.strip():
        raise RecipeError("remove: give a reason", hint='--reason "asked by its author"')


def check(workspace: Workspace) -> list[dict[str, Any]]:
    """Write into every record how many of its documents today's export holds.

    Returns the file name, `reason`, `exports` and `after` of each record. `after` is None if no
    export has been checked since.
    """
    rows = []
    for path in _records(workspace):
        record = storage.read_json(path)
        exports = list(_exports(workspace, set(record["ids"])))
        manifest = storage.read_json(workspace.root / "export" / "manifest.json")
        if manifest is not None:
            holds = sum(len(ids) for export in exports for ids in export["shards"].values())
            record["after"] = {"at": now(), "content_sha256": manifest["content_sha256"]}
            record["after"]["holds"] = holds
            storage.write_json(path, record)
        details = {key: record[key] for key in ("reason", "exports", "after")}
        rows.append({"record": path.name, **details})
    return rows


def _exports(workspace: Workspace, gone: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the export if it holds any of the documents: its digest, and the ids in each shard."""
    folder = workspace.root / "export"
    manifest = storage.read_json(folder / "manifest.json")
    if manifest is None:
        return
    shards = shards_with(folder, manifest, gone)
    if shards:
        yield {"content_sha256": manifest["content_sha256"], "shards": shards}
