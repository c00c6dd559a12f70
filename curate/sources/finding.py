"""Find a source's files: paths, folders, globs, object stores, saved data sets, queries."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from curate.errors import DataError, RecipeError
from curate.media.medium import KINDS
from curate.media.needing import lacking
from curate.names import absent
from curate.sources.beside import NO_FORMAT, without_captions
from curate.sources.entries import Entry
from curate.sources.links import FOLDER, OUTSIDE, leaves, linked_folders, reason_of_link
from curate.sources.partitions import SPLIT, TABLES, columns_of, describes
from curate.sources.readers.code import LEFT_OUT
from curate.sources.readers.opening import (
    BLOCK,
    Reading,
    opened,
    remote,
    split_suffix,
    without_options,
)
from curate.sources.readers.registry import SUFFIXES
from curate.sources.readers.sql import database_file
from curate.sources.saved import saved_files
from curate.sources.source_spec import SourceSpec
from curate.sources.stores import MAGIC, stored
from curate.walking import files_below, walk

DESCRIBES = "it describes the data beside it"

FOLDER_NAME = "folder"
"""The column of the name of the folder that an image, audio or video lies in."""

NO_NAME = "its name is not UTF-8"
UNREADABLE = "cannot be read: "
SPECIAL = "a pipe, a socket or a device"
IN_GLOB = "a folder: a glob reads files, a path reads a folder"


@dataclass(frozen=True)
class File:
    """A file of a source or, in its place, an object, a query or a data set.

    `source` is the place of its source, `name` that source's name. `address` is an absolute path
    or URL; origins and errors use `label`. `size` is in bytes. `modified`, in nanoseconds since
    1970, only serves to notice a change. `skip` says why it is not read. `columns` are those that
    its place tells, such as its split.
    """

    source: int
    name: str
    address: str
    label: str
    format: str
    size: int = 0
    modified: int = 0
    skip: str = ""
    columns: tuple[tuple[str, str], ...] = ()


def is_loss(reason: str) -> bool:
    """Whether a reason to skip a file or folder is that it could not be read."""
    return reason.startswith((UNREADABLE, NO_NAME, OUTSIDE, FOLDER, SPECIAL, IN_GLOB))


def find(sources: Sequence[SourceSpec], root: Path) -> list[File]:
    """List every file of the sources, in order.

    RecipeError without sources; DataError if a path leads to no file.
    """
    if not sources:
        raise RecipeError(
            "pool.sources: there are none", hint="name files under `pool: {sources: …}`"
        )
    entries = {place: _paths(source, root) for place, source in enumerate(sources) if source.paths}
    names = {source.name for source in sources if source.name}
    units = {
        entry.unit: entry
        for place, of_source in entries.items()
        for entry in of_source
        if not sources[place].name
    }
    by_unit = _unit_names(units.values(), names)
    names |= set(by_unit.values())
    files: list[File] = []
    for place, source in enumerate(sources):
        if source.paths:
            files += _named(place, source, root, entries[place], by_unit)
        else:
            files.append(_elsewhere(place, source, root, names))
            names.add(files[-1].name)
    return files


def _elsewhere(place: int, source: SourceSpec, root: Path, names: Collection[str]) -> File:
    """A database or a hub's data set. One without a name gets one that no other source has."""
    file = _database(place, source, root) if source.database else _hub(place, source, root)
    is_taken = source.name is None and file.name in names
    return replace(file, name=f"{file.name}-{place + 1}") if is_taken else file


def _hub(place: int, source: SourceSpec, root: Path) -> File:
    """A data set by its name: a folder of the workspace, or one of a hub."""
    assert source.dataset is not None
    address, split = source.dataset.name, source.dataset.split
    name = source.name or address.rstrip("/").rsplit("/", 1)[-1]
    columns = ((SPLIT, split),) if split.isidentifier() else ()
    file = File(place, name, address, f"{address}/{split}", "hub", columns=columns)
    folder = root / address
    if folder.is_dir():
        stats = [path.stat() for path in files_below(folder)]
        newest = max((status.st_mtime_ns for status in stats), default=0)
        size = sum(status.st_size for status in stats)
        return replace(file, address=str(folder), size=size, modified=newest)
    if address.startswith(("/", "./", "../")):
        hint = f"a data set's folder is relative to the workspace, {root}"
        raise absent(f"no folder {address}", folder, hint=hint, kind=DataError)
    return file


def _named(
    place: int,
    source: SourceSpec,
    root: Path,
    entries: Sequence[Entry],
    by_unit: Mapping[str, str],
) -> Iterator[File]:
    prefix = f"{root}{os.sep}"
    for entry in entries:
        name = source.name or by_unit[entry.unit]
        label = without_options(entry.address).removeprefix(prefix)
        kind = "" if entry.skip else entry.format or _format(source, entry.address)
        columns = () if entry.skip else _columns(entry, label, kind)
        about = (entry.size, entry.modified, entry.skip, columns)
        yield File(place, name, entry.address, label, kind, *about)


