"""Files in object stores: addresses, folders and globs, through pyarrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from curate.errors import DataError
from curate.sources.entries import Entry
from curate.sources.readers.opening import filesystem, without_options

MAGIC = re.compile(r"[*?\[]")
"""The characters of a glob."""


def stored(pattern: str, reason_to_skip: Callable[[str], str]) -> Iterator[Entry]:
    """Yield the files of a path in an object store; in a folder, `reason_to_skip` sees each name.

    DataError if the store cannot be asked.
    """
    import pyarrow as pa
    import pyarrow.fs as pafs

    plain = without_options(pattern)
    options = pattern[len(plain) :]
    magic = MAGIC.search(plain)
    base = plain if magic is None else plain[: plain.rindex("/", 0, magic.start())]
    try:
        store, path = filesystem(base + options)
        infos: Iterable[Any] = [store.get_file_info(path)]
        within = ""
        if magic is not None or infos[0].type == pafs.FileType.Directory:  # type: ignore[index]
            recursive = magic is None or "/" in plain[len(base) + 1 :]
            selector = pafs.FileSelector(path, allow_not_found=True, recursive=recursive)
            infos = sorted(store.get_file_info(selector), key=lambda info: info.path.split("/"))
            within = path.rstrip("/") + "/"
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{plain}: {error}") from None
    regex = None if magic is None else glob_regex(plain[len(base) + 1 :])
    folder = base.rstrip("/") if within and magic is None else ""
    for info in infos:
        inside = info.path[len(within) :] if within else ""
        if info.type != pafs.FileType.File or (regex and not regex.fullmatch(inside)):
            continue
        address = f"{base.rstrip('/')}/{inside}{options}" if within else pattern
        reason = reason_to_skip(inside.rsplit("/", 1)[-1]) if folder else ""
        about = (info.size, info.mtime_ns or 0, folder, reason)
        yield Entry(address, *about, within="" if folder or not within else base.rstrip("/"))


def glob_regex(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` matches within a folder, `**/` across folders."""
    parts = re.split(r"(\*\*/|\*|\?|\[[^\]]+\])", pattern)
    regexes = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            regexes.get(part)
            or (f"[{part[1:-1].replace('!', '^', 1)}]" if part[:1] == "[" else re.escape(part))
            for part in parts
            if part
        )
    )
