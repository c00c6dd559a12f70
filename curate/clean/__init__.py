"""Give every document a verdict and a reason; the text itself is never changed.

    pool ──clean──▶ clean

Four steps, each in a module of its own: *measure* every document (signals, edits, signatures),
*decide* from what was measured and the limits, settle the *near-duplicates* among what passed, and
write. Signals are stored and verdicts derive from them: where nothing that is measured has changed,
another limit decides again without reading a text.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator, model_serializer, model_validator

from curate import storage, tables
from curate.clean import instruments, older, overlap
from curate.clean.c4 import C4Spec
from curate.clean.contamination import ContaminationSpec
from curate.clean.deciding import decide
from curate.clean.duplicates import Gone, Shard, near_duplicates
from curate.clean.language import DIFFERS, MINIMUM, TAG, LanguageSpec
from curate.clean.licenses import LicenseSpec
from curate.clean.lines import LinesSpec
from curate.clean.measuring import KEPT, SIGNATURE, Plan, measure
from curate.clean.privacy import SIGNALS as PRIVATE
from curate.clean.privacy import PrivacySpec
from curate.clean.relevance import RelevanceSpec
from curate.clean.rules import RULES, Rules, named, prepared, ranges
from curate.clean.semantic import SemanticSpec, semantic_duplicates
from curate.clean.signals import Range
from curate.engine import read_shard
from curate.errors import RecipeError
from curate.spec import Spec
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

READS = ("pool",)
WRITES = ("clean",)


class Limit(Spec):
    """Other limits of a signal: a side that is not named stays as it is, and null opens it."""

    min: Annotated[float | None, Field(description="Smallest value that passes.")] = None
    max: Annotated[float | None, Field(description="Largest value that passes.")] = None

    @model_serializer
    def _named(self) -> dict[str, float | None]:
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}

    def instead_of(self, bounds: Range) -> Range:
        """Return a range with the sides that are named here in the place of its own."""
        named = self.model_fields_set
        return self.min if "min" in named else bounds[0], self.max if "max" in named else bounds[1]


class CleanSpec(Spec):
    """What is measured, and what is decided from it."""

    rules: Annotated[
        Rules, Field(description="Rule sets, in order, or source → its own; `*` is all others.")
    ] = ("length",)
    limits: dict[str, Limit] = Field(
        default_factory=dict, description="Other limits, as in `length:words: {min: 5}`."
    )
    lines: LinesSpec = Field(default=LinesSpec(), description="How sure the set `lines` must be.")
    c4: C4Spec = Field(default=C4Spec(), description="How the set `c4` looks at lines and words.")
    near_duplicates: Annotated[
        float | None, Field(ge=0.5, le=1, description="Jaccard similarity from which one goes.")
    ] = None
    against: Annotated[
        tuple[str, ...],
        Field(description="Older corpora whose near-duplicates go: runs, exports, files."),
    ] = ()
    semantic: Annotated[
        SemanticSpec | None, Field(description="Similarity in meaning from which one goes.")
    ] = None
    languages: Annotated[
        tuple[str, ...] | dict[str, tuple[str, ...]] | None,
        Field(description="Languages that pass, or source → its own, `*` others; {} detects."),
    ] = None
    language_confidence: Annotated[
        float, Field(ge=0, le=1, description="Below it a detected language is `und`.")
    ] = MINIMUM
    licenses: Annotated[
        tuple[str, ...] | None, Field(description="SPDX names that pass; `CC-BY-*` names several.")
    ] = None
    privacy: Annotated[
        PrivacySpec | None, Field(description="`mask`, or kind → flag, mask or drop.")
    ] = None
    contamination: Annotated[
        ContaminationSpec | None, Field(description="Evaluation sets that are looked for.")
    ] = None
    relevance: Annotated[
        RelevanceSpec | None, Field(description="Texts that documents should be like.")
    ] = None

    @field_validator("rules", mode="before")
    @classmethod
    def _rules_as_written(cls, given: Any) -> Any:
        """Take one set for a list of one; tell in a line what is no list of sets."""
        by_source = given if isinstance(given, dict) else {"": given}
        found = {
            source: (each,) if isinstance(each, str) else each for source, each in by_source.items()
        }
        for names in found.values():
            if not isinstance(names, list | tuple):
                raise ValueError("it is a list of sets, or source → list")
            for name in names:
                if not isinstance(name, str) or name not in RULES:
                    raise ValueError(f"no set {name}; there are {', '.join(RULES)}")
                if (n := names.count(name)) > 1:
                    raise ValueError(f"the set {name} stands there {n} times")
        return found if isinstance(given, dict) else found[""]

    @field_validator("languages", mode="before")
    @classmethod
    def _languages_as_written(cls, given: Any) -> Any:
        """Take one language for a list of one, and YAML's false for Norwegian, `no`."""
        if isinstance(given, dict):
            return {source: cls._languages_as_written(each) for source, each in given.items()}
        listed = [given] if isinstance(given, str | bool) else given
        if not isinstance(listed, list | tuple):
            return given
        tags = ["no" if each is False else each for each in listed]
        for tag in tags:
            if isinstance(tag, str) and not TAG.fullmatch(tag):
                raise ValueError(f"{tag} is no language tag, as en, zh-Hant or und are")
        return tags

    @model_validator(mode="after")
    def _against_by_a_threshold(self) -> CleanSpec:
        if self.against and self.near_duplicates is None:
            raise ValueError("against needs near_duplicates, the similarity from which one goes")
        return self

    @property
    def language(self) -> LanguageSpec | None:
        """The settings of the instrument `language`."""
        if self.languages is None:
            return None
        return LanguageSpec(allow=self.languages, minimum=self.language_confidence)

    @property
    def license(self) -> LicenseSpec | None:
        """The settings of the instrument `license`."""
        return None if self.licenses is None else LicenseSpec(allow=self.licenses)


