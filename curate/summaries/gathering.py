"""Gather what is known of an export: from its manifest, the tables, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate import __version__, storage, tables
from curate.cards.facts import Facts, Origin, Removed
from curate.cards.sources import Place, places
from curate.errors import MissingInput, StaleInput
from curate.summaries.scanning import Scan, Seen
from curate.takedown.listed import removed
from curate.takedown.takedown import RECORDS
from curate.workspace import Workspace

MADE_OF = ("pool", "clean", "mix")
"""The tables that must be those that the export was made from."""


def read_card(workspace: Workspace) -> str:
    """The dataset card of the export. Raises MissingInput where there is none."""
    path = workspace.root / "export" / "README.md"
    if not path.is_file():
        raise MissingInput("there is no export", hint="run `curate export` first")
    return path.read_text(encoding="utf-8")


def gather(workspace: Workspace) -> Facts:
    """What is known of the export. It scans the drawn documents once.

    Raises MissingInput without an export, and StaleInput where the tables are no longer those that
    it was made from.
    """
    manifest = storage.read_json(workspace.root / "export" / "manifest.json")
    if manifest is None:
        raise MissingInput("there is no export", hint="run `curate export` first")
    _check(workspace)
    phases = [phase["name"] for phase in manifest.get("phases", ())]
    seen = scanned(workspace, phases, is_once=manifest["layout"] == "by_group")
    lines = workspace.lineage.of("export")
    pool, clean = workspace.tables.made("pool"), workspace.tables.made("clean")
    where = places(pool.spec["sources"], pool.facts["sources"])
    return Facts(
        name=str(workspace.about()["name"]),
        layout=manifest["layout"],
        tokenizer=manifest["tokenizer"],
        content_sha256=manifest["content_sha256"],
        version=__version__,
        origins=list(_origins(where, seen)),
        hosts=seen.hosts,
        exported=_day(lines.get("export")),
        read=_read_days(workspace, lines.get("pool")),
        clean=clean.spec,
        cleaned=_result(lines.get("clean")),
        pooled=_result(lines.get("pool")),
        removed=_removed(workspace),
        labels=manifest["labels"],
        answers=(_result(lines.get("agree")) or {}).get("questions", ()),
    )


def _check(workspace: Workspace) -> None:
    """Raise StaleInput unless the present tables are those that the export was made from."""
    inputs = workspace.lineage.inputs("export")
    if not inputs:
        raise StaleInput(
            "the ledger does not say what `export` was made from", hint="run `curate export` again"
        )
    for name in MADE_OF:
        if inputs.get(name) != workspace.tables.fingerprint(name):
            raise StaleInput(
                f"`export` was not made from the present `{name}`",
                hint="`curate run` makes all stale stages again",
            )


def scanned(workspace: Workspace, phases: Sequence[str], *, is_once: bool) -> Seen:
    """What was drawn, by one scan; where `is_once`, a document counts once in each phase."""
    shards = workspace.documents.shards(mix=True)
    scan = Scan(tuple(tables.by_phase("copies", phases)), is_once)
    total = Seen()
    with workspace.watch("reading what was drawn", workspace.tables.rows("pool")) as advance:
        for _, (rows, seen) in workspace.engine.each(scan, shards):
            total.add(seen)
            advance(rows)
    return total


def _origins(where: Mapping[str, Place], seen: Seen) -> Iterator[Origin]:
    """Yield the sources of which something was drawn."""
    sizes, licenses, languages = map(_by_source, (seen.sizes, seen.licenses, seen.languages))
    for name, own in sizes.items():
        first, last = seen.days.get(name, (None, None))
        yield Origin(
            name=name,
            place=where[name],
            **own,
            licenses=licenses[name],
            languages=languages[name],
            first=first,
            last=last,
        )


def _by_source(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Counts by source, then by word."""
    by_source: dict[str, dict[str, int]] = {}
    for (source, word), number in counts.items():
        by_source.setdefault(source, {})[word] = number
    return by_source


def _result(line: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(line["result"]) if line else None


def _day(line: Mapping[str, Any] | None) -> str | None:
    """The day of a line of the ledger."""
    return str(line["at"])[:10] if line else None


def _read_days(workspace: Workspace, made: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """The days of the first run of `pool`, and of the one that made the present table."""
    if made is None:
        return None
    runs = [line for line in workspace.ledger.lines() if line["stage"] == "pool"]
    return str(runs[0]["at"])[:10], str(made["at"])[:10]


def _removed(workspace: Workspace) -> Removed:
    """What was taken down, from the list and the records of the requests."""
    days = sorted(_request_days(workspace))
    return Removed(len(removed(workspace.root)), len(days), days[-1] if days else None)


def _request_days(workspace: Workspace) -> Iterator[str]:
    for path in (workspace.root / RECORDS).glob("[0-9]*.json"):
        yield str(storage.read_json(path)["at"])[:10]
