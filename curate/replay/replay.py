"""Write an export again from its draw, beside the workspace, then in the place of `export/`."""

from __future__ import annotations

import csv
import io
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curate import __version__, storage, tables, yamls
from curate.cells import guarded
from curate.engine import in_order
from curate.errors import DataError
from curate.export.claims import read_claims
from curate.export.draws import DRAW
from curate.export.parts import Layout
from curate.export.spec import ExportSpec
from curate.export.stage import run as export
from curate.export.sums import write_manifest
from curate.names import absent
from curate.replay.finding import MISSING, Found, find
from curate.replay.listed import Listed
from curate.replay.tables import Group, Sums, WriteTables
from curate.run.whatif import linked
from curate.spec import validated
from curate.storage import Provenance
from curate.takedown.listed import removed
from curate.warning import StageWarning, warn
from curate.workspace import Workspace

OWN = ("mix", "groups", "scores", "labels", "annotators", "doubtful", "rounds", "export", "vectors")
"""What the workspace beside this one does not have of it: a replay needs none of it."""

Old = Mapping[str, Any]
"""The manifest of the export that is written again."""


@dataclass(frozen=True)
class ReplayResult:
    """What was written; `folder` is relative to the workspace.

    `same` says whether the content is that of the export. `missing` counts documents that are not
    there any more, by `reasons`, `missing_lines` their lines; `changed` are documents with other
    tokens than the draw tells.
    """

    folder: str
    files: int
    documents: int
    tokens: int
    content_sha256: str
    same: bool
    missing: int
    missing_lines: int
    changed: int
    reasons: dict[str, int]
    missing_ids: tuple[str, ...]
    warnings: tuple[StageWarning, ...] = ()


@dataclass(frozen=True)
class _Missing:
    """The documents that are missing, with the reason and the lines of each."""

    why: Mapping[str, str]
    lines: Counter[str]

    def reasons(self) -> dict[str, int]:
        """How many documents are missing, by the first word of the reason."""
        return dict(Counter(why.partition(":")[0] for why in self.why.values()).most_common())

    def text(self) -> str:
        """The file that lists them; empty where there are none."""
        if not self.why:
            return ""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerow(["id", "why", "lines"])
        writer.writerows([id, guarded(why), self.lines[id]] for id, why in self.why.items())
        return buffer.getvalue()


def replay(workspace: Workspace, draw: Path, format: str | None = None) -> ReplayResult:
    """Write the lines that a draw lists, in its order and shards, as the export of a workspace.

    The manifest and the recipe of the export lie beside the draw. It needs pool and clean; labels
    and the model's values are left out. What was taken down does not come back. Raises DataError
    for what is no draw of an export, or where none of its documents is there.
    """
    started = time.perf_counter()
    old = _read(draw)
    workspace.tables.require("pool", "clean")
    workspace.freshness.check("clean")
    recipe = dict(yamls.parse((draw.parent / "recipe.yaml").read_bytes(), str(draw.parent)) or {})
    spec = _spec(recipe, old, format)
    with _beside(workspace) as (other, scratch):
        shards = workspace.documents.shards()
        gone = removed(workspace.root)
        found = find(workspace.engine, draw, shards, gone, scratch / "found")
        missing = _missing(found)
        sums = _write_tables(workspace, other, old, recipe, found, scratch)
        listed = Listed(
            ranks=scratch,
            shards=tuple(_shards(old, sums)),
            held_out=len(old.get("validation", {}).get("files", ())),
            recipe={**recipe, **_todays(workspace), "export": spec.settings()},
            missing=missing.text(),
        )
        result = export(other, spec, listed)
        _finish(workspace, other, draw, old, missing)
    told = _result(result, old, missing, sums, workspace)
    _remember(workspace, draw, spec, told, time.perf_counter() - started)
    return told


