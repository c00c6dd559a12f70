"""What the tables know of an export, for the summaries that laws ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curate.cards.sources import Place


@dataclass(frozen=True)
class Origin:
    """A source, with what the export has of it.

    `lines` and `tokens` count copies where the export has them, `documents` do not. `images` are
    those of the documents, `audio` and `video` seconds of theirs. `addressed`
    are tokens of documents whose address on the web is known.
    `licenses` and `languages` are in tokens. `first` and `last` are the days on which a web archive
    captured its pages, as YYYY-MM-DD; `archived` are the documents out of web archives.
    """

    name: str
    place: Place
    documents: int = 0
    lines: int = 0
    tokens: int = 0
    images: int = 0
    audio: float = 0.0
    video: float = 0.0
    addressed: int = 0
    archived: int = 0
    licenses: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Removed:
    """What was taken down: documents, requests, and the day of the last one."""

    documents: int = 0
    requests: int = 0
    last: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that is known.

    `tokens` are as `tokenizer` counts. `exported` and `read` are days: of the export, and of the
    first and last run of `pool` that read what it is made of. `hosts` are tokens by the host of the
    address. `clean` are the settings of that stage, `cleaned` and `pooled` results, None where the
    ledger has none. `labels` are the rows of the manifest, `answers` those of `agree`.
    """

    name: str
    layout: str
    tokenizer: str
    content_sha256: str
    version: str
    origins: Sequence[Origin]
    hosts: Mapping[str, int]
    exported: str | None
    read: tuple[str, str] | None
    clean: Mapping[str, Any]
    cleaned: Mapping[str, Any] | None
    pooled: Mapping[str, Any] | None
    removed: Removed
    labels: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]

    @property
    def tokens(self) -> int:
        """The tokens of all lines."""
        return sum(origin.tokens for origin in self.origins)

    @property
    def lines(self) -> int:
        """The lines of the export."""
        return sum(origin.lines for origin in self.origins)

    @property
    def documents(self) -> int:
        """The distinct documents."""
        return sum(origin.documents for origin in self.origins)

    @property
    def images(self) -> int:
        """The images of the distinct documents."""
        return sum(origin.images for origin in self.origins)

    @property
    def audio(self) -> float:
        """The seconds of audio of the distinct documents."""
        return sum(origin.audio for origin in self.origins)

    @property
    def video(self) -> float:
        """The seconds of video of the distinct documents."""
        return sum(origin.video for origin in self.origins)

    @property
    def licenses(self) -> Counter[str]:
        """Tokens by licence."""
        return _sum(origin.licenses for origin in self.origins)

    @property
    def languages(self) -> Counter[str]:
        """Tokens by language; the empty one is not known."""
        return _sum(origin.languages for origin in self.origins)


def _sum(counts: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for own in counts:
        total.update(own)
    return total
