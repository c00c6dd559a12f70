"""The front matter of the dataset card: what data hubs and `datasets.load_dataset` read."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from curate import yamls
from curate.export.drawn import Drawn

if TYPE_CHECKING:
    import pyarrow as pa


def front_matter(name: str, documents: int, drawn: Drawn, schema: pa.Schema, shard: str) -> str:
    """The front matter in YAML; `shard` is the name of any of the shards.

    `configs` tells the shards from what lies beside them. `dataset_info` gives every column its
    type, since a loader of JSON guesses types from the first rows.
    """
    ending = PurePath(shard).suffix
    languages = sorted(language for language in drawn.languages if language)
    return "\n".join(
        [
            "---",
            yamls.text_of(
                {
                    "pretty_name": name,
                    "license": _license(drawn),
                    **({"language": languages} if languages else {}),
                    "size_categories": [_size(documents)],
                    "task_categories": ["text-generation"],
                    "configs": [
                        {
                            "config_name": "default",
                            "data_files": [{"split": "train", "path": f"data-*{ending}"}],
                        }
                    ],
                    "dataset_info": {"features": _features(schema)},
                }
            )
            + "---",
            "",
        ]
    )


def _license(drawn: Drawn) -> str:
    """The licence of all documents, as hubs write it; `other` if there are several, or none."""
    names = list(drawn.licenses)
    return names[0].lower() if len(names) == 1 and names != ["unknown"] else "other"


def _size(documents: int) -> str:
    """The category of hubs for a number of documents."""
    units = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    place = sum(documents >= 10 ** (3 + power) for power in range(len(units)))
    if place == 0:
        return "n<1K"
    return "n>1T" if place == len(units) else f"{units[place - 1]}<n<{units[place]}"


def _features(columns: Any) -> list[dict[str, Any]]:
    """The names and types of columns, or of the fields of a struct, as `datasets` writes them."""
    return [{"name": column.name, **_feature(column.type)} for column in columns]


def _feature(type: pa.DataType) -> dict[str, Any]:
    import pyarrow as pa

    if pa.types.is_struct(type):
        return {"struct": _features(type)}
    if pa.types.is_list(type):
        value = _feature(type.value_type)
        return {"list": value.get("struct", value.get("dtype", value))}
    names = {"double": "float64"}
    return {"dtype": names.get(str(type), str(type))}