def _columns(entry: Entry, label: str, kind: str) -> tuple[tuple[str, str], ...]:
    """The columns that a file's place tells, by its folders from the one that was walked on."""
    *folders, last = label.split("/")
    start = entry.folder or entry.within
    near = entry.address.removeprefix(start).count("/") if start else 1
    own = {SPLIT: entry.split} if entry.split else {}
    partitions = [name for name in folders[: len(folders) - near] if "=" in name]
    columns = columns_of([*partitions, *folders[-near:]], split_stem(last), kind)
    if kind in KINDS and folders:
        columns = {FOLDER_NAME: folders[-1]} | columns
    return tuple((columns | own).items())


def _unit_names(units: Iterable[Entry], taken: Collection[str]) -> dict[str, str]:
    """The names of files and folders that have none: the shortest that tells each one apart."""
    names: dict[str, str] = {}
    waiting = {unit.unit: _possible_names(unit) for unit in units}
    while waiting:
        wanted = {unit: next(possible) for unit, possible in waiting.items()}
        times = Counter(wanted.values())
        used = {*taken, *names.values()}
        for unit, name in wanted.items():
            if times[name] == 1 and name not in used:
                names[unit] = name
                del waiting[unit]
    return names


def _possible_names(entry: Entry) -> Iterator[str]:
    """Yield names for a file or folder: its stem, with a folder more and its suffix each time."""
    *folders, last = without_options(entry.unit).rstrip("/").split("/")
    stem = last if entry.folder else split_stem(last)
    yield stem
    for number in range(1, len(folders) + 1):
        before = "-".join(filter(None, folders[-number:]))
        yield f"{before}-{stem}"
        yield f"{before}-{last}"
    yield from (f"{entry.unit}-{number}" for number in count(2))


def split_stem(address: str) -> str:
    """A file's name without the suffixes that say its format."""
    stem, suffix, _ = split_suffix(address)
    return stem if suffix in SUFFIXES else stem + suffix


def format_by_suffix(address: str) -> str | None:
    """The format that a file's suffix names, or None."""
    return SUFFIXES.get(split_suffix(address)[1])


def _format_or_none(source: SourceSpec, address: str) -> str | None:
    return source.format if source.format != "auto" else format_by_suffix(address)


def _format(source: SourceSpec, address: str) -> str:
    name = _format_or_none(source, address)
    if name is None:
        raise DataError(
            f"{address.rsplit('/', 1)[-1]}: its suffix names no format that curate reads",
            hint=f"known are {', '.join(SUFFIXES)}; or give the source a `format:`",
        )
    return name


def sha256_of(file: File) -> str | None:
    """The sha256 of a file's bytes; None if it is skipped, a query or a hub's data set."""
    if file.skip or file.format in ("sql", "hub"):
        return None
    hasher = hashlib.sha256()
    with opened(Reading(file.address, file.label, file.format), seekable=True) as source:
        while block := source.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


# ── paths


def _paths(source: SourceSpec, root: Path) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for pattern in source.paths:
        if remote(pattern):
            walk = stored(pattern, partial(_reason_to_skip_file, source=source))
        else:
            walk = _local(pattern, source, root)
        matches = _without_cards([_with_letters(entry) for entry in walk], source)
        matches = without_captions(matches, source.captions) if source.captions else matches
        if all(entry.skip for entry in matches):
            of_source = f" (source {source.name})" if source.name else ""
            reasons = Counter(entry.skip for entry in matches).most_common(3)
            skipped = "".join(f"; {count} skipped: {reason}" for reason, count in reasons)
            if not remote(pattern) and (root / pattern).is_dir():
                raise DataError(
                    f"no file in the folder {pattern}{of_source}{skipped}",
                    hint=f"known are {', '.join(SUFFIXES)}; or give the source a `format:`",
                )
            raise absent(
                f"no file {without_options(pattern)}{of_source}{skipped}",
                root / pattern,
                hint=_where_paths_start(pattern, root),
                kind=DataError,
            )
        for entry in matches:
            entries.setdefault(entry.address, entry)
    return list(entries.values())


def _without_cards(matches: Sequence[Entry], source: SourceSpec) -> list[Entry]:
    """The entries, where what describes a data set beside its rows is skipped.

    A file that a path names is read, and so are all where no file holds rows.
    """
    cards = {
        entry.address
        for entry in matches
        if not entry.is_named and describes(without_options(entry.address).rsplit("/", 1)[-1])
    }
    has_rows = any(
        (entry.format or _format_or_none(source, entry.address)) in TABLES
        for entry in matches
        if entry.address not in cards and not entry.skip
    )
    skipped = cards if has_rows else ()
    return [
        replace(entry, skip=entry.skip or DESCRIBES) if entry.address in skipped else entry
        for entry in matches
    ]


