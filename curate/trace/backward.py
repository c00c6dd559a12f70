"""What hangs on a source, a person, a guideline or a label: documents, shards, and the shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from curate.engine import in_order
from curate.errors import MissingInput, RecipeError
from curate.names import unknown
from curate.run.whatif import Case, today
from curate.trace.people import Said, guidelines, holds
from curate.trace.results import Label
from curate.trace.weights import ROWS, says_lines
from curate.trace.without import (
    is_independent,
    without_answers,
    without_labels,
    without_source,
)
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.index import find_rows, keys_of

if TYPE_CHECKING:
    import pyarrow as pa

By = Literal["source", "annotator", "guideline", "label"]

COLUMNS = ("id", "source", "kept", "tokens", "copies", "size")
"""What is told of each document that hangs on something."""


@dataclass(frozen=True)
class ShardPart:
    """Lines of one shard of the export; `share` is of the shard's tokens."""

    shard: str
    lines: int
    tokens: int
    share: float


@dataclass(frozen=True)
class Hanging:
    """What hangs on one thing, and the mixture without it; tokens are after the edits.

    `kept` documents passed `clean`, with `tokens`; `drawn` ones are in the mixture, with `lines`
    (copies) and `line_tokens`. `gone` were taken down. `answers` and `labels` are those that it
    gave, `alone` the labels that rest on nothing else. `today` and `without` are the mixtures.
    """

    by: By
    name: str
    documents: int
    kept: int
    gone: int
    tokens: int
    drawn: int
    lines: int
    line_tokens: int
    answers: int
    labels: int
    alone: int
    shards: tuple[ShardPart, ...]
    today: Case | None
    without: Case | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """The documents that are looked for: those of a source, or some by id; workers get it."""

    source: str | None = None
    ids: frozenset[str] = frozenset()

    def array(self) -> pa.Array:
        """The ids, sorted."""
        import pyarrow as pa

        return pa.array(sorted(self.ids), pa.string())

    def are_in(self, documents: pa.Table | pa.RecordBatch) -> pa.Array:
        """Which documents are wanted, by their columns `id` and `source`."""
        import pyarrow.compute as pc

        if self.source is not None:
            return pc.equal(documents["source"], self.source)
        return pc.is_in(documents["id"], self.array())


@dataclass(frozen=True)
class _Sought:
    """What is looked for, and the documents of it; `plan` makes the mixture without it."""

    by: By
    name: str
    wanted: Wanted
    answers: int
    labels: int
    alone: int
    plan: Callable[[], Case]


