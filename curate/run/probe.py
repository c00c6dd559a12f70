"""The probe: about a thousand texts from all over the sources, and a workspace that holds them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from curate import tables
from curate.engine import Local
from curate.errors import DataError
from curate.pool.spec import PoolSpec
from curate.run.recipe import Recipe
from curate.sources.reading import Bad, File, Part, Row, SourceSpec, content, find, read
from curate.sources.source_spec import Column
from curate.workspace import Workspace

DOCUMENTS = 1000
"""The documents of the probe."""

FILES = 50
"""The probe is spread over this many files, or over more if each file holds few documents."""


class ProbeRow(NamedTuple):
    """One document of the probe: what `pool` and `clean` would know of it, in one text."""

    text: str
    source: str
    license: str
    language: str | None


@dataclass(frozen=True)
class Probe:
    """Documents from all over the sources, and the estimated number of documents in the sources.

    `names` holds the names of all sources. `bytes` is the size of the source files.
    """

    rows: tuple[ProbeRow, ...]
    names: frozenset[str]
    documents: int
    bytes: int

    def part(self, n: int) -> Probe:
        """The probe with only `n` of its documents, from all over it."""
        n = min(n, len(self.rows))
        return replace(self, rows=tuple(self.rows[k * len(self.rows) // n] for k in range(n)))


def probed(spec: PoolSpec, root: Path) -> Probe:
    """About a thousand texts from all over the sources. Raises DataError if there are none."""
    files = find(spec.sources, root)
    step = max(1, -(-len(files) // FILES))
    rows_per_file = -(-DOCUMENTS // max(1, len(files[::step])))
    own: list[ProbeRow] = []
    documents, bytes_seen = 0.0, 0
    for file in (file for start in range(step) for file in files[start::step]):
        if len(own) >= DOCUMENTS:
            break
        bytes_seen += file.size
        source = spec.sources[file.source]
        rows = list(islice(_rows(source, file), rows_per_file + 1))
        own += [
            ProbeRow(content(row).text, file.name, row.license, row.language)
            for row in rows[:rows_per_file]
        ]
        documents += len(rows) if len(rows) <= rows_per_file else _row_count(file, rows)
    if not own:
        raise DataError("the sources hold no document", hint="check the paths under `pool:`")
    size = sum(file.size for file in files)
    total = round(documents * (size / bytes_seen if bytes_seen else 1))
    names = frozenset(file.name for file in files)
    return Probe(tuple(own), names, total, size)


def _rows(source: SourceSpec, file: File) -> Iterator[Row]:
    part = Part(
        file.source, file.name, file.address, file.label, format=file.format, skip=file.skip
    )
    rows = read(source, part, strict=False)
    return (row for row in rows if not isinstance(row, Bad))


def _row_count(file: File, rows: Sequence[Row]) -> float:
    """About how many rows a file has, by the size of its first rows."""
    import pyarrow.parquet as pq

    if file.format == "parquet" and Path(file.address).is_file():
        return float(pq.read_metadata(file.address).num_rows)
    lines = "\n".join(_line(row) for row in rows).encode()
    is_packed = file.address.endswith((".gz", ".zst", ".xz", ".bz2"))
    row_size = len(zlib.compress(lines) if is_packed else lines) / len(rows)
    return max(len(rows), file.size / row_size)


def _line(row: Row) -> str:
    """A row as it probably is in the file."""
    values = {**dict(row.fields), **json.loads(row.meta or "{}")}
    return json.dumps(values, ensure_ascii=False)


# ── a workspace for it


def probe_workspace(root: Path, folder: Path) -> Workspace:
    """A workspace for the probe, in which the recipe's relative paths still work."""
    folder.mkdir(parents=True)
    # The probe's stages write these: through a link they would write into the run's own folder.
    written = {*tables.TABLES, "rounds", "export", "recipe.yaml", "workspace.json", "ledger.jsonl"}
    for child in root.iterdir() if root.is_dir() else ():
        name = child.name.removesuffix(".parquet")
        if not child.name.startswith(".") and name not in written:
            (folder / child.name).symlink_to(child)
    workspace = Workspace(folder, engine=Local(1))
    workspace.init("probe")
    return workspace


def probe_pool(recipe: Recipe, folder: Path, probe: Probe) -> PoolSpec:
    """Write the rows by source; the result is the settings of `pool` that read them.

    A source without texts gets an empty file if settings name it.
    """
    by_source = (recipe.clean.rules, recipe.clean.languages)
    names = (name for settings in by_source if isinstance(settings, Mapping) for name in settings)
    lines: dict[str, list[str]] = {name: [] for name in names if name in probe.names}
    for row in probe.rows:
        values = {"text": row.text, "license": row.license, "language": row.language}
        lines.setdefault(row.source, []).append(json.dumps(values) + "\n")
    sources = []
    for number, (source, rows) in enumerate(lines.items()):
        path = folder / f"curate-probe-{number}.jsonl"
        path.write_text("".join(rows), encoding="utf-8")
        license, language = Column(field="license"), Column(field="language")
        sources.append(
            SourceSpec(name=source, paths=(path.name,), license=license, language=language)
        )
    return recipe.pool.model_copy(update={"sources": tuple(sources), "share": 1.0})
