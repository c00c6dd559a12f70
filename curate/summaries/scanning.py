"""One scan of what was drawn: by source its sizes, licences, languages, addresses and days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curate.workspace.addresses import hosts, values
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

ARCHIVE = r"\.(warc|wet)(\.(gz|zst))?:\d+$"
"""What ends the origin of a page out of a web archive."""

DAY = r"^(?P<day>\d{4}-\d{2}-\d{2})"

COLUMNS = ("source", "origin", "license", "language", "tokens", "meta", "media")


@dataclass(frozen=True)
class Seen:
    """Counts over what was drawn, by source, and by source and a word of it.

    `sizes` count documents, lines, tokens, images, seconds of audio and of video, tokens with an
    address, and documents out of web archives. `licenses`, `languages` and `hosts` are in tokens;
    `days` are the first and last.
    """

    sizes: Counter[tuple[str, str]] = field(default_factory=Counter)
    licenses: Counter[tuple[str, str]] = field(default_factory=Counter)
    languages: Counter[tuple[str, str]] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    days: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, other: Seen) -> None:
        """Count another shard too."""
        for own, theirs in (
            (self.sizes, other.sizes),
            (self.licenses, other.licenses),
            (self.languages, other.languages),
        ):
            own.update(theirs)
        self.hosts.update(other.hosts)
        for source, (first, last) in other.days.items():
            known = self.days.get(source, (first, last))
            self.days[source] = (min(first, known[0]), max(last, known[1]))


@dataclass(frozen=True)
class Scan:
    """Counts a shard by its columns of `copies`, one for each phase.

    Where `is_once`, a document counts once in a phase, however often it was drawn.
    """

    copies: tuple[str, ...]
    is_once: bool

    def __call__(self, shard: DocumentShard) -> tuple[int, Seen]:
        """The rows of the shard, and what was drawn of them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = shard.read([*COLUMNS, *self.copies])
        table = table.append_column("lines", self._lines(table))
        drawn = table.filter(pc.greater(table["lines"], 0)).combine_chunks()
        tokens = pc.multiply(drawn["tokens"], drawn["lines"])
        known = hosts(drawn["meta"], drawn["media"], "")
        archived = pc.match_substring_regex(drawn["origin"], ARCHIVE)
        counted = pa.table(
            {
                "source": drawn["source"],
                "documents": pa.array([1] * drawn.num_rows, pa.int64()),
                "lines": drawn["lines"],
                "tokens": tokens,
                **_media(drawn["media"]),
                "addressed": pc.if_else(pc.equal(known, ""), 0, tokens),
                "archived": archived.cast(pa.int64()),
                "license": _known(drawn["license"], "unknown"),
                "language": _known(drawn["language"], ""),
                "host": pc.replace_substring_regex(known, r"^www\.", ""),
            }
        )
        seen = Seen(
            _sizes(counted),
            _words(counted, "license"),
            _words(counted, "language"),
            _hosts(counted),
            dict(_days(drawn.filter(archived))),
        )
        return table.num_rows, seen

    def _lines(self, table: pa.Table) -> Any:
        """How many lines each document has in the export; 0 for what was not drawn."""
        import pyarrow as pa
        import pyarrow.compute as pc

        total: Any = pa.array([0] * table.num_rows, pa.int64())
        for name in self.copies:
            copies = pc.fill_null(table[name], 0)
            lines = pc.greater(copies, 0).cast(pa.int64()) if self.is_once else copies
            total = pc.add(total, lines)
        return total


def _known(words: pa.ChunkedArray, unknown: str) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(pc.if_else(pc.equal(words, ""), unknown, words), unknown)


def _media(media: pa.ChunkedArray) -> dict[str, list[float]]:
    """What the media of each document are: the number of images, and seconds of audio and video.

    One without a kind, of an older pool, is an image.
    """
    sums: dict[str, list[float]] = {name: [0] * len(media) for name in MEDIA}
    for row, own in enumerate(media):
        for medium in own.as_py() or ():
            kind = medium.get("kind") or "image"
            name, amount = MEDIA_OF.get(kind, "images"), medium.get("seconds") or 0.0
            sums[name][row] += 1 if kind == "image" else amount
    return sums


MEDIA_OF = {"image": "images", "audio": "audio", "video": "video"}

MEDIA = tuple(MEDIA_OF.values())

SIZES = ("documents", "lines", "tokens", *MEDIA, "addressed", "archived")


def _sizes(counted: pa.Table) -> Counter[tuple[str, str]]:
    """The sums of all sizes, by source and their name."""
    sums = counted.group_by("source").aggregate([(name, "sum") for name in SIZES])
    sources = sums["source"].to_pylist()
    return Counter(
        {
            (source, name): number
            for name in SIZES
            for source, number in zip(sources, sums[f"{name}_sum"].to_pylist(), strict=True)
        }
    )


def _words(counted: pa.Table, column: str) -> Counter[tuple[str, str]]:
    """The tokens by source and word of a column."""
    sums = counted.group_by(["source", column]).aggregate([("tokens", "sum")])
    columns = (sums[name].to_pylist() for name in ("source", column, "tokens_sum"))
    return Counter({(source, word): tokens for source, word, tokens in zip(*columns, strict=True)})


def _hosts(counted: pa.Table) -> Counter[str]:
    """The tokens by host; those without one are left out."""
    sums = counted.group_by("host").aggregate([("tokens", "sum")])
    pairs = zip(sums["host"].to_pylist(), sums["tokens_sum"].to_pylist(), strict=True)
    return Counter({host: tokens for host, tokens in pairs if host})


def _days(archived: pa.Table) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield by source the first and the last day on which web archives captured its pages."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.struct_field(pc.extract_regex(values(archived["meta"], "date", ""), DAY), "day")
    table = pa.table({"source": archived["source"], "day": days})
    found = table.filter(pc.is_valid(days)).group_by("source")
    sums = found.aggregate([("day", "min"), ("day", "max")])
    columns = (sums[name].to_pylist() for name in ("source", "day_min", "day_max"))
    for source, first, last in zip(*columns, strict=True):
        yield source, (first, last)
