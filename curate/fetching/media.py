"""Whether an answer was given to the medium that its round shows, however old the round is.

A server has the file itself, a signed address of it, or its bytes as data without places. Those
bytes are made again at each send, by the code of that day. So several are the same medium:

    the file               by the sha256 that the round keeps
    the copy of its push   by the sha256 that the round keeps; older rounds keep none
    the copy of today      made from the file, if that is still the round's
    a copy of another day  the same picture: no pixel differs
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from curate.media.images import decode, parsed
from curate.media.kinds import HEAD, kind_and_format
from curate.media.limits import LIMITS
from curate.media.medium import Medium, MediumError
from curate.media.metadata import without_places
from curate.media.needing import lacking
from curate.media.opening import read_checked
from curate.media.placeless import placeless_data
from curate.rounds import Round
from curate.servers.shelf import data_of, digest_of

MOST = 1 << 20
"""An image that travels as data has no more bytes."""

HELD = 16
"""So many comparisons of pictures are remembered: several questions are about one picture."""


@dataclass(frozen=True)
class MediumShown:
    """A medium of a task: where it lies, and the sha256 that the round keeps of what it sent."""

    medium: Medium
    digests: frozenset[str]
    folder: Path

    def is_at(self, address: str) -> bool:
        """Whether an address shows this medium, and no other."""
        if digest_of(address) in self.digests:
            return True
        data = data_of(address)
        return data is not None and self._file is not None and is_same(data, self._file)

    @cached_property
    def _file(self) -> bytes | None:
        """The bytes on disk; None if they are gone, or no longer those of the round."""
        try:
            return read_checked(self.medium, self.folder, most=MOST)
        except (MediumError, OSError):
            return None  # then the digests alone tell it


Shown = Mapping[str, Mapping[str, MediumShown]]
"""The media on disk of each task, by field."""


def media_shown(current: Round) -> Shown:
    """The media that the tasks of a round were sent with."""
    folder = current.folder.parent.parent
    shown: dict[str, dict[str, MediumShown]] = {}
    for row in current.tasks():
        structs = row.get("media") or ()
        sent = row.get("shown") or [None] * len(structs)
        for struct, digest in zip(structs, sent, strict=True):
            medium = Medium.of(struct)
            digests = frozenset(filter(None, (medium.sha256, digest)))
            own = MediumShown(medium, digests, folder)
            shown.setdefault(row["id"], {})[medium.field] = own
    return shown


def is_same_text(text: str, original: str) -> bool:
    """Whether a field shows what was sent: the text itself, or its data without places."""
    if text == original:
        return True
    try:
        plain = placeless_data(original)
    except MediumError:
        plain = original  # that is never sent; an older version did
    data, file = data_of(text), data_of(plain)
    return text == plain or (data is not None and file is not None and is_same(data, file))


@lru_cache(HELD)
def is_same(data: bytes, file: bytes) -> bool:
    """Whether bytes are those of a file but for places, by the code of today or of another day."""
    try:
        cleaned = without_places(file)
        if data in (file, cleaned) or without_places(data) == cleaned:
            return True
        return _picture(data) == _picture(file)
    except MediumError:
        return False


def _picture(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """What is seen of a still picture. MediumError for anything else: it is not compared."""
    kind, format = kind_and_format(data[:HEAD]) or ("", "")
    if kind != "image" or lacking(kind):
        raise MediumError("it is not an image of a format that can be read")
    with parsed(io.BytesIO(data), format, LIMITS.pixels) as image:
        if getattr(image, "n_frames", 1) != 1:
            raise MediumError("it moves")
    seen = decode(data)
    return format, seen.size, seen.tobytes()