@dataclass(frozen=True)
class CleanResult:
    """How many documents go on, and why the others do not.

    `measured` counts the documents that were read to be measured: none where only limits changed.
    `licenses` counts the documents that a licence dropped, by licence, `privacy` what is private,
    by kind, and `differing_languages` the documents whose declared language is not the detected.
    """

    documents: int
    measured: int
    kept: int
    tokens: int
    reasons: dict[str, int]
    licenses: dict[str, int]
    privacy: dict[str, int]
    differing_languages: int


def inputs(workspace: Workspace, spec: CleanSpec) -> dict[str, str | None]:
    """Return the digests of the pool, of older corpora, and of the files it is compared with."""
    found = workspace.inputs(READS)
    compared = [each.path for each in (spec.contamination.sets if spec.contamination else ())]
    compared += [each.path for each in (spec.relevance.target if spec.relevance else ())]
    compared += [spec.c4.bad_words] if spec.c4.bad_words and "c4" in named(spec.rules) else []
    if compared:
        paths = [workspace.path(each) for each in compared]
        marks = [storage.file_digest(path) if path.is_file() else None for path in paths]
        found["compared"] = storage.digest(marks)
    if spec.against:
        found["against"] = older.digest(older.pieces(workspace.root, spec.against))
    return found


def run(workspace: Workspace, spec: CleanSpec) -> CleanResult:
    """Measure what is not measured yet, decide, settle near-duplicates, write."""
    limits = limits_of(spec)
    plan = plan_of(workspace, spec)
    record = record_of(workspace, plan)
    made = workspace.provenance("clean", spec, inputs(workspace, spec), measured=record)
    before = measured_before(workspace, record)
    with workspace.building("clean", made) as folder:
        measured = before or _measure(workspace, plan, folder / "_measured")
        reasons = _decide(workspace, spec, limits, measured, folder / "_reasons")
        gone = _near(workspace, spec, measured, reasons, folder / "_near")
        _write(workspace, folder, measured, reasons, gone)
        for scaffold in ("_measured", "_reasons", "_near"):
            shutil.rmtree(folder / scaffold, ignore_errors=True)
    return _result(workspace, 0 if before else workspace.rows("pool"))


# ── what is measured, and whether it was measured before


