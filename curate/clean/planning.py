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
from curate.clean.passages.applying import BEFORE, restored
from curate.clean.rules.registry import prepared
from curate.clean.spec import CleanSpec
from curate.workspace import Workspace

_APART = ("signed", "fields", "fingerprinted", "root")
"""Parts of a plan that do not change what is measured."""


def plan_of(workspace: Workspace, spec: CleanSpec) -> Plan:
    """What the settings ask to measure; thresholds play no part."""
    instruments = (
        (section.name, section.instrument.prepare(workspace, section.settings))
        for section in registry.used_instruments(spec)
    )
    tokenizer = workspace.tables.made("pool").facts["tokenizer"]
    fields = spec.near.fields if spec.near else ()
    return Plan(
        prepared(workspace, spec),
        spec.rules,
        tuple(instruments),
        tokenizer,
        spec.near is not None,
        fields,
        spec.rules_language,
        spec.near_media is not None,
        str(workspace.root),
    )


def record_of(workspace: Workspace, plan: Plan) -> dict[str, Any]:
    """The record that decides whether measurements can be used again: plan, pool, version."""
    from curate import __version__
    from curate.workspace.ledger import plain

    pool = workspace.tables.fingerprint("pool")
    parts = {name: part for name, part in asdict(plan).items() if name not in _APART}
    digest = storage.digest([plain(parts), pool, __version__])
    record = {"digest": digest, "signed": plan.signed, "fields": list(plan.fields)}
    return record | ({"fingerprinted": True} if plan.fingerprinted else {})


@dataclass(frozen=True)
class Measured:
    """The files of measurements and of signatures, one of each per shard of the pool.

    `signatures` is empty where none were asked for. They hold fingerprints of media too.
    """

    shards: list[Path]
    signatures: list[Path]


def measured_before(workspace: Workspace, record: Mapping[str, Any]) -> Measured | None:
    """The measurements of the table clean if they are those of `record`, else None.

    Its documents may have lost passages since: see `unpassaged`.
    """
    stored = workspace.tables.stored("clean")
    earlier = stored.made.facts.get("measured") if stored else None
    if not earlier or earlier["digest"] != record["digest"]:
        return None
    if record["signed"] and not _is_signed_alike(earlier, record):
        return None
    if record.get("fingerprinted") and not earlier.get("fingerprinted"):
        return None
    folder = workspace.tables.folder("clean")
    is_signed = earlier["signed"] or earlier.get("fingerprinted")
    signed = storage.shards(folder / "_signatures") if is_signed else []
    return Measured(storage.shards(folder), signed)


def _is_signed_alike(earlier: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return bool(earlier["signed"]) and earlier.get("fields", []) == record["fields"]


def unpassaged(workspace: Workspace, measured: Measured, target: Path) -> Measured:
    """The measurements without what passages did to them; those that changed lie in `target`."""
    if not workspace.tables.made("clean").spec.get("passages"):
        return measured
    work = partial(_unpassaged, workspace.tables.folder("clean") / BEFORE, target)
    for _ in workspace.engine.each(work, measured.shards):
        pass
    return Measured(storage.shards(target), measured.signatures)


def _unpassaged(before: Path, target: Path, shard: Path) -> None:
    table = restored(storage.read_parquet(shard), before / shard.name)
    storage.write_parquet(target / shard.name, table)


def measure_shards(workspace: Workspace, plan: Plan, target: Path) -> Measured:
    """Measure every shard of the pool, and write the results into the folder `target`."""
    target.mkdir(exist_ok=True)
    with workspace.watch("measuring", workspace.tables.rows("pool")) as advance:
        work = partial(measure, plan=plan)
        workspace.engine.map(work, workspace.tables.shards("pool"), target, advance)
    shards = storage.shards(target)
    return Measured(shards, shards if plan.signed or plan.fingerprinted else [])
