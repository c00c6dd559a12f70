"""Near-duplicates of images, sounds and films: their fingerprints, settled as texts are.

Only the comparison is another one: see `curate.media.fingerprints`. Documents with one medium are
compared; those with several are texts with pictures, and compared by their words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.near import Gone, Shard, near_duplicates
from curate.clean.duplicates.older import Piece
from curate.clean.duplicates.spec import NearMediaSpec
from curate.engine import Engine
from curate.media import fingerprints, sketches

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

COLUMN = "_fingerprint"


@dataclass(frozen=True)
class Fingerprints:
    """Compares fingerprints, which lie beside the signatures; see `comparing.Kind`."""

    def type(self) -> pa.DataType:
        """The Arrow type of a byte."""
        import pyarrow as pa

        return pa.uint8()

    def contents(self, shard: Shard, rows: Sequence[int]) -> list[NDArray[Any]]:
        """The fingerprints of some rows, as bytes."""
        import numpy as np
        import pyarrow as pa

        column = storage.read_parquet(shard.signed, columns=[COLUMN])[COLUMN]
        own = column.take(pa.array(rows, pa.int64())).to_pylist()
        return [np.frombuffer(data, np.uint8) for data in own]

    def similarity(self, one: NDArray[Any], other: NDArray[Any]) -> float:
        """The correlation at the best alignment, at most 1."""
        return fingerprints.similarity(one.tobytes(), other.tobytes())

    def least_equal(self, threshold: float) -> int:
        """The fewest bits that near-duplicates share, as measured; cuts cost more than noise."""
        return sketches.LEAST_EQUAL

    def bytes(self, shard: Shard) -> int:
        """The bytes of the fingerprint of an image."""
        return fingerprints.HEADER + fingerprints.CELLS


def media_duplicates(
    engine: Engine,
    shards: Sequence[Shard],
    gone: Gone,
    spec: NearMediaSpec,
    older: Sequence[Piece],
    folder: Path,
) -> Gone:
    """Settle the documents that are left and whose media are alike, also with older corpora."""
    known = [path for piece in older if (path := _fingerprints_of(piece))]
    signs = sketches.width(sum(map(_rows, [*(shard.texts for shard in shards), *known])))
    signing = partial(_signed, gone, signs, folder / "signed")
    signed = dict(engine.each(signing, list(shards)))
    own = [signed[place] for place in range(len(shards))]
    corpora = list(_older(engine, older, signs, folder / "older", len(shards)))
    return near_duplicates(
        engine, own, spec.similarity, folder / "near", older=corpora, kind=Fingerprints()
    )


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _signed(gone: Gone, signs: int, folder: Path, shard: Shard) -> Shard:
    """Write the signatures of the documents that are left; return the shard with them."""
    left = set(gone.left(shard))
    column = storage.read_parquet(shard.signed, columns=[COLUMN])[COLUMN].to_pylist()
    own = [data if row in left else None for row, data in enumerate(column)]
    path = folder / f"{shard.number:05}.parquet"
    _write(path, own, signs)
    return replace(shard, signed=path)


def _write(path: Path, own: Sequence[bytes | None], signs: int, **columns: Any) -> None:
    import pyarrow as pa

    marks = sketches.sketches(own, signs)
    table = pa.table(
        {
            **columns,
            "_signature": pa.array(marks, pa.binary()),
            COLUMN: pa.array(own, pa.binary()),
        }
    )
    storage.write_parquet(path, table)


# ── older corpora


def _older(
    engine: Engine, corpora: Sequence[Piece], signs: int, folder: Path, first: int
) -> Iterator[Shard]:
    """Yield the shards of older corpora that know the fingerprints of their media."""
    known = [piece for piece in corpora if _fingerprints_of(piece) is not None]
    names = dict(engine.each(partial(_copied, signs, folder), list(enumerate(known))))
    for place in range(len(known)):
        path = folder / names[place]
        yield Shard(first + place, path, path, None, None, {})


def _fingerprints_of(piece: Piece) -> Path | None:
    """The file of fingerprints of a run's shard; None for other corpora, and where none were made.

    They lie beside the table clean of a run that looked for near-duplicates of media.
    """
    import pyarrow.parquet as pq

    _, clean = piece
    path = clean.parent / "_signatures" / clean.name if clean is not None else None
    if path is None or not path.is_file() or COLUMN not in pq.read_schema(path).names:
        return None
    return path


def _copied(signs: int, folder: Path, item: tuple[int, Piece]) -> str:
    """Write what was kept of an older shard; return the name of the file."""
    place, piece = item
    path, clean = _fingerprints_of(piece), piece[1]
    assert path is not None
    assert clean is not None
    table = storage.read_parquet(path, columns=["id", COLUMN])
    kept = storage.read_parquet(clean, columns=["kept"])["kept"]
    table = table.filter(kept)
    name = f"{place:05}.parquet"
    _write(folder / name, table[COLUMN].to_pylist(), signs, id=table["id"])
    return name
