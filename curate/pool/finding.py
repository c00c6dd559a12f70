"""Which files a source has: paths, folders, globs, object stores, saved data sets, queries."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.pool.readers.code import LEFT_OUT
from curate.pool.readers.opening import (
    BLOCK,
    Reading,
    filesystem,
    opened,
    remote,
    split_suffix,
    without_options,
)
from curate.pool.readers.registry import SUFFIXES
from curate.pool.readers.sql import database_file
from curate.pool.source_spec import SourceSpec

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class File:
    """A file of a source, or whatever else stands for one (an object, a query, a data set).

    `source` is its place in the sources, `name` that source's name, `address` an absolute path or
    URL, `label` how origins and errors name it. `size` is in bytes, `modified` in nanoseconds
    since 1970: both only serve to see a change. `skip` says why it is not read.
    """

    source: int
    name: str
    address: str
    label: str
    format: str
    size: int = 0
    modified: int = 0
    skip: str = ""


@dataclass(frozen=True)
class _Found:
    """What a path led to; `folder` is the name of the folder that was walked."""

    address: str
    size: int
    modified: int
    folder: str = ""
    skip: str = ""
    format: str = ""


def find(sources: Sequence[SourceSpec], root: Path) -> list[File]:
    """Return every file of the sources, in order. DataError if a path leads to none."""
    return [file for place, source in enumerate(sources) for file in _files(place, source, root)]


def _files(place: int, source: SourceSpec, root: Path) -> Iterator[File]:
    if source.database:
        yield _database(place, source, root)
    elif source.dataset:
        label = f"{source.dataset.name}/{source.dataset.split}"
        name = source.name or source.dataset.name.rstrip("/").rsplit("/", 1)[-1]
        yield File(place, name, source.dataset.name, label, "hub")
    else:
        yield from _named(place, source, root, _paths(source, root))


def sha256_of(file: File) -> str | None:
    """Return the sha256 of a file's bytes; None for what has none (a query, a hub's data set)."""
    if file.skip or file.format in ("sql", "hub"):
        return None
    hasher = hashlib.sha256()
    with opened(Reading(file.address, file.label, file.format), seekable=True) as source:
        while block := source.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def _named(place: int, source: SourceSpec, root: Path, found: Sequence[_Found]) -> Iterator[File]:
    stems = [split_stem(each.address) for each in found]
    times = Counter(stem for each, stem in zip(found, stems, strict=True) if not each.folder)
    prefix = f"{root}{os.sep}"
    for each, stem in zip(found, stems, strict=True):
        name = source.name or each.folder or stem
        if not (source.name or each.folder) and times[stem] > 1:
            name = f"{each.address.rsplit('/', 2)[-2]}-{stem}"
        label = without_options(each.address).removeprefix(prefix)
        kind = "" if each.skip else each.format or _format(source, each.address)
        yield File(place, name, each.address, label, kind, each.size, each.modified, each.skip)


def split_stem(address: str) -> str:
    """Return a file's name without the suffixes that say its format."""
    stem, suffix, _ = split_suffix(address)
    return stem if suffix in SUFFIXES else stem + suffix


def known(address: str) -> str | None:
    """Return the format that a file's suffix names, or None."""
    return SUFFIXES.get(split_suffix(address)[1])


def _format(source: SourceSpec, address: str) -> str:
    found = source.format if source.format != "auto" else known(address)
    if found is None:
        raise DataError(
            f"{address.rsplit('/', 1)[-1]}: its suffix names no format that curate reads",
            hint=f"known are {', '.join(SUFFIXES)}; or give the source a `format:`",
        )
    return found


# ── paths


def _paths(source: SourceSpec, root: Path) -> list[_Found]:
    found: dict[str, _Found] = {}
    for pattern in source.paths:
        many = _stored(pattern, source) if remote(pattern) else _local(pattern, source, root)
        here = list(many)
        if not any(not each.skip for each in here):
            of = f" (source {source.name})" if source.name else ""
            why = Counter(each.skip for each in here).most_common(3)
            left = "".join(f"; {count} skipped: {reason}" for reason, count in why)
            raise DataError(
                f"no file {without_options(pattern)}{of}{left}",
                hint=f"paths in a recipe are relative to the workspace, {root}",
            )
        for each in here:
            found.setdefault(each.address, each)
    return list(found.values())


def _local(pattern: str, source: SourceSpec, root: Path) -> Iterator[_Found]:
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else root
    exact = base / pattern[len(anchor) :]  # a name may hold what a glob would read
    if exact.is_dir():
        yield from _folder(exact, source)
        return
    matches = [exact] if exact.is_file() else base.glob(pattern[len(anchor) :])
    for path in sorted(matches, key=lambda path: path.parts):
        if (found := _stat(str(path))) is not None:
            yield found


