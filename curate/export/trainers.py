"""The weights of a layout by group, for each trainer in its own unit.

    Megatron-Core   packed samples, so tokens        trainers/megatron.txt
    OLMo-core       tokens                           trainers/olmo-core.yaml
    LLaMA-Factory   documents                        trainers/dataset_info.json, llama-factory.yaml
    datasets        documents                        trainers/interleave.json
    MosaicML        samples: documents               trainers/mosaicml.json
    Energon         samples: documents               trainers/energon.yaml
    axolotl, TRL    rows of a group that are kept    trainers/rows.json

A share of tokens `s` is a share of documents in proportion to `s / m`, with the mean length `m` of
the group's documents. Of the rows of a group with `n` tokens, `s * T / n` are kept for a budget of
`T` tokens; what is beyond 1 are whole passes more. Phases have a folder each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from curate import yamls
from curate.export.parts import TRAIN

FOLDER = "trainers"


@dataclass(frozen=True)
class Weight:
    """What a group weighs in one phase.

    `folder` is relative to the export. `tokens` is the share of tokens to train on, `documents` the
    same as a share of documents drawn one by one, `rows` the number of times each of its rows is
    kept for the budget. `stored` are the tokens that lie there. `roles` are those of its messages
    if each of its lines has some, else None. `media` are the columns that list their media.
    """

    name: str
    folder: str
    tokens: float
    documents: float
    rows: float
    stored: int
    roles: frozenset[str] | None = None
    media: tuple[str, ...] = ()


def weights_of(groups: Sequence[Mapping[str, Any]], budget: int) -> list[Weight]:
    """The weights of the groups of one phase, as the manifest tells them, for a budget in tokens.

    Earlier parts count towards promises, so they are taken off. A group without documents has none.
    """
    own = [group for group in groups if group["stored_documents"]]
    targets = [max(0.0, group["promised"] * budget - group["earlier"]) for group in own]
    total = sum(targets)
    means = [group["stored_size"] / group["stored_documents"] for group in own]
    drawn = [target / mean for target, mean in zip(targets, means, strict=True)]
    return [
        Weight(
            group["group"],
            group["folder"].rstrip("/"),
            target / total,
            number / sum(drawn),
            target / group["stored_size"],
            group["stored_size"],
        )
        for group, target, number in zip(own, targets, drawn, strict=True)
    ]


def trainer_files(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path of each file relative to the export, and its text.

    Only a layout by group has some. Paths within them are relative to the export, and so is where
    a trainer is started.
    """
    if manifest["layout"] != "by_group":
        return
    phases = manifest.get("phases") or [{"name": None, "budget": manifest["budget"]}]
    ending = manifest["files"][0]["path"].partition(f"{TRAIN}-00000.")[2]
    for phase in phases:
        own = [group for group in manifest["groups"] if group.get("phase") == phase["name"]]
        weights = [
            replace(
                weight,
                roles=roles_of(manifest["files"], weight.folder),
                media=lists_of(manifest["files"], weight.folder),
            )
            for weight in weights_of(own, phase["budget"])
        ]
        folder = FOLDER if phase["name"] is None else f"{FOLDER}/{phase['name']}"
        for name, write in FILES.items():
            if name not in READ_BY.get(ending, FILES):
                continue
            yield f"{folder}/{name}", write(weights, ending)


def roles_of(files: Sequence[Mapping[str, Any]], folder: str) -> frozenset[str] | None:
    """The roles in the shards of a folder, or None if a line there has no messages."""
    own = _in_folder(files, folder)
    if not own or any(
        "messages" not in file or file["messages"] < file["documents"] for file in own
    ):
        return None
    return frozenset(role for file in own for role in file["roles"])


def lists_of(files: Sequence[Mapping[str, Any]], folder: str) -> tuple[str, ...]:
    """The columns in the shards of a folder that list media of messages."""
    columns = (file.get("media_columns", ()) for file in _in_folder(files, folder))
    return tuple(sorted({*chain.from_iterable(columns)}))


def _in_folder(files: Sequence[Mapping[str, Any]], folder: str) -> list[Mapping[str, Any]]:
    return [file for file in files if PurePosixPath(file["path"]).parent == PurePosixPath(folder)]


READ_BY = {
    "tar": ("interleave.json", "mosaicml.json", "energon.yaml", "rows.json"),
    "mds": ("mosaicml.json", "rows.json"),
}
"""Of shards that not every trainer reads, the files of those that do, or may be made to."""


