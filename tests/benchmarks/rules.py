"""The rule sets beside datatrove's own filters: the same verdicts, and how fast.

    python -m tests.benchmarks.rules

datatrove 0.10.1 is only asked here: in the environment whose Python CURATE_ORACLE names
(`python -m venv DIR && DIR/bin/pip install "datatrove[processing]==0.10.1" spacy`). Both sides read
the same documents in fresh processes, by turns, one thread each; processor seconds are compared,
the first meeting with every word included. All four sets, every signal kept.

Agreement is asked where it is hard: for each filter, documents of the commoner verdict are left
out, by hash, until datatrove passes between 30 and 70 %.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np

from curate.clean.deciding import outside
from curate.clean.measuring import AT_ONCE, measure_documents
from curate.clean.rules import c4
from curate.clean.rules.features import Features
from curate.clean.rules.registry import RULES
from curate.text import apply_edits
from tests.benchmarks import english, setting

ORACLE = os.environ.get("CURATE_ORACLE")
VERSION = "0.10.1"
SETS = ("gopher_quality", "gopher_repetition", "fineweb", "c4")
"""C4 stands last: the others see each text whole, as datatrove's filters do here."""

ROUNDS = 3
FOLDER = Path("runs/bench/rules").resolve()


def chosen(names=SETS):
    """Return the rule sets, with what they prepare by default."""
    return [(RULES[name], c4.Prepared() if name == "c4" else None) for name in names]


def ours(texts, names=SETS):
    """Return the first reason of each text by each set, and the texts after c4.

    All are judged as English, as datatrove does.
    """
    reasons = {}
    for name in names:
        signals, edits = blocks(texts, chosen([name]), "en")
        found = np.full(len(texts), None, object)
        for at, (label, signal) in reversed([*enumerate(RULES[name].signals.items())]):
            found[outside(signals[:, at].astype(np.float32), signal.range)] = label
        reasons[name] = found.tolist()
        if name == "c4":
            after = [apply_edits(*pair) for pair in zip(texts, edits, strict=True)]
    return reasons, after


def blocks(texts, rules, language=None):
    """Measure as `clean` does: some texts at a time, in their own languages by default."""
    signals, edits = [], []
    for start in range(0, len(texts), AT_ONCE):
        documents = [Features(text, language) for text in texts[start : start + AT_ONCE]]
        values, removed = measure_documents(documents, rules)
        signals.append(values)
        edits += removed
    return np.concatenate(signals), edits


def timed(path):
    """Print the processor seconds of all four sets over the documents of a file."""
    texts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    blocks(texts[:20], chosen())
    began = time.process_time()
    blocks(texts, chosen())
    sys.stdout.write(json.dumps(time.process_time() - began))


def asked(path):
    """Return what datatrove's filters say of the documents of a file."""
    answers = FOLDER / "answers.json"
    module = "tests.benchmarks.datatrove_filters"
    subprocess.run([ORACLE, "-m", module, path, answers], check=True)
    return json.loads(answers.read_text(encoding="utf-8"))


def hard(reasons, low=0.3, high=0.7):
    """Return the places to compare at: the commoner verdict thinned to what the rate allows."""
    passed = np.array([reason is None for reason in reasons])
    rare = passed if passed.mean() < 0.5 else ~passed
    share = low if passed.mean() < 0.5 else 1 - high
    most = int(rare.sum() * (1 - share) / share)
    common = np.flatnonzero(~rare)[:most] if (~rare).sum() > most else np.flatnonzero(~rare)
    return np.sort(np.concatenate([np.flatnonzero(rare), common]))


def agreement(theirs, mine, kinds, at, unspaced):
    """Return shares, kappa and every kind of difference between two lists of reasons.

    A text without spaces between words is not measured by ours; what is left is a token that is
    split in another way.
    """
    one = np.array([theirs[place] is None for place in at])
    two = np.array([mine[place] is None for place in at])
    equal = float((one == two).mean())
    chance = one.mean() * two.mean() + (1 - one.mean()) * (1 - two.mean())
    apart = [
        (theirs[p], mine[p], "no spaces between words" if unspaced[p] else "other tokens")
        for p, a, b in zip(at, one, two, strict=True)
        if a != b
    ]
    return {
        "documents": len(at),
        "kinds": dict(Counter(kinds[place] for place in at)),
        "reference_passes": round(float(one.mean()), 4),
        "equal": round(equal, 5),
        "kappa": round(float((equal - chance) / (1 - chance)), 5),
        "reference_reasons": dict(Counter(theirs[p] for p in at if theirs[p]).most_common()),
        "differences": {" | ".join(map(str, each)): n for each, n in Counter(apart).most_common()},
    }


def main():
    if len(sys.argv) > 1:
        timed(Path(sys.argv[1]))
        return
    if not ORACLE:
        sys.exit("skipped: CURATE_ORACLE names no Python that has datatrove")
    FOLDER.mkdir(parents=True, exist_ok=True)
    documents = english.documents()
    documents.sort(key=lambda each: english.noise(each[1]))
    kinds, texts = zip(*documents, strict=True)
    path = FOLDER / "documents.jsonl"
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    seconds = {"datatrove": [], "curate": []}
    for _ in range(ROUNDS):
        theirs = asked(path)
        seconds["datatrove"].append(sum(theirs["seconds"].values()))
        again = [sys.executable, "-m", "tests.benchmarks.rules", path]
        done = subprocess.run(again, check=True, capture_output=True, text=True)
        seconds["curate"].append(json.loads(done.stdout))
    assert theirs["version"] == VERSION
    mine, after = ours(texts)
    ratios = [a / b for a, b in zip(seconds["datatrove"], seconds["curate"], strict=True)]
    passed = [place for place, reason in enumerate(theirs["reasons"]["c4"]) if reason is None]
    same = sum(theirs["c4_texts"][place] == after[place] for place in passed)
    unspaced = [Features(text).unspaced for text in texts]
    setting.write(
        "rules",
        {
            "datatrove": VERSION,
            "documents": len(texts),
            "characters": round(float(np.mean([len(text) for text in texts]))),
            "kinds": dict(Counter(kinds)),
            "docs_per_second_one_core": {
                name: round(len(texts) / median(each)) for name, each in seconds.items()
            },
            "times_faster": {"median": round(median(ratios), 1), "least": round(min(ratios), 1)},
            "agreement": {
                name: agreement(reasons, mine[name], kinds, hard(reasons), unspaced)
                for name, reasons in theirs["reasons"].items()
            },
            "all_documents_equal": {
                name: round(
                    float(
                        np.mean(
                            [
                                (a is None) == (b is None)
                                for a, b in zip(reasons, mine[name], strict=True)
                            ]
                        )
                    ),
                    5,
                )
                for name, reasons in theirs["reasons"].items()
            },
            "c4_texts_that_read_the_same": f"{same} of {len(passed)}",
        },
    )


if __name__ == "__main__":
    main()
