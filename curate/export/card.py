"""The dataset card: what is in an export, where it comes from, and how it was chosen."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from curate.export.drawn import Drawn
from curate.workspace import Workspace


def dataset_card(workspace: Workspace, manifest: dict[str, Any], drawn: Drawn) -> str:
    """The card in Markdown, with the front matter that data hubs read."""
    documents = sum(file["documents"] for file in manifest["files"])
    tokens = sum(file["tokens"] for file in manifest["files"])
    return "\n".join(
        [
            _front_matter(workspace, drawn, documents),
            f"# {workspace.about()['name']}\n",
            f"{documents:,} documents, {tokens:,} tokens ({manifest['tokenizer']}), drawn, "
            "weighted and shuffled: read the shards once, in order.\n",
            "## Mixture\n",
            "Shares of tokens. *Wanted* is what the strategy asked, *promised* what the limits "
            "left of it, *realised* what was drawn"
            + (
                "; *expected* is the share of its class that the calibrated model foresees.\n"
                if any(group["expected"] is not None for group in manifest["groups"])
                else ".\n"
            ),
            _groups(manifest["groups"]),
            "## Sources\n",
            _sources(workspace),
            "## Licences of the drawn documents\n",
            _counts(drawn.licenses),
            "## How it was chosen\n",
            _labels(workspace),
            "`recipe.yaml` holds every setting, `inputs.json` the files read, `draw.parquet` the "
            "weight and the copies of every candidate, `SHA256SUMS` the files. "
            "`curate verify` checks all of it.\n",
        ]
    )


def _front_matter(workspace: Workspace, drawn: Drawn, documents: int) -> str:
    identifiers = sorted(name.lower() for name in drawn.licenses if name != "unknown")
    license_ = identifiers[0] if len(drawn.licenses) == len(identifiers) == 1 else "other"
    language_lines = "".join(f"\n- {name}" for name in sorted(drawn.languages) if name)
    top = next(size for size in (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e12) if documents < size)
    scale = {1e3: "n<1K", 1e4: "1K<n<10K", 1e5: "10K<n<100K", 1e6: "100K<n<1M"}
    lines = ["---", f"pretty_name: {json.dumps(workspace.about()['name'])}", f"license: {license_}"]
    if language_lines:
        lines.append(f"language:{language_lines}")
    lines += [
        f"size_categories:\n- {scale.get(top, 'n>1M')}",
        "task_categories:\n- text-generation",
    ]
    return "\n".join([*lines, "---", ""])


def _groups(groups: list[dict[str, Any]]) -> str:
    head = "| group | wanted | promised | realised | expected | tokens | documents | epochs |\n"
    rows = [
        f"| {row['group']} | {row['wanted']:.2%} | {row['promised']:.2%} | {row['realised']:.2%} "
        f"| {'' if row['expected'] is None else format(row['expected'], '.2%')} "
        f"| {row['tokens']:,} | {row['documents']:,} | {row['epochs']:.2f} |"
        for row in groups
    ]
    return head + "|---|--:|--:|--:|--:|--:|--:|--:|\n" + "\n".join(rows) + "\n"


def _sources(workspace: Workspace) -> str:
    files = workspace.tables.made("pool").facts["files"]
    rows = [f"| {file['path']} | {file['size']:,} | `{file['sha256'][:16]}…` |" for file in files]
    return "| file | bytes | sha256 |\n|---|--:|---|\n" + "\n".join(rows) + "\n"


def _counts(counts: Counter[str]) -> str:
    return "".join(f"- {name}: {count:,} documents\n" for name, count in counts.most_common())


def _labels(workspace: Workspace) -> str:
    labels = workspace.tables.stored("labels")
    if labels is None:
        return "No people were asked.\n"
    line = workspace.ledger.last("agree")
    questions = line["result"]["questions"] if line else []
    parts = [
        f"- {row['question']}: {row['answers']:,} answers by {row['annotators']} annotators about "
        f"{row['items']:,} documents, settled by {row['method']}"
        + (f"; Krippendorff's alpha {row['alpha']:.3f}" if row["alpha"] is not None else "")
        + ".\n"
        for row in questions
    ]
    return "".join(parts) + (
        "\nLabels marked `by: people` are settled answers of people; the others are a model's, "
        "learned from them.\n"
    )
