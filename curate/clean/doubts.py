"""What is doubtful in the verdicts: sources of which hardly anything is kept, and languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from curate.clean.instruments.benchmarks import SHORTEST
from curate.clean.passages.applying import REASON as PASSAGES
from curate.clean.sharing import Template
from curate.warning import MOST_NAMES, StageWarning, warn

MOST = 0.9
"""A source of which more than this share is dropped is told."""

DIFFERING = 0.1
"""So are languages, if more than this share of the documents reads as another than declared."""

Verdicts = Mapping[tuple[str, str], int]
"""How many documents there are by source and reason; the reason of kept ones is empty."""


Losses = Mapping[str, tuple[int, int]]
"""The tokens that each source lost to passages, and those that its documents still have."""

TemplateOf = Callable[[str, str], Template | None]
"""The text for which most of a source went, by the source and the reason."""

Searched = Mapping[str, Mapping[str, int]]
"""By evaluation set: its `items`, the `short` ones, and those `alike` many others."""


def no_template(source: str, reason: str) -> Template | None:
    """No text: it is not looked for."""
    return None


def doubts(
    verdicts: Verdicts,
    differing_languages: int,
    losses: Losses | None = None,
    template_of: TemplateOf = no_template,
    searched: Searched | None = None,
) -> Iterator[StageWarning]:
    """Yield a warning for each kind of loss, and for items that are not searched for."""
    dropped = list(_mostly_dropped(verdicts))
    near = [loss for loss in dropped if _is_copy(loss.reason)]
    emptied = [loss for loss in dropped if loss.reason == PASSAGES]
    by_rules = [loss for loss in dropped if loss not in (*near, *emptied)]
    emptied += _mostly_passages(losses or {}, {loss.source for loss in emptied})
    for key, cause, lost in (
        ("clean.duplicates", "as near-duplicates", near),
        ("clean.passages", "as passages that others hold", emptied),
    ):
        if lost:
            found = [template_of(loss.source, loss.reason) for loss in lost]
            yield _with_templates(key, cause, lost, [text for text in found if text is not None])
    if by_rules:
        yield _with_templates("clean.dropped", "by its rules", by_rules, [])
    documents = sum(verdicts.values())
    if differing_languages > DIFFERING * documents:
        words = "{documents:,} documents ({share:.0%}) read as another language than declared"
        share = differing_languages / documents
        yield warn("clean.languages", words, documents=differing_languages, share=share)
    yield from _not_searched(searched or {})


def _not_searched(searched: Searched) -> Iterator[StageWarning]:
    if sets := _sets_with(searched, "short"):
        words = "Items of evaluation sets under {least} words are too short to look for: {sets}"
        counted = _counted(searched, "short")
        yield warn("clean.short_items", words, least=SHORTEST, sets=sets, counted=counted)
    if sets := _sets_with(searched, "alike"):
        words = "Items of evaluation sets have no words of their own and are not looked for: {sets}"
        yield warn("clean.alike_items", words, sets=sets, counted=_counted(searched, "alike"))


def _sets_with(searched: Searched, key: str) -> list[str]:
    """The evaluation sets that have such items, and how many of all, in words."""
    counted = _counted(searched, key)
    return [f"{own['set']} ({own['found']:,} of {own['items']:,})" for own in counted]


def _counted(searched: Searched, key: str) -> list[dict[str, Any]]:
    """The same as figures."""
    return [
        {"set": name, "found": row[key], "items": row["items"]}
        for name, row in searched.items()
        if row[key]
    ]


@dataclass(frozen=True)
class Loss:
    """A source that all but vanishes: what it lost of what it had, and the most frequent reason."""

    source: str
    reason: str
    lost: int
    of: int
    unit: str = "documents"

    @property
    def words(self) -> str:
        """The loss in words."""
        end = " tokens" if self.unit == "tokens" else f", mostly {self.reason}"
        return f"{self.source} ({self.lost:,} of {self.of:,}{end})"

    def figures(self) -> dict[str, Any]:
        """The loss in figures; of tokens the reason is that of the warning."""
        return {**asdict(self), "reason": "" if self.unit == "tokens" else self.reason}


def _with_templates(
    key: str, cause: str, lost: Sequence[Loss], templates: Sequence[Template]
) -> StageWarning:
    """A warning of sources that all but vanish, with the text that did it in each."""
    words = "`clean` drops more than {most:.0%} {cause}: {sources}"
    sources, losses = [loss.words for loss in lost], [loss.figures() for loss in lost]
    warning = warn(key, words, most=MOST, cause=cause, sources=sources, losses=losses)
    if not templates:
        return warning
    told = "; ".join(
        f"{one.source}: {one.documents:,} documents hold “{one.text}” "
        f"(`curate clean --explain {one.id}`)"
        for one in templates[:MOST_NAMES]
    )
    figures = {**warning.figures, "templates": [asdict(one) for one in templates]}
    return StageWarning(key, f"{warning.words}. {told}", figures)


def _is_copy(reason: str) -> bool:
    return "duplicate" in reason


def _mostly_passages(losses: Losses, told: Collection[str]) -> Iterator[Loss]:
    """Yield the sources that lost most of their tokens to passages, unless told already."""
    for source, (lost, left) in losses.items():
        if lost > MOST * (lost + left) and source not in told:
            yield Loss(source, PASSAGES, lost, lost + left, "tokens")


def _mostly_dropped(verdicts: Verdicts) -> Iterator[Loss]:
    """Yield the sources that are dropped almost whole."""
    by_source: dict[str, Counter[str]] = {}
    for (source, reason), documents in verdicts.items():
        by_source.setdefault(source, Counter())[reason] += documents
    for source, reasons in by_source.items():
        total, kept = reasons.total(), reasons.pop("", 0)
        if total - kept > MOST * total:
            ((why, _),) = reasons.most_common(1)
            yield Loss(source, why, total - kept, total)
