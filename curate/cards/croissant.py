"""Croissant 1.0: an export described for machines, as catalogues of data sets read it.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from curate.cards.fields import fields_of, undescribed
from curate.cards.front import configs
from curate.cards.languages import iso_codes
from curate.cards.licenses import spdx_link
from curate.cards.quoting import visible

if TYPE_CHECKING:
    import pyarrow as pa

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of version 1.0."""

VERSION = "http://mlcommons.org/croissant/1.0"

FORMATS = {"jsonl": "application/jsonlines", "parquet": "application/x-parquet"}
"""The types of shards, by the ending of the file."""

PACKINGS = {"gz": "application/gzip", "zst": "application/zstd", "tar": "application/x-tar"}
"""The types of packed files, by their last ending."""


def croissant(
    name: str,
    manifest: Mapping[str, Any],
    licenses: Iterable[str],
    languages: Iterable[str],
    schema: pa.Schema,
) -> dict[str, Any]:
    """The description of an export, a value of JSON-LD.

    There is a file object for each shard, and a file set and a record set for what is loaded by one
    name: training and validation lines, or each group.
    """
    codes = iso_codes(languages)
    kinds = sorted((manifest.get("media") or {}).get("kinds", ()))
    sets = [*_sets(manifest)]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": visible(name),
        "description": manifest["about"],
        "conformsTo": VERSION,
        "license": [spdx_link(license) or visible(license) for license in sorted(set(licenses))],
        **({"inLanguage": codes} if codes else {}),
        "isLiveDataset": False,
        "keywords": ["text", *kinds, "language model training"],
        "distribution": [
            *map(_file_object, _files(manifest)),
            *(_file_set(set_name, path) for set_name, path in sets),
            *_media_files(manifest),
        ],
        "recordSet": [
            _record_set(set_name, schema, manifest.get("original", False)) for set_name, _ in sets
        ],
    }


def _files(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of all shards, those of the holdout last."""
    validation = (manifest.get("validation") or {}).get("files", ())
    return [*manifest["files"], *validation]


def _sets(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of each record set, and the glob of its files.

    A set is named by its configuration, or where that has them by its splits. Formats that no
    reader of Croissant knows have none.
    """
    for config in configs(manifest):
        is_group = manifest["layout"] == "by_group"
        for files in config["data_files"]:
            if encodings(files["path"])[0] not in FORMATS.values():
                continue
            yield config["config_name"] if is_group else files["split"], files["path"]


def encodings(path: str) -> list[str]:
    """The media types of a shard by its name, that of the content first."""
    endings = path.rpartition("/")[2].split(".")[1:]
    found = (FORMATS.get(ending) or PACKINGS.get(ending) for ending in endings)
    return list(filter(None, found)) or ["application/octet-stream"]


def _encoding(path: str) -> str | list[str]:
    """The media type, or a list of several."""
    types = encodings(path)
    return types[0] if len(types) == 1 else types


def _file_object(entry: Mapping[str, Any]) -> dict[str, Any]:
    path = entry["path"]
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "description": f"{entry['documents']:,} documents, {entry['tokens']:,} tokens.",
        "contentUrl": path,
        "encodingFormat": _encoding(path),
        "sha256": entry["sha256"],
    }


def _file_set(name: str, path: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-{name}",
        "name": f"files-{name}",
        "encodingFormat": _encoding(path),
        "includes": path,
    }


def _media_files(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what describes the files of media that lie beside the shards, if any do."""
    about = manifest.get("media") or {}
    if about.get("files"):
        yield {
            "@type": "cr:FileSet",
            "@id": "files-media",
            "name": "files-media",
            "description": f"{about['files']:,} files of media, named by the sha256 of each.",
            "encodingFormat": [f"{kind}/*" for kind in sorted(about["kinds"])],
            "includes": "media/**",
        }


def _record_set(name: str, schema: pa.Schema, is_original: bool) -> dict[str, Any]:
    """The columns of lines. Where their fields do not say all, the header of the card does."""
    words = "A line is a document."
    if is_original:
        words = "A line is a row of a source as it came, with the document beside its own columns."
    elif nested := undescribed(schema):
        words += f" README.md has all parts of {', '.join(nested)}."
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": words,
        "field": list(fields_of(name, schema)),
    }