def plan_of(workspace: Workspace, spec: CleanSpec) -> Plan:
    """Return what the settings ask to be measured, thresholds left aside."""
    ready = (
        (each.name, each.instrument.prepare(workspace, each.settings))
        for each in instruments.asked(spec)
    )
    tokenizer = workspace.made("pool").facts["tokenizer"]
    signed = spec.near_duplicates is not None
    return Plan(prepared(workspace, spec), spec.rules, tuple(ready), tokenizer, signed)


def record_of(workspace: Workspace, plan: Plan) -> dict[str, Any]:
    """Return what tells whether measurements can be used again: plan, pool and version."""
    from curate import __version__
    from curate.workspace import plain

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


def _measure(workspace: Workspace, plan: Plan, target: Path) -> Measured:
    target.mkdir(exist_ok=True)
    with workspace.watch("measuring", workspace.rows("pool")) as advance:
        work = partial(measure, plan=plan)
        workspace.engine.map(work, workspace.shards("pool"), target, advance)
    shards = storage.shards(target)
    return Measured(shards, shards if plan.signed else [])


# ── what is decided


def limits_of(spec: CleanSpec) -> dict[str, Range]:
    """Return the range of every signal of the chosen rules, as the rules and the recipe say."""
    limits = ranges(named(spec.rules))
    for name, limit in spec.limits.items():
        if name not in limits:
            raise RecipeError(
                f"clean.limits: no signal {name} in the chosen rules",
                hint=f"there are: {', '.join(limits)}",
            )
        low, high = limits[name] = limit.instead_of(limits[name])
        if low is not None and high is not None and low > high:
            raise RecipeError(f"clean.limits: nothing passes {name}, from {low:g} to {high:g}")
    return limits


def _decide(
    workspace: Workspace,
    spec: CleanSpec,
    limits: Mapping[str, Range],
    measured: Measured,
    target: Path,
) -> list[Path]:
    """Write id and reason of every document, shard by shard."""
    import pyarrow as pa

    target.mkdir(exist_ok=True)
    chosen = instruments.deciding(spec, measured.shards)
    for pool, shard in zip(workspace.shards("pool"), measured.shards, strict=True):
        table = measurements(pool, shard)
        reasons = decide(table, rules=spec.rules, limits=limits, instruments=chosen)
        storage.write_parquet(target / shard.name, pa.table({"id": table["id"], "reason": reasons}))
    return storage.shards(target)


def measurements(pool: Path, measured: Path) -> pa.Table:
    """Return what was measured of a shard, with what of pool the verdicts look at.

    The language is the detected one where that was measured and none is declared.
    """
    import pyarrow.parquet as pq

    names = [name for name in pq.read_schema(measured).names if not name.startswith("_")]
    table = pq.read_table(measured, columns=names)
    for name in KEPT:
        if name not in names:
            table = table.append_column(name, pq.read_table(pool, columns=[name])[name])
    return table


# ── near-duplicates


def _near(
    workspace: Workspace,
    spec: CleanSpec,
    measured: Measured,
    reasons: list[Path],
    folder: Path,
) -> Gone:
    """Settle near-duplicates among what passed and against older corpora, then those in meaning."""
    if spec.near_duplicates is None and spec.semantic is None:
        return Gone()
    ranks = {name: at for at, name in enumerate(workspace.made("pool").facts["sources"])}
    signed = measured.signatures or measured.shards  # the latter are not looked into
    found = zip(workspace.shards("pool"), signed, measured.shards, reasons, strict=True)
    shards = [Shard(number, *paths, ranks) for number, paths in enumerate(found)]
    gone = Gone()
    if spec.near_duplicates is not None:
        gone += _near_texts(workspace, spec, shards, spec.near_duplicates, folder)
    if spec.semantic is not None:
        gone += semantic_duplicates(workspace, shards, gone, spec.semantic, folder / "semantic")
    return gone


def _near_texts(
    workspace: Workspace, spec: CleanSpec, shards: list[Shard], threshold: float, folder: Path
) -> Gone:
    engine, pieces = workspace.engine, older.pieces(workspace.root, spec.against)
    with workspace.watch("comparing", workspace.rows("pool")) as advance:
        before = older.sign(engine, pieces, folder / "older", len(shards)) if pieces else []
        return near_duplicates(engine, shards, threshold, folder, older=before, advance=advance)


