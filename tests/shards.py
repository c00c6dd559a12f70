"""Cut a finished run into other shards: the same rows, and other files."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from curate import storage
from curate.workspace import Workspace, index
from curate.workspace.documents import is_candidate


def recut(workspace: Workspace, rows: int) -> None:
    """Cut pool, clean, and scores and mix where there are any, into shards of so many documents."""
    names = [name for name in ("pool", "clean", "scores", "mix") if workspace.tables.stored(name)]
    whole = {name: workspace.tables.read(name) for name in names}
    made = {name: workspace.tables.made(name) for name in names}
    pool, clean = whole["pool"], whole["clean"]
    everything = pa.chunked_array([pa.array([True] * len(pool))])
    masks = {"pool": everything, "clean": everything, "scores": clean["kept"]}
    masks["mix"] = is_candidate(*(clean["kept"], pool["holdout"], clean["tokens"], pool["media"]))
    for name, table in whole.items():
        assert table["id"].equals(clean["id"].filter(masks[name])), name
        for path in workspace.tables.shards(name):
            path.unlink()
        at = 0
        for place in range(0, len(pool), rows):
            path = workspace.tables.folder(name) / f"{place:07}.parquet"
            number = masks[name].slice(place, rows).to_pylist().count(True)
            part = table.slice(at, number)
            pq.write_table(part, path)
            at += number
            if name == "clean":
                index.write(index.path_of(path), part["id"])
        _seal(workspace, name, made[name])
    groups = workspace.tables.stored("groups")
    if "mix" in names and groups is not None:
        of_groups = replace(workspace.tables.made("mix"), facts=groups.made.facts)
        workspace.tables.write("groups", workspace.tables.read("groups"), of_groups)


def _seal(workspace: Workspace, name: str, made: storage.Provenance) -> None:
    """Write the manifest again, with the digests of the tables that it is made from."""
    inputs = {key: workspace.tables.fingerprint(key) for key in made.inputs if key in _FOLDERS}
    made = replace(made, inputs={**made.inputs, **inputs})
    storage.seal(workspace.tables.folder(name), made)


_FOLDERS = ("pool", "clean", "scores")
