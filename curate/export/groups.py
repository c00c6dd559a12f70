"""Check the groups and phases that a manifest claims against its lines, draw and earlier parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.export.claims import Claims, GroupClaim

Group = tuple[str | None, str]
"""The phase of a group (None without phases), and its name."""


@dataclass
class GroupCounts:
    """What the lines read so far hold, by phase and group.

    `tokens` are as the budget counts them, `pool_tokens` as the pool does. What is stored counts
    each line once. `earlier` are tokens that earlier parts drew of the documents of the lines.
    """

    documents: Counter[Group] = field(default_factory=Counter)
    tokens: Counter[Group] = field(default_factory=Counter)
    pool_tokens: Counter[Group] = field(default_factory=Counter)
    stored_documents: Counter[Group] = field(default_factory=Counter)
    stored_tokens: Counter[Group] = field(default_factory=Counter)
    earlier: Counter[str] = field(default_factory=Counter)

    def add(self, group: Group, times: int, tokens: int, pool_tokens: int) -> None:
        """Count a line, whose document is taken so many times (once, unless it lies by group)."""
        self.documents[group] += times
        self.tokens[group] += times * tokens
        self.pool_tokens[group] += times * pool_tokens
        self.stored_documents[group] += 1
        self.stored_tokens[group] += pool_tokens


def check_groups(claims: Claims, counts: GroupCounts) -> Iterator[str]:
    """Yield what is wrong with the groups."""
    claimed = {(claim.phase, claim.group): claim for claim in claims.groups}
    for group in counts.documents.keys() - claimed.keys():
        yield f"{_name(group)} is not a group of the manifest"
    totals: Counter[str | None] = Counter()
    for (phase, name), claim in claimed.items():
        totals[phase] += claim.earlier + counts.tokens[phase, name]
    for group, claim in claimed.items():
        yield from _sums(group, claim, counts)
        if claims.layout == "by_group":
            yield from _stored(group, claim, counts)
        both = claim.earlier + counts.tokens[group]
        if abs(both / max(1, totals[claim.phase]) - claim.realised) > 1e-9:
            yield f"{_name(group)}: realised is not its share of the tokens"
        if claim.phase not in claims.budgets:
            yield f"{_name(group)} is of no phase of the manifest"
        else:
            yield from _promise(group, both, claim, claims.budgets[claim.phase], counts)


def _sums(group: Group, claim: GroupClaim, counts: GroupCounts) -> Iterator[str]:
    for unit, actual, told in (
        ("tokens", counts.tokens[group], claim.tokens),
        ("tokens as the pool counts", counts.pool_tokens[group], claim.pool_tokens),
        ("documents", counts.documents[group], claim.documents),
    ):
        if actual != told:
            yield f"{_name(group)} has {actual} {unit}, not {told}"


def _stored(group: Group, claim: GroupClaim, counts: GroupCounts) -> Iterator[str]:
    for unit, actual, told in (
        ("documents", counts.stored_documents[group], claim.stored_documents),
        ("tokens", counts.stored_tokens[group], claim.stored_tokens),
    ):
        if actual != told:
            yield f"{_name(group)} has {actual} {unit} in its folder, not {told}"


def _promise(
    group: Group, both: int, claim: GroupClaim, budget: int, counts: GroupCounts
) -> Iterator[str]:
    """Yield what is wrong with what a group was promised; `both` counts earlier parts and this."""
    if claim.phase is None and counts.earlier[claim.group] > claim.earlier:
        told = counts.earlier[claim.group]
        yield f"{_name(group)}: earlier parts drew {told} tokens of it, more than {claim.earlier}"
    missed = abs(both - claim.promised * budget)
    # Of all candidates, drawn or not: the document that no longer fitted may be the longest.
    if missed > claim.longest + 1:
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
