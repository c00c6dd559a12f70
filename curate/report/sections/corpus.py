"""What was read and what was dropped: funnel, copies, reasons, languages, privacy."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from hashlib import blake2b

from curate import storage
from curate.report import charts
from curate.report.section import Section, last_result, section
from curate.text import words as words_of
from curate.workspace import Workspace


def funnel(workspace: Workspace) -> Section:
    """How many documents are left after each step, from the rows read to those drawn."""
    documents, copies = workspace.tables.rows("pool"), workspace.tables.rows("duplicates")
    unreadable = len(storage.read_json(workspace.tables.folder("pool") / "_rejected.json") or ())
    holdout = sum(workspace.tables.read("pool", ["holdout"])["holdout"].to_pylist())
    steps = [("read", documents + copies + unreadable), ("distinct", documents)]
    if workspace.tables.stored("clean"):
        kept = workspace.tables.read("clean", ["kept"])["kept"].to_pylist()
        steps.append(("kept by clean", sum(kept)))
    if workspace.tables.stored("mix"):
        steps.append(("candidates", workspace.tables.rows("mix")))
        copies_drawn = workspace.tables.read("mix", ["copies"])["copies"].to_pylist()
        steps.append(("drawn", sum(count > 0 for count in copies_drawn)))
    rows = [{"step": name, "documents": count} for name, count in steps]
    words = (
        f"{copies:,} rows were exact copies of others and {unreadable:,} could not be read; "
        f"{holdout:,} documents are held out to measure on."
    )
    return section("From rows to documents", words, chart=charts.bars(rows, "step", "documents"))


def duplicates(workspace: Workspace) -> Section | None:
    """Exact copies, and which sources share documents; None without copies.

    A text in two sources may carry two labels.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    pool = workspace.tables.read("pool", ["source", "also"]).to_pylist()
    for row in pool:
        pairs.update((row["source"], other) for other in row["also"] or ())
    inside = Counter(workspace.tables.read("duplicates", ["source"])["source"].to_pylist())
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
        warning = (
            f"{sum(pairs.values()):,} texts stand in two sources, letter for letter; "
            f"{_in_two_sources(workspace):,} if punctuation and case do not count. Where a source "
            "implies a label, such a text is labelled both ways."
        )
    return section("Copies", words, rows=rows, warning=warning)


def _in_two_sources(workspace: Workspace) -> int:
    """How many texts are in two sources, if only their letters and digits count, without case."""
    import pyarrow.parquet as pq

    holders: defaultdict[bytes, set[str]] = defaultdict(set)
    for path in workspace.tables.shards("pool"):
        for row in pq.read_table(path, columns=["text", "source", "also"]).to_pylist():
            key = blake2b("".join(words_of(row["text"])).lower().encode(), digest_size=16).digest()
            holders[key] |= {row["source"], *(row["also"] or ())}
    return sum(len(sources) > 1 for sources in holders.values())


def reasons(workspace: Workspace) -> Section | None:
    """Why documents were dropped; None where none was."""
    clean = last_result(workspace, "clean")
    if not clean.get("reasons"):
        return None
    rows = [{"reason": name, "documents": count} for name, count in clean["reasons"].items()]
    dropped = clean["documents"] - clean["kept"]
    words = f"{dropped:,} of {clean['documents']:,} documents were dropped, each for one reason."
    chart = charts.bars(rows, "reason", "documents")
    return section("Why documents were dropped", words, chart=chart, rows=rows)


def _measured(workspace: Workspace, name: str) -> bool:
    """Whether `clean` has measured a signal."""
    if workspace.tables.stored("clean") is None:
        return False
    import pyarrow.parquet as pq

    shards = workspace.tables.shards("clean")
    return bool(shards) and name in pq.read_schema(shards[0]).names


def languages(workspace: Workspace) -> Section | None:
    """The documents of the 20 most frequent languages; None where languages were not measured."""
    if not _measured(workspace, "language:confidence"):
        return None
    table = workspace.tables.read("clean", ["language", "kept", "tokens"])
    documents, kept, tokens = Counter[str](), Counter[str](), Counter[str]()
    for row in table.to_pylist():
        name = row["language"] or "und"
        documents[name] += 1
        kept[name] += row["kept"]
        tokens[name] += row["tokens"] if row["kept"] else 0
    rows = [
        {"language": name, "documents": count, "kept": kept[name], "tokens kept": tokens[name]}
        for name, count in documents.most_common(20)
    ]
    differing = last_result(workspace, "clean").get("differing_languages", 0)
    words = (
        f"As the sources declare it, else as detected; und where that is not sure. {differing:,} "
        "documents read as another language than their source declares."
    )
    chart = charts.bars(rows, "language", "documents")
    return section("Languages", words, chart=chart, rows=rows)


def privacy(workspace: Workspace) -> Section | None:
    """The personal data and secrets found, by kind; None where there are none."""
    counts = last_result(workspace, "clean").get("privacy")
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


def contamination(workspace: Workspace) -> Section | None:
    """The documents that share text with evaluation sets; None where that was not measured."""
    if not _measured(workspace, "contamination:share"):
        return None
    settings = workspace.tables.made("clean").spec["contamination"]
    limit = settings["share"]
    names = [evaluation_set["name"] for evaluation_set in settings["sets"]]
    touched, over = Counter[str](), Counter[str]()
    items: dict[str, set[str]] = defaultdict(set)
    for cell in workspace.tables.read("clean", ["contamination"])["contamination"].to_pylist():
        overlaps = json.loads(cell or "[]")
        touched.update({name for name, _, _ in overlaps})
        over.update({name for name, _, share in overlaps if share >= limit})
        for name, item, share in overlaps:
            if share >= limit:
                items[name].add(item)
    rows = [
        {
            "evaluation set": name,
            "documents that share a run": touched[name],
            "documents over the limit": over[name],
            "items of the set in them": len(items[name]),
        }
        for name in names
    ]
    words = f"A document goes if it holds {limit:.0%} of an item's runs of words, or more."
    return section("Contamination by evaluation sets", words, rows=rows)