@dataclass(frozen=True)
class Backward:
    """What hangs on one thing in a workspace; the documents are read on demand."""

    workspace: Workspace
    sought: _Sought

    @staticmethod
    def of(workspace: Workspace, by: By, name: str) -> Backward:
        """Look for a source, an annotator, a guideline (digest or name), or a label.

        Raises RecipeError where there is no such thing, MissingInput without documents or labels.
        """
        workspace.tables.require("pool", "clean")
        workspace.freshness.check("clean")
        if by == "source":
            return Backward(workspace, _by_source(workspace, name))
        if workspace.tables.stored("labels") is None:
            raise MissingInput("no label has been settled yet", hint="run `curate agree` first")
        workspace.freshness.check("labels")
        find = {"annotator": _by_annotator, "guideline": _by_guideline, "label": _by_label}[by]
        return Backward(workspace, find(workspace, name))

    def documents(self) -> Iterator[pa.Table]:
        """Yield the documents that hang on it, in pool order, one table a shard: `COLUMNS`.

        Those that `clean` dropped are there too. Without a mixture `copies` and `size` are null.
        """
        has_mix = self._has_mix()
        shards = self.workspace.documents.shards(mix=has_mix)
        work = partial(_read, self.sought.wanted, has_mix)
        yield from in_order(self.workspace.engine.each(work, shards))

    def _has_mix(self) -> bool:
        is_there = self.workspace.tables.stored("mix") is not None
        return is_there and not self.workspace.freshness.outdated("mix")

    def result(self, *, plan: bool = True) -> Hanging:
        """Count what hangs on it, and plan the mixture without it unless `plan` is False."""
        sums: Counter[str] = Counter()
        for table in self.documents():
            sums.update(_sums(table))
        notes = []
        cases: tuple[Case | None, Case | None] = (None, None)
        if not self._has_mix():
            notes.append("there is no mixture of these documents: `curate mix` makes it")
        elif plan:
            cases = today(self.workspace), self.sought.plan()
        notes += self._notes(cases[1])
        names = ("documents", "kept", "tokens", "drawn", "lines", "line_tokens")
        return Hanging(
            by=self.sought.by,
            name=self.sought.name,
            gone=max(0, len(self.sought.wanted.ids) - sums["documents"]),
            **{name: sums[name] for name in names},
            answers=self.sought.answers,
            labels=self.sought.labels,
            alone=self.sought.alone,
            shards=tuple(self._shards()),
            today=cases[0],
            without=cases[1],
            notes=tuple(notes),
        )

    def _notes(self, without: Case | None) -> Iterator[str]:
        of_people = self.sought.wanted.source is None
        if of_people and without is not None and is_independent(self.workspace):
            yield "no share and no weight follows the scores: no answer has moved the mixture"
        if not of_people and _settles_near(self.workspace):
            yield "near-duplicates and passages that went for it are not brought back here"
        yield from (warning.words for warning in self.workspace.freshness.newer_answers("trace"))
        draw = self.workspace.root / "export" / "draw.parquet"
        if draw.is_file() and not says_lines(draw):
            yield "the export is of an older version: it does not say where lines are"
        elif draw.is_file() and self.workspace.freshness.outdated("export"):
            yield "the export was not made from the present mixture: `curate export`"

    def _shards(self) -> Iterator[ShardPart]:
        """Yield the shards of the export that hold its lines, in order."""
        import pyarrow.parquet as pq

        draw = self.workspace.root / "export" / "draw.parquet"
        if not says_lines(draw):
            return
        own: dict[str, Counter[str]] = {}
        with pq.ParquetFile(draw) as file:
            for batch in file.iter_batches(ROWS, columns=["id", "source", "shard", "tokens"]):
                for shard, sums in _by_shard(batch, self.sought.wanted):
                    own.setdefault(shard, Counter()).update(sums)
        for shard, sums in own.items():
            if sums["lines"]:
                share = sums["tokens"] / max(1, sums["all"])
                yield ShardPart(shard, sums["lines"], sums["tokens"], share)


def _settles_near(workspace: Workspace) -> bool:
    spec = workspace.tables.made("clean").spec
    return any(spec.get(name) is not None for name in ("near_duplicates", "semantic", "passages"))


# ── the documents


def _read(wanted: Wanted, has_mix: bool, shard: DocumentShard) -> pa.Table:
    """The documents of a shard that hang on what is looked for."""
    import pyarrow as pa

    names = [name for name in COLUMNS if has_mix or name not in ("copies", "size")]
    of_people = wanted.source is None
    rows = find_rows(shard.clean, keys_of(wanted.array())) if of_people else None
    table = shard.read(names, dropped=True, rows=rows)
    table = table.filter(wanted.are_in(table))
    for name in COLUMNS[len(names) :]:
        table = table.append_column(name, pa.nulls(table.num_rows, pa.int64()))
    return table


def _sums(table: pa.Table) -> dict[str, int]:
    import pyarrow.compute as pc

    kept = table.filter(table["kept"])
    copies = pc.fill_null(kept["copies"], 0)
    return {
        "documents": table.num_rows,
        "kept": kept.num_rows,
        "tokens": pc.sum(kept["tokens"]).as_py() or 0,
        "drawn": pc.sum(pc.greater(copies, 0)).as_py() or 0,
        "lines": pc.sum(copies).as_py() or 0,
        "line_tokens": pc.sum(pc.multiply(copies, kept["tokens"])).as_py() or 0,
    }


def _by_shard(batch: pa.RecordBatch, wanted: Wanted) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield, for each shard of the export, the lines and tokens that hang on it, and all tokens."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = wanted.are_in(batch)
    tokens = pc.if_else(own, batch["tokens"], 0)
    table = pa.table(
        {"shard": batch["shard"], "own": own.cast(pa.int64()), "tokens": tokens}
        | {"all": batch["tokens"]}
    )
    sums = table.group_by("shard", use_threads=False)
    for row in sums.aggregate([(name, "sum") for name in ("own", "tokens", "all")]).to_pylist():
        yield (
            row["shard"],
            {"lines": row["own_sum"], "tokens": row["tokens_sum"], "all": row["all_sum"]},
        )


# ── what is looked for


def _by_source(workspace: Workspace, name: str) -> _Sought:
    sources = workspace.tables.made("pool").facts["sources"]
    if name not in sources:
        raise unknown(f"trace: no source {name}", name, sources)
    plan = partial(without_source, workspace, name)
    return _Sought("source", name, Wanted(source=name), 0, 0, 0, plan)