# ── the table


def _write(
    workspace: Workspace, folder: Path, measured: Measured, reasons: list[Path], gone: Gone
) -> None:
    """Write clean, its signatures, and the clusters of near-duplicates."""
    signed: list[Path | None] = [*measured.signatures] or [None] * len(measured.shards)
    shards = enumerate(zip(measured.shards, reasons, signed, strict=True))
    with workspace.watch("writing", len(measured.shards)) as advance:
        for _ in workspace.engine.each(partial(_write_shard, folder, gone), list(shards)):
            advance(1)
    for place, path in enumerate(gone.clusters):
        storage.write_parquet(folder / "_clusters" / f"{place:05}.parquet", read_shard(path))
    overlap.write(workspace.engine, workspace.shards("pool"), gone.clusters, folder / overlap.FILE)


def _write_shard(
    folder: Path, gone: Gone, item: tuple[int, tuple[Path, Path, Path | None]]
) -> None:
    import pyarrow.parquet as pq

    number, (shard, reasons, signed) = item
    table = _settled(pq.read_table(shard), pq.read_table(reasons), gone.of(number))
    storage.write_parquet(folder / shard.name, table)
    if signed is None:
        return
    target = folder / "_signatures" / signed.name
    target.parent.mkdir(exist_ok=True)
    if signed.parent.name == "_signatures":
        storage.share(signed, target)
    else:
        storage.write_parquet(target, pq.read_table(signed, columns=["id", SIGNATURE]))


def _settled(measured: pa.Table, decided: pa.Table, gone: pa.Table) -> pa.Table:
    """Return a shard of clean: verdict and reason, and everything that was measured."""
    import pyarrow as pa

    reasons = decided["reason"].to_pylist()
    twins: list[str | None] = [None] * len(reasons)
    similarity: list[float | None] = [None] * len(reasons)
    for row in gone.to_pylist():
        at = row["row"]
        reasons[at], twins[at] = "near_duplicate", row["kept"]
        similarity[at] = row["similarity"]
    settled = {
        "id": decided["id"],
        "kept": [reason is None for reason in reasons],
        "reason": reasons,
        "duplicate_of": twins,
        "similarity": similarity,
    }
    schema = tables.schema("clean")
    for field in schema:
        if field.name not in settled:
            known = field.name in measured.column_names
            settled[field.name] = (
                measured[field.name] if known else pa.nulls(len(twins), field.type)
            )
    table = pa.table(settled, schema=schema)
    for name in measured.column_names:
        if ":" in name:
            table = table.append_column(name, measured[name])
    return table


def _result(workspace: Workspace, measured: int) -> CleanResult:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    reasons: Counter[str] = Counter()
    licenses: Counter[str] = Counter()
    signals: Counter[str] = Counter()
    documents = kept = tokens = 0
    for pool, clean in zip(workspace.shards("pool"), workspace.shards("clean"), strict=True):
        names = pq.read_schema(clean).names
        summed = [name for name in names if name in (DIFFERS, *PRIVATE)]
        table = pq.read_table(clean, columns=["kept", "reason", "tokens", *summed])
        documents, kept = documents + table.num_rows, kept + (pc.sum(table["kept"]).as_py() or 0)
        tokens += pc.sum(table.filter(table["kept"])["tokens"]).as_py() or 0
        reasons.update(table["reason"].drop_null().to_pylist())
        for name in summed:
            numbers = table[name].to_numpy()
            signals[name] += int(numbers[numbers > 0].sum())
        refused = pc.fill_null(pc.equal(table["reason"], "license"), False)
        if pc.any(refused).as_py():
            found = pq.read_table(pool, columns=["license"])["license"].filter(refused)
            licenses.update(found.to_pylist())
    private = {name.removeprefix("privacy:"): signals[name] for name in PRIVATE if signals[name]}
    return CleanResult(
        documents=documents,
        measured=measured,
        kept=kept,
        tokens=tokens,
        reasons=dict(reasons.most_common()),
        licenses=dict(licenses.most_common()),
        privacy=private,
        differing_languages=signals[DIFFERS],
    )
