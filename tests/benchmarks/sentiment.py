"""Does the loop learn what people mean, and does weighting do something? On 18,513 rated texts.

300 texts, five drawn ratings each, as in the demo. Judged on texts that nobody labelled, against
the mean of all their recorded ratings, which the pipeline never saw. Over 5 seeds, beside a head on
character n-grams that learned from the same labels.
"""

import json
from statistics import fmean

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import f1_score

from curate import chance
from recipes.demo import data
from tests.benchmarks import setting

VALUES = ("negative", "neutral", "positive")
SIGNS = {"negative": -1, "positive": 1}
GROUPS = ["sentiment", "source"]
SHARES = {"sentiment": {"negative": 0.3, "positive": 0.7}}
BUDGET, TEMPERATURE = "25%", 0.5
MIXTURES = {
    "weighted": {
        "groups": GROUPS,
        "between": {"shares": SHARES},
        "within": {"strategy": "softmax", "temperature": TEMPERATURE},
    },
    "unweighted": {"groups": GROUPS, "between": {"shares": SHARES}},
    "proportional": {"groups": ["source"]},
}


def main():
    """Measure, print, and write the result."""
    base = setting.base(
        "english",
        data.write_english,
        {"sources": [{"paths": ["data/*.jsonl"]}], "holdout": 0.05},
        {"rules": ["length"], "near_duplicates": 0.7},
        "minilm",
    )
    ratings = json.loads((base / "ratings.json").read_text(encoding="utf-8"))
    runs = [one_seed(base, ratings, seed) for seed in setting.SEEDS]
    setting.write("sentiment", summary(runs))


def one_seed(base, ratings, seed):
    """Run the loop with one seed; return every figure."""
    where = labelled(base, ratings, seed)
    quality = {"clarity": ["negative", "positive"]}
    setting.stage(where, "score", question="sentiment", quality=quality, encoder="minilm")
    documents = where.documents.table(("id", "text", "tokens", "source")).to_pandas()
    scores = where.tables.read("scores").to_pandas()
    documents = documents.merge(scores, on="id")
    documents["mean"] = [fmean(ratings[text]) for text in documents["text"]]
    rows, truth = setting.posteriors(where, documents["id"].tolist(), VALUES)
    folds = np.argsort(np.argsort(chance.uniform(documents["id"].iloc[rows], seed, "fold"))) % 5
    peer = setting.tfidf_head(documents["text"].tolist(), rows, truth, folds)
    unseen = np.ones(len(documents), bool)
    unseen[rows] = False
    ours = documents[[f"sentiment:{value}" for value in VALUES]].to_numpy()
    figures = {
        "ours": accuracy(ours[unseen], documents["mean"].to_numpy()[unseen]),
        "tfidf": accuracy(peer[unseen], documents["mean"].to_numpy()[unseen]),
    }
    kept = documents.assign(unseen=unseen)
    return figures | {name: mixture(where, kept, spec) for name, spec in MIXTURES.items()}


def labelled(base, ratings, seed):
    """Return a workspace in which five accounts have answered 300 texts."""
    where = setting.copy_of(base, f"english-{seed}")
    setting.stage(where, "sample", n=300, strategy="stratified", seed=seed)
    setting.stage(where, "push", backend="folder", form="sentiment", overlap=5)
    with (where.rounds.current().folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for id, fields in where.rounds.current().texts().items():
            for account in range(5):
                drawn = data.drawn(seed, id, account).choice(ratings[fields["text"]])
                answer = {"id": id, "question": "sentiment", "annotator": f"a{account}"}
                file.write(json.dumps({**answer, "value": data.polarity(drawn)}) + "\n")
    setting.stage(where, "pull")
    setting.stage(where, "agree")
    return where


def accuracy(probabilities, mean):
    """Return macro-F1 over negative and positive where |mean| > .5, and Spearman's rho."""
    clear = np.abs(mean) > 0.5
    guess = np.array(VALUES)[probabilities.argmax(axis=1)]
    truth = np.where(mean > 0, "positive", "negative")
    f1 = f1_score(truth[clear], guess[clear], labels=list(SIGNS), average="macro")
    polar = np.where(probabilities[:, 2] > probabilities[:, 0], "positive", "negative")
    forced = f1_score(truth[clear], polar[clear], labels=list(SIGNS), average="macro")
    rho = spearmanr(probabilities[:, 2] - probabilities[:, 0], mean)[0]
    return {"macro_f1": f1, "macro_f1_without_neutral": forced, "spearman": float(rho)}


def mixture(where, documents, spec):
    """Return, for each predicted class of a drawn mixture, what all the ratings say of it."""
    result = setting.stage(where, "mix", **spec, budget=BUDGET)
    drawn = documents.merge(where.tables.read("mix").to_pandas(), on="id")
    drawn = drawn[(drawn["copies"] > 0)]
    judged = drawn[drawn["unseen"]]
    tokens = drawn["tokens"] * drawn["copies"]
    figures = {}
    for value, sign in SIGNS.items():
        part = judged[judged["sentiment"] == value]
        right = part["mean"] * sign > 0
        figures[value] = {
            "precision": float(np.average(right, weights=part["tokens"] * part["copies"])),
            "mean_abs_rating": float(part["mean"].abs().mean()),
            "true_share": float(tokens[drawn["mean"] * sign > 0].sum() / tokens.sum()),
        }
        groups = [g for g in result.groups if g.group.split("/")[0] == value]
        if groups:
            figures[value]["promised_share"] = sum(g.promised for g in groups)
            figures[value]["expected_share"] = sum(g.expected for g in groups)
    return figures


def summary(runs):
    """Return mean and standard deviation of every figure over the runs."""
    first = runs[0]
    if isinstance(first, dict):
        return {key: summary([run[key] for run in runs]) for key in first}
    return setting.spread(runs)


if __name__ == "__main__":
    main()
