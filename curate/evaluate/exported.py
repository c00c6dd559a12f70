"""What another export drew: its shares of groups, and the copies of the texts that are read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.evaluate.arms import Other
from curate.names import absent
from curate.tables import by_phase

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHERE = "evaluate.arms"
HINT = "name the manifest.json of a whole export: `curate verify` says what is wrong with one"


def read_export(path: Path, name: str, ids: Sequence[str], groups: Collection[str]) -> Other:
    """The arm of an export; of phases the first. `ids` are the texts, `groups` the mixture's.

    Its shares are None where it has groups that the mixture has not. Raises RecipeError for a file
    that is not there, DataError for what is no export.
    """
    manifest = _manifest(path)
    phases = [str(phase["name"]) for phase in manifest.get("phases") or ()]
    first = phases[0] if phases else None
    tokens = {
        str(group["group"]): int(group["tokens"])
        for group in manifest["groups"]
        if group.get("phase") == first and group["tokens"]
    }
    total = sum(tokens.values())
    shares = {group: own / total for group, own in tokens.items()}
    is_known = set(shares) <= set(groups)
    own = {**dict.fromkeys(groups, 0.0), **shares} if is_known else None
    return Other(name, own, _copies(path.parent / "draw.parquet", manifest, phases, ids))


def _manifest(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise absent(f"{WHERE}: no file {path}", path, hint=HINT)
    try:
        manifest = dict(json.loads(path.read_bytes()))
        is_whole = sum(int(group["tokens"]) for group in manifest["groups"]) > 0
        [str(phase["name"]) for phase in manifest.get("phases") or ()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise DataError(f"{WHERE}: {path} is not the manifest of an export", hint=HINT)
    return manifest


def _copies(
    path: Path, manifest: Mapping[str, Any], phases: Sequence[str], ids: Sequence[str]
) -> NDArray[np.int64]:
    """How often an export drew each text; only the rows of these texts are held in memory."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    is_spent = manifest.get("layout") != "by_group"
    (column, *_) = by_phase("copies", phases)
    columns = ["id", *(["phase"] if phases else []), *([] if is_spent else [column])]
    wanted = pa.array(ids, pa.string())
    copies = np.zeros(len(ids), np.int64)
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=columns):
                rows = batch.filter(pc.equal(batch["phase"], phases[0])) if phases else batch
                place = pc.index_in(rows["id"], wanted)
                is_in = pc.is_valid(place)
                times = None if is_spent else rows[column].filter(is_in).to_numpy()
                own = place.filter(is_in).to_numpy()
                copies += np.bincount(own, times, len(ids)).astype(np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{WHERE}: {path} cannot be read: {error}", hint=HINT) from None
    return copies