def _megatron(weights: Sequence[Weight], ending: str) -> str:
    """For `--data-args-path`, once each folder is tokenized to FOLDER/text_document."""
    words = (f"{weight.tokens:.8f} {weight.folder}/text_document" for weight in weights)
    return " ".join(words) + "\n"


def _olmo(weights: Sequence[Weight], ending: str) -> str:
    """A list of `SourceMixtureConfig`, once each folder is tokenized to FOLDER/*.npy."""
    sources = [
        {
            "source_name": weight.folder,
            "target_ratio": round(weight.tokens, 8),
            "max_repetition_ratio": round(max(1.0, weight.rows), 4),
            "paths": [f"{weight.folder}/*.npy"],
        }
        for weight in weights
    ]
    return yamls.text_of({"sources": sources})


def _info(weights: Sequence[Weight], ending: str) -> str:
    """Describes each folder to LLaMA-Factory, with `dataset_dir: trainers`."""
    return _json({weight.folder: _described(weight) for weight in weights})


def _described(weight: Weight) -> dict[str, Any]:
    """A folder of texts to pretrain on, or of conversations, which is read by its messages."""
    place = {"file_name": f"../{weight.folder}"}
    if weight.roles is None:
        return {**place, "columns": {"prompt": "text"}}
    tags = {
        tag: next((name for name in names if name in weight.roles), names[0])
        for tag, names in _TAGS.items()
    }
    return {
        **place,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", **{name: name for name in weight.media}},
        "tags": {"role_tag": "role", "content_tag": "content", **tags},
    }


_TAGS = {
    "user_tag": ("user", "human", "prompter"),
    "assistant_tag": ("assistant", "gpt", "model", "bot"),
    "system_tag": ("system", "developer"),
    "observation_tag": ("tool", "observation", "function"),
    "function_tag": ("function_call",),
}
"""What LLaMA-Factory has to know of roles, and the names that these have, the usual one first."""

KNOWN_ROLES = frozenset(chain.from_iterable(_TAGS.values()))
"""The names of roles that decide what is written here."""


def _llama_factory(weights: Sequence[Weight], ending: str) -> str:
    """The arguments that mix them; paths of media are relative to the export."""
    has_media = any(weight.media for weight in weights)
    return yamls.text_of(
        {
            "dataset_dir": FOLDER,
            **({"media_dir": "."} if has_media else {}),
            "dataset": ",".join(weight.folder for weight in weights),
            "mix_strategy": "interleave_over",
            "interleave_probs": ",".join(f"{weight.documents:.8f}" for weight in weights),
        }
    )


def _interleave(weights: Sequence[Weight], ending: str) -> str:
    """The arguments of `load_dataset` for each source, and of `interleave_datasets`."""
    return _json(
        {
            "data_files": [f"{weight.folder}/{TRAIN}-*.{ending}" for weight in weights],
            "probabilities": [weight.documents for weight in weights],
            "stopping_strategy": "all_exhausted",
        }
    )


def _mosaicml(weights: Sequence[Weight], ending: str) -> str:
    """The arguments of each `Stream`; folders of MDS are ready, others are to be written so."""
    return _json([{"local": weight.folder, "proportion": weight.documents} for weight in weights])


def _energon(weights: Sequence[Weight], ending: str) -> str:
    """A metadataset; folders of WebDataset shards are ready, others are to be prepared."""
    blend = [{"weight": weight.documents, "path": f"../{weight.folder}"} for weight in weights]
    return yamls.text_of(
        {
            "__module__": "megatron.energon",
            "__class__": "MetadatasetV2",
            "splits": {"train": {"blend": blend}},
        }
    )


def _rows(weights: Sequence[Weight], ending: str) -> str:
    """How often all rows of each folder are taken, and which share of them once more.

    Rows lie in random order: the first ones are a fair sample.
    """
    return _json(
        [
            {
                "path": weight.folder,
                "whole_passes": int(weight.rows),
                "fraction": weight.rows - int(weight.rows),
            }
            for weight in weights
        ]
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


FILES: dict[str, Callable[[Sequence[Weight], str], str]] = {
    "megatron.txt": _megatron,
    "olmo-core.yaml": _olmo,
    "dataset_info.json": _info,
    "llama-factory.yaml": _llama_factory,
    "interleave.json": _interleave,
    "mosaicml.json": _mosaicml,
    "energon.yaml": _energon,
    "rows.json": _rows,
}
"""What writes each file, from the weights and the ending of shards."""
