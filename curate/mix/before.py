"""What was drawn before: the copies of earlier exports, and those of the phases before a phase.

A copy that was drawn is never drawn again: it counts towards epochs, and those of earlier exports
towards promises too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.errors import DataError
from curate.names import absent
from curate.tables import by_phase
from curate.workspace.documents import DocumentShard
from curate.workspace.index import keys_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

ALL = "all"
"""`consumed`: every shard of the earlier parts."""

NO_PART = "name the manifest.json of a whole export: `curate verify` says what is wrong with one"


@dataclass(frozen=True)
class Lines:
    """Drawn documents, a row each: key of the id, tokens of a copy, copies, group in `groups`."""

    key: NDArray[np.uint64]
    size: Numbers
    copies: Numbers
    group: Numbers
    groups: tuple[str, ...]

    @staticmethod
    def joined(parts: Sequence[Lines]) -> Lines:
        """The documents of several parts, sorted by key; of groups and sizes the last one holds."""
        import numpy as np

        names = tuple(dict.fromkeys(name for part in parts for name in part.groups))
        key = np.concatenate([part.key for part in parts])
        size = np.concatenate([part.size for part in parts])
        group = np.concatenate(
            [np.array([names.index(name) for name in part.groups], np.int64)[part.group]
             for part in parts]
        )  # fmt: skip
        copies = np.concatenate([part.copies for part in parts])
        keys, numbers = np.unique(key, return_inverse=True)
        last = np.zeros(len(keys), np.int64)
        last[numbers] = np.arange(len(key))
        sums = np.bincount(numbers, copies, len(keys)).astype(np.int64)
        return Lines(keys, size[last], sums, group[last], names)

    def tokens(self) -> Numbers:
        """The tokens of all copies, by group."""
        import numpy as np

        sums = np.bincount(self.group, self.size * self.copies, len(self.groups))
        return sums.astype(np.int64)


@dataclass(frozen=True)
class Before:
    """The copies that documents have before a draw.

    `lines` is a scratch file with those of earlier exports (None: there are none), `groups` are the
    names of their groups, `tokens` what each of these had. `phases` are folders with the shards of
    the phases before.
    """

    lines: Path | None = None
    groups: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()
    phases: tuple[Path, ...] = ()

    def with_phase(self, folder: Path) -> Before:
        """The same after one more phase, whose shards lie in a folder."""
        return replace(self, phases=(*self.phases, folder))

    def of(self, shard: DocumentShard, ids: pa.ChunkedArray) -> Had | None:
        """The copies of the candidates of a shard; None if nothing was drawn before."""
        import numpy as np
        import pyarrow as pa

        if self.lines is None and not self.phases:
            return None
        earlier = np.zeros(len(ids), np.int64)
        matched = np.zeros(len(self.groups), np.int64)
        if self.lines is not None and len(ids):
            with pa.memory_map(str(self.lines)) as file:
                lines = pa.ipc.open_file(file).read_all()
                known = lines["key"].to_numpy()
                keys = keys_of(ids)
                places = np.searchsorted(known, keys)
                places[places == len(known)] = 0
                is_known = known[places] == keys if len(known) else np.zeros(len(keys), bool)
                rows = lines.take(pa.array(places[is_known]))
            copies = rows["copies"].to_numpy()
            earlier[is_known] = copies
            tokens = copies * rows["size"].to_numpy()
            matched += np.bincount(rows["group"].to_numpy(), tokens, len(matched)).astype(np.int64)
        drawn = earlier.copy()
        for folder in self.phases:
            table = storage.read_parquet(folder / shard.clean.name, ["copies"])
            drawn += table["copies"].to_numpy()
        return Had(drawn, earlier, matched)


@dataclass(frozen=True)
class Had:
    """The copies that the candidates of a shard have, and those of earlier exports alone.

    `matched` are the tokens of the latter by their groups there.
    """

    copies: Numbers
    earlier: Numbers
    matched: Numbers


def read_before(
    manifests: Sequence[Path], consumed: Path | None, folder: Path, counting: Mapping[str, Any]
) -> Before:
    """Read what earlier exports drew, and write it into a folder as one sorted table.

    `consumed` names the shards that were trained on, a line each; None: all. `counting` says how
    tokens are counted now (see `counting_of`). Raises DataError for a part that is not whole, was
    edited, or counts otherwise, and where a part that came before it is not named. Memory is 32
    bytes a drawn document.
    """
    import pyarrow as pa

    if not manifests:
        return Before()
    shards = None if consumed is None else _listed(consumed)
    told = {path: _manifest(path) for path in manifests}
    _check_chain(told, is_whole=shards is None)
    parts = [
        lines
        for path, manifest in told.items()
        for lines in _read_part(path, manifest, counting, shards)
    ]
    if shards:
        raise DataError(
            f"mix.consumed: no earlier part has the shard {min(shards)}",
            hint="name shards as a manifest does, or with their folder: `part-1/data-00000.jsonl`",
        )
    lines = Lines.joined(parts)
    path = folder / "before.arrow"
    table = pa.table({"key": lines.key, "size": lines.size, "copies": lines.copies,
                      "group": lines.group})  # fmt: skip
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    return Before(path, lines.groups, tuple(lines.tokens().tolist()))


def _check_chain(manifests: Mapping[Path, Mapping[str, Any]], *, is_whole: bool) -> None:
    """Raise DataError where a part is named twice, or one that it came after is not.

    The latter only if all that was drawn counts (`is_whole`): a list of shards may leave parts out.
    """
    by_content: dict[str, Path] = {}
    for path, manifest in manifests.items():
        first = by_content.setdefault(manifest["content_sha256"], path)
        if first != path:
            raise DataError(
                f"mix.earlier: {path} and {first} are the same part", hint="name each part once"
            )
    for path, manifest in manifests.items():
        unnamed = [sum for sum in manifest.get("earlier", ()) if sum not in by_content]
        if unnamed and is_whole:
            raise DataError(
                f"mix.earlier: {path} came after a part that is not named (content_sha256 "
                f"{unnamed[0]})",
                hint="name it too, or list what was trained on with `mix.consumed`",
            )


def counting_of(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """How a part counts its budget: the tokenizer, or the sha256 of its file, and tokens more."""
    name, extra = (
        manifest.get("budget_tokenizer", manifest["tokenizer"]),
        manifest.get("extra_tokens", 0),
    )
    if name.endswith(".json") and not (folder / name).is_file():
        raise DataError(f"mix.earlier: {folder} has no {name}", hint=NO_PART)
    return counting_by(str(folder / name) if name.endswith(".json") else name, extra)


def counting_by(tokenizer: str, extra: int) -> dict[str, Any]:
    """How tokens are counted: two that are equal count alike."""
    if tokenizer.endswith(".json"):
        return {"tokenizer": storage.sha256_of(Path(tokenizer)), "extra": extra}
    return {"tokenizer": tokenizer, "extra": extra}


def _read_part(
    path: Path, manifest: Mapping[str, Any], counting: Mapping[str, Any], shards: set[str] | None
) -> list[Lines]:
    """What one export drew in each of its phases; shards that are found leave `shards`."""
    folder = path.parent
    if counting_of(folder, manifest) != counting:
        name = manifest.get("budget_tokenizer", manifest["tokenizer"])
        raise DataError(
            f"mix.earlier: {path} counts tokens by {name} and {manifest.get('extra_tokens', 0)} "
            "more a document, which is not how this mixture counts",
            hint="set `mix.tokenizer` and `mix.extra_tokens` as the earlier part had them",
        )
    _check_sums(path)
    draws = _draws(folder, manifest)
    told = {
        (group.get("phase"), group["group"]): group["tokens"]
        for group in manifest["groups"]
        if group["tokens"]
    }
    drawn = {
        (phase, name): tokens
        for phase, draw in draws.items()
        for name, tokens in zip(draw.groups, draw.tokens().tolist(), strict=True)
        if tokens
    }
    if drawn != told:
        raise DataError(
            f"mix.earlier: {path} was edited: its groups do not have the tokens of draw.parquet",
            hint=NO_PART,
        )
    return list(draws.values()) if shards is None else _consumed(folder, manifest, shards)


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise absent(f"mix.earlier: no file {path}", path, hint=NO_PART)
    try:
        manifest = json.loads(path.read_bytes())
        groups = [(str(group["group"]), int(group["tokens"])) for group in manifest["groups"]]
        named = [str(file["path"]) for file in manifest["files"]], str(manifest["tokenizer"])
        str(manifest["content_sha256"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError(
            f"mix.earlier: {path} is not the manifest of an export", hint=NO_PART
        ) from None
    if not groups or not named:
        raise DataError(f"mix.earlier: {path} is not the manifest of an export", hint=NO_PART)
    return dict(manifest)


def _check_sums(path: Path) -> None:
    """Raise DataError if a file of a part is not what it was; shards may have been moved away."""
    folder = path.parent
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        raise DataError(f"mix.earlier: {folder} has no SHA256SUMS", hint=NO_PART)
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        file = folder / name
        if name == "manifest.json":
            continue  # what is read of it is checked by itself
        is_needed = name == "draw.parquet"
        if is_needed and not file.is_file():
            raise DataError(f"mix.earlier: {folder} has no {name}", hint=NO_PART)
        if file.is_file() and storage.sha256_of(file) != digest:
            raise DataError(f"mix.earlier: {file} was edited", hint=NO_PART)


def _draws(
    folder: Path, manifest: Mapping[str, Any], shards: Sequence[str] | None = None
) -> dict[str | None, Lines]:
    """What each phase drew, by name; without phases that of the whole, None.

    `shards` are the only ones whose lines count, if they are given.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    phases = [phase["name"] for phase in manifest.get("phases", ())]
    is_spent = manifest.get("layout") != "by_group"
    columns = ["id", "size", "group", "shard", *(["phase"] if phases else [])]
    columns += [] if is_spent else list(dict.fromkeys(["copies", *by_phase("copies", phases)]))
    try:
        table = storage.read_parquet(folder / "draw.parquet", columns)
    except (KeyError, ValueError):
        raise DataError(
            f"mix.earlier: {folder / 'draw.parquet'} is of an earlier version", hint=NO_PART
        ) from None
    if shards is not None:
        table = table.filter(pc.is_in(table["shard"], pa.array(shards, pa.string())))
    own = dict(zip(phases or (None,), by_phase("copies", phases), strict=True))
    return {
        phase: _drawn(
            table if phase is None else table.filter(pc.equal(table["phase"], phase)),
            None if is_spent else own[phase],
        )
        for phase in phases or (None,)
    }


