"""How often intervals of a mixture hold the truth when other people answer. On the demo's texts.

    python -m tests.benchmarks.redraws [REDRAWS [ENCODER]]

1,000 rated texts of each source are pooled and cleaned, and 300 are sampled, once. Then the raters
are drawn again 20 times, as the demo replays them: five recorded ratings a text, 2 % skipped. The
truth is what all recorded ratings of a text say; every text has at least 13 of them. Judged are the
true shares of classes in what is drawn (`estimated_low`, `estimated_high`, recipe `sentiment`), and
the shares of sources by their mean quality (`promised_low`, `promised_high`).
"""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict

import numpy as np
from threadpoolctl import threadpool_limits

from curate import chance
from curate.backends.folder import FolderBackend
from curate.engine import Local
from curate.workspace import Workspace
from recipes.demo import data, replay
from tests.benchmarks import setting

VALUES = ("negative", "neutral", "positive")
CLEAR = ("negative", "positive")
PEOPLE = ("ada", "ben", "chen", "dana", "emil")
EACH = 1_000
"""Texts of a source: those of the least hashes."""

SCORE = {
    "question": "sentiment",
    "quality": {"clarity": CLEAR},
    "features": "embeddings",
    "class_weights": "none",
    "calibration": "temperature",
    "resamples": 2,
}
"""Nothing is chosen out of fold, so that a redraw takes seconds."""
WITHIN = {"strategy": "softmax", "temperature": 0.5}
SHARES = {"sentiment": {"negative": 0.3, "positive": 0.7}}
CLASSES = {"groups": ["sentiment"], "between": {"shares": SHARES}, "within": WITHIN}
SOURCES = {"groups": ["source"], "between": {"strategy": "quality", "alpha": 0.5, "beta": 2.0}}
BUDGET = "25%"


def main():
    """Measure, print, and write the result."""
    redraws = range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    encoder = sys.argv[2] if len(sys.argv) > 2 else "minilm"
    with threadpool_limits(1):
        base = asked(encoder)
        judged = rated(base)
        rows = [row for seed in redraws for row in one_redraw(base, judged, encoder, seed)]
    figures = {
        "encoder": encoder,
        "texts": len(judged),
        "sampled": len(opened(base).rounds.current().texts()),
        "least_ratings": int(judged["ratings"].map(len).min()),
        "true_shares": coverage([row for row in rows if row["what"] == "estimated"]),
        "promised": coverage([row for row in rows if row["what"] == "promised"]),
    }
    setting.write("redraws", figures, redraws)


def asked(encoder):
    """Return the folder of a run with an open round of 300 texts, made once."""
    folder = setting.base(
        f"redraws-{encoder}",
        write_some,
        {"sources": [{"paths": ["data/*.jsonl"]}], "holdout": 0.05},
        {"rules": ["length"], "near_duplicates": 0.7},
        encoder,
    )
    where = opened(folder)
    if not where.rounds.all():
        setting.stage(where, "sample", n=300, strategy="stratified", by=["source"], seed=7)
        setting.stage(where, "push", backend="folder", form="sentiment", overlap=5)
    return folder


def opened(folder):
    """Return the workspace in a folder, without workers: starting them costs more than they do."""
    connect = FolderBackend(folder / "rounds")
    return Workspace(folder, engine=Local(1), connect=lambda name: connect)


