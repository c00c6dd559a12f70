"""What a stage did, in words: a line of `curate run` and of `curate status`.

A result comes as the ledger keeps it: a mapping of plain values. One that lacks something, of an
older version, has fewer words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from curate.rounding import rounded
from curate.wording.numbers import count, number, share

Result = Mapping[str, Any]
Words = Iterator[str]


def did(stage: str, result: Result | None) -> str:
    """What a stage did; empty for a stage without words, or a result that has none."""
    if result is None or stage not in STORIES:
        return ""
    try:
        return " · ".join(STORIES[stage](result))
    except (LookupError, TypeError, ValueError, AttributeError):
        return ""  # a line of another version


def _counted(result: Result, *names: tuple[str, str, str]) -> Words:
    """Yield counts that are not zero: (field, noun, plural)."""
    for name, noun, plural in names:
        if result.get(name):
            yield count(result[name], noun, plural)


def _listed(counts: Mapping[str, int]) -> str:
    """Counts by name, the largest first: `length:words 12, duplicates 3`."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {amount:,}" for name, amount in ordered if amount)


def _pool(result: Result) -> Words:
    sources = count(len(result["sources"]), "source")
    tokens = count(result["tokens"], "token")
    yield f"{count(result['documents'], 'document')} of {sources}, {tokens}"
    if 0 < result["added"] < result["documents"]:
        yield f"{result['added']:,} new"
    yield from _counted(
        result,
        ("holdout", "held out", "held out"),
        ("copies", "exact copy left out", "exact copies left out"),
        ("bad_rows", "row that cannot be used", "rows that cannot be used"),
        ("skipped", "file or row skipped", "files or rows skipped"),
    )


def _clean(result: Result) -> Words:
    documents = f"{result['kept']:,} of {count(result['documents'], 'document')} kept"
    yield f"{documents}, {count(result['tokens'], 'token')}"
    if dropped := _listed(result["reasons"]):
        yield f"dropped: {dropped}"
    if found := _listed(result["privacy"]):
        yield f"private: {found}"


def _sample(result: Result) -> Words:
    tasks = count(result["tasks"], "text")
    yield f"round {result['round']}: {tasks} drawn out of {result['frame']:,}"
    if result["purpose"] != "label":
        yield str(result["purpose"])
    yield from _counted(result, ("gold", "with a known answer", "with known answers"))


def _push(result: Result) -> Words:
    tasks = count(result["tasks"], "text")
    if result["sent"]:
        yield f"{result['sent']:,} of {tasks} sent"
    else:
        yield f"all {tasks} are already there"
    yield from _counted(result, ("suggestions", "suggestion", "suggestions"))
    if len(result["batches"]) > 1:
        yield count(len(result["batches"]), "part")


def _pull(result: Result) -> Words:
    yield f"{result['complete']:,} of {count(result['tasks'], 'text')} complete"
    yield count(result["new"], "new answer") if result["new"] else "no new answers"
    if rejected := sum(result["rejected"].values()):
        yield f"{rejected:,} rejected"


def _agree(result: Result) -> Words:
    answers, people = (
        count(result["answers"], "answer"),
        count(result["annotators"], "person", "people"),
    )
    yield f"{count(result['labels'], 'label')} out of {answers} of {people}"
    for question in result["questions"]:
        if question["alpha"] is not None:
            yield f"{question['question']}: agreement (alpha) {rounded(question['alpha'], '.2f')}"
    yield from _counted(result, ("undecided", "undecided", "undecided"))
    if excluded := sum(result["excluded"].values()):
        yield f"{excluded:,} left out"


def _score(result: Result) -> Words:
    for question in result["questions"]:
        right, trivial = share(question["accuracy"]), share(question["trivial_accuracy"])
        yield f"{question['question']}: {right} right (the commonest answer alone: {trivial})"
    labels = count(result["labelled"], "label")
    yield f"learned from {labels}, {count(result['documents'], 'document')} scored"
    yield from _counted(
        result,
        ("abstained", "document not judged", "documents not judged"),
        ("doubtful", "doubtful label", "doubtful labels"),
    )


def _mix(result: Result) -> Words:
    groups = count(len({group["group"] for group in result["groups"]}), "group")
    unit = result.get("unit", "tokens")
    of = f"{_amount(result['tokens'], unit)} of {_amount(result['supply'], unit, with_noun=True)}"
    yield f"{of} drawn, {count(result['documents'], 'document')} in {groups}"
    if abs(result["tokens"] + result["earlier"] - result["budget"]) > 0.01 * result["budget"]:
        yield f"asked for {_amount(result['budget'], unit, with_noun=True)}"


def _amount(amount: int, unit: str, *, with_noun: bool = False) -> str:
    """An amount of a budget; one in time is in thousandths of a second."""
    if unit == "seconds":
        return rounded(amount / 1000, ",.1f") + " s" * with_noun
    return count(amount, unit.removesuffix("s")) if with_noun else f"{amount:,}"


def _export(result: Result) -> Words:
    files = count(result["files"], "file")
    yield f"{count(result['documents'], 'line')} in {files} under {result['folder']}/"
    yield count(result["tokens"], "token")


def _evaluate(result: Result) -> Words:
    for name, model in result["models"].items():
        if model is not None:
            right, trivial = share(model["accuracy"]), share(model["trivial_accuracy"])
            yield f"{name}: {right} right (the commonest answer alone: {trivial})"
    yield str(result["verdict"])


def _report(result: Result) -> Words:
    yield f"{result['file']} ({count(result['charts'], 'chart')}, {number(result['kilobytes'])} kB)"


STORIES: dict[str, Callable[[Result], Iterable[str]]] = {
    "pool": _pool,
    "clean": _clean,
    "sample": _sample,
    "push": _push,
    "pull": _pull,
    "agree": _agree,
    "score": _score,
    "mix": _mix,
    "export": _export,
    "evaluate": _evaluate,
    "report": _report,
}
"""The words about each stage's result."""