def _drawn(table: pa.Table, copies: str | None) -> Lines:
    """The documents of rows of the draw; `copies` is their column where a row is not one copy."""
    import numpy as np

    groups = table["group"].combine_chunks().dictionary_encode()
    times = np.ones(table.num_rows, np.int64) if copies is None else table[copies].to_numpy()
    lines = Lines(
        keys_of(table["id"]),
        table["size"].to_numpy().astype(np.int64),
        times.astype(np.int64),
        groups.indices.to_numpy().astype(np.int64),
        tuple(groups.dictionary.to_pylist()),
    )
    return Lines.joined([lines])


def _consumed(folder: Path, manifest: Mapping[str, Any], shards: set[str]) -> list[Lines]:
    """What was drawn, as far as its lines stand in shards that were trained on.

    Shards of this part leave `shards`.
    """
    own = []
    for file in manifest["files"]:
        names = {file["path"], f"{folder.name}/{file['path']}"} & shards
        shards -= names
        own += [file["path"]] if names else []
    draws = _draws(folder, manifest, own)
    return [lines for lines in draws.values() if len(lines.key)]


def _listed(path: Path) -> set[str]:
    """The shards that a file lists, a line each."""
    if not path.is_file():
        raise absent(
            f"mix.consumed: no file {path}", path, hint="it names shards, a line each; or `all`"
        )
    names = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
    if not names - {""}:
        raise DataError(f"mix.consumed: {path} names no shard", hint="a line each; or `all`")
    return names - {""}
