"""A medium: an image, a sound or a film that a document refers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["image", "audio", "video"]

KINDS: tuple[Kind, ...] = ("image", "audio", "video")


class MediumError(ValueError):
    """The reason why a medium cannot be used. It costs its document alone."""


@dataclass(frozen=True)
class Medium:
    """A medium as the column `media` of the pool has it; what is not known is None.

    Attributes:
        field: The field of the document that it stands in.
        address: Where its bytes lie; see `curate.media.opening`.
        sha256: The hash of its bytes, in hex.
        bytes: Their number.
        format: As `curate.media.kinds` names it: png, jpeg, wav, mp4, …
        width: Columns of pixels, as stored.
        height: Rows of pixels, as stored.
        seconds: The duration of audio and video.
        frames: The pictures it holds: 1 for a still image.
        rate: Samples of audio a second.
        fps: Frames of video a second.
    """

    field: str
    kind: Kind
    address: str
    sha256: str | None = None
    bytes: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    frames: int | None = None
    rate: int | None = None
    fps: float | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Medium:
        """The medium of a struct of the pool; one without a kind, from an old pool, is an image."""
        known: dict[str, Any] = {field.name: values.get(field.name) for field in fields(cls)}
        return cls(**{**known, "kind": known["kind"] or "image"})

    def as_dict(self) -> dict[str, Any]:
        """The struct of the pool."""
        return asdict(self)


def in_id(medium: Mapping[str, Any], address: str) -> str:
    """What the id of a document is made of for a medium: its sha256, or else its address.

    For one in a message also the place in the text, so that conversations are told apart.
    """
    own = medium["sha256"] or address
    return str(own) if medium.get("at") is None else f"{own}@{medium['at']}"
