"""Which media a workspace's documents hold, and the encoders that they therefore need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.embed.joined import name_of
from curate.media.medium import Kind
from curate.media.names import LITE0, LOG_MEL
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT: Mapping[str, str | None] = {"image": LITE0, "audio": LOG_MEL}
"""The encoders of pictures and of sound, where none are named."""


@dataclass(frozen=True)
class Modalities:
    """The kinds of media in a corpus, and whether a kept document has a text."""

    kinds: frozenset[Kind] = frozenset()
    has_text: bool = True

    @classmethod
    def of(cls, shards: Sequence[DocumentShard]) -> Modalities:
        """Those of the documents that `clean` kept; without media no text is read."""
        kinds = frozenset(kind for shard in shards for kind in _kinds(shard))
        if not kinds:
            return cls()
        return cls(kinds, any(map(_has_text, shards)))

    def completed(self, text: str, media: Mapping[str, str | None]) -> str:
        """The name of the encoder that reads all of it, `text` being that of texts."""
        image = media.get("image") if self.kinds & {"image", "video"} else None
        audio = media.get("audio") if "audio" in self.kinds else None
        if not image and not audio:
            return text
        return name_of(text if self.has_text else None, image, audio)

    def alone(self, media: Mapping[str, str | None]) -> str | None:
        """The name of the encoder that reads media alone; None where there is nothing beside it."""
        own = Modalities(self.kinds, has_text=False).completed("", media)
        return own if own and self.has_text else None


def _kinds(shard: DocumentShard) -> Iterable[Kind]:
    import pyarrow.compute as pc

    if not _has_media(shard.pool):
        return ()
    media = pc.list_flatten(shard.read(["media"])["media"])
    kinds = pc.unique(pc.struct_field(media, "kind")).to_pylist()
    return {kind or "image" for kind in kinds}


def _has_media(pool: Path) -> bool:
    """Whether a shard of the pool holds a medium, by its metadata alone if these tell."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(pool)
    for group in (metadata.row_group(at) for at in range(metadata.num_row_groups)):
        columns = (group.column(at) for at in range(group.num_columns))
        own = [column for column in columns if column.path_in_schema.endswith(".address")]
        own = [column for column in own if column.path_in_schema.startswith("media.")]
        for column in own:
            known = column.statistics
            if known is None or not known.has_null_count or known.null_count < column.num_values:
                return True
    return False


def _has_text(shard: DocumentShard) -> bool:
    import pyarrow.compute as pc

    lengths = pc.binary_length(pc.utf8_trim_whitespace(shard.read(["text"])["text"]))
    return bool(pc.any(pc.greater(lengths, 0)).as_py())
