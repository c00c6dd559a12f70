"""What an export was made with: packages, and the files of encoders and tokenizers."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from curate import storage
from curate.cards.environment import environment
from curate.embed.joined import files_of
from curate.errors import CurateError
from curate.export.drawn import has_scores
from curate.extras import EXTRAS
from curate.workspace import Workspace


def environment_of(workspace: Workspace) -> str:
    """The text of `environment.txt`."""
    encoders = {f"encoder {name}": _encoder(workspace, name) for name in _encoders(workspace)}
    tokenizers = {
        f"{role} {Path(name).name}": _tokenizer(workspace, name)
        for role, name in _tokenizers(workspace).items()
    }
    return environment(platform.python_version(), packages(), {**encoders, **tokenizers})


@cache  # exports of one process have the same packages
def packages() -> Mapping[str, str]:
    """The versions of the packages that curate asks for, and of its extras' that are installed.

    The tools of its developers are no part of what an export was made with.
    """
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("curate") or []
    except metadata.PackageNotFoundError:
        lines = []
    extras = ("", *EXTRAS)
    names = dict.fromkeys(
        own.name
        for own in map(Requirement, lines)
        if own.marker is None or any(own.marker.evaluate({"extra": extra}) for extra in extras)
    )
    versions = {name: _version(name) for name in names}
    return {name: version for name, version in versions.items() if version}


def _version(name: str) -> str | None:
    """The version of an installed package; None if it is not here."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _encoders(workspace: Workspace) -> Iterator[str]:
    """Yield the encoders of the scores that the mixture was made with, and those of `clean`."""
    names = []
    if has_scores(workspace):
        own = str(workspace.tables.made("scores").facts.get("encoder") or "")
        names += [name for name in own.split(", ") if name and name != "characters"]
    clean = workspace.tables.made("clean").spec
    for setting in ("semantic", "relevance"):
        names.append(str((clean.get(setting) or {}).get("encoder") or ""))
    yield from dict.fromkeys(filter(None, names))


def _encoder(workspace: Workspace, name: str) -> dict[str, str]:
    """The sha256 of an encoder's files, by name; none where they are not on this machine."""
    try:
        files = files_of(name, workspace.root)
    except CurateError:
        return {}
    return {name: storage.sha256_of(path) for name, path in files.items()}


def _tokenizers(workspace: Workspace) -> dict[str, str]:
    """The tokenizer of the pool and, where it is another, that of the budget, by their roles."""
    pool = str(workspace.tables.made("pool").facts["tokenizer"])
    budget = str(workspace.tables.made("mix").spec.get("tokenizer") or pool)
    other = {"tokenizer of the budget": budget} if budget != pool else {}
    return {"tokenizer": pool, **other}


def _tokenizer(workspace: Workspace, name: str) -> dict[str, str]:
    """The sha256 of a tokenizer's file, or of the tokens of an encoding, each with its length.

    Bytes are counted without any.
    """
    if name.endswith(".json"):
        return {Path(name).name: storage.sha256_of(workspace.path(name))}
    if name == "bytes":
        return {}
    return {"its tokens": _tokens(name)}


@cache  # an encoding has 100,000 tokens or more, and is the same in all exports of one process
def _tokens(encoding: str) -> str:
    """The sha256 of the tokens of an encoding, each with its length."""
    import bpe_openai

    digest = sha256()
    for token in bpe_openai.get_encoding(encoding).token_byte_values():
        digest.update(len(token).to_bytes(4) + token)
    return digest.hexdigest()
