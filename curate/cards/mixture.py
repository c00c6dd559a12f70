"""The mixture on the dataset card: groups by phase, beside earlier parts, and what limits cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curate.cards.quoting import cell, inline, table
from curate.rounding import rounded

Row = Mapping[str, Any]

INTERVALS = ("promised", "estimated")
"""The shares that may have an interval, from `NAME_low` to `NAME_high`."""


def mixture(manifest: Row, limits: Sequence[Row], warnings: Iterable[Row]) -> Iterator[str]:
    """Yield the paragraphs about a mixture.

    `limits` are the rows of the limits that the recipe names, `warnings` those of `mix`.
    """
    groups, phases = manifest["groups"], manifest.get("phases") or ()
    yield "## Mixture\n"
    yield _about(manifest)
    for phase in phases:
        own = [row for row in groups if row["phase"] == phase["name"]]
        yield (
            f"### {inline(phase['name'])}\n\n{phase['documents']:,} documents for a budget of "
            f"{phase['budget']:,} tokens, in {_span(phase['files'])}.\n"
        )
        yield _groups(own, manifest)
    if not phases:
        yield _groups(groups, manifest)
    if limits:
        yield "Limits, as shares of tokens:\n"
        yield table(("limit", "least", "greatest", "drawn", "binds"), map(_limit, limits))
    if lost := [warning["figures"] for warning in warnings if warning["key"] == "mix.unreachable"]:
        yield "Promises that earlier parts made unreachable:\n"
        yield table(("promise", "side", "asked", "reachable"), map(_lost, lost))


def _about(manifest: Row) -> str:
    """What the columns of the groups mean, and how the budget is counted."""
    words = (
        "Shares of tokens. *Wanted* is what the strategy asked, *promised* what the limits left of "
        "it, *realised* what was drawn"
    )
    if _has_earlier(manifest):
        words += " here and in earlier parts; *epochs* count both"
    if _is_known("expected", manifest["groups"]):
        words += "; *expected* is the share of its class that the calibrated model foresees"
    if _is_known("estimated", manifest["groups"]):
        words += "; *estimated* is the true share of its class, by the labels"
    words += "."
    if any(_is_known(f"{name}_low", manifest["groups"]) for name in INTERVALS):
        words += " In brackets: 90 % intervals."
    if "budget_tokenizer" in manifest or "extra_tokens" in manifest:
        tokens = sum(group["tokens"] for group in manifest["groups"])
        name = manifest.get("budget_tokenizer", manifest["tokenizer"])
        words += f" Tokens here are those of the budget ({inline(name)}"
        if extra := manifest.get("extra_tokens"):
            words += f", and {extra} more a document"
        words += f"): {tokens:,} in all."
    return f"{words}\n"


def _is_known(name: str, groups: Iterable[Row]) -> bool:
    return any(group.get(name) is not None for group in groups)


def _has_earlier(manifest: Row) -> bool:
    return bool(manifest.get("earlier"))


def _span(files: Sequence[str]) -> str:
    if not files:
        return "no file"
    first, last = inline(files[0]), inline(files[-1])
    return first if len(files) == 1 else f"{first} to {last}"


def _groups(groups: Sequence[Row], manifest: Row) -> str:
    counts = ("earlier", "added", "total") if _has_earlier(manifest) else ("tokens",)
    more = ("estimated",) if _is_known("estimated", manifest["groups"]) else ()
    shares = ("wanted", "promised", "realised", "expected", *more)
    head = ("group", *shares, *counts, "documents", "epochs")
    return table(head, (_group(row, shares, counts) for row in groups))


def _group(row: Row, shares: Sequence[str], counts: Sequence[str]) -> list[str]:
    """The cells of a group; `added` are the tokens drawn now."""
    sums = {
        "earlier": row["earlier"],
        "added": row["tokens"],
        "total": row["earlier"] + row["tokens"],
        "tokens": row["tokens"],
    }
    return [
        cell(row["group"]),
        *(_share(row, name) for name in shares),
        *(f"{sums[name]:,}" for name in counts),
        f"{row['documents']:,}",
        rounded(row["epochs"], ".2f"),
    ]


def _share(row: Row, name: str) -> str:
    """A share with its interval, as far as they are known."""
    if row[name] is None:
        return ""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    interval = (
        "" if low is None or high is None else f" ({rounded(low, '.2%')} to {rounded(high, '.2%')})"
    )
    return f"{rounded(row[name], '.2%')}{interval}"


def _limit(row: Row) -> list[str]:
    name = row["limit"] if row["phase"] is None else f"{row['limit']} ({row['phase']})"
    shares = (row["low"], row["high"], row["share"])
    return [cell(name), *(rounded(share, ".2%") for share in shares), row["side"] or ""]


def _lost(figures: Row) -> list[str]:
    shares = (rounded(figures[name], ".2%") for name in ("asked", "reachable"))
    return [cell(figures["limit"]), figures["side"], *shares]
