"""Chinese at home? Accuracy on reviews that nobody labelled, beside character n-grams.

400 reviews with their recorded label, as in `make demo-chinese`. Judged on all others that stand
in one of the two files only. Over 5 seeds.
"""

import json

import numpy as np

from curate import chance
from recipes.demo import data
from tests.benchmarks import setting

VALUES = ("negative", "positive")


def main():
    """Measure, print, and write the result."""
    sources = [{"name": value, "paths": [f"data/{value}.jsonl"]} for value in VALUES]
    base = setting.base(
        "chinese",
        data.write_chinese,
        {"sources": sources, "holdout": 0.05},
        {"rules": ["length"], "near_duplicates": 0.7},
        "use-m3",
    )
    truth = json.loads((base / "truth.json").read_text(encoding="utf-8"))
    runs = [one_seed(base, truth, seed) for seed in setting.SEEDS]
    figures = {key: setting.spread([run[key] for run in runs]) for key in runs[0]}
    setting.write("chinese", figures)


def one_seed(base, truth, seed):
    """Run the loop with one seed; return the accuracies."""
    where = setting.copy_of(base, f"chinese-{seed}")
    setting.stage(where, "sample", n=400, seed=seed)
    setting.stage(where, "push", backend="folder", form="sentiment_zh")
    with (where.rounds.current().folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for id, fields in where.rounds.current().texts().items():
            value = data.drawn(seed, id).choice(truth[fields["text"]])
            answer = {"id": id, "question": "sentiment", "annotator": "recorded", "value": value}
            file.write(json.dumps(answer) + "\n")
    setting.stage(where, "pull")
    setting.stage(where, "agree")
    setting.stage(where, "score", encoder="use-m3")
    documents = where.documents.table(("id", "text")).to_pandas()
    documents = documents.merge(where.tables.read("scores").to_pandas(), on="id")
    rows, posterior = setting.posteriors(where, documents["id"].tolist(), VALUES)
    folds = np.argsort(np.argsort(chance.uniform(documents["id"].iloc[rows], seed, "fold"))) % 5
    peer = setting.tfidf_head(documents["text"].tolist(), rows, posterior, folds)
    known = [truth.get(text, []) for text in documents["text"]]
    judged = np.array([len(labels) == 1 for labels in known])
    judged[rows] = False
    right = np.array([labels[0] if labels else "" for labels in known])[judged]
    ours = documents["sentiment"].to_numpy()[judged]
    others = np.array(VALUES)[peer.argmax(axis=1)][judged]
    largest = max((right == value).mean() for value in VALUES)
    return {
        "ours": float((ours == right).mean()),
        "tfidf": float((others == right).mean()),
        "largest_class": float(largest),
        "judged": int(judged.sum()),
    }


if __name__ == "__main__":
    main()