def write_some(folder, cache):
    """Write the demo's data, and keep 1,000 texts of each source."""
    data.write_english(folder, cache)
    for path in folder.glob("*.jsonl"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        first = np.argsort(chance.uniform(lines, 0, "redraws"))[:EACH]
        path.write_text("".join(lines[place] for place in sorted(first)), encoding="utf-8")


def rated(base):
    """Return the documents that can be drawn, with what all their ratings say: a share a class."""
    where = opened(base)
    documents = where.documents.table(("id", "text", "tokens", "source", "holdout")).to_pandas()
    documents = documents[~documents["holdout"]].set_index("id")
    ratings = json.loads((base / "ratings.json").read_text(encoding="utf-8"))
    documents["ratings"] = [ratings[text] for text in documents["text"]]
    counts = [Counter(map(data.polarity, own)) for own in documents["ratings"]]
    for value in VALUES:
        documents[value] = [own[value] / own.total() for own in counts]
    return documents


def one_redraw(base, judged, encoder, seed):
    """Let other raters answer, and mix twice; return a row for each interval."""
    began = time.process_time()
    setting.copy_of(base, "redraw")
    where = opened(setting.RUNS / "redraw")
    answer(where, base, seed)
    setting.stage(where, "pull")
    setting.stage(where, "agree", bootstrap=0)
    setting.stage(where, "score", encoder=encoder, **SCORE)
    classes = setting.stage(where, "mix", **CLASSES, budget=BUDGET).groups
    drawn = where.tables.read("mix").to_pandas().set_index("id")["copies"]
    sources = setting.stage(where, "mix", **SOURCES, budget=BUDGET).groups
    rows = [
        *told(classes, "estimated", true_shares(judged, drawn)),
        *told(sources, "promised", true_promises(judged)),
    ]
    seconds = time.process_time() - began
    sys.stderr.write(f"{seed} {seconds:.0f} s {[row['is_inside'] for row in rows]}\n")
    return rows


def answer(where, base, seed):
    """Write the answers of five people to every task, out of the recorded ratings."""
    ratings = json.loads((base / "ratings.json").read_text(encoding="utf-8"))
    current = where.rounds.current()
    tasks = [{"id": id, **fields} for id, fields in current.texts().items()]
    with (current.folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for planned in map(asdict, replay.plan(tasks, ratings, PEOPLE, seed)):
            if planned["status"] == "submitted":
                row = {"question": "sentiment", "annotator": planned["account"]}
                file.write(json.dumps({"id": planned["id"], "value": planned["value"], **row}))
                file.write("\n")


def true_shares(judged, drawn):
    """Return the true share of each class: the mean of what ratings say, by tokens drawn."""
    judged = judged.loc[drawn[drawn > 0].index]
    tokens = judged["tokens"] * drawn[drawn > 0]
    return {value: float(np.average(judged[value], weights=tokens)) for value in VALUES}


def true_promises(judged):
    """Return the share of each source by its tokens and the mean of its true qualities."""
    by_source = judged.assign(quality=judged[list(CLEAR)].max(axis=1)).groupby("source")
    wanted = by_source["tokens"].sum() ** 0.5 * np.exp(2.0 * by_source["quality"].mean())
    return (wanted / wanted.sum()).to_dict()


def told(groups, what, truth):
    """Return a row for each group that has an interval."""
    for group in groups:
        low, high = getattr(group, f"{what}_low"), getattr(group, f"{what}_high")
        if low is not None:
            value = group.estimated if what == "estimated" else group.promised
            yield {
                "what": what,
                "group": group.group,
                "is_inside": bool(low <= truth[group.group] <= high),
                "width": high - low,
                "error": value - truth[group.group],
                "expected": group.expected,
                "truth": truth[group.group],
            }


def coverage(rows):
    """Return, for each group, in how many redraws the interval held the truth, and how wide."""
    return {
        group: summary([row for row in rows if row["group"] == group])
        for group in sorted({row["group"] for row in rows})
    }


def summary(rows):
    """Return the figures of one group over the redraws."""
    figures = {
        "redraws": len(rows),
        "inside": sum(row["is_inside"] for row in rows),
        "mean_truth": round(float(np.mean([row["truth"] for row in rows])), 4),
        "mean_width": round(float(np.mean([row["width"] for row in rows])), 4),
        "error": setting.spread([row["error"] for row in rows]),
    }
    if rows[0]["expected"] is not None:
        off = setting.spread([row["expected"] - row["truth"] for row in rows])
        figures["error_of_expected"] = off
    return figures


if __name__ == "__main__":
    main()
