"""What groups offer, kept beside the mixture: the page computes other shares from it.

Only where shares follow from groups alone: limits of columns, earlier parts and phases need the
documents, and `curate mix --what-if` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curate.mix.preparing import Prepared
from curate.mix.spec import EVERY_OTHER, MixSpec, ShareLimit


def offers(
    spec: MixSpec, prepared: Prepared, means: Sequence[float] | None
) -> list[dict[str, Any]]:
    """A row for each group: supply in tokens, qualities, and its limits; empty if that is no use.

    `quality` is the mean that shares follow, `mean` and `spread` are those of the softmax.
    `is_tied` marks a group that people left undecided: it keeps the share of its supply. `least`
    and `most` are the limits of its share, `epochs` the copies of a document at most; `is_limited`
    says that the recipe has a limit for it.
    """
    groups = prepared.supply.groups
    if spec.earlier or spec.phases or any("=" in name for name in spec.limits) or groups.merged:
        return []
    qualities = groups.mean_qualities() if means is None else means
    rows = []
    for name, facts, quality in zip(groups.names, groups.facts, qualities, strict=True):
        limit = spec.limits.get(name, spec.limits.get(EVERY_OTHER, ShareLimit()))
        rows.append(
            {
                "group": name,
                "supply": groups.supply[name],
                "quality": float(quality),
                "mean": facts.mean if facts.known else None,
                "spread": facts.spread,
                "is_tied": name in prepared.tied,
                "least": limit.min_share,
                "most": limit.most(prepared.supply.budget),
                "epochs": limit.max_epochs or spec.max_epochs,
                "is_limited": name in spec.limits or EVERY_OTHER in spec.limits,
            }
        )
    return rows
