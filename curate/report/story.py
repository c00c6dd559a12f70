"""What the page says, section by section: a heading, words, a chart, a table."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from curate import storage
from curate.report import charts
from curate.text import words as words_of
from curate.workspace import Workspace, now

Section = dict[str, Any]


def tell(workspace: Workspace, title: str) -> dict[str, Any]:
    """Return everything the page shows."""
    parts = (
        _funnel(workspace),
        _copies(workspace),
        _reasons(workspace),
        _languages(workspace),
        _private(workspace),
        _contaminated(workspace),
        _agreement(workspace),
        _annotators(workspace),
        _model(workspace),
        _calibration(workspace),
        _quality(workspace),
        _mixture(workspace),
        _proxy(workspace),
        _provenance(workspace),
    )
    sections = [part for part in parts if part]
    return {"title": title, "made": now(), "sections": sections, "tiles": _tiles(workspace)}


def _section(
    heading: str,
    words: str,
    *,
    chart: str = "",
    rows: Sequence[dict[str, Any]] = (),
    warning: str = "",
) -> Section:
    return {
        "heading": heading,
        "words": words,
        "chart": chart,
        "rows": [{name: _cell(value) for name, value in row.items()} for row in rows],
        "warning": warning,
    }


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _last(workspace: Workspace, stage: str) -> dict[str, Any]:
    line = workspace.last_run(stage)
    return dict(line["result"]) if line else {}


def _tiles(workspace: Workspace) -> list[tuple[str, str]]:
    pool, clean = _last(workspace, "pool"), _last(workspace, "clean")
    tiles = [("documents read", pool.get("rows")), ("kept", clean.get("kept"))]
    answers = sum(
        row["status"] == "submitted" for each in workspace.rounds for row in each.answers()
    )
    if answers:
        tiles.append(("answers by people", answers))
    export = _last(workspace, "export")
    tiles += [("documents exported", export.get("documents")), ("tokens", export.get("tokens"))]
    return [(name, _cell(value)) for name, value in tiles if value is not None]


def _funnel(workspace: Workspace) -> Section:
    documents, copies = workspace.rows("pool"), workspace.rows("duplicates")
    bad = len(storage.read_json(workspace.folder("pool") / "_rejected.json") or ())
    held = sum(workspace.read("pool", ["holdout"])["holdout"].to_pylist())
    steps = [("read", documents + copies + bad), ("distinct", documents)]
    if workspace.stored("clean"):
        kept = workspace.read("clean", ["kept"])["kept"].to_pylist()
        steps.append(("kept by clean", sum(kept)))
    if workspace.stored("mix"):
        steps.append(("candidates", workspace.rows("mix")))
        drawn = workspace.read("mix", ["copies"])["copies"].to_pylist()
        steps.append(("drawn", sum(number > 0 for number in drawn)))
    rows = [{"step": name, "documents": count} for name, count in steps]
    words = (
        f"{copies:,} rows were exact copies of others and {bad:,} could not be read; "
        f"{held:,} documents are held out to measure on."
    )
    return _section("From rows to documents", words, chart=charts.bars(rows, "step", "documents"))


def _copies(workspace: Workspace) -> Section | None:
    """Tell which sources hold the same documents: a text in two of them may carry two labels."""
    pairs: Counter[tuple[str, str]] = Counter()
    pool = workspace.read("pool", ["source", "also"]).to_pylist()
    for row in pool:
        pairs.update((row["source"], other) for other in row["also"] or ())
    inside = Counter(workspace.read("duplicates", ["source"])["source"].to_pylist())
    if not inside:
        return None
    rows = [
        {"source": one, "also in": other, "documents": n} for (one, other), n in pairs.most_common()
    ]
    total = sum(inside.values())
    copied = ", ".join(f"{name} {n:,}" for name, n in inside.most_common())
    words = f"{total:,} exact copies were set aside ({copied})."
    warning = ""
    if pairs:
        words += " Some documents stand in more than one source:"
        warning = (
            f"{sum(pairs.values()):,} texts stand in two sources, letter for letter; "
            f"{_in_two_sources(workspace):,} if punctuation and case do not count. Where a source "
            "implies a label, such a text is labelled both ways."
        )
    return _section("Copies", words, rows=rows, warning=warning)


def _in_two_sources(workspace: Workspace) -> int:
    """Return how many texts stand in two sources when only their letters and digits count."""
    import pyarrow.parquet as pq

    holders: defaultdict[bytes, set[str]] = defaultdict(set)
    for path in workspace.shards("pool"):
        for row in pq.read_table(path, columns=["text", "source", "also"]).to_pylist():
            key = blake2b("".join(words_of(row["text"])).lower().encode(), digest_size=16).digest()
            holders[key] |= {row["source"], *(row["also"] or ())}
    return sum(len(sources) > 1 for sources in holders.values())


def _reasons(workspace: Workspace) -> Section | None:
    clean = _last(workspace, "clean")
    if not clean.get("reasons"):
        return None
    rows = [{"reason": name, "documents": n} for name, n in clean["reasons"].items()]
    dropped = clean["documents"] - clean["kept"]
    words = f"{dropped:,} of {clean['documents']:,} documents were dropped, each for one reason."
    chart = charts.bars(rows, "reason", "documents")
    return _section("Why documents were dropped", words, chart=chart, rows=rows)


def _measured(workspace: Workspace, name: str) -> bool:
    """Whether `clean` has measured a signal."""
    if workspace.stored("clean") is None:
        return False
    import pyarrow.parquet as pq

    shards = workspace.shards("clean")
    return bool(shards) and name in pq.read_schema(shards[0]).names


def _languages(workspace: Workspace) -> Section | None:
    if not _measured(workspace, "language:confidence"):
        return None
    table = workspace.read("clean", ["language", "kept", "tokens"])
    documents, kept, tokens = Counter[str](), Counter[str](), Counter[str]()
    for row in table.to_pylist():
        name = row["language"] or "und"
        documents[name] += 1
        kept[name] += row["kept"]
        tokens[name] += row["tokens"] if row["kept"] else 0
    rows = [
        {"language": name, "documents": n, "kept": kept[name], "tokens kept": tokens[name]}
        for name, n in documents.most_common(20)
    ]
    differing = _last(workspace, "clean").get("differing_languages", 0)
    words = (
        f"As the sources declare it, else as detected; und where that is not sure. {differing:,} "
        "documents read as another language than their source declares."
    )
    chart = charts.bars(rows, "language", "documents")
    return _section("Languages", words, chart=chart, rows=rows)


def _private(workspace: Workspace) -> Section | None:
    found = _last(workspace, "clean").get("privacy")
    if not found or workspace.stored("clean") is None:
        return None
    actions = workspace.made("clean").spec.get("privacy") or {}
    rows = [
        {"kind": kind, "found": n, "what is done": actions.get(kind, "the document is dropped")}
        for kind, n in found.items()
    ]
    words = (
        "Found by form and arithmetic, counted and placed, never copied. What is masked is shown "
        "to nobody, learned from by nothing, and in no export."
    )
    return _section("Privacy", words, rows=rows)


def _contaminated(workspace: Workspace) -> Section | None:
    if not _measured(workspace, "contamination:share"):
        return None
    limit = workspace.made("clean").spec["contamination"]["share"]
    touched, over = Counter[str](), Counter[str]()
    items: dict[str, set[str]] = defaultdict(set)
    names = [each["name"] for each in workspace.made("clean").spec["contamination"]["sets"]]
    for told in workspace.read("clean", ["contamination"])["contamination"].to_pylist():
        found = json.loads(told or "[]")
        touched.update({name for name, _, _ in found})
        over.update({name for name, _, share in found if share >= limit})
        for name, item, share in found:
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
    return _section("Contamination by evaluation sets", words, rows=rows)


def _agreement(workspace: Workspace) -> Section | None:
    last = _last(workspace, "agree")
    told, pilots = last.get("questions", []), last.get("pilots", [])
    if not told and not pilots:
        return None
    rows = [
        {
            "round": "pilot, in no label" if q in pilots else "labels",
            "question": q["question"],
            "answers": q["answers"],
            "texts": q["items"],
            "annotators": q["annotators"],
            "alpha": q["alpha"],
            "low": q["alpha_low"],
            "high": q["alpha_high"],
            "settled by": q["method"],
            "undecided": q["undecided"],
        }
        for q in (*told, *pilots)
    ]
    first = told[0]["question"] if told else ""
    labels = workspace.read("labels").to_pylist()
    counts = Counter(str(json.loads(row["value"])) for row in labels if row["question"] == first)
    shares = [{"value": value, "texts": n} for value, n in sorted(counts.items())]
    words = (
        "Krippendorff's alpha is 1 where people agree fully and 0 where they agree as by chance; "
        "low and high are a 95 % bootstrap interval over texts."
    )
    chart = charts.bars(shares, "value", "texts") if 0 < len(shares) <= 12 else ""
    return _section("Agreement", words, chart=chart, rows=rows)


def _annotators(workspace: Workspace) -> Section | None:
    if not workspace.stored("annotators"):
        return None
    rows = workspace.read("annotators").to_pylist()
    kept = [{k: v for k, v in row.items() if k != "gold_right" or v is not None} for row in rows]
    if all(row["bias"] is None for row in kept):
        kept = [{k: v for k, v in row.items() if k != "bias"} for row in kept]
    statuses: Counter[str] = Counter(
        row["status"] for each in workspace.rounds for row in each.answers()
    )
    counted = ", ".join(f"{n:,} {status}" for status, n in statuses.most_common())
    words = f"Answers: {counted}. Skill is the estimated probability of the right answer."
    return _section("Annotators", words, rows=kept)


def _model(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = found.get("classification")
    if not metrics:
        return None
    scores = workspace.stored("scores")
    encoder = f" with {scores.made.facts['encoder']}" if scores else ""
    rows = [
        {
            "predicted by": "model",
            **{k: metrics[k] for k in ("accuracy", "macro_f1", "macro_recall", "cross_entropy")},
        },
        {
            "predicted by": "trivial baseline",
            "accuracy": metrics["trivial_accuracy"],
            "macro_f1": None,
            "macro_recall": None,
            "cross_entropy": metrics["trivial_cross_entropy"],
        },
    ]
    words = (
        f"Learned from {metrics['documents']:,} labelled texts{encoder}; measured out of fold, "
        "by heads that never saw the label. The trivial baseline predicts the class "
        "shares for every text."
    )
    classes = [
        {"value": each["value"], "measure": name, "score": each[name]}
        for each in metrics["classes"]
        for name in ("precision", "recall", "f1")
    ]
    chart = charts.grouped(classes, "value", "score", "measure")
    return _section(f"The model of {found['question']}", words, chart=chart, rows=rows)


def _calibration(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    metrics = found.get("classification")
    if not metrics:
        return None
    words = (
        "A point on the diagonal says: of predictions with this confidence, so many came true. "
        f"The expected calibration error is {metrics['calibration_error']:.3f}."
    )
    return _section("Calibration", words, chart=charts.reliability(metrics["bins"]))


def _quality(workspace: Workspace) -> Section | None:
    if not (workspace.stored("mix") and workspace.stored("scores")):
        return None
    scores = workspace.read("scores", ["id", "quality"]).to_pandas()
    if scores["quality"].isna().all():
        return None
    mix = workspace.read("mix", ["id", "group", "copies"]).to_pandas().merge(scores, on="id")
    chart = charts.distributions(mix)
    rows = [
        {
            "group": str(group),
            "candidates": len(part),
            "mean quality": float(part["quality"].mean()),
            "drawn": int((part["copies"] > 0).sum()),
            "mean quality drawn": float(part.loc[part["copies"] > 0, "quality"].mean())
            if (part["copies"] > 0).any()
            else None,
        }
        for group, part in mix.groupby("group", sort=True)
    ]
    words = "The bar spans the middle half of each group's quality, the tick is its median."
    return _section("Quality by group", words, chart=chart, rows=rows)


def _mixture(workspace: Workspace) -> Section | None:
    if not workspace.stored("groups"):
        return None
    groups = workspace.read("groups").to_pylist()
    names = (
        "group",
        "wanted",
        "promised",
        "realised",
        "expected",
        "tokens",
        "documents",
        "epochs",
        "bound",
    )
    rows = [{name: group[name] for name in names} for group in groups]
    told = [
        {"group": group["group"], "measure": name, "share": group[name]}
        for group in groups
        if group["wanted"] or group["promised"]
        for name in ("wanted", "promised", "realised", "expected")
        if group[name] is not None
    ]
    tokens, supply = (sum(group[name] for group in groups) for name in ("tokens", "supply"))
    words = (
        f"{tokens:,} tokens drawn for a budget of {workspace.made('groups').facts['budget']:,}, "
        f"out of {supply:,}. Wanted is what the strategy asked, promised what the limits left of "
        "it, realised what was drawn; expected is the share that the calibrated model foresees."
    )
    return _section(
        "The mixture", words, chart=charts.grouped(told, "group", "share", "measure"), rows=rows
    )


def _proxy(workspace: Workspace) -> Section | None:
    found = storage.read_json(workspace.root / "evaluate.json") or {}
    if not found.get("proxy"):
        return (
            _section("Does it help?", found["verdict"] + ". " + " ".join(found["notes"]))
            if found
            else None
        )
    rows = [
        {
            "mixture": arm["arm"],
            "tokens": arm["tokens"],
            "mean": arm["mean"],
            "sd": arm["mean_sd"],
            **arm["by_source"],
        }
        for arm in found["proxy"]
    ]
    points = [
        {"mixture": arm["arm"], "source": source, "loss": loss, "sd": arm["by_source_sd"][source]}
        for arm in found["proxy"]
        for source, loss in arm["by_source"].items()
    ]
    words = (
        f"{found['verdict'][:1].upper()}{found['verdict'][1:]}. Cross-entropy of a byte n-gram "
        "model in nats per byte on the holdout of each source, lower is better, over several "
        "draws. So small a model sees style and words, not worth: it can refute a mixture, "
        "hardly prove one."
    )
    return _section("Does it help?", words, chart=charts.losses(points), rows=rows)


def _provenance(workspace: Workspace) -> Section:
    seen = {}
    for line in workspace.ledger():
        seen[line["stage"]] = line
    rows = [
        {
            "stage": stage,
            "at": line["at"],
            "seconds": float(line["seconds"]),
            "version": line["version"],
        }
        for stage, line in seen.items()
        if line["stage"] != "recipe"
    ]
    files = workspace.made("pool").facts["files"]
    words = (
        "Inputs: "
        + "; ".join(f"{f['path']} (sha256 {f['sha256'][:12]}…)" for f in files[:20])
        + "."
    )
    for each in workspace.rounds:
        project = each.project
        where = f" on {project.backend}, project {project.name}" if project else ""
        end = f", closed: {each.closed['why']}" if each.closed else ", open"
        words += f" Round {each.number} ({each.purpose}){where}{end}."
    return _section("Provenance", words, rows=rows)
