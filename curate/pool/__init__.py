"""Collect every distinct document, with an id that is its content and an exact token count.

sources ──pool──▶ pool · duplicates
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate import chance, storage, tables, tokens
from curate.errors import DataError, RecipeError
from curate.pool.sources import Bad, File, Row, SourceSpec, find, parts, read
from curate.spec import Spec
from curate.text import TEXT, canonical, content_id, render
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

READS: tuple[str, ...] = ()
WRITES = ("pool", "duplicates")

ROWS_PER_SHARD = 10_000

KEPT = ("source", "origin", "template", "license", "language", "meta", "media")
"""What a row keeps as it was read."""


class PoolSpec(Spec):
    """What to collect, and how to count it."""

    sources: Annotated[
        tuple[SourceSpec, ...], Field(description="Where documents come from, in order.")
    ] = ()
    tokenizer: Annotated[
        str, Field(description="A bpe-openai encoding, `bytes`, or a tokenizer.json.")
    ] = tokens.DEFAULT
    holdout: Annotated[
        float, Field(ge=0, lt=1, description="Share kept to measure on, never shown or exported.")
    ] = 0.0
    strict: Annotated[
        bool, Field(description="Stop at the first bad row; otherwise keep it aside, counted.")
    ] = True
    seed: Annotated[int, Field(description="Seed of the holdout.")] = 0


@dataclass(frozen=True)
class PoolResult:
    """What was read, what was new, and what it amounts to."""

    rows: int
    documents: int
    copies: int
    shared: int
    bad_rows: int
    tokens: int
    holdout: int
    sources: dict[str, int]


def inputs(workspace: Workspace, spec: PoolSpec) -> dict[str, str | None]:
    """Return a digest of the source files' names, sizes and times, and of a tokenizer's file."""
    stats = [(each.label, each.size, each.modified) for each in find(spec.sources, workspace.root)]
    found: dict[str, str | None] = {"sources": storage.digest(stats)}
    if spec.tokenizer.endswith(".json") and workspace.path(spec.tokenizer).is_file():
        found["tokenizer"] = storage.file_digest(workspace.path(spec.tokenizer))
    return found


def run(workspace: Workspace, spec: PoolSpec) -> PoolResult:
    """Read the sources, give every document its id, and keep one of each."""
    if not spec.sources:
        raise RecipeError(
            "pool.sources: there are none", hint="name files under `pool: {sources: …}`"
        )
    tokenizer = spec.tokenizer
    if tokenizer.endswith(".json"):
        tokenizer = str(workspace.path(tokenizer).resolve())
    tokens.counter(tokenizer)  # a wrong name is told before anything is read
    names = source_names(workspace.root, spec)
    files = [_file_facts(each) for each in find(spec.sources, workspace.root)]
    made = workspace.provenance(
        "pool", spec, inputs(workspace, spec), sources=names, files=files, tokenizer=tokenizer
    )
    batches = _batches(workspace)
    bad: list[dict[str, Any]] = []
    with workspace.building("pool", made) as folder:
        raw, staged = folder / "_raw", folder / "_staged"
        _write_raw(workspace, spec, raw, bad)
        staged.mkdir(exist_ok=True)
        finish = partial(identify, tokenizer=tokenizer, holdout=spec.holdout, seed=spec.seed)
        with workspace.watch("counting tokens", None) as advance:
            workspace.engine.map(finish, storage.shards(raw), staged, advance)
        firsts, copies = resolve_copies(_ids(staged), names)
        if firsts.empty:
            raise DataError("the sources hold no document", hint="check the paths under `pool:`")
        _write_first(staged, folder, firsts, batches)
        _clear(raw, staged)
        storage.write_json(folder / "_rejected.json", bad)
    workspace.write("duplicates", _as_duplicates(copies), made)
    return _result(workspace, bad, copies, firsts)


def identify(raw: pa.Table, *, tokenizer: str, holdout: float, seed: int) -> pa.Table:
    """Give raw rows their canonical text, id, token count and holdout mark; pure."""
    count = tokens.counter(tokenizer)
    rows = []
    for row in raw.to_pylist():
        fields = {name: canonical(text) for name, text in json.loads(row["fields"])}
        alone = list(fields) == [TEXT] and row["template"] is None
        text = fields[TEXT] if alone else canonical(render(fields, row["template"]))
        rows.append(
            {
                **{name: row[name] for name in KEPT},
                "id": content_id(fields),
                "text": text,
                "fields": None if alone else json.dumps([*fields.items()], ensure_ascii=False),
                "tokens": count(text),
            }
        )
    if rows and holdout:
        noise = chance.uniform((row["id"] for row in rows), seed, "holdout")
        for row, value in zip(rows, noise, strict=True):
            row["holdout"] = bool(value < holdout)
    return tables.rows("pool", [{"holdout": False, **row} for row in rows])


def resolve_copies(
    found: pd.DataFrame, source_order: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows (id, source, origin) into the first of each id and its copies.

    The first source in `source_order` owns a document, and the first row within it. The firsts
    carry `also`: the other sources that hold a copy.
    """
    rank = {name: place for place, name in enumerate(source_order)}
    ordered = found.assign(rank=found["source"].map(rank)).sort_values("rank", kind="stable")
    repeated = ordered.duplicated("id")
    firsts, copies = ordered[~repeated].sort_index(), ordered[repeated]
    others = copies.merge(firsts[["id", "source"]], on="id", suffixes=("", "_kept"))
    others = others[others["source"] != others["source_kept"]]
    also = others.groupby("id")["source"].agg(lambda names: sorted(set(names)))
    return firsts.assign(also=firsts["id"].map(also)), copies


