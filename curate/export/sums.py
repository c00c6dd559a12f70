"""The sums of an export's files, the manifest's too, and what differs from them.

They show accidents: whoever edits a file on purpose writes its new sum beside it. A sum of the sums
that is kept elsewhere shows that too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from os import stat_result
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from curate import storage
from curate.walking import below

SUMS, CARD, MANIFEST = "SHA256SUMS", "README.md", "manifest.json"
OF_HUBS = (".git", ".gitattributes", ".cache")
"""What a clone from a hub adds at the top of an export."""

_LARGE = 1 << 30
_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>.+)")


def write_sums(folder: Path, names: list[str], known: Mapping[str, str]) -> None:
    """Write the sums of these files; those of `known` are not computed again."""
    sums = {name: known.get(name) or storage.sha256_of(folder / name) for name in names}
    _write(folder, sums)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest last, and its sum before: a whole export has one."""
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    own = folder / f".{MANIFEST}.sum"
    storage.write_text(own, text)
    sums, _ = read_sums(folder)
    _write(folder, {**sums, MANIFEST: storage.sha256_of(own)})
    own.replace(folder / MANIFEST)


def _write(folder: Path, sums: Mapping[str, str]) -> None:
    storage.write_text(folder / SUMS, _text(sums))


def _text(sums: Mapping[str, str]) -> str:
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def read_sums(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The sums of an export by the file's name, and what is wrong with their lines."""
    sums: dict[str, str] = {}
    problems = []
    text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(f"{SUMS}, line {number}: it names no file and its sum")
        elif match["name"] in sums:
            problems.append(f"{SUMS}, line {number}: {match['name']} appears twice")
        else:
            sums[match["name"]] = match["sum"]
    return sums, problems


def irregular(folder: Path) -> list[str]:
    """What is no file or folder that can be read: links, pipes, devices. None of it is opened."""
    errors: list[OSError] = []
    told = []
    for path in sorted(below(folder, errors.append)):
        place = path.relative_to(folder)
        if place.parts[0] in OF_HUBS:
            continue
        try:
            status = path.lstat()
        except OSError as error:
            errors.append(error)
            continue
        if not (S_ISREG(status.st_mode) or S_ISDIR(status.st_mode)):
            told.append(f"{place.as_posix()} is not a regular file: a link, a pipe or a device")
        elif _is_hollow(status):
            told.append(f"{place.as_posix()} is not a file of an export: it is empty space")
    unread = (f"{str(error.filename)[-80:]} cannot be read: {error.strerror}" for error in errors)
    return [*told, *dict.fromkeys(unread)]


def _is_hollow(status: stat_result) -> bool:
    """Whether a file of gigabytes holds next to nothing: reading it would take hours."""
    size = status.st_size
    return S_ISREG(status.st_mode) and size > _LARGE and status.st_blocks * 512 < size / 1000


def of_hub(folder: Path) -> tuple[str, ...]:
    """What a clone from a hub added to the folder."""
    return tuple(name for name in OF_HUBS if (folder / name).exists())


def check_sums(folder: Path) -> Iterator[str]:
    """Yield each file that is missing, is not named, or is not the one that is named.

    What a hub's clone adds is left out. Its card may be edited (see `edited_card`).
    """
    if not (folder / SUMS).is_file():
        yield f"{SUMS} is missing"
        return
    listed, problems = read_sums(folder)
    yield from problems
    if not problems and (folder / SUMS).read_bytes() != _text(listed).encode():
        yield f"{SUMS} is not as it was written: its line ends or the order of its lines differ"
    present = _present(folder, listed)
    yield from (f"{name} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{name} is not in {SUMS}" for name in sorted(present - listed.keys()))
    for name in sorted(present & listed.keys()):
        is_card = name == CARD and bool(of_hub(folder))
        path = folder / name
        is_same = path.is_file() and storage.sha256_of(path) == listed[name]
        if not is_same and not (is_card and path.is_file()):
            yield f"{name} is not the file that {SUMS} names"


def _present(folder: Path, listed: Mapping[str, str]) -> set[str]:
    present = set()
    for path in below(folder):
        place = path.relative_to(folder)
        if place.parts[0] not in OF_HUBS and (not path.is_dir() or place.as_posix() in listed):
            present.add(place.as_posix())
    return present - {SUMS}


def edited_card(folder: Path) -> bool:
    """Whether the card of a hub's clone was edited there."""
    card = folder / CARD
    if not of_hub(folder) or not card.is_file() or not (folder / SUMS).is_file():
        return False
    return read_sums(folder)[0].get(CARD) != storage.sha256_of(card)
