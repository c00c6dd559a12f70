"""What both summaries tell: sources, processing, time, labels; in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curate.cards.facts import Facts, Origin
from curate.cards.summary import Row, Rows, listed, percent
from curate.rounding import rounded

UNKNOWN = "unknown"
"""What the tables have where no licence is given."""

COUNTS = {
    "mixed": "A document that is repeated counts as often as it stands in the export.",
    "by_group": "A document counts once: how often it is read, only the trainer's own file says.",
}
"""What is counted, by the layout of the export."""

ACTIONS = {"flag": "counted", "mask": "masked", "drop": "dropped with their document"}


def about(facts: Facts) -> tuple[str, ...]:
    """Of which data a summary is."""
    day = f" of {facts.exported}" if facts.exported else ""
    return (
        f"Filled by curate {facts.version} from the export {facts.name}{day}, whose content has "
        f"the sha256 {facts.content_sha256}.",
        f"Tokens are counted by the tokenizer {facts.tokenizer}. {COUNTS[facts.layout]}",
    )


def sources(facts: Facts) -> Rows:
    """Every source with what the export has of it, the largest first."""
    ordered = sorted(facts.origins, key=lambda origin: (-origin.tokens, origin.name))
    head = ("source", "comes from", "licences", "documents", "tokens", "share of tokens")
    return Rows(head, tuple(_source(origin, facts.tokens) for origin in ordered), words=3)


def _source(origin: Origin, total: int) -> Row:
    by_size = sorted(origin.licenses, key=lambda name: (-origin.licenses[name], name))
    return (
        origin.name,
        origin.place.words + (", web archives" if origin.archived else ""),
        listed(by_size, 3),
        f"{origin.documents:,}",
        f"{origin.tokens:,}",
        percent(origin.tokens, total),
    )


def processing(facts: Facts) -> Iterator[str]:
    """Yield what was done to the documents before they were drawn."""
    if row := facts.pooled:
        yield f"Exact copies: {row['copies']:,} of {row['rows']:,} rows were set aside."
    clean = facts.clean
    if clean.get("near_duplicates") is not None:
        near = clean["near_duplicates"]
        least = near["similarity"] if isinstance(near, Mapping) else near
        yield f"Near-duplicates (a Jaccard similarity of {least} or more) were removed."
    if clean.get("semantic"):
        least = clean["semantic"].get("similarity")
        yield f"Near-duplicates in meaning (a cosine of {least} or more) were removed."
    passages = clean.get("passages") or {}
    if passages.get("action") == "remove":
        least = passages["tokens"]
        yield f"Sequences of {least} or more words that are also in another document were removed."
    yield f"Rule sets: {_rules(clean.get('rules') or ())}."
    if clean.get("languages"):
        yield "Documents in other languages than those asked for were removed."
    if clean.get("licenses"):
        names = listed(clean["licenses"])
        yield f"Documents under other licences than these were removed: {names}."
    if sets := (clean.get("contamination") or {}).get("sets"):
        names = listed(str(own.get("name") or own.get("path")) for own in sets)
        yield f"Documents that hold items of evaluation sets were removed: {names}."
    if clean.get("relevance"):
        yield "Documents were compared with texts of a target, and the least alike removed."
    yield from private(facts)
    if row := facts.cleaned:
        kept, documents = row["kept"], row["documents"]
        yield (
            f"{documents - kept:,} of {documents:,} distinct documents were removed by these "
            f"steps, {kept:,} kept."
        )


def _rules(rules: Any) -> str:
    """The names of the rule sets, of all sources together."""
    lists = rules.values() if isinstance(rules, Mapping) else [rules]
    names = dict.fromkeys(name for own in lists for name in own)
    return listed(names) if names else "none"


def private(facts: Facts) -> Iterator[str]:
    """Yield how private values were treated, and how many were found."""
    modes: Mapping[str, str] = facts.clean.get("privacy") or {}
    found = (facts.cleaned or {}).get("privacy") or {}
    if modes:
        kinds = (f"{kind} {ACTIONS[mode]} ({found.get(kind, 0):,})" for kind, mode in modes.items())
        yield f"Private values that were looked for by their form, and found: {listed(kinds)}."


def reasons(facts: Facts) -> Rows:
    """What `clean` removed, by reason."""
    row = facts.cleaned or {"reasons": {}, "documents": 0}
    ordered = sorted(row["reasons"].items(), key=lambda item: (-item[1], item[0]))
    rows = ((name, f"{n:,}", percent(n, row["documents"])) for name, n in ordered)
    return Rows(("reason", "documents", "share of documents"), tuple(rows))


def takedowns(facts: Facts) -> str:
    """What was taken down on request."""
    removed = facts.removed
    if not removed.documents:
        return "No document was taken down on request so far."
    last = f", the last on {removed.last}" if removed.last else ""
    return (
        f"{removed.documents:,} documents were taken down in {removed.requests:,} requests{last}; "
        "they are in no export that was made since, and are refused where they are read again."
    )


def captured(facts: Facts) -> Iterator[str]:
    """Yield when web archives captured pages, by source."""
    for origin in facts.origins:
        if origin.first and origin.last:
            yield f"{origin.name}: captured from {origin.first} to {origin.last}."


def read(facts: Facts) -> Iterator[str]:
    """Yield between which days the sources were read: what is in them is older than the last."""
    if facts.read:
        first, last = facts.read
        days = f"on {first}" if first == last else f"from {first} to {last}"
        yield f"The sources were read {days}; nothing in them was collected after that."


def labelled(facts: Facts) -> Iterator[str]:
    """Yield which labels stand beside the texts."""
    for row in facts.labels:
        yield (
            f"Labels of the question {row['question']} ({row['kind']}): {row['people']:,} settled "
            f"by people, {row['model']:,} predicted by a model, {row['undecided']:,} undecided."
        )
    for row in facts.answers:
        yield (
            f"{row['answers']:,} answers by {row['annotators']:,} people about {row['items']:,} "
            f"documents were asked for {row['question']}."
        )


def duration(seconds: float) -> str:
    """A duration in hours, or in minutes below one hour: `1,204.5 hours`."""
    if seconds < 3600:
        return f"{rounded(seconds / 60, ',.1f')} minutes"
    return f"{rounded(seconds / 3600, ',.1f')} hours"
