"""The licences that documents may have: SPDX names, as the sources state them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curate.sources.licensing import UNKNOWN, license_of
from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

LONGEST = 500
"""A longer licence is no name and no expression, and does not pass."""


class LicenseSpec(Spec):
    """The licences that pass. `unknown` only passes if it is named."""

    allow: Annotated[
        tuple[str, ...], Field(description="SPDX or common names; `CC-BY-*` names several.")
    ]


def allowed(license: str | None, names: Sequence[str]) -> bool:
    """Whether a licence passes: of an SPDX expression, one part of an OR, all parts of an AND."""
    expression = (license or UNKNOWN).strip()
    if len(expression) > LONGEST:
        return False
    for word, rule in (("OR", any), ("AND", all)):  # AND binds tighter
        parts = _parts(expression, word)
        if len(parts) > 1:
            return rule(allowed(part, names) for part in parts)
    if expression[:1] == "(" and expression[-1:] == ")":
        return allowed(expression[1:-1], names)
    return any(fnmatchcase(expression.casefold(), name.casefold()) for name in names)


def spelt(names: Sequence[str]) -> list[str]:
    """The licences that pass in SPDX's letters; a pattern stays as it is."""
    return [name if set("*?[") & {*name} else license_of(name) for name in names]


def _parts(expression: str, word: str) -> list[str]:
    """Split an expression at a word outside of brackets."""
    first, *others = re.split(rf"\s+{word}\s+", expression, flags=re.IGNORECASE)
    parts = [first]
    for other in others:
        if parts[-1].count("(") > parts[-1].count(")"):
            parts[-1] += f" {word} {other}"
        else:
            parts.append(other)
    return parts


class License:
    """The instrument. It measures nothing, since the pool has the licence."""

    def prepare(self, workspace: Workspace, settings: LicenseSpec) -> None:
        """Nothing: there is nothing to measure."""
        return None

    def measure(self, batch: Batch, prepared: None) -> Mapping[str, pa.Array]:
        """No columns."""
        return {}

    def fails(self, measured: pa.Table, settings: LicenseSpec) -> NDArray[np.bool_]:
        """Whether each document has a licence that is not allowed."""
        import numpy as np

        licenses = measured["license"].to_pylist()
        names = spelt(settings.allow)
        passes = {license: allowed(license_of(license), names) for license in set(licenses)}
        return np.array([not passes[license] for license in licenses], bool)
