"""What is doubtful in the verdicts: sources of which hardly anything is kept, and languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from curate.clean.instruments.benchmarks import SHORTEST
from curate.warning import StageWarning, warn

MOST = 0.9
"""A source of which more than this share is dropped is told."""

DIFFERING = 0.1
"""So are languages, if more than this share of the documents reads as another than declared."""

Verdicts = Mapping[tuple[str, str], int]
"""How many documents there are by source and reason; the reason of kept ones is empty."""


Searched = Mapping[str, Mapping[str, int]]
"""By evaluation set: its `items`, the `short` ones, and those `alike` many others."""


def doubts(
    verdicts: Verdicts, differing_languages: int, searched: Searched | None = None
) -> Iterator[StageWarning]:
    """Yield a warning for each kind of loss, and for items that are not searched for."""
    dropped = list(_mostly_dropped(verdicts))
    for key, cause, sources in (
        ("clean.duplicates", "as near-duplicates", [s for s, why in dropped if _is_copy(why)]),
        ("clean.dropped", "by its rules", [s for s, why in dropped if not _is_copy(why)]),
    ):
        if sources:
            words = "`clean` drops more than {most:.0%} {cause}: {sources}"
            yield warn(key, words, most=MOST, cause=cause, sources=sources)
    documents = sum(verdicts.values())
    if differing_languages > DIFFERING * documents:
        words = "{documents:,} documents ({share:.0%}) read as another language than declared"
        share = differing_languages / documents
        yield warn("clean.languages", words, documents=differing_languages, share=share)
    yield from _not_searched(searched or {})


def _not_searched(searched: Searched) -> Iterator[StageWarning]:
    for key, why in (
        ("short", f"have fewer than {SHORTEST} words and are too short to look for"),
        ("alike", "have no words of their own and are not looked for"),
    ):
        sets = [
            f"{name} ({row[key]:,} of {row['items']:,})"
            for name, row in searched.items()
            if row[key]
        ]
        if sets:
            words = "Items of evaluation sets " + why + ": {sets}"
            yield warn(f"clean.{key}_items", words, sets=sets)


def _is_copy(reason: str) -> bool:
    return "duplicate" in reason


def _mostly_dropped(verdicts: Verdicts) -> Iterator[tuple[str, str]]:
    """Yield the sources that are dropped almost whole, in words, with the most frequent reason."""
    by_source: dict[str, Counter[str]] = {}
    for (source, reason), documents in verdicts.items():
        by_source.setdefault(source, Counter())[reason] += documents
    for source, reasons in by_source.items():
        total, kept = reasons.total(), reasons.pop("", 0)
        if total - kept > MOST * total:
            ((why, _),) = reasons.most_common(1)
            yield f"{source} ({total - kept:,} of {total:,}, mostly {why})", why
