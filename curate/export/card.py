"""The documents beside the shards: dataset card, Croissant, and the environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.cards.croissant import croissant
from curate.cards.dataset import CardFacts, dataset_card
from curate.cards.sources import places
from curate.export.drawn import Drawn
from curate.export.draws import DRAW, ROWS
from curate.export.environment import environment_of
from curate.export.formats import read_batches
from curate.takedown.listed import removed
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

CARD, CROISSANT, ENVIRONMENT = "README.md", "croissant.json", "environment.txt"


def write_documents(
    workspace: Workspace, folder: Path, manifest: dict[str, Any], drawn: Drawn, schema: pa.Schema
) -> None:
    """Write card, Croissant and environment beside the shards; `schema` is that of their lines."""
    facts = card_facts(workspace, manifest, drawn, schema, tokens_by_source(folder / DRAW))
    storage.write_text(folder / CARD, dataset_card(facts))
    description = croissant(facts.name, manifest, facts.licenses, facts.languages, schema)
    storage.write_json(folder / CROISSANT, description)
    storage.write_text(folder / ENVIRONMENT, environment_of(workspace))


def card_facts(
    workspace: Workspace,
    manifest: dict[str, Any],
    drawn: Drawn,
    schema: pa.Schema,
    tokens: Mapping[str, int],
) -> CardFacts:
    """What a card tells, from the tables, the ledger, and what was drawn: `tokens` by source."""
    lines = workspace.lineage.of("mix")
    pooled, cleaned = (_result(lines, stage) for stage in ("pool", "clean"))
    has_labels = workspace.tables.stored("labels") is not None
    settled = lines.get("agree") or (workspace.lineage.line("labels") if has_labels else None)
    return CardFacts(
        name=str(workspace.about()["name"]),
        manifest=manifest,
        schema=schema,
        sources=list(_sources(workspace, pooled, tokens)),
        files=workspace.tables.made("pool").facts["files"],
        licenses=drawn.licenses,
        license_tokens=drawn.license_tokens,
        languages=drawn.languages,
        limits=workspace.tables.made("mix").facts["limits"],
        warnings=_warnings(workspace),
        questions=(settled["result"]["questions"] if settled else []) if has_labels else None,
        is_chosen_by_labels="agree" in lines,
        pooled=pooled,
        cleaned=cleaned,
        removed=len(removed(workspace.root)),
    )


def _result(lines: Mapping[str, Any], stage: str) -> dict[str, Any] | None:
    """What the run of a stage told that the mixture was made from; None if it is not known."""
    line = lines.get(stage)
    return dict(line["result"]) if line else None


def _warnings(workspace: Workspace) -> list[dict[str, Any]]:
    """The warnings of the run that made the mixture."""
    line = workspace.lineage.line("mix")
    return list(line["result"].get("warnings", ())) if line else []


def tokens_by_source(draw: Path) -> Counter[str]:
    """The tokens of all lines by their source, a part of the draw in memory at a time."""
    import pyarrow as pa

    total: Counter[str] = Counter()
    for batch in read_batches(draw, ROWS, ["source", "tokens"]):
        sums = pa.Table.from_batches([batch]).group_by("source").aggregate([("tokens", "sum")])
        own = zip(sums["source"].to_pylist(), sums["tokens_sum"].to_pylist(), strict=True)
        total.update(dict(own))
    return total


def _sources(
    workspace: Workspace, pooled: Mapping[str, Any] | None, tokens: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield the sources of the pool: name, kind, documents in the pool, and tokens of lines."""
    pool = workspace.tables.made("pool")
    counts = (pooled or {}).get("sources", {})
    for name, place in places(pool.spec["sources"], pool.facts["sources"]).items():
        documents = counts.get(name, 0) if pooled else None
        drawn = tokens.get(name, 0)
        yield {"name": name, "kind": place.words, "documents": documents, "tokens": drawn}
