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
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from curate import removals, storage
from curate.errors import BackendError, DataError, RecipeError, ServerError
from curate.pull import fetch
from curate.rounds import Batch, Round
from curate.workspace import Workspace, now

if TYPE_CHECKING:
    import pyarrow as pa

RECORDS = "removals"


@dataclass(frozen=True)
class Found:
    """A document that a request names, or that is the same but for little; no text."""

    id: str
    source: str
    origin: str
    why: str


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


# ── what a request names


def read_ids(path: Path) -> list[str]:
    """Return the ids of a file: one a line, or a JSON object with `id` a line."""
    if not path.is_file():
        raise DataError(f"no file {path}", hint="give a file with one id a line")
    found = []
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word.startswith("{"):
            try:
                word = str(json.loads(word)["id"])
            except (ValueError, KeyError):
                raise DataError(f"{path.name}, line {number}: no id") from None
        if word and not _is_id(word):
            raise DataError(
                f"{path.name}, line {number}: not an id", hint="an id is 32 hexadecimal digits"
            )
        found += [word] if word else []
    return found


def _is_id(word: str) -> bool:
    return len(word) == 32 and not set(word) - set("0123456789abcdef")


def find(
    workspace: Workspace,
    *,
    ids: Path | None = None,
    domain: str | None = None,
    url: str | None = None,
) -> list[str]:
    """Return the ids that a request names, in the order of the pool; one way at a time.

    Addresses are `origin` and those of `removals.addresses`, of documents and of their copies.
    """
    if sum(map(bool, (ids, domain, url))) != 1:  # an empty prefix would name everything
        raise RecipeError("remove: give one of --ids, --domain and --url")
    if ids is not None:
        return list(dict.fromkeys(read_ids(ids)))
    test = _at_domain(domain) if domain is not None else _below(str(url))
    named = (row["id"] for row, known in _addressed(workspace) if any(map(test, known)))
    return list(dict.fromkeys(named))


def _addressed(workspace: Workspace) -> Iterator[tuple[Mapping[str, Any], Iterable[str]]]:
    """Yield every document and every copy, with the addresses that it came from."""
    for row in _pool(workspace):
        yield row, (row["origin"], *removals.addresses(row))
    for row in workspace.read("duplicates").to_pylist():
        yield row, (row["origin"], *row["addresses"])


def _at_domain(domain: str) -> Callable[[str], bool]:
    name = _host(domain)

    def test(address: str) -> bool:
        host = _host(address)
        return host == name or host.endswith(f".{name}")

    return test if name else lambda address: False


def _host(address: str) -> str:
    """Return the host of an address, as the name system knows it; empty if it has none."""
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        return name.strip(".").encode("idna").decode()
    except ValueError:  # no address, or one that nobody could ask for
        return ""


def _below(prefix: str) -> Callable[[str], bool]:
    host, slash, path = _plain(prefix)

    def test(address: str) -> bool:
        there, _, rest = _plain(address)
        return there == host and rest.startswith(path) if slash else there.startswith(host)

    return test


def _plain(address: str) -> tuple[str, str, str]:
    """Return host, slash and path of an address, whatever its scheme and the case of its host."""
    host, slash, path = address.split("://", 1)[-1].partition("/")
    return host.lower(), slash, path


def cluster(workspace: Workspace, ids: Iterable[str]) -> list[Found]:
    """Return what a request takes with it: the documents, then those nearly the same.

    Exact copies are the same document; near ones are all that hang together by `duplicate_of`.
    """
    asked = set(ids)
    linked = _linked(workspace, asked)
    rows = {row["id"]: row for row in _pool(workspace) if row["id"] in linked}
    found = [
        Found(id, row["source"], row["origin"], "asked") for id, row in rows.items() if id in asked
    ]
    near = [
        Found(id, r["source"], r["origin"], "near_duplicate")
        for id, r in rows.items()
        if id not in asked
    ]
    copies = [
        Found(row["id"], row["source"], row["origin"], "copy")
        for row in workspace.read("duplicates").to_pylist()
        if row["id"] in linked
    ]
    return [*found, *copies, *near]


def knows_near(workspace: Workspace) -> bool:
    """Whether `clean` has looked for near-duplicates, so that they can be told."""
    if workspace.stored("clean") is None:
        return False
    settings = workspace.made("clean").spec
    return any(settings.get(name) is not None for name in ("near_duplicates", "semantic"))


def _linked(workspace: Workspace, asked: set[str]) -> set[str]:
    """Return everything that hangs together with what was asked, by `duplicate_of`."""
    if workspace.stored("clean") is None:
        return set(asked)
    edges: dict[str, set[str]] = defaultdict(set)
    for row in workspace.read("clean", ["id", "duplicate_of"]).to_pylist():
        if row["duplicate_of"]:
            edges[row["id"]].add(row["duplicate_of"])
            edges[row["duplicate_of"]].add(row["id"])
    linked, todo = set(asked), list(asked)
    while todo:
        news = edges[todo.pop()] - linked
        linked |= news
        todo += news
    return linked


