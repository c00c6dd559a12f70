"""The front matter of the dataset card: what data hubs and `datasets.load_dataset` read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate import yamls
from curate.cards.languages import iso_codes
from curate.cards.licenses import hub_licenses
from curate.cards.quoting import visible

if TYPE_CHECKING:
    import pyarrow as pa

ENDING = re.compile(r"\.(jsonl|parquet|arrow|tar)(\.(gz|zst))?$")
"""The endings of files that hubs load; other ones are for trainers alone."""

Config = dict[str, Any]
"""What a hub loads by one name: `config_name`, and `data_files` by split."""


def front_matter(
    name: str,
    manifest: Mapping[str, Any],
    licenses: Iterable[str],
    languages: Iterable[str],
    schema: pa.Schema,
) -> str:
    """The front matter in YAML, between its two lines.

    `licenses` and `languages` are those of the drawn documents. `configs` tell the shards from what
    lies beside them. `dataset_info` gives every column its type, since a loader of JSON guesses
    types from the first rows. The rows of sources have columns that are not known here, and what
    tar files hold is named by their members.
    """
    codes = iso_codes(languages)
    own = list(configs(manifest))
    infos = [
        {"config_name": config["config_name"], "features": _features(schema)} for config in own
    ]
    about: dict[str, Any] = {
        "pretty_name": visible(name),
        **hub_licenses(licenses),
        **({"language": codes} if codes else {}),
        "size_categories": [size_category(sum(file["documents"] for file in manifest["files"]))],
        "task_categories": ["text-generation"],
    }
    if kinds := (manifest.get("media") or {}).get("kinds"):
        about["tags"] = sorted(kinds)
    if own:
        about["configs"] = own
    if own and not manifest.get("original") and manifest.get("format") != "webdataset":
        about["dataset_info"] = {"features": _features(schema)} if len(infos) == 1 else infos
    return f"---\n{yamls.text_of(about)}---\n"


def configs(manifest: Mapping[str, Any]) -> Iterator[Config]:
    """Yield what can be loaded by a name: all lines, or a folder of `by_group`.

    `by_group` has none for all folders: read together, they would be no mixture. Formats that no
    hub loads have none.
    """
    if not all(ENDING.search(file["path"]) for file in manifest["files"][:1]):
        return
    validation = (manifest.get("validation") or {}).get("files", ())
    if manifest["layout"] != "by_group":
        splits = {"train": manifest["files"], "validation": validation}
        yield _config("default", {split: files for split, files in splits.items() if files})
        return
    folders: dict[str, list[Mapping[str, Any]]] = {}
    for file in manifest["files"]:
        folders.setdefault(file["path"].rpartition("/")[0], []).append(file)
    for folder, files in folders.items():
        yield _config(folder.replace("/", "-"), {"train": files})
    if validation:
        yield _config("validation", {"validation": validation})


def _config(name: str, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> Config:
    files = [{"split": split, "path": pattern(paths[0]["path"])} for split, paths in splits.items()]
    return {"config_name": name, "data_files": files}


def pattern(path: str) -> str:
    """The glob of all shards that are named as this one: `web/data-00000.jsonl` → `web/data-*…`.

    Only an ending of formats is one: the name of a phase may hold a dot.
    """
    folder, slash, name = path.rpartition("/")
    ending = ENDING.search(name)
    return f"{folder}{slash}{name.partition('-')[0]}-*{ending[0] if ending else ''}"


def size_category(documents: int) -> str:
    """The category of hubs for a number of documents."""
    units = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    place = sum(documents >= 10 ** (3 + power) for power in range(len(units)))
    if place == 0:
        return "n<1K"
    return "n>1T" if place == len(units) else f"{units[place - 1]}<n<{units[place]}"


def _features(columns: Any) -> list[dict[str, Any]]:
    """The names and types of columns, or of the fields of a struct, as `datasets` writes them."""
    return [{"name": column.name, **_feature_of(column)} for column in columns]


def _feature_of(column: pa.Field) -> dict[str, Any]:
    """The type of a column; one with the bytes of media says their kind beside it."""
    kind = (column.metadata or {}).get(b"kind")
    return {"dtype": kind.decode()} if kind else _feature(column.type)


def _feature(type: pa.DataType) -> dict[str, Any]:
    import pyarrow as pa

    if pa.types.is_struct(type):
        return {"struct": _features(type)}
    if pa.types.is_list(type):
        value = _feature(type.value_type)
        return {"list": value.get("struct", value.get("dtype", value))}
    names = {"double": "float64", "extension<arrow.json>": "json"}
    return {"dtype": names.get(str(type), str(type))}
