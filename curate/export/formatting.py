"""The format of an export by its settings, and what the manifest says of it."""

from __future__ import annotations

from typing import Any

from curate.export.documents import line_names
from curate.export.formats import FORMATS, Format, TokenIds
from curate.export.formats.folder import ArrowFolder
from curate.export.formats.mds import LINE, WriteMds
from curate.export.formats.token_ids import encoder
from curate.export.formats.webdataset import WriteTar
from curate.export.manifest import tokenizers_of
from curate.export.media.bringing import Bringing
from curate.export.media.fields import MediaFields
from curate.export.media.within import MediaWithin
from curate.export.spec import ExportSpec
from curate.workspace import Workspace


def format_of(workspace: Workspace, spec: ExportSpec, bring: Bringing) -> Format:
    """The format of the shards; `bring` gives the bytes of media that lie within them.

    RecipeError if a tokenizer or its `end_of_text` is not there.
    """
    if spec.format == "tokens":
        return token_ids(workspace, spec).format
    if spec.format == "webdataset":
        return WriteTar(bring).format
    if spec.format == "datasets":
        fields = MediaFields.of(workspace.tables.shards("pool"), line_names())
        return ArrowFolder(fields, MediaWithin(bring, fields) if fields.columns else None).format
    if spec.format == "mds":
        fields = MediaFields.of(workspace.tables.shards("pool"), (*line_names(), LINE))
        within = MediaWithin(bring, fields) if fields.columns else None
        return WriteMds(fields, within, _smaller(spec)).format
    return FORMATS[spec.format]


def _smaller(spec: ExportSpec) -> str:
    """By which setting shards become smaller."""
    if spec.shards is not None:
        return "raise `export.shards`"
    name = "shard_documents" if spec.shard_tokens is None else "shard_tokens"
    return f"lower `export.{name}`"


def token_ids(workspace: Workspace, spec: ExportSpec) -> TokenIds:
    """How the ids of a token export are written: by the tokenizer that counts the budget."""
    _, budgets = tokenizers_of(workspace)
    return TokenIds.of(budgets, spec.end_of_text)


def about_format(workspace: Workspace, spec: ExportSpec) -> dict[str, Any]:
    """What the manifest says of the format; `token_ids` only where shards hold those."""
    about: dict[str, Any] = {"format": spec.format}
    if spec.original:
        about["original"] = True
    if spec.format == "tokens":
        ids = token_ids(workspace, spec)
        size = encoder(ids.tokenizer).size
        about["token_ids"] = {"dtype": ids.dtype, "vocabulary": size, "end_of_text": ids.end}
    return about
