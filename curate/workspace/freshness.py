"""Whether what a stage wrote still follows from its settings and the content of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curate import __version__
from curate.spec import Spec
from curate.storage import Provenance
from curate.workspace.ledger import Ledger
from curate.workspace.tables import FILES, Tables


@dataclass(frozen=True)
class Freshness:
    """Compares the records of tables, and the ledger's lines, with what a stage would make now."""

    tables: Tables
    ledger: Ledger

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
