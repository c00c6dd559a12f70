"""What `clean` measures, and whether stored measurements can be used again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curate import storage
from curate.clean.instruments import registry
from curate.clean.measuring import Plan, measure
from curate.clean.rules.registry import prepared
from curate.clean.spec import CleanSpec
from curate.workspace import Workspace


def plan_of(workspace: Workspace, spec: CleanSpec) -> Plan:
    """What the settings ask to measure; thresholds play no part."""
    instruments = (
        (section.name, section.instrument.prepare(workspace, section.settings))
        for section in registry.used_instruments(spec)
    )
    tokenizer = workspace.tables.made("pool").facts["tokenizer"]
    signed = spec.near_duplicates is not None
    rules = prepared(workspace, spec)
    return Plan(rules, spec.rules, tuple(instruments), tokenizer, signed, spec.rules_language)


def record_of(workspace: Workspace, plan: Plan) -> dict[str, Any]:
    """The record that decides whether measurements can be used again: plan, pool, version."""
    from curate import __version__
    from curate.workspace.ledger import plain

    pool = workspace.tables.fingerprint("pool")
    parts = {name: part for name, part in asdict(plan).items() if name != "signed"}
    digest = storage.digest([plain(parts), pool, __version__])
    return {"digest": digest, "signed": plan.signed}


@dataclass(frozen=True)
class Measured:
    """The files of measurements and of signatures, one of each per shard of the pool.

    `signatures` is empty where none were asked for.
    """

    shards: list[Path]
    signatures: list[Path]


def measured_before(workspace: Workspace, record: Mapping[str, Any]) -> Measured | None:
    """The measurements of the table clean if they are those of `record`, else None."""
    stored = workspace.tables.stored("clean")
    earlier = stored.made.facts.get("measured") if stored else None
    if not earlier or earlier["digest"] != record["digest"] or record["signed"] > earlier["signed"]:
        return None
    folder = workspace.tables.folder("clean")
    signed = storage.shards(folder / "_signatures") if earlier["signed"] else []
    return Measured(storage.shards(folder), signed)


def measure_shards(workspace: Workspace, plan: Plan, target: Path) -> Measured:
    """Measure every shard of the pool, and write the results into the folder `target`."""
    target.mkdir(exist_ok=True)
    with workspace.watch("measuring", workspace.tables.rows("pool")) as advance:
        work = partial(measure, plan=plan)
        workspace.engine.map(work, workspace.tables.shards("pool"), target, advance)
    shards = storage.shards(target)
    return Measured(shards, shards if plan.signed else [])
