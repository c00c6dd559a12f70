"""Which licences documents may have: SPDX names, as the sources state them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from curate.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from curate.clean.edits import Batch
    from curate.workspace import Workspace

UNKNOWN = "unknown"


class LicenseSpec(Spec):
    """The licences that pass; `unknown` has to be named to pass."""

    allow: Annotated[tuple[str, ...], Field(description="SPDX names; `CC-BY-*` names several.")]


def allowed(license: str | None, names: Sequence[str]) -> bool:
    """Whether a licence passes. Of an SPDX expression with OR one part has to, with AND each."""
    given = (license or UNKNOWN).strip()
    for word, rule in (("OR", any), ("AND", all)):  # AND binds tighter
        parts = _parts(given, word)
        if len(parts) > 1:
            return rule(allowed(part, names) for part in parts)
    if given[:1] == "(" and given[-1:] == ")":
        return allowed(given[1:-1], names)
    return any(fnmatchcase(given.casefold(), name.casefold()) for name in names)


def _parts(expression: str, word: str) -> list[str]:
    """Return what stands between a word, where that is not within brackets."""
    first, *others = re.split(rf"\s+{word}\s+", expression, flags=re.IGNORECASE)
    parts = [first]
    for each in others:
        if parts[-1].count("(") > parts[-1].count(")"):
            parts[-1] += f" {word} {each}"
        else:
            parts.append(each)
    return parts


class License:
    """The instrument: it measures nothing, since the pool knows the licence."""

    def prepare(self, workspace: Workspace, settings: LicenseSpec) -> None:
        return None

    def measure(self, batch: Batch, prepared: None) -> Mapping[str, pa.Array]:
        return {}

    def fails(self, measured: pa.Table, settings: LicenseSpec) -> NDArray[np.bool_]:
        import numpy as np

        found = measured["license"].to_pylist()
        known = {license: allowed(license, settings.allow) for license in set(found)}
        return np.array([not known[license] for license in found], bool)