def _stat(path: str, folder: str = "", format: str = "") -> _Found | None:
    about = os.stat(path)  # noqa: PTH116 (a Path for each of 100,000 files takes seconds)
    if not stat.S_ISREG(about.st_mode):
        return None
    return _Found(path, about.st_size, about.st_mtime_ns, folder, format=format)


def _folder(folder: Path, source: SourceSpec) -> Iterator[_Found]:
    """Walk a folder: a saved data set, a source tree, or files of any format."""
    saved = _saved(folder)
    if saved is not None:
        for path in saved:
            if (found := _stat(str(path), folder.name, "arrow")) is not None:
                yield found
        return
    for place, folders, files in os.walk(folder):
        for name in sorted(folders):
            if reason := _left_out(name, source):
                folders.remove(name)
                yield _Found(f"{place}/{name}", 0, 0, folder.name, reason)
        folders.sort()
        for name in sorted(files):
            address = f"{place}/{name}"
            if reason := _skipped(name, source):
                yield _Found(address, 0, 0, folder.name, reason)
            elif (found := _stat(address, folder.name)) is not None:
                yield found


def _left_out(name: str, source: SourceSpec) -> str:
    if name.startswith("."):
        return "a hidden folder"
    code = source.format == "code"
    return "a folder of what others wrote or a tool made" if code and name in LEFT_OUT else ""


def _skipped(name: str, source: SourceSpec) -> str:
    if name.startswith("."):
        return "hidden"
    if source.format == "auto" and known(name) is None:
        return "its suffix names no format"
    return ""


def _saved(folder: Path) -> list[Path] | None:
    """Return the Arrow files of what `datasets` saved to disk, or None if the folder is no such."""
    splits, state = folder / "dataset_dict.json", folder / "state.json"
    try:
        if splits.is_file():
            names = json.loads(splits.read_bytes())["splits"]
            return [path for name in names for path in _saved(folder / name) or ()]
        if state.is_file():
            files = json.loads(state.read_bytes())["_data_files"]
            return [folder / each["filename"] for each in files]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder}: not what `datasets` saves ({error})") from None
    return None


# ── object stores


def _stored(pattern: str, source: SourceSpec) -> Iterator[_Found]:
    import pyarrow as pa
    import pyarrow.fs as pafs

    plain = without_options(pattern)
    options = pattern[len(plain) :]
    magic = _MAGIC.search(plain)
    base = plain if magic is None else plain[: plain.rindex("/", 0, magic.start())]
    try:
        store, path = filesystem(base + options)
        infos: Iterable[Any] = [store.get_file_info(path)]
        within = ""
        if magic is not None or infos[0].type == pafs.FileType.Directory:  # type: ignore[index]
            deep = magic is None or "/" in plain[len(base) + 1 :]
            selector = pafs.FileSelector(path, allow_not_found=True, recursive=deep)
            infos = sorted(store.get_file_info(selector), key=lambda info: info.path.split("/"))
            within = path.rstrip("/") + "/"
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{plain}: {error}") from None
    wanted = None if magic is None else translated(plain[len(base) + 1 :])
    folder = base.rstrip("/").rsplit("/", 1)[-1] if within and magic is None else ""
    for info in infos:
        inside = info.path[len(within) :] if within else ""
        if info.type != pafs.FileType.File or (wanted and not wanted.fullmatch(inside)):
            continue
        address = f"{base.rstrip('/')}/{inside}{options}" if within else pattern
        reason = _skipped(inside.rsplit("/", 1)[-1], source) if folder else ""
        yield _Found(address, info.size, info.mtime_ns or 0, folder, reason)


def translated(pattern: str) -> re.Pattern[str]:
    """Return a glob as a regular expression: `*` within a folder, `**/` across folders."""
    parts = re.split(r"(\*\*/|\*|\?|\[[^\]]+\])", pattern)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            known.get(part)
            or (f"[{part[1:-1].replace('!', '^', 1)}]" if part[:1] == "[" else re.escape(part))
            for part in parts
            if part
        )
    )


def _database(place: int, source: SourceSpec, root: Path) -> File:
    assert source.database is not None
    address, path = database_file(source.database.address, root)
    if path is None:
        label = re.sub(r"//[^/@]*@", "//", address.partition("?")[0])
        return File(place, source.name or "database", address, label, "sql")
    if not path.is_file():
        raise DataError(
            f"no file {path}", hint=f"a SQLite file is relative to the workspace, {root}"
        )
    label = str(path).removeprefix(f"{root}{os.sep}")
    about = path.stat()
    name = source.name or split_stem(str(path)).removesuffix(path.suffix)
    return File(place, name, address, label, "sql", about.st_size, about.st_mtime_ns)
