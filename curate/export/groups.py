"""Check the groups and phases that a manifest claims against its lines, draw and earlier parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.export.claims import Claims, GroupClaim
from curate.export.copies import Draw, Group


@dataclass
class GroupCounts:
    """What the lines read so far hold, by phase and group.

    `tokens` are as the budget counts them, `pool_tokens` as the pool does.
    """

    documents: Counter[Group] = field(default_factory=Counter)
    tokens: Counter[Group] = field(default_factory=Counter)
    pool_tokens: Counter[Group] = field(default_factory=Counter)

    def add(self, group: Group, tokens: int, pool_tokens: int) -> None:
        """Count a line."""
        self.documents[group] += 1
        self.tokens[group] += tokens
        self.pool_tokens[group] += pool_tokens


def check_groups(claims: Claims, counts: GroupCounts, draw: Draw | None) -> Iterator[str]:
    """Yield what is wrong with the groups; without the draw, nothing of what was promised."""
    claimed = {(claim.phase, claim.group): claim for claim in claims.groups}
    for group in counts.documents.keys() - claimed.keys():
        yield f"{_name(group)} is no group of the manifest"
    totals: Counter[str | None] = Counter()
    for (phase, name), claim in claimed.items():
        totals[phase] += claim.earlier + counts.tokens[phase, name]
    for group, claim in claimed.items():
        yield from _sums(group, claim, counts)
        both = claim.earlier + counts.tokens[group]
        if abs(both / max(1, totals[claim.phase]) - claim.realised) > 1e-9:
            yield f"{_name(group)}: realised is not its share of the tokens"
        if claim.phase not in claims.budgets:
            yield f"{_name(group)} is of no phase of the manifest"
        elif draw:
            yield from _promise(group, both, claim, claims.budgets[claim.phase], draw)


def _sums(group: Group, claim: GroupClaim, counts: GroupCounts) -> Iterator[str]:
    for unit, actual, told in (
        ("tokens", counts.tokens[group], claim.tokens),
        ("tokens as the pool counts", counts.pool_tokens[group], claim.pool_tokens),
        ("documents", counts.documents[group], claim.documents),
    ):
        if actual != told:
            yield f"{_name(group)} has {actual} {unit}, not {told}"


def _promise(group: Group, both: int, claim: GroupClaim, budget: int, draw: Draw) -> Iterator[str]:
    """Yield what is wrong with what a group was promised; `both` counts earlier parts and this."""
    if claim.phase is None and draw.earlier.get(claim.group, 0) > claim.earlier:
        told = draw.earlier[claim.group]
        yield f"{_name(group)}: earlier parts drew {told} tokens of it, more than {claim.earlier}"
    missed = abs(both - claim.promised * budget)
    # Of all candidates, drawn or not: the document that no longer fitted may be the largest.
    if missed > draw.largest.get(group, 0) + 1:
        yield (
            f"{_name(group)} is {missed:.0f} tokens from what was promised: more than one document"
        )


def _name(group: Group) -> str:
    phase, name = group
    return name if phase is None else f"{name} of the phase {phase}"


def check_parts(claims: Claims) -> Iterator[str]:
    """Yield what does not fit together in a manifest: its files and phases, and earlier parts."""
    if any(claim.earlier for claim in claims.groups) and not claims.earlier:
        yield "groups hold tokens of earlier parts, and the manifest names none"
    if not claims.phases:
        return
    files = {file.path: file for file in claims.files}
    if [path for phase in claims.phases for path in phase.files] != list(files):
        yield "the files of the phases are not those of the manifest"
        return
    for phase in claims.phases:
        own = [files[path] for path in phase.files]
        sums = sum(file.documents for file in own), sum(file.tokens for file in own)
        if sums != (phase.documents, phase.tokens):
            yield (
                f"the files of the phase {phase.name} hold {sums[0]} documents and {sums[1]} "
                f"tokens, not {phase.documents} and {phase.tokens}"
            )
    if sum(phase.budget for phase in claims.phases) != claims.budget:
        yield "the budgets of the phases are not that of the manifest"