def _pool(workspace: Workspace) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for path in workspace.shards("pool"):
        columns = ["id", "source", "origin", "meta", "media"]
        yield from pq.read_table(path, columns=columns).to_pylist()


# ── taking it down


def run(
    workspace: Workspace, found: Sequence[Found], ids: Sequence[str], reason: str
) -> RemoveResult:
    """Write down what is taken down, and erase all that ever was from everything here.

    `ids` are those asked, in the pool or not; `found` is what goes with them.
    """
    check_reason(reason)
    gone = {*ids, *(each.id for each in found)}
    exports = tuple(_exports(workspace, gone | removals.removed(workspace.root)))
    at = now()
    new = removals.add(workspace.root, gone, reason, at)
    number = 1 + len(list((workspace.root / RECORDS).glob("[0-9]*.json")))
    record = workspace.root / RECORDS / f"{number:04}.json"
    about = {"at": at, "reason": reason, "ids": sorted(gone), "exports": exports, "after": None}
    storage.write_json(record, about)
    everything = removals.removed(workspace.root)
    tasks, notes = _erase_tasks(workspace, everything)
    texts = _erase_rows(workspace, everything)
    vectors = _erase_vectors(workspace, everything)
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
        answers_kept=_answers(workspace, gone),
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


# ── what is erased


def _erase_rows(workspace: Workspace, gone: frozenset[str]) -> int:
    """Take the rows out of pool and clean, shard by shard, and out of duplicates."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    erased = 0
    for name in ("clean/_signatures", "clean", "pool"):
        folder = workspace.root / name
        for path in storage.shards(folder):
            erased_here = _without(path, gone)
            erased += erased_here if name == "pool" else 0
        stored = storage.stored_folder(folder)
        if stored is not None:
            storage.seal(folder, stored.made)
    stored = workspace.stored("duplicates")
    if stored is not None:
        table = pq.read_table(workspace.folder("duplicates"))
        kept = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
        if kept.num_rows < table.num_rows:
            storage.write_file_table(workspace.folder("duplicates"), kept, stored.made)
    return erased


def _erase_vectors(workspace: Workspace, gone: frozenset[str]) -> int:
    erased = 0
    folders = [path.parent for path in (workspace.root / "vectors").glob("*/_manifest.json")]
    for folder in folders:
        stored = storage.stored_folder(folder)
        erased += sum(_without(path, gone) for path in storage.shards(folder))
        if stored is not None:
            storage.seal(folder, stored.made)
    return erased


def _without(path: Path, gone: frozenset[str]) -> int:
    """Write a shard again without some documents; one that is left empty goes."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept = table.filter(pc.invert(pc.is_in(table["id"], _array(gone))))
    if not kept.num_rows:
        path.unlink()
    elif kept.num_rows < table.num_rows:
        storage.write_parquet(path, kept)
    return int(table.num_rows - kept.num_rows)


def _array(ids: Iterable[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(sorted(ids), pa.string())


def _erase_tasks(workspace: Workspace, gone: frozenset[str]) -> tuple[int, list[str]]:
    """Erase the tasks that show any of them: on the servers, and in the rounds in any case."""
    erased, notes = 0, []
    for each in workspace.rounds:
        ids = _tasks(each, gone)
        todo = (ids - each.erased) | (ids & each.left_on_server)
        if not todo:
            continue
        left: set[str] = set()
        try:
            for batch in each.batches if each.purpose != "import" else ():
                erased += _erase_batch(workspace, each, batch, todo)
        except (BackendError, ServerError) as error:
            left = todo
            notes.append(
                f"round {each.number}: the server may still hold {len(todo)} tasks: "
                f"{error.message}; run this again when it answers"
            )
        each.erase(ids, left=left)
    return erased, notes


def _tasks(current: Round, gone: Collection[str]) -> set[str]:
    """Return the tasks of a round that show any of these documents."""
    shown = current.documents().items()
    return {task for task, documents in shown if task in gone or set(documents) & set(gone)}


def _erase_batch(workspace: Workspace, current: Round, batch: Batch, ids: set[str]) -> int:
    backend = workspace.connect(batch.project.backend)
    if not current.closed:
        fetch(workspace, current, backend, batch)  # answers come home before their tasks go
    asked = {row["id"] for row in current.tasks() if row["batch"] == batch.name}
    return backend.erase(backend.open_project(batch.project), sorted(ids & asked))


def _answers(workspace: Workspace, gone: set[str]) -> int:
    kept = 0
    for each in workspace.rounds:
        tasks = _tasks(each, gone)
        kept += sum(row["id"] in tasks for row in each.answers())
    return kept
