"""Files that belong to what lies beside them: captions of images, audio and video."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from curate.media.medium import KINDS
from curate.sources.entries import Entry
from curate.sources.readers.opening import split_suffix
from curate.sources.readers.registry import SUFFIXES

CAPTION = "the caption of a file beside it"

NO_FORMAT = "its suffix names no format"
"""Why a file of a folder is skipped, which may be a caption all the same."""


def without_captions(matches: Sequence[Entry], captions: Sequence[str]) -> list[Entry]:
    """The entries, where a caption of an image, audio or video of the same stem is skipped.

    `captions` are the suffixes of captions.
    """
    stems = {
        os.path.splitext(entry.address)[0]  # noqa: PTH122 (a Path a file takes seconds)
        for entry in matches
        if SUFFIXES.get(split_suffix(entry.address)[1]) in KINDS and not entry.skip
    }
    return [
        replace(entry, skip=CAPTION)
        if any(entry.address.removesuffix(end) in stems for end in captions if _ends(entry, end))
        else entry
        for entry in matches
    ]


def _ends(entry: Entry, suffix: str) -> bool:
    return entry.skip in ("", NO_FORMAT) and entry.address.endswith(suffix)