def _read(draw: Path) -> Old:
    """The manifest beside a draw. Raises DataError where one of both is not there."""
    if not draw.is_file():
        raise absent(f"--replay: no file {draw}", draw, kind=DataError)
    if draw.name != DRAW or not (draw.parent / "recipe.yaml").is_file():
        raise DataError(
            f"--replay: {draw} is not in an export",
            hint="name the draw.parquet of an export, beside its manifest.json and recipe.yaml",
        )
    read_claims(draw.parent)
    return dict(storage.read_json(draw.parent / "manifest.json"))


def _spec(recipe: Mapping[str, Any], old: Old, format: str | None) -> ExportSpec:
    """The settings of the export that is written again, perhaps in another format."""
    settings = {**recipe.get("export", {}), "layout": old["layout"]}
    settings |= {"format": format} if format else {}
    settings |= {"validation": "validation" in old}
    return validated(ExportSpec, settings, where="--replay: recipe.yaml")


@contextmanager
def _beside(workspace: Workspace) -> Iterator[tuple[Workspace, Path]]:
    """Yield a workspace of links to pool and clean, and a folder for scratch files."""
    building = workspace.root / ".building" / "replay"
    shutil.rmtree(building, ignore_errors=True)
    scratch, folder = building / "scratch", building / "workspace"
    for path in (scratch / "found", folder):
        path.mkdir(parents=True)
    try:
        yield linked(workspace, folder, OWN), scratch
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _missing(found: Found) -> _Missing:
    """The documents that are not there; there are few, unless the pool is another one."""
    lines = found.of(MISSING)
    ids, whys = lines["id"].to_pylist(), lines["why"].to_pylist()
    return _Missing(dict(zip(ids, whys, strict=True)), Counter(ids))


# ── the tables beside


def _write_tables(
    workspace: Workspace,
    other: Workspace,
    old: Old,
    recipe: Mapping[str, Any],
    found: Found,
    scratch: Path,
) -> Sums:
    """Write mix, scores and groups beside; what the lines hold that were found."""
    for name in ("mix", "scores"):
        (scratch / name).mkdir()
    layout = _layout(old)
    extra = None if old.get("budget_tokenizer") else int(old.get("extra_tokens", 0))
    write = WriteTables(found, layout, scratch, extra)
    total = Sums()
    shards = workspace.documents.shards()
    for sums in in_order(workspace.engine.each(write, shards)):
        total = total.joined(sums)
    if not total.lines:
        raise DataError(
            "none of the documents of the draw is in the pool", hint="was it drawn from this pool?"
        )
    inputs = workspace.tables.fingerprints(("pool", "clean"))
    scored = Provenance("score", recipe.get("score", {}), inputs, "", {"questions": {}})
    storage.seal(scratch / "scores", scored)
    shutil.move(scratch / "scores", other.root / "scores")
    inputs |= other.tables.fingerprints(("scores",))
    facts = {
        "budget": old["budget"],
        "limits": [],
        "phases": [
            {"name": phase["name"], "budget": phase["budget"]} for phase in old.get("phases", ())
        ],
    }
    made = Provenance("mix", recipe.get("mix", {}), inputs, "", facts)
    storage.seal(scratch / "mix", made)
    shutil.move(scratch / "mix", other.root / "mix")
    other.tables.write("groups", tables.rows("groups", list(_groups(old, total))), made)
    return total


def _layout(old: Old) -> Layout:
    """How the export is laid out that is written again."""
    phases = tuple(str(phase["name"]) for phase in old.get("phases", ()))
    groups = tuple(
        tuple(str(own["group"]) for own in old["groups"] if own.get("phase") == phase)
        for phase in phases or (None,)
    )
    return Layout(phases, groups, old["layout"] == "by_group", "validation" in old)


def _groups(old: Old, sums: Sums) -> Iterator[dict[str, Any]]:
    """Yield the groups as they were promised, with what their lines hold today."""
    totals: Counter[str | None] = Counter()
    for own in old["groups"]:
        totals[own.get("phase")] += own["earlier"] + sums.sizes[_key(own)]
    names = tables.schema("groups").names
    for own in old["groups"]:
        key = _key(own)
        tokens = sums.sizes[key]
        known = {name: own.get(name) for name in names}
        yield known | {
            "realised": (own["earlier"] + tokens) / max(1, totals[key[0]]),
            "tokens": tokens,
            "pool_tokens": sums.pool_tokens[key],
            "documents": sums.documents[key],
        }


