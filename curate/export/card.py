"""The dataset card: what is in an export, where it comes from, and how it was chosen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from curate.export.drawn import Drawn
from curate.export.front import front_matter
from curate.export.shares import cell, mixture
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def dataset_card(
    workspace: Workspace, manifest: dict[str, Any], drawn: Drawn, schema: pa.Schema
) -> str:
    """The card in Markdown, with the front matter that data hubs read."""
    name = str(workspace.about()["name"])
    documents = sum(file["documents"] for file in manifest["files"])
    tokens = sum(file["tokens"] for file in manifest["files"])
    return "\n".join(
        [
            front_matter(name, documents, drawn, schema, manifest["files"][0]["path"]),
            f"# {cell(name)}\n",
            f"{manifest['about']}\n",
            f"{documents:,} documents, {tokens:,} tokens ({manifest['tokenizer']}).\n",
            *mixture(manifest, workspace.tables.made("mix").facts["limits"], _warnings(workspace)),
            "## Sources\n",
            _sources(workspace),
            "## Licences of the drawn documents\n",
            _counts(drawn.licenses),
            "## How it was chosen\n",
            _labels(workspace),
            _label_counts(manifest["labels"]),
            "`recipe.yaml` holds every setting, `inputs.json` the files read, `draw.parquet` the "
            "weight and the place of every line, `SHA256SUMS` the files. "
            "`curate verify` checks all of it.\n",
        ]
    )


def _warnings(workspace: Workspace) -> list[dict[str, Any]]:
    """The warnings of the run that made the mixture."""
    line = workspace.lineage.line("mix")
    return list(line["result"].get("warnings", ())) if line else []


def _sources(workspace: Workspace) -> str:
    files = workspace.tables.made("pool").facts["files"]
    rows = [
        f"| {cell(file['path'])} | {file['size']:,} | {_digest(file['sha256'])} |" for file in files
    ]
    return "| file | bytes | sha256 |\n|---|--:|---|\n" + "\n".join(rows) + "\n"


def _digest(sha256: str | None) -> str:
    """The beginning of a digest; a database has none."""
    return "" if sha256 is None else f"`{sha256[:16]}…`"


def _counts(counts: Counter[str]) -> str:
    return "".join(f"- {cell(name)}: {count:,} documents\n" for name, count in counts.most_common())


def _labels(workspace: Workspace) -> str:
    labels = workspace.tables.stored("labels")
    if labels is None:
        return "No labels of people are in it.\n"
    chosen_by = workspace.lineage.of("mix").get("agree")
    line = chosen_by or workspace.lineage.line("labels")
    questions = line["result"]["questions"] if line else []
    parts = [
        f"- {row['question']}: {row['answers']:,} answers by {row['annotators']} annotators about "
        f"{row['items']:,} documents, settled by {row['method']}"
        + (f"; Krippendorff's alpha {_alpha(row)}" if row["alpha"] is not None else "")
        + ".\n"
        for row in questions
    ]
    unused = "" if chosen_by else "\nThe mixture was chosen without these answers.\n"
    return (
        "".join(parts)
        + unused
        + (
            "\nLabels marked `by: people` are settled answers of people; the others are a model's, "
            "learned from them.\n"
        )
    )


def _alpha(row: dict[str, Any]) -> str:
    """Alpha with its headline interval, and of whom that speaks."""
    of_others = row.get("headline") == "people like these"
    low, high = ("others_low", "others_high") if of_others else ("alpha_low", "alpha_high")
    if row.get(low) is None:
        return f"{row['alpha']:.3f}"
    whom = "people like these" if of_others else "these people"
    return f"{row['alpha']:.3f} (95 % from {row[low]:.3f} to {row[high]:.3f} for {whom})"


def _label_counts(labels: list[dict[str, Any]]) -> str:
    """How many documents have a label of whom, by question; copies count."""
    lines = [
        f"- {row['question']}: {row['people']:,} settled by people, {row['undecided']:,} left "
        f"undecided by people (`value: null`), {row['model']:,} predicted.\n"
        for row in labels
    ]
    return "Labels in these documents, copies counted:\n\n" + "".join(lines) if lines else ""
