"""The dataset card: what is in an export, where it comes from, and how it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.cards.front import front_matter
from curate.cards.media import media
from curate.cards.mixture import mixture
from curate.cards.quoting import bullets, cell, inline, table
from curate.rounding import filled, rounded

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]

MOST_FILES = 100
"""So many source files are listed; all of them are in `inputs.json`."""


@dataclass(frozen=True)
class CardFacts:
    """What a card tells.

    `sources` have `name`, `kind`, `documents` of the pool, and `tokens` of the lines. `files` are
    the source files. Lines are counted with their copies. `limits` are those that the recipe names,
    `warnings` those of `mix`, `questions` the results of `agree`, None without labels. `pooled` and
    `cleaned` are the results of these stages, None where the ledger has none. `removed` documents
    were taken down.
    """

    name: str
    manifest: Row
    schema: pa.Schema
    sources: Sequence[Row]
    files: Sequence[Row]
    licenses: Mapping[str, int]
    license_tokens: Mapping[str, int]
    languages: Mapping[str, int]
    limits: Sequence[Row]
    warnings: Sequence[Row]
    questions: Sequence[Row] | None
    is_chosen_by_labels: bool
    pooled: Row | None
    cleaned: Row | None
    removed: int


def dataset_card(facts: CardFacts) -> str:
    """The card in Markdown, with the front matter that data hubs read."""
    manifest = facts.manifest
    documents = sum(file["documents"] for file in manifest["files"])
    tokens = sum(file["tokens"] for file in manifest["files"])
    return "\n".join(
        [
            front_matter(facts.name, manifest, facts.licenses, facts.languages, facts.schema),
            f"# {inline(facts.name)}\n",
            f"{manifest['about']}\n",
            f"{documents:,} lines of a document each, {tokens:,} tokens "
            f"({inline(manifest['tokenizer'])}).\n",
            *_as_they_lie(manifest),
            *_validation(manifest),
            *_sources(facts, tokens),
            *_licenses(facts, tokens),
            *_languages(facts, documents),
            *media(manifest),
            *_labels(facts),
            *mixture(manifest, facts.limits, facts.warnings),
            *_removed(facts),
            "## Files\n",
            _files(),
        ]
    )


def _as_they_lie(manifest: Row) -> Iterator[str]:
    if manifest["layout"] == "by_group":
        yield (
            "Sources, licences and languages are counted below as they lie here, before any "
            "weight; the shares of groups are those of the mixture.\n"
        )


def _validation(manifest: Row) -> Iterator[str]:
    if own := manifest.get("validation"):
        yield (
            f"Beside them {own['documents']:,} documents, {own['tokens']:,} tokens, of the holdout "
            "to validate on: they are in no mixture.\n"
        )


def _sources(facts: CardFacts, tokens: int) -> Iterator[str]:
    yield "## Sources\n"
    yield (
        "What was read: the distinct documents that the pool has of it, and its tokens in this "
        "export.\n"
    )
    yield table(
        ("source", "kind", "documents in the pool", "tokens", "share of tokens"),
        (_source(row, tokens) for row in facts.sources),
        words=2,
    )
    shown = facts.files[:MOST_FILES]
    rows = [[cell(row["path"]), _sha256(row["sha256"]), f"{row['size']:,}"] for row in shown]
    yield table(("file", "sha256", "bytes"), rows, words=2)
    if more := len(facts.files) - len(shown):
        yield f"And {more:,} more files, in `inputs.json`.\n"


def _sha256(digest: str | None) -> str:
    """The beginning of a digest; a query or a data set of a hub has none."""
    return f"`{digest[:16]}…`" if digest else ""


def _source(row: Row, tokens: int) -> list[str]:
    documents = "" if row["documents"] is None else f"{row['documents']:,}"
    share = rounded(row["tokens"] / max(1, tokens), ".2%")
    return [cell(row["name"]), cell(row["kind"]), documents, f"{row['tokens']:,}", share]


def _licenses(facts: CardFacts, tokens: int) -> Iterator[str]:
    yield "## Licences of the drawn documents\n"
    names = sorted(facts.licenses, key=lambda name: (-facts.license_tokens.get(name, 0), name))
    rows = [
        [
            cell(name),
            rounded(facts.license_tokens.get(name, 0) / max(1, tokens), ".2%"),
            f"{facts.license_tokens.get(name, 0):,}",
            f"{facts.licenses[name]:,}",
        ]
        for name in names
    ]
    yield table(("licence", "share of tokens", "tokens", "documents"), rows)


def _languages(facts: CardFacts, documents: int) -> Iterator[str]:
    yield "## Languages of the drawn documents\n"
    counts = sorted(facts.languages.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        [cell(tag or "not known"), rounded(count / max(1, documents), ".2%"), f"{count:,}"]
        for tag, count in counts
    ]
    yield table(("language", "share of documents", "documents"), rows)


def _labels(facts: CardFacts) -> Iterator[str]:
    yield "## Labels and agreement\n"
    if facts.questions is None:
        yield "No labels of people are in it.\n"
    else:
        yield bullets(map(_question, facts.questions))
        if not facts.is_chosen_by_labels:
            yield "The mixture was chosen without these answers.\n"
        yield (
            "Labels marked `by: people` are settled answers of people; the others are a model's, "
            "learned from them.\n"
        )
    if counts := facts.manifest["labels"]:
        yield "Labels in these documents, copies counted:\n"
        yield bullets(map(_label_count, counts))


def _question(row: Row) -> str:
    alpha = "" if row["alpha"] is None else f"; Krippendorff's alpha {_alpha(row)}"
    return (
        f"{inline(row['question'])}: {row['answers']:,} answers by {row['annotators']} annotators "
        f"about {row['items']:,} documents, settled by {row['method']}{alpha}."
    )


def _alpha(row: Row) -> str:
    """Alpha with its headline interval, and of whom that speaks."""
    of_others = row.get("headline") == "people like these"
    low, high = ("others_low", "others_high") if of_others else ("alpha_low", "alpha_high")
    if row.get(low) is None:
        return rounded(row["alpha"], ".3f")
    whom = "people like these" if of_others else "these people"
    return filled(
        "{alpha:.3f} (95 % from {low:.3f} to {high:.3f} for {whom})",
        {"alpha": row["alpha"], "low": row[low], "high": row[high], "whom": whom},
    )


def _label_count(row: Row) -> str:
    """How many documents have a label of whom; copies count."""
    return (
        f"{inline(row['question'])}: {row['people']:,} settled by people, {row['undecided']:,} "
        f"left undecided by people (`value: null`), {row['model']:,} predicted."
    )


def _removed(facts: CardFacts) -> Iterator[str]:
    """What is not in it: rows that were copies or unreadable, and what `clean` removed, and why."""
    yield "## What was removed\n"
    if row := facts.pooled:
        lines = (("exact copies", "copies"), ("rows that could not be read", "bad_rows"))
        yield f"{row['rows']:,} rows were read. Of these:\n"
        counts = [("distinct documents", "documents"), *lines]
        yield bullets(f"{words}: {row[key]:,}" for words, key in counts if row[key])
    if row := facts.cleaned:
        yield from _cleaned(row)
    else:
        yield "The ledger does not say what `clean` removed.\n"
    if facts.removed:
        yield f"{facts.removed:,} documents were taken down on request, and are read no more.\n"


def _cleaned(row: Row) -> Iterator[str]:
    kept, documents = row["kept"], row["documents"]
    gone = documents - kept
    yield f"`clean` kept {kept:,} of {documents:,} documents, and removed {gone:,}.\n"
    reasons = sorted(row["reasons"].items(), key=lambda item: (-item[1], item[0]))
    cells = [[cell(reason), f"{n:,}", rounded(n / documents, ".2%")] for reason, n in reasons]
    if cells:
        yield table(("reason", "documents", "share"), cells)
    if private := row.get("privacy"):
        found = ", ".join(f"{n:,} of {inline(kind)}" for kind, n in private.items())
        yield f"Private values that were found, as `recipe.yaml` treats them: {found}.\n"


def _files() -> str:
    return (
        "`recipe.yaml` holds every setting, `inputs.json` the files read, `draw.parquet` the "
        "weight and the place of every line, `environment.txt` the packages, encoder and "
        "tokenizer, `croissant.json` a description for machines, `SHA256SUMS` the files. "
        "`curate verify` checks all of it.\n"
    )