def _key(group: Mapping[str, Any]) -> Group:
    return group.get("phase"), str(group["group"])


def _shards(old: Old, sums: Sums) -> Iterator[tuple[str, int, int]]:
    """Yield the shards that still have lines, in their order, with lines and tokens."""
    for file in old["files"]:
        path = str(file["path"])
        if sums.lines[path]:
            yield path, sums.lines[path], sums.tokens[path]


def _todays(workspace: Workspace) -> dict[str, Any]:
    """The settings of the tables that texts are read from."""
    return {stage: dict(workspace.tables.made(stage).spec) for stage in ("pool", "clean")}


# ── the end


def _finish(
    workspace: Workspace, other: Workspace, draw: Path, old: Old, missing: _Missing
) -> None:
    """Say in the manifest what was replayed, and put the export in its place.

    What each stage made is as before, but for pool and clean.
    """
    path = other.root / "export" / "manifest.json"
    manifest = storage.read_json(path)
    longest = {_key(own): own["longest"] for own in old["groups"]}
    for group in manifest["groups"]:
        group["longest"] = max(group["longest"], longest.get(_key(group), 0))
    manifest["made_of"] = {**old.get("made_of", {}), **_made_today(workspace)}
    manifest["replayed"] = {
        "draw_sha256": storage.sha256_of(draw),
        "content_sha256": old["content_sha256"],
        "missing_documents": len(missing.why),
        "missing_lines": missing.lines.total(),
    }
    write_manifest(path.parent, manifest)
    storage.swap(other.root / "export", workspace.root / "export")


def _remember(
    workspace: Workspace, draw: Path, spec: ExportSpec, result: ReplayResult, seconds: float
) -> None:
    """Write a line into the ledger: the export is of the draw, of pool and of clean.

    It is not one of the stage `export`, so the next run makes that of today's mixture.
    """
    settings = {"draw": str(draw), **spec.settings()}
    made = Provenance("replay", settings, _made_today(workspace), __version__)
    workspace.ledger.append(made, workspace.tables.fingerprints(("export",)), result, seconds)


def _made_today(workspace: Workspace) -> dict[str, str | None]:
    return workspace.tables.fingerprints(("pool", "clean"))


def _result(
    made: Any, old: Old, missing: _Missing, sums: Sums, workspace: Workspace
) -> ReplayResult:
    result = ReplayResult(
        folder=made.folder,
        files=made.files,
        documents=made.documents,
        tokens=made.tokens,
        content_sha256=made.content_sha256,
        same=made.content_sha256 == old["content_sha256"],
        missing=len(missing.why),
        missing_lines=missing.lines.total(),
        changed=sums.changed,
        reasons=missing.reasons(),
        missing_ids=tuple(list(missing.why)[:20]),
    )
    return replace(result, warnings=tuple(_doubts(result, old, workspace)))


def _doubts(result: ReplayResult, old: Old, workspace: Workspace) -> Iterator[StageWarning]:
    """What keeps the content from being that of the export."""
    if result.missing:
        words = (
            "{documents:,} documents of the draw are missing ({reasons}), {lines:,} lines: "
            "missing.csv lists them"
        )
        reasons = ", ".join(f"{name} {number:,}" for name, number in result.reasons.items())
        yield warn(
            "export.missing",
            words,
            documents=result.missing,
            reasons=reasons,
            counts=dict(result.reasons),
            lines=result.missing_lines,
        )
    if result.same or (result.missing and not result.changed):
        return
    made, today = old.get("made_of", {}), _made_today(workspace)
    stages = [stage for stage, own in today.items() if made.get(stage) not in (None, own)]
    words = "the content is not that of the export: {changed:,} documents have another text{first}"
    stage = next(iter(stages), None)
    first = f"; {stage} is the first stage that differs" if stage else ""
    yield warn("export.differs", words, changed=result.changed, first=first, stage=stage)
