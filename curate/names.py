"""Names that a person wrote and that nothing has: the error, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from curate.errors import CurateError, RecipeError

MOST = 20
"""A hint lists at most this many names."""

NEARNESS = 0.6
"""The similarity (difflib, 0 to 1) from which another name may have been meant."""


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`, whatever its case; None if none is like it."""
    by_fold = {other.casefold(): other for other in known}
    matches = get_close_matches(name.casefold(), by_fold, 1, NEARNESS)
    return by_fold[matches[0]] if matches else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: what was probably meant, and which names there are.

    Where `flags` is not known but its parts are (`flags:spam`), all of them may have been meant.
    """
    names = list(dict.fromkeys(known))
    parts = [other for other in names if other.startswith(f"{name}:")]
    if parts:
        return f"did you mean a part of it? There are: {_listed(parts)}"
    meant = near(name, names)
    there_are = f"there are: {_listed(names)}" if names else "there are none"
    return f"did you mean {meant}? {there_are[:1].upper()}{there_are[1:]}" if meant else there_are


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more:,} more" if more > 0 else "")


def unknown(
    complaint: str, name: str, known: Iterable[str], *, kind: type[CurateError] = RecipeError
) -> CurateError:
    """The error of an unknown name: `complaint` says where it stands and what it should be."""
    return kind(complaint, hint=suggestion(name, known))


def absent(
    complaint: str, path: Path, *, hint: str = "", kind: type[CurateError] = RecipeError
) -> CurateError:
    """The error of a file that is not there: another with almost that name may be.

    The first folder on the way that is not there is what may be misspelt. A folder in the place of
    the file is told.
    """
    if path.is_dir():
        return kind(f"{complaint}: it is a folder", hint=hint)
    missing = next((part for part in (path, *path.parents) if part.parent.is_dir()), path)
    meant = _beside(missing) if not set("*?[") & set(missing.name) else None
    hints = (f"did you mean {meant}?" if meant else "", hint)
    return kind(complaint, hint=" ".join(filter(None, hints)))


def _beside(path: Path) -> str | None:
    """The name in the same folder that is most like that of `path`, suffixes left out."""
    others = path.parent.iterdir() if path.parent.is_dir() else ()
    names = {
        other.stem: other.name
        for other in sorted(others, key=lambda other: other.suffix == path.suffix)
        if other.name.isprintable() and other.name != path.name
    }
    meant = near(path.stem, names)
    return names[meant] if meant else None


def slug(name: str) -> str:
    """A name as a part of a path: letters and digits of any script, and hyphens between them.

    Two names may have one slug; it may be empty.
    """
    return "-".join(re.findall(r"\w+", name.casefold()))[:40]
