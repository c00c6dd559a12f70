"""Ask datatrove's own filters, in an environment that has them (see rules.py).

    python -m tests.benchmarks.datatrove_filters DOCUMENTS.jsonl ANSWERS.json

Reads one JSON string a line; writes, for each filter, the reason of every document (null passes)
and the processor seconds taken, over several rounds.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

FILTERS = {
    "gopher_quality": GopherQualityFilter,
    "gopher_repetition": GopherRepetitionFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}


def ask(judge, texts):
    """Return the reason of each text, and the texts as they read afterwards."""
    reasons, after = [], []
    for text in texts:
        document = Document(text=text, id="")
        try:
            answer = judge.filter(document)
        except ZeroDivisionError:  # a text without words
            answer = False, "error"
        reasons.append(None if answer is True else answer[1] if isinstance(answer, tuple) else "no")
        after.append(document.text)
    return reasons, after


def main():
    documents, answers = map(Path, sys.argv[1:3])
    texts = [json.loads(line) for line in documents.read_text(encoding="utf-8").splitlines()]
    found = {"version": version("datatrove"), "reasons": {}, "seconds": {}}
    for name, make in FILTERS.items():
        judge = make()
        ask(judge, texts[:20])
        began = time.process_time()
        found["reasons"][name], after = ask(judge, texts)
        found["seconds"][name] = time.process_time() - began
        if name == "c4":
            found["c4_texts"] = after
    answers.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
