"""What is in each group: fingerprints that add up, so that a group and its parts are known again.

A document has a number from the hash of its id, tokens, weight and copies at most, and a group the
sum of those of its documents, modulo 2^128 (Bellare and Micciancio 1997). So neither order nor
shards matter, and the fingerprint of a group is the sum of those of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from curate.engine import in_order
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

MODULUS = 1 << 128
COLUMNS = ("id", "tokens", "group", "weight", "max_epochs")


@dataclass(frozen=True)
class Content:
    """The candidates of a group: the sum of their numbers in hex, how many, and their tokens."""

    fingerprint: str
    documents: int
    tokens: int

    @property
    def number(self) -> int:
        """The fingerprint as a number below 2^128."""
        return int(self.fingerprint, 16)


def fingerprint(parts: Iterable[int]) -> str:
    """The sum of numbers modulo 2^128, in hex."""
    return f"{sum(parts) % MODULUS:032x}"


def number_of(*values: object) -> int:
    """The number of a document, by all that a draw of it depends on."""
    text = "\t".join(map(str, values))
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "little")


def contents(workspace: Workspace) -> dict[str, Content]:
    """What is in each group of the mixture, by name."""
    shards = workspace.documents.shards(mix=True)
    numbers: dict[str, int] = {}
    documents: dict[str, int] = {}
    tokens: dict[str, int] = {}
    with workspace.watch("knowing groups again", len(shards)) as advance:
        for part in in_order(workspace.engine.each(_sums, shards)):
            for group, (number, count, size) in part.items():
                numbers[group] = numbers.get(group, 0) + number
                documents[group] = documents.get(group, 0) + count
                tokens[group] = tokens.get(group, 0) + size
            advance(1)
    return {
        group: Content(fingerprint([numbers[group]]), documents[group], tokens[group])
        for group in sorted(numbers)
    }


def _sums(shard: DocumentShard) -> dict[str, tuple[int, int, int]]:
    """The sum of numbers, the documents and the tokens of each group of a shard."""
    import pyarrow.compute as pc

    table = shard.read(COLUMNS)
    table = table.filter(pc.is_valid(table["group"]))
    sums: dict[str, tuple[int, int, int]] = {}
    columns = (table[name].to_pylist() for name in COLUMNS)
    for id, size, group, weight, epochs in zip(*columns, strict=True):
        number, count, total = sums.get(group, (0, 0, 0))
        own = number_of(id, size, f"{weight:.6g}", epochs)
        sums[group] = (number + own, count + 1, total + size)
    return sums


def changed(before: Mapping[str, Content], now: Mapping[str, Content]) -> list[str]:
    """The groups that are not what they were, in words."""
    return [
        f"{group} {why}" for group, own in before.items() if (why := change(own, now.get(group)))
    ]


def change(before: Content, now: Content | None) -> str | None:
    """What became of a group, in words; None if nothing did."""
    if now is None:
        return "is not a group any more"
    if now.fingerprint == before.fingerprint:
        return None
    if now.tokens > before.tokens:
        return f"grew by {now.tokens - before.tokens:,} tokens"
    if now.tokens < before.tokens:
        return f"shrank by {before.tokens - now.tokens:,} tokens"
    return "holds other documents, or gives them other weights"


def parts_of(whole: Content, among: Mapping[str, Content], keyed: str) -> Sequence[str] | None:
    """The groups whose documents together are those of a group; None if there are none.

    Of `MOST` groups or fewer every subset is tried, whatever their names; of more, those whose
    names begin with `keyed`, as names do to which a key was added.
    """
    if len(among) > MOST:
        own = [name for name in among if name.startswith(keyed)]
        total = fingerprint(among[name].number for name in own)
        return own if own and total == whole.fingerprint else None
    names = list(among)
    half = len(names) // 2
    first, second = (_subset_sums(among, part) for part in (names[:half], names[half:]))
    for number, these in first.items():
        those = second.get((whole.number - number) % MODULUS)
        if those is not None and (these or those):
            return (*these, *those)
    return None


MOST = 24
"""So many groups have 4,096 subsets in each half, which meet in the middle."""


def _subset_sums(
    contents: Mapping[str, Content], names: Sequence[str]
) -> dict[int, tuple[str, ...]]:
    sums: dict[int, tuple[str, ...]] = {0: ()}
    for name in names:
        own = contents[name].number
        sums |= {(number + own) % MODULUS: (*rest, name) for number, rest in sums.items()}
    return sums