def _by_annotator(workspace: Workspace, name: str) -> _Sought:
    said = Said.of(workspace)
    people = sorted({answer.annotator for answer in said.counting()})
    if name not in people:
        raise unknown(f"trace: nobody called {name} gave an answer that counts", name, people)
    plan = _plan(workspace, partial(without_answers, workspace, {"exclude": (name,)}))
    return _of_answers("annotator", name, said, lambda answer: answer.annotator == name, plan)


def _by_guideline(workspace: Workspace, name: str) -> _Sought:
    said = Said.of(workspace)
    digest = _guideline(workspace, name, said)
    plan = _plan(workspace, partial(without_answers, workspace, {"exclude_guidelines": (digest,)}))
    return _of_answers("guideline", digest, said, lambda own: own.guideline == digest, plan)


def _guideline(workspace: Workspace, name: str, said: Said) -> str:
    """The digest of the guideline that a person names. Raises RecipeError unless there is one."""
    known = {answer.guideline for answer in said.counting() if answer.guideline}
    names = {digest: own for digest, own in guidelines(workspace).items() if digest in known}
    matches = [
        digest
        for digest in sorted(known)
        if digest.startswith(name) or name in names.get(digest, ())
    ]
    if len(matches) > 1:
        raise RecipeError(
            f"several guidelines are called {name}", hint=f"name one: {', '.join(matches)}"
        )
    if not matches:
        words = sorted({word for own in names.values() for word in own} | known)
        raise unknown(f"trace: no answer that counts was given under {name}", name, words)
    return matches[0]


def _by_label(workspace: Workspace, name: str) -> _Sought:
    said = Said.of(workspace)
    settled = [one for many in said.labels.values() for one in many]
    question, sign, value = name.partition("=")
    if not sign or question not in {one.question for one in settled}:
        question, value = "", name
    own = [one for one in settled if _is_label(one, question, value)]
    if not own:
        values = sorted({f"{one.question}={_plain(one.value)}" for one in settled if one.value})
        raise unknown(f"trace: no label {name} was settled", name, values)
    ids = said.documents(list(dict.fromkeys(one.label for one in own)))
    pairs = {(one.label, one.question) for one in own}
    answers = sum((answer.label, answer.question) in pairs for answer in said.counting())
    plan = _plan(
        workspace, partial(without_labels, workspace, partial(_has_label, question, value))
    )
    wanted = Wanted(ids=frozenset(ids))
    return _Sought("label", name, wanted, answers, len(own), len(own), plan)


def _is_label(label: Label, question: str, value: str) -> bool:
    return question in ("", label.question) and holds(label.value, value)


def _has_label(question: str, value: str, row: Mapping[str, Any]) -> bool:
    """Whether a row of labels is such a label, or the part of a question that says it is there."""
    name, _, part = row["question"].partition(":")
    if part == value and question in ("", name):
        return bool(holds(row["value"], "present"))
    return question in ("", row["question"]) and holds(row["value"], value)


def _plain(value: str) -> str:
    """A settled value as a person names it: a string without its quotation marks."""
    return value[1:-1] if value.startswith('"') else value


def _plan(workspace: Workspace, plan: Callable[[], Case]) -> Callable[[], Case]:
    """How the mixture without people's work is made: today's where no answer has moved it."""
    return partial(today, workspace) if _is_unmoved(workspace) else plan


def _is_unmoved(workspace: Workspace) -> bool:
    return workspace.tables.stored("mix") is not None and is_independent(workspace)


def _of_answers(
    by: By, name: str, said: Said, is_own: Callable[[Any], bool], plan: Callable[[], Case]
) -> _Sought:
    """What hangs on some answers: documents, and labels that rest on them, some on them alone."""
    answers = [answer for answer in said.counting() if is_own(answer)]
    pairs = {(answer.label, answer.question) for answer in answers}
    others = {(one.label, one.question) for one in said.counting() if not is_own(one)}
    settled = {(one.label, one.question) for many in said.labels.values() for one in many}
    labels = pairs & settled
    return _Sought(
        by,
        name,
        Wanted(ids=frozenset(said.documents(sorted({label for label, _ in pairs})))),
        len(answers),
        len(labels),
        len(labels - others),
        plan,
    )


def backward(workspace: Workspace, by: By, name: str) -> Hanging:
    """What hangs on one thing, counted, and the mixture without it; see `Backward`."""
    return Backward.of(workspace, by, name).result()
