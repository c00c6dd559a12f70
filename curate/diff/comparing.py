"""Compare the rows of one bucket of ids, and say for each document that differs why it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.diff.rows import DROPPED, EMPTY, HELD_OUT

if TYPE_CHECKING:
    import pyarrow as pa

OF_SIDES = ("state", "reason", "group", "copies", "tokens", "size", "earlier", "weight", "edits")

Group = tuple[str, str]
"""The phase of a group (empty without phases), and its name."""


@dataclass(frozen=True)
class About:
    """What is known of a side: its name, promised shares and tokens of its groups.

    `is_whole` says that it knows all documents of its pool. `removed` were taken down there.
    """

    name: str
    promised: Mapping[Group, float]
    tokens: Mapping[Group, int]
    is_whole: bool
    removed: frozenset[str]


def schema() -> pa.Schema:
    """The columns of a document that differs; `a` and `b` are the sides.

    `change` is `only_a`, `only_b`, `more`, `fewer` (copies in b), `group` or `text`. `why` is a
    word for the reason, `says` a sentence. `tokens_a` and `tokens_b` are those of all copies.
    """
    import pyarrow as pa

    words = [(name, pa.string()) for name in ("id", "phase", "change", "why", "says")]
    pairs = [
        (f"{name}_{side}", kind)
        for name, kind in (
            *(("group", pa.string()), ("copies", pa.int64()), ("tokens", pa.int64())),
        )
        for side in "ab"
    ]
    flags = [("other_group", pa.bool_()), ("other_text", pa.bool_())]
    return pa.schema([*words, *pairs, *flags])


@dataclass(frozen=True)
class Compare:
    """Finds the documents of a bucket that differ between two sides.

    Where the edits of one side are not known, tokens tell another text if both are counted alike.
    """

    a: About
    b: About
    counts_alike: bool = True

    def __call__(self, bucket: pa.Table) -> pa.Table:
        """The documents that differ, in the order of their ids."""
        import pyarrow as pa

        rows = [self._row(row) for row in _different(bucket, self.counts_alike).to_pylist()]
        return pa.Table.from_pylist(rows, schema=schema())

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        copies = [row[f"copies_{side}"] or 0 for side in "ab"]
        flags = {
            "other_group": _other_group(row),
            "other_text": _other_text(row, self.counts_alike),
        }
        change = _change(copies[0], copies[1], flags["other_group"])
        why, says = self._why(row, change)
        own = {
            f"{name}_{side}": value
            for side, number in zip("ab", copies, strict=True)
            for name, value in (
                ("group", row[f"group_{side}"]),
                ("copies", number),
                ("tokens", number * (row[f"size_{side}"] or 0)),
            )
        }
        phase = row["phase"] or None
        return {"id": row["id"], "phase": phase, "change": change, "why": why, "says": says} | (
            own | flags
        )

    def _why(self, row: Mapping[str, Any], change: str) -> tuple[str, str]:
        """The reason of a change, as a word and as a sentence."""
        if change == "group":
            return "group", f"in {self.b.name} its group is {row['group_b']}"
        if change == "text":
            return "text", "its text has other edits"
        is_less_in_b = (row["copies_b"] or 0) < (row["copies_a"] or 0)
        less, more = ("b", "a") if is_less_in_b else ("a", "b")
        about, other = (self.b, self.a) if is_less_in_b else (self.a, self.b)
        reason = _absent(row, less, about)
        return reason or _drawn_less(row, less, more, about, other)


def _absent(row: Mapping[str, Any], side: str, about: About) -> tuple[str, str] | None:
    """Why a side could not draw a document; None if it could."""
    state, where = row[f"state_{side}"], f"in {about.name}"
    if row["id"] in about.removed:
        return "removed", f"taken down {where}"
    if state is None and about.is_whole:
        return "not_in_pool", f"not in the pool of {about.name}"
    if state is None:
        return "not_in_export", f"not in {about.name}, which does not say why"
    if state == DROPPED:
        return "dropped", f"dropped by clean {where}: {row[f'reason_{side}']}"
    if state == HELD_OUT:
        return "holdout", f"in the holdout {where}"
    return ("empty", f"nothing of its text is left {where}") if state == EMPTY else None


def _drawn_less(
    row: Mapping[str, Any], less: str, more: str, about: About, other: About
) -> tuple[str, str]:
    """Why a side drew fewer copies of a document that it could have drawn as often."""
    where = f"in {about.name}"
    groups = [row[f"group_{side}"] for side in (less, more)]
    if None not in groups and groups[0] != groups[1]:
        return "group", f"{where} it is in the group {groups[0]}, not {groups[1]}"
    weights = [row[f"weight_{side}"] for side in (less, more)]
    if not weights[0] and weights[1]:
        return "weight", f"its weight is 0 {where}"
    if (row[f"earlier_{less}"] or 0) > (row[f"earlier_{more}"] or 0):
        return "earlier", f"{where} earlier exports drew it {row[f'earlier_{less}']} times"
    group = row["phase"], groups[0] or groups[1]
    shares = [own.promised.get(group, 0.0) for own in (about, other)]
    if shares[0] < shares[1] * (1 - 1e-9):
        return "share", f"the share of {group[1]} is {shares[0]:.4g} {where}, not {shares[1]:.4g}"
    tokens = [own.tokens.get(group, 0) for own in (about, other)]
    if tokens[0] < tokens[1]:
        return "budget", f"{group[1]} has {tokens[0]:,} tokens {where}, not {tokens[1]:,}"
    if None not in weights and weights[0] < weights[1] * (1 - 1e-9):
        return "weight", f"its weight is {weights[0]:.4g} {where}, not {weights[1]:.4g}"
    return "cut", f"below the cut of {group[1]} {where}: others come before it"


def _change(before: int, after: int, is_other_group: bool) -> str:
    if before == after:
        return "group" if is_other_group else "text"
    if not before or not after:
        return "only_b" if not before else "only_a"
    return "more" if after > before else "fewer"


def _other_group(row: Mapping[str, Any]) -> bool:
    both = row["group_a"], row["group_b"]
    return None not in both and both[0] != both[1]


def _other_text(row: Mapping[str, Any], counts_alike: bool) -> bool:
    """Whether a document that both sides have was edited otherwise; by tokens, if edits lack."""
    if row["state_a"] is None or row["state_b"] is None:
        return False
    if row["edits_a"] is not None and row["edits_b"] is not None:
        return bool(row["edits_a"] != row["edits_b"])
    return counts_alike and bool(row["tokens_a"] != row["tokens_b"])


# ── the join


def _different(bucket: pa.Table, counts_alike: bool) -> pa.Table:
    """The documents of a bucket, both sides in a row, that any side drew and that differ."""
    import pyarrow.compute as pc

    sides = [_side(bucket, number, name) for number, name in enumerate("ab")]
    both = sides[0].join(sides[1], ["id", "phase"], join_type="full outer", use_threads=False)
    copies = [pc.fill_null(both[f"copies_{side}"], 0) for side in "ab"]
    is_drawn = pc.greater(pc.add(*copies), 0)
    differ = pc.or_(pc.not_equal(*copies), _other(both, "group"))
    differ = pc.or_(differ, _other(both, "edits"))
    if counts_alike:
        unknown = pc.or_(*(both[f"edits_{side}"].is_null() for side in "ab"))
        differ = pc.or_(differ, pc.and_(unknown, _other(both, "tokens")))
    rows = both.filter(pc.and_(is_drawn, differ))
    return rows.sort_by([("id", "ascending"), ("phase", "ascending")])


def _other(both: pa.Table, name: str) -> Any:
    """Where both sides have a value of a column, and not the same."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.not_equal(both[f"{name}_a"], both[f"{name}_b"]), False)


def _side(bucket: pa.Table, number: int, name: str) -> pa.Table:
    import pyarrow.compute as pc

    own = bucket.filter(pc.equal(bucket["side"], number)).select(["id", "phase", *OF_SIDES])
    return own.rename_columns(["id", "phase", *(f"{column}_{name}" for column in OF_SIDES)])
