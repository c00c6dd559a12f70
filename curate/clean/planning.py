"""What `clean` measures, and whether it was measured before."""

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
    """Return what the settings ask to be measured, thresholds left aside."""
    ready = (
        (each.name, each.instrument.prepare(workspace, each.settings))
        for each in registry.asked(spec)
    )
    tokenizer = workspace.made("pool").facts["tokenizer"]
    signed = spec.near_duplicates is not None
    return Plan(prepared(workspace, spec), spec.rules, tuple(ready), tokenizer, signed)


def record_of(workspace: Workspace, plan: Plan) -> dict[str, Any]:
    """Return what tells whether measurements can be used again: plan, pool and version."""
    from curate import __version__
    from curate.workspace.ledger import plain

    pool = workspace.fingerprint("pool")
    parts = {name: part for name, part in asdict(plan).items() if name != "signed"}
    digest = storage.digest([plain(parts), pool, __version__])
    return {"digest": digest, "signed": plan.signed}


@dataclass(frozen=True)
class Measured:
    """Where the measurements of each shard of the pool lie, and its signatures."""

    shards: list[Path]
    signatures: list[Path]


def measured_before(workspace: Workspace, record: Mapping[str, Any]) -> Measured | None:
    """Return the measurements that the table clean holds, if they are those of `record`."""
    stored = workspace.stored("clean")
    known = stored.made.facts.get("measured") if stored else None
    if not known or known["digest"] != record["digest"] or record["signed"] > known["signed"]:
        return None
    folder = workspace.folder("clean")
    signed = storage.shards(folder / "_signatures") if known["signed"] else []
    return Measured(storage.shards(folder), signed)


def measure_shards(workspace: Workspace, plan: Plan, target: Path) -> Measured:
    target.mkdir(exist_ok=True)
    with workspace.watch("measuring", workspace.rows("pool")) as advance:
        work = partial(measure, plan=plan)
        workspace.engine.map(work, workspace.shards("pool"), target, advance)
    shards = storage.shards(target)
    return Measured(shards, shards if plan.signed else [])
