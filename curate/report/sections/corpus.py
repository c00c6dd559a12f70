"""What was read and what was dropped: funnel, copies, reasons, languages, privacy."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from curate import storage
from curate.report import charts
from curate.report.copies import count_in_two_sources
from curate.report.counts import Counts, count_copies
from curate.report.section import Section, result_of, section
from curate.workspace import Workspace


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
    rows = [{"step": name, "documents": count} for name, count in steps]
    words = (
        f"{copies:,} rows were exact copies of others and {unreadable:,} could not be read; "
        f"{counts.pool.holdout:,} documents are held out to measure on."
    )
    return section("From rows to documents", words, chart=charts.bars(rows, "step", "documents"))


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
    total = sum(inside.values())
    copied = ", ".join(f"{name} {count:,}" for name, count in inside.most_common())
    words = f"{total:,} exact copies were set aside ({copied})."
    warning = ""
    if pairs:
        words += " Some documents stand in more than one source:"
        sources = sorted({*counts.pool.sources, *(other for _, other in pairs)})
        warning = (
            f"{sum(pairs.values()):,} texts stand in two sources, letter for letter; "
            f"{count_in_two_sources(workspace, sources, folder):,} if punctuation and case do not "
            "count. Where a source implies a label, such a text is labelled both ways."
        )
    return section("Copies", words, rows=rows, warning=warning)


def reasons(workspace: Workspace) -> Section | None:
    """Why documents were dropped; None where none was."""
    clean = result_of(workspace, "clean")
    if not clean.get("reasons"):
        return None
    rows = [{"reason": name, "documents": count} for name, count in clean["reasons"].items()]
    dropped = clean["documents"] - clean["kept"]
    words = f"{dropped:,} of {clean['documents']:,} documents were dropped, each for one reason."
    chart = charts.bars(rows, "reason", "documents")
    return section("Why documents were dropped", words, chart=chart, rows=rows)


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
    what = "removed" if settings.get("action", "remove") == "remove" else "flagged and kept"
    words = (
        f"Runs of {settings.get('tokens')} words or more that another document holds too are "
        f"{what}; the first document keeps them. `curate clean --explain ID` shows those of one."
    )
    return section("Passages", words, rows=rows)


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
    words = (
        f"As the sources declare it, else as detected; und where that is not sure. {differing:,} "
        "documents read as another language than their source declares."
    )
    chart = charts.bars(rows, "language", "documents")
    return section("Languages", words, chart=chart, rows=rows)


def privacy(workspace: Workspace) -> Section | None:
    """The personal data and secrets found, by kind; None where there are none."""
    counts = result_of(workspace, "clean").get("privacy")
    if not counts or workspace.tables.stored("clean") is None:
        return None
    actions = workspace.tables.made("clean").spec.get("privacy") or {}
    rows = [
        {"kind": kind, "found": count, "what is done": actions.get(kind, "the document is dropped")}
        for kind, count in counts.items()
    ]
    words = (
        "Found by form and arithmetic, counted and placed, never copied. What is masked is shown "
        "to nobody, learned from by nothing, and in no export."
    )
    return section("Privacy", words, rows=rows)


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
    limit = settings["share"]
    words = f"A document goes if it holds {limit:.0%} of an item's runs of words, or more."
    if passage := settings.get("passage"):
        words += f" So does one with {passage} words of an item in a row."
    return section("Contamination by evaluation sets", words, rows=rows)
