"""The mixture on the dataset card: groups by phase, beside earlier parts, and what limits cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def mixture(manifest: Row, limits: Sequence[Row], warnings: Iterable[Row]) -> Iterator[str]:
    """Yield the paragraphs about a mixture.

    `limits` are the rows of the limits that the recipe names, `warnings` those of `mix`.
    """
    groups, phases = manifest["groups"], manifest.get("phases", ())
    yield "## Mixture\n"
    yield _about(manifest)
    for phase in phases:
        own = [row for row in groups if row["phase"] == phase["name"]]
        yield (
            f"### {cell(phase['name'])}\n\n{phase['documents']:,} documents for a budget of "
            f"{phase['budget']:,} tokens, in `{cell(_span(phase['files']))}`.\n"
        )
        yield _groups(own, manifest)
    if not phases:
        yield _groups(groups, manifest)
    if limits:
        yield "Limits, as shares of tokens:\n"
        yield _table(("limit", "least", "greatest", "drawn", "binds"), map(_limit, limits))
    if lost := [warning["figures"] for warning in warnings if warning["key"] == "mix.unreachable"]:
        yield "Promises that earlier parts made unreachable:\n"
        yield _table(("promise", "side", "asked", "reachable"), map(_lost, lost))


def _about(manifest: Row) -> str:
    """What the columns of the groups mean, and how the budget is counted."""
    words = (
        "Shares of tokens. *Wanted* is what the strategy asked, *promised* what the limits left of "
        "it, *realised* what was drawn"
    )
    if _has_earlier(manifest):
        words += " here and in earlier parts; *epochs* count both"
    if any(group["expected"] is not None for group in manifest["groups"]):
        words += "; *expected* is the share of its class that the calibrated model foresees"
    words += "."
    if "budget_tokenizer" in manifest or "extra_tokens" in manifest:
        tokens = sum(group["tokens"] for group in manifest["groups"])
        name = manifest.get("budget_tokenizer", manifest["tokenizer"])
        words += f" Tokens here are those of the budget ({name}"
        if extra := manifest.get("extra_tokens"):
            words += f", and {extra} more a document"
        words += f"): {tokens:,} in all."
    return f"{words}\n"


def _has_earlier(manifest: Row) -> bool:
    return bool(manifest.get("earlier"))


def _span(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]}` to `{files[-1]}" if files else "no file"


def _groups(groups: Iterable[Row], manifest: Row) -> str:
    counts = ("earlier", "added", "total") if _has_earlier(manifest) else ("tokens",)
    shares = ("wanted", "promised", "realised", "expected")
    head = ("group", *shares, *counts, "documents", "epochs")
    return _table(head, (_group(row, shares, counts) for row in groups))


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
        *("" if row[name] is None else f"{row[name]:.2%}" for name in shares),
        *(f"{sums[name]:,}" for name in counts),
        f"{row['documents']:,}",
        f"{row['epochs']:.2f}",
    ]


def _limit(row: Row) -> list[str]:
    name = row["limit"] if row["phase"] is None else f"{row['limit']} ({row['phase']})"
    shares = (row["low"], row["high"], row["share"])
    return [cell(name), *(f"{share:.2%}" for share in shares), row["side"] or ""]


def _lost(figures: Row) -> list[str]:
    shares = (f"{figures[name]:.2%}" for name in ("asked", "reachable"))
    return [cell(figures["limit"]), figures["side"], *shares]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first hold numbers, or words of a kind."""
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" + "|--:" * (len(head) - 1) + "|", *lines[1:]]) + "\n"


def cell(text: str) -> str:
    """A text as a cell of a table in Markdown, or a part of a line."""
    return " ".join(text.replace("|", "\\|").split())
