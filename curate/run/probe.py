"""The probe: about a thousand texts from all over the sources, and a workspace that holds them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from curate import tables
from curate.engine import Local
from curate.errors import DataError
from curate.pool.sources import Bad, File, Part, Row, SourceSpec, content, find, read
from curate.pool.spec import PoolSpec
from curate.run.recipe import Recipe
from curate.workspace import Workspace

DOCUMENTS = 1000
"""The documents of the probe."""

FILES = 50
"""The probe is spread over this many files, or over more if each file holds few documents."""


@dataclass(frozen=True)
class Probe:
    """Texts from all over the sources, and the estimated number of documents in the sources.

    `sources` holds the source of each text, and `names` all sources. `bytes` is the size of the
    source files.
    """

    texts: tuple[str, ...]
    sources: tuple[str, ...]
    names: frozenset[str]
    documents: int
    bytes: int

    def first(self, n: int) -> Probe:
        """The probe with only its first `n` texts."""
        return replace(self, texts=self.texts[:n], sources=self.sources[:n])


def probed(spec: PoolSpec, root: Path) -> Probe:
    """About a thousand texts from all over the sources. Raises DataError if there are none."""
    files = find(spec.sources, root)
    step = max(1, -(-len(files) // FILES))
    rows_per_file = -(-DOCUMENTS // max(1, len(files[::step])))
    texts: list[str] = []
    sources: list[str] = []
    documents, bytes_seen = 0.0, 0
    for file in (file for start in range(step) for file in files[start::step]):
        if len(texts) >= DOCUMENTS:
            break
        bytes_seen += file.size
        source = spec.sources[file.source]
        rows = list(islice(_rows(source, file), rows_per_file + 1))
        texts += [content(row).text for row in rows[:rows_per_file]]
        sources += [file.name] * len(rows[:rows_per_file])
        documents += len(rows) if len(rows) <= rows_per_file else _row_count(file, rows)
    if not texts:
        raise DataError("the sources hold no document", hint="check the paths under `pool:`")
    size = sum(file.size for file in files)
    total = round(documents * (size / bytes_seen if bytes_seen else 1))
    names = frozenset(file.name for file in files)
    return Probe(tuple(texts), tuple(sources), names, total, size)


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
    """Write the texts by source; the result is the settings of `pool` that read them.

    A source without texts gets an empty file if settings name it.
    """
    by_source = (recipe.clean.rules, recipe.clean.languages)
    names = (name for settings in by_source if isinstance(settings, Mapping) for name in settings)
    lines: dict[str, list[str]] = {name: [] for name in names if name in probe.names}
    for text, source in zip(probe.texts, probe.sources, strict=True):
        lines.setdefault(source, []).append(json.dumps({"text": text}) + "\n")
    sources = []
    for number, (name, rows) in enumerate(lines.items()):
        path = folder / f"curate-probe-{number}.jsonl"
        path.write_text("".join(rows), encoding="utf-8")
        sources.append(SourceSpec(name=name, paths=(path.name,)))
    return recipe.pool.model_copy(update={"sources": tuple(sources), "share": 1.0})