def _where_paths_start(pattern: str, root: Path) -> str:
    if Path(pattern).is_absolute():
        return "give the path of a file that exists"
    return f"Paths in a recipe are relative to the workspace, {root}"


def _with_letters(entry: Entry) -> Entry:
    """The entry, skipped if its name is not UTF-8: no table, task or message could hold it."""
    try:
        f"{entry.address}{entry.folder}".encode()
    except UnicodeEncodeError:
        address, folder = (
            os.fsencode(path).decode(errors="replace") for path in (entry.address, entry.folder)
        )
        return Entry(address, 0, 0, folder, NO_NAME)
    return entry


def _local(pattern: str, source: SourceSpec, root: Path) -> Iterator[Entry]:
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else root
    exact = base / pattern[len(anchor) :]  # a name may hold characters of a glob
    try:
        is_folder, is_file = exact.is_dir(), exact.is_file()
    except OSError as error:
        raise DataError(f"pool.sources: {pattern[:80]}…: {error.strerror}") from None
    if is_folder:
        yield from _folder(exact, source)
        return
    matches = [exact] if is_file else base.glob(pattern[len(anchor) :])
    magic = MAGIC.search(pattern)
    within = "" if is_file or not magic else str(base / pattern[: magic.start()].rpartition("/")[0])
    is_deep = "**" in pattern
    try:
        paths = sorted(matches, key=lambda path: path.parts)
    except RecursionError:
        hint = "name the folder itself: it is read at any depth"
        raise DataError(f"{pattern}: the folders lie too deep for a glob", hint=hint) from None
    for path in paths:
        if within and leaves(str(path), within):
            yield Entry(str(path), 0, 0, "", OUTSIDE)
        elif not (is_deep and path.is_dir()):
            yield replace(_stat(str(path)), within=within)
    if within and is_deep:
        for link, reason in linked_folders(within):
            yield Entry(link, 0, 0, "", reason, within=within)


def _stat(path: str, folder: str = "", format: str = "") -> Entry:
    try:
        status = os.stat(path)  # noqa: PTH116 (a Path for each of 100,000 files takes seconds)
    except OSError as error:
        return Entry(path, 0, 0, folder, f"{UNREADABLE}{error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        reason = IN_GLOB if stat.S_ISDIR(status.st_mode) else SPECIAL
        return Entry(path, 0, 0, folder, reason)
    return Entry(path, status.st_size, status.st_mtime_ns, folder, format=format)


def _folder(folder: Path, source: SourceSpec) -> Iterator[Entry]:
    """Walk a folder: a saved data set, a source tree, or files of any format."""
    arrow_files = saved_files(folder)
    if arrow_files is not None:
        for path, split in arrow_files:
            if leaves(str(path), str(folder)):
                yield Entry(str(path), 0, 0, str(folder), OUTSIDE)
            else:
                yield replace(_stat(str(path), str(folder), "arrow"), split=split)
        return
    errors: list[OSError] = []
    for parent, folders, files in walk(folder, errors.append):
        for name in sorted(folders):
            address = f"{parent}/{name}"
            reason = _reason_to_skip_folder(name, source) or reason_of_link(address, str(folder))
            if reason:
                folders.remove(name)
                yield Entry(address, 0, 0, str(folder), reason)
        folders.sort()
        for name in sorted(files):
            address = f"{parent}/{name}"
            if reason := _reason_to_skip_file(name, source):
                yield Entry(address, 0, 0, str(folder), reason)
            elif leaves(address, str(folder)):
                yield Entry(address, 0, 0, str(folder), OUTSIDE)
            else:
                yield _stat(address, str(folder))
    for error in errors:
        yield Entry(str(error.filename), 0, 0, str(folder), f"{UNREADABLE}{error.strerror}")


def _reason_to_skip_folder(name: str, source: SourceSpec) -> str:
    if name.startswith("."):
        return "a hidden folder"
    code = source.format == "code"
    return "a folder of what others wrote or a tool made" if code and name in LEFT_OUT else ""


def _reason_to_skip_file(name: str, source: SourceSpec) -> str:
    if name.startswith("."):
        return "hidden"
    if source.format == "auto" and format_by_suffix(name) is None:
        return NO_FORMAT
    return lacking(format_by_suffix(name) or "") if source.format == "auto" else ""


# ── databases


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
    status = path.stat()
    name = source.name or split_stem(str(path)).removesuffix(path.suffix)
    return File(place, name, address, label, "sql", status.st_size, status.st_mtime_ns)
