"""The rule sets beside datatrove's own filters, where an environment has them (see its skip).

The whole comparison, on several kinds of text, is tests/benchmarks/rules.py.
"""

import json
import os
import subprocess
from pydoc_data.topics import topics

import pytest

from tests.benchmarks.rules import SETS, VERSION, ours

ORACLE = os.environ.get("CURATE_ORACLE")
TEXTS = [
    *topics.values(),
    *(part for text in topics.values() for part in text.split("\n\n\n")),
    "",
    "One two three.",
    "The same line stands here.\n" * 4,
    "Lorem ipsum dolor sit amet. " * 9,
    "He has {one} here, and the rest of it too. It goes on. And on. And on. And on.",
]


@pytest.mark.slow
@pytest.mark.skipif(not ORACLE, reason="CURATE_ORACLE names no Python that has datatrove")
def test_verdicts_are_those_of_the_reference(tmp_path):
    documents, answers = tmp_path / "documents.jsonl", tmp_path / "answers.json"
    documents.write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    command = [ORACLE, "-m", "tests.benchmarks.datatrove_filters", documents, answers]
    subprocess.run(command, check=True)
    theirs = json.loads(answers.read_text())
    assert theirs["version"] == VERSION
    mine, after = ours(TEXTS)
    for name in SETS:
        pairs = list(zip(theirs["reasons"][name], mine[name], strict=True))
        equal = [(a is None) == (b is None) for a, b in pairs]
        assert sum(equal) >= 0.98 * len(pairs), name
    for place, reason in enumerate(theirs["reasons"]["c4"]):
        if reason is None:
            assert after[place] == theirs["c4_texts"][place]
