"""What was read and what was dropped: funnel, copies, reasons, languages, privacy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from curate import storage
from curate.report.copies import count_in_two_sources
from curate.report.counts import Counts, count_copies
from curate.report.section import (
    Example,
    Key,
    Section,
    Shelf,
    chart,
    result_of,
    say,
    section,
)
from curate.report.texts import Texts
from curate.workspace import Workspace, examples
from curate.workspace.examples import BothSides, Near


def funnel(workspace: Workspace, counts: Counts) -> Section | None:
    """How many documents are left after each step, from the rows read; None without a pool."""
    if not workspace.tables.stored("pool"):
        return None
    documents, copies = workspace.tables.rows("pool"), workspace.tables.rows("duplicates")
    unreadable = len(storage.read_json(workspace.tables.folder("pool") / "_rejected.json") or ())
    steps = [("read", documents + copies + unreadable), ("distinct", documents)]
    if counts.verdicts.kept is not None:
        steps.append(("kept by clean", counts.verdicts.kept))
    if counts.drawn is not None:
        steps += [("candidates", workspace.tables.rows("mix")), ("drawn", counts.drawn)]
    rows = [{"step": Key(name), "documents": count} for name, count in steps]
    words = say("funnel.words", copies=copies, unreadable=unreadable, holdout=counts.pool.holdout)
    return section("funnel", words, chart=chart("bars", rows, "step", "documents"))


def duplicates(workspace: Workspace, counts: Counts, folder: Path) -> Section | None:
    """Exact copies, and which sources share documents; None without copies.

    A text in two sources may carry two labels. `folder` is for scratch.
    """
    pairs, inside = counts.pool.pairs, Counter[str]()
    if workspace.tables.stored("duplicates"):
        inside = count_copies(workspace)
    if not inside:
        return None
    rows = [
        {"source": one, "also in": other, "documents": count}
        for (one, other), count in pairs.most_common()
    ]
    copied = [
        say("duplicates.of_source", name=name, count=count) for name, count in inside.most_common()
    ]
    words = [say("duplicates.words", total=sum(inside.values()), copied=copied)]
    if not pairs:
        return section("duplicates", *words)
    sources = sorted({*counts.pool.sources, *(other for _, other in pairs)})
    loosely = count_in_two_sources(workspace, sources, folder)
    warning = say("duplicates.warning", texts=sum(pairs.values()), loosely=loosely)
    return section("duplicates", *words, say("duplicates.shared"), rows=rows, warning=[warning])


def reasons(workspace: Workspace, texts: Texts) -> Section | None:
    """Why documents were dropped, with examples; None where none was."""
    clean = result_of(workspace, "clean")
    if not clean.get("reasons"):
        return None
    rows = [{"reason": name, "documents": count} for name, count in clean["reasons"].items()]
    dropped = clean["documents"] - clean["kept"]
    words = [say("reasons.words", dropped=dropped, documents=clean["documents"])]
    shelves = [_shelf(own, texts) for own in both_sides(workspace)]
    if any(shelves):
        words.append(say("reasons.examples"))
    bars = chart("bars", rows, "reason", "documents")
    return section("reasons", *words, chart=bars, rows=rows, shelves=shelves)


def both_sides(workspace: Workspace) -> list[BothSides]:
    """The examples of why documents were dropped, as `clean` handed them over."""
    return examples.read(workspace.tables.folder("clean"))


def ids_of(both: Iterable[BothSides]) -> Iterator[str]:
    """Yield the ids of all examples."""
    for own in both:
        yield from (near.id for near in (*own.fails, *own.passes))


def _shelf(own: BothSides, texts: Texts) -> Shelf:
    """A reason with the documents on both sides of its limit."""
    name = say("reasons.limit" if own.limit else "reasons.no_limit", reason=own.reason,
               limit=own.limit)  # fmt: skip
    fails, passes = ("side.fails", "side.passes") if own.limit else _SIDES
    sides = ((say(fails), _examples(own.fails, texts)), (say(passes), _examples(own.passes, texts)))
    return Shelf(name, tuple((side, found) for side, found in sides if found))


_SIDES = ("side.dropped", "side.kept_instead")


def _examples(near: Sequence[Near], texts: Texts) -> tuple[Example, ...]:
    return tuple(
        texts.example(own.id, {} if own.value is None else {"measured": own.value})
        for own in near
        if own.id in texts
    )


def passages(workspace: Workspace) -> Section | None:
    """What sources lost to passages that other documents hold; None where none were found."""
    lost = result_of(workspace, "clean").get("passages") or {}
    if not any(counts["documents"] for counts in lost.values()):
        return None
    settings = workspace.tables.made("clean").spec.get("passages") or {}
    rows = [
        {
            "source": source,
            "documents with passages": counts["documents"],
            "words in them": counts["words"],
            "tokens removed": counts["removed"],
            "tokens left": counts["left"],
        }
        for source, counts in lost.items()
    ]
    is_removed = settings.get("action", "remove") == "remove"
    key = "passages.removed" if is_removed else "passages.flagged"
    return section("passages", say(key, tokens=settings.get("tokens")), rows=rows)


def languages(workspace: Workspace, counts: Counts) -> Section | None:
    """The documents of the 20 most frequent languages; None where languages were not measured."""
    measured = counts.verdicts.languages
    if measured is None:
        return None
    rows = [
        {
            "language": name,
            "documents": count,
            "kept": measured.kept[name],
            "tokens kept": measured.tokens[name],
        }
        for name, count in measured.documents.most_common(20)
    ]
    differing = result_of(workspace, "clean").get("differing_languages", 0)
    bars = chart("bars", rows, "language", "documents")
    return section("languages", say("languages.words", differing=differing), chart=bars, rows=rows)


def privacy(workspace: Workspace) -> Section | None:
    """The personal data and secrets found, by kind; None where there are none."""
    counts = result_of(workspace, "clean").get("privacy")
    if not counts or workspace.tables.stored("clean") is None:
        return None
    actions = workspace.tables.made("clean").spec.get("privacy") or {}
    rows = [
        {
            "kind": Key(kind),
            "found": count,
            "what is done": Key(actions.get(kind, "the document is dropped")),
        }
        for kind, count in counts.items()
    ]
    return section("privacy", say("privacy.words"), rows=rows)


def contamination(workspace: Workspace, counts: Counts) -> Section | None:
    """The documents that share text with evaluation sets; None where that was not measured."""
    overlaps = counts.verdicts.overlaps
    if overlaps is None:
        return None
    settings = workspace.tables.made("clean").spec["contamination"]
    rows = [
        {
            "evaluation set": name,
            "documents that share a run": overlaps.touched[name],
            "documents over the limit": overlaps.over[name],
            "items of the set in them": len(overlaps.items.get(name, ())),
        }
        for name in [evaluation_set["name"] for evaluation_set in settings["sets"]]
    ]
    words = [say("contamination.words", limit=settings["share"])]
    if passage := settings.get("passage"):
        words.append(say("contamination.passage", passage=passage))
    return section("contamination", *words, rows=rows)