def source_names(root: Path, spec: PoolSpec) -> list[str]:
    """Return the sources' names in order; an unnamed source is one per file, named by its stem."""
    return list(dict.fromkeys(each.name for each in find(spec.sources, root)))


def _write_raw(
    workspace: Workspace, spec: PoolSpec, folder: Path, bad: list[dict[str, Any]]
) -> None:
    _clear(folder)
    folder.mkdir()
    rows: list[Row] = []
    shard = 0
    with workspace.watch("reading", None) as advance:
        for row in _rows(workspace.root, spec, bad):
            rows.append(row)
            if len(rows) == ROWS_PER_SHARD:
                _write_rows(folder, shard, rows)
                advance(len(rows))
                rows, shard = [], shard + 1
        _write_rows(folder, shard, rows)
        advance(len(rows))


def _rows(root: Path, spec: PoolSpec, bad: list[dict[str, Any]]) -> Iterator[Row]:
    for part in parts(spec.sources, root):
        for row in read(spec.sources[part.source], part, strict=spec.strict):
            if isinstance(row, Bad):
                bad.append(vars(row))
            else:
                yield row


def _write_rows(folder: Path, shard: int, rows: list[Row]) -> None:
    import pyarrow as pa

    if rows:
        table = pa.Table.from_pylist([vars(row) for row in rows], schema=_raw_schema())
        storage.write_parquet(folder / f"{shard:05}.parquet", table)


def _raw_schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"replaced": pa.int64()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in Row.__dataclass_fields__])


def _ids(staged: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow.parquet as pq

    columns = ["id", "source", "origin"]
    parts = [pd.DataFrame(columns=[*columns, "shard", "row"])]
    for path in storage.shards(staged):
        rows = pq.read_table(path, columns=columns).to_pandas()
        parts.append(rows.assign(shard=path.name, row=range(len(rows))))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _batches(workspace: Workspace) -> dict[str, int]:
    """Return the batch of every document that an earlier run has collected."""
    if workspace.stored("pool") is None:
        return {}
    earlier = workspace.read("pool", ["id", "batch"])
    return dict(zip(*(earlier[name].to_pylist() for name in ("id", "batch")), strict=True))


def _write_first(staged: Path, folder: Path, firsts: pd.DataFrame, batches: dict[str, int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    newest = max(batches.values(), default=0) + 1
    for name, kept in firsts.groupby("shard", sort=True):
        table = pq.read_table(staged / str(name)).take(kept["row"].tolist())
        others = [names if isinstance(names, list) else [] for names in kept["also"]]
        also = pa.array(others, pa.list_(pa.string()))
        table = table.set_column(table.column_names.index("also"), "also", also)
        numbers = [batches.get(id, newest) for id in table["id"].to_pylist()]
        batch = pa.array(numbers, pa.int32())
        table = table.set_column(table.column_names.index("batch"), "batch", batch)
        storage.write_parquet(folder / str(name), table)


def _as_duplicates(copies: pd.DataFrame) -> pa.Table:
    return tables.rows("duplicates", copies[["id", "source", "origin"]].to_dict("records"))


def _file_facts(file: File) -> dict[str, Any]:
    return {
        "path": file.label,
        "size": file.size,
        "sha256": storage.sha256_of(Path(file.address)),
    }


def _clear(*folders: Path) -> None:
    import shutil

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _result(
    workspace: Workspace, bad: list[dict[str, Any]], copies: pd.DataFrame, firsts: pd.DataFrame
) -> PoolResult:
    pool = workspace.read("pool", ["tokens", "holdout", "source"])
    counts = firsts["source"].value_counts(sort=False)
    return PoolResult(
        rows=len(firsts) + len(copies) + len(bad),
        documents=len(firsts),
        copies=len(copies),
        shared=int(firsts["also"].map(lambda names: isinstance(names, list)).sum()),
        bad_rows=len(bad),
        tokens=sum(pool["tokens"].to_pylist()),
        holdout=sum(pool["holdout"].to_pylist()),
        sources={str(name): int(count) for name, count in counts.items()},
    )
