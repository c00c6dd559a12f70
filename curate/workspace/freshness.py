"""Whether what a stage wrote still follows from its settings and the content of its inputs.

A table is *outdated* if it was made from another table than the one that lies there now. Outdated
tables do not fit together, so no stage reads them beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from curate import __version__
from curate.errors import StaleInput
from curate.spec import Spec
from curate.storage import Provenance
from curate.warning import StageWarning, warn
from curate.workspace.ledger import Ledger
from curate.workspace.lineage import Lineage
from curate.workspace.tables import FILES, Tables


@dataclass(frozen=True)
class Outdated:
    """A table that was made from another `source` than the present one; `maker` makes it again."""

    table: str
    source: str
    maker: str | None

    @property
    def figures(self) -> dict[str, str | None]:
        """The names in words and hint, as figures of a warning."""
        return {"of": self.table, "source": self.source, "maker": self.maker}

    @property
    def words(self) -> str:
        """What is wrong, in words."""
        return f"`{self.table}` was not made from the present `{self.source}`"

    @property
    def hint(self) -> str:
        """What helps."""
        return f"`curate {self.maker}` makes it again, `curate run` everything that is stale"


@dataclass(frozen=True)
class Freshness:
    """Compares the records of tables, and the ledger's lines, with what a stage would make now."""

    tables: Tables
    ledger: Ledger
    lineage: Lineage

    def provenance(
        self, stage: str, spec: Spec, inputs: dict[str, str | None], **facts: Any
    ) -> Provenance:
        """The record of how a stage makes its tables, to be stored with them."""
        return Provenance(stage, spec.settings(), inputs, __version__, facts)

    def is_fresh(self, provenance: Provenance, writes: Sequence[str]) -> bool:
        """Whether everything a stage writes is there, made from the same settings and content."""
        line = self.ledger.last(provenance.stage)
        expected = (provenance.spec, provenance.inputs)
        if line is None or (line["spec"], line["inputs"]) != expected:
            return False
        return all(self._is_fresh(name, provenance, line["outputs"]) for name in writes)

    def _is_fresh(self, name: str, provenance: Provenance, outputs: dict[str, str | None]) -> bool:
        if name in FILES:
            return outputs.get(name) == self.tables.fingerprint(name)
        stored = self.tables.stored(name)
        is_same = stored is not None and stored.made.same_as(provenance)
        return is_same and self.tables.has_types(name)

    # ── tables that do not fit together

    def outdated(self, *names: str) -> list[Outdated]:
        """What is outdated among these tables and all they were made from: what to make first.

        A table that is not there is not outdated, but what was made from it is.
        """
        seen: set[str] = set()
        pairs = [pair for name in names for pair in self._outdated(name, seen)]
        pairs += self._of_two_runs(names)
        return [Outdated(*pair, self.tables.maker(pair[0])) for pair in dict.fromkeys(pairs)]

    def _outdated(self, name: str, seen: set[str]) -> Iterator[tuple[str, str]]:
        """Yield the pairs of a table and of all that it was made from, but for those `seen`."""
        if name in seen:
            return
        seen.add(name)
        inputs = self.lineage.inputs(name).items()
        sources = {
            source: content for source, content in inputs if content and self.tables.is_made(source)
        }
        for source in sources:
            yield from self._outdated(source, seen)
        for source, content in sources.items():
            if self.tables.fingerprint(source) != content:
                yield name, source

    def _of_two_runs(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the pairs of tables of one stage that were not written by the same run."""
        stored = ((name, self.tables.record(name)) for name in names)
        for (one, first), (other, second) in combinations(stored, 2):
            if first and second and first.stage == second.stage and not first.same_as(second):
                yield other, one

    def fits(self, *names: str) -> bool:
        """Whether these tables are all there, and none of them is outdated."""
        return all(map(self.tables.fingerprint, names)) and not self.outdated(*names)

    def check(self, *names: str) -> None:
        """Raise StaleInput if one of these tables is outdated; tables may be missing."""
        for outdated in self.outdated(*names):
            raise StaleInput(outdated.words, hint=outdated.hint)

    def newer_answers(self, stage: str) -> tuple[StageWarning, ...]:
        """A warning of the stage if answers have come home since the labels were settled.

        Answers grow while people work, so labels made before some of them are no fault.
        """
        labels = self.tables.stored("labels")
        facts, answers = labels.made.facts if labels else {}, 0
        if "submissions" in facts:
            answers = self.tables.rounds.count_submissions() - int(facts["submissions"])
        elif "answers" in facts:  # labels of an earlier version count rows, one a question
            answers = self.tables.rounds.answers() - int(facts["answers"])
        words = (
            "{answers:,} answers have come home since the labels were settled; `curate agree` "
            "settles them"
        )
        return (warn(f"{stage}.newer_answers", words, answers=answers),) if answers else ()

    def left_out(self, stage: str, *names: str) -> tuple[StageWarning, ...]:
        """A warning of the stage for each of these tables that it left out as outdated."""
        words = "{table} are left out: {why} ({hint})"
        return tuple(
            warn(
                f"{stage}.left_out",
                words,
                table=name,
                why=outdated.words,
                hint=outdated.hint,
                **outdated.figures,
            )
            for name in names
            for outdated in self.outdated(name)[:1]
        )
