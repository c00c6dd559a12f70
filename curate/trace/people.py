"""What people said of documents: every answer, whether it counts, and the labels that follow.

All answers of a workspace are in memory: people give them, so there are few.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from curate.agree.spec import AgreeSpec
from curate.rounds import Round
from curate.rounds.taken_back import taken_back
from curate.trace.results import Answer, Label
from curate.workspace import Workspace

Shown = tuple[str, ...]
"""The documents that a task shows."""


@dataclass(frozen=True)
class Said:
    """All answers and labels; `answers` and `labels` by the document or comparison they are of.

    `shown` are the documents of each of these, `compared` the comparisons that show a document.
    """

    answers: Mapping[str, Sequence[Answer]]
    labels: Mapping[str, Sequence[Label]]
    shown: Mapping[str, Shown]
    compared: Mapping[str, Sequence[str]]

    @staticmethod
    def of(workspace: Workspace) -> Said:
        """Read them. Answers count as the present labels were settled."""
        rows = list(_answers(workspace, _spec(workspace)))
        answers: dict[str, list[Answer]] = defaultdict(list)
        shown: dict[str, Shown] = {}
        compared: dict[str, list[str]] = defaultdict(list)
        for answer, documents in rows:
            answers[answer.label].append(answer)
            shown[answer.label] = documents
        for label, documents in shown.items():
            for document in documents if documents != (label,) else ():
                compared[document].append(label)
        return Said(answers, _labels(workspace), shown, compared)

    def of_document(self, id: str) -> tuple[tuple[Answer, ...], tuple[Label, ...]]:
        """The answers and labels of a document, with those of comparisons that show it."""
        own = (id, *self.compared.get(id, ()))
        answers = [answer for label in own for answer in self.answers.get(label, ())]
        labels = [one for label in own for one in self.labels.get(label, ())]
        return tuple(answers), tuple(labels)

    def documents(self, labels: Sequence[str]) -> set[str]:
        """The documents that some labels are of."""
        return {id for label in labels for id in self.shown.get(label, (label,))}

    def counting(self) -> Iterator[Answer]:
        """Yield the answers that labels were settled from."""
        for answers in self.answers.values():
            yield from (answer for answer in answers if answer.counts)


def _spec(workspace: Workspace) -> AgreeSpec:
    """The settings that the present labels were settled with."""
    stored = workspace.tables.stored("labels")
    return AgreeSpec() if stored is None else AgreeSpec.model_validate(dict(stored.made.spec))


def _answers(workspace: Workspace, spec: AgreeSpec) -> Iterator[tuple[Answer, Shown]]:
    """Yield the newest answer of everybody in each round, and the documents that it is about.

    An answer of an earlier round does not count if the same person answered the same task again,
    or if an import takes it back.
    """
    rounds = workspace.rounds.all()
    newest: dict[tuple[str, str, str], tuple[int, str]] = {}
    rows = [row for round_ in rounds for row in _of_round(round_, spec)]
    for task, answer, _ in rows:
        if answer.counts:
            key = (task, answer.question, answer.annotator)
            newest[key] = answer.round, f"answered again in round {answer.round}"
    for place, round_ in enumerate(rounds):
        for key, status in taken_back(round_, rounds[:place]).items():
            if round_.number >= newest.get(key, (0, ""))[0]:
                newest[key] = round_.number, f"{status} in round {round_.number}"
    for task, answer, documents in rows:
        own = (task, answer.question, answer.annotator)
        last, why = newest.get(own, (answer.round, ""))
        is_old = answer.counts and last != answer.round
        yield replace(answer, why=why if is_old else answer.why), documents


def _of_round(round_: Round, spec: AgreeSpec) -> Iterator[tuple[str, Answer, Shown]]:
    if round_.push is None:
        return
    tasks = {row["id"]: row for row in round_.sample().to_pylist()}
    for row in round_.answers():
        task = tasks.get(row["id"], {})
        members = tuple(task.get("members") or ())
        label = members[0] if len(members) == 1 else row["id"]
        answer = Answer(
            annotator=row["annotator"],
            question=row["question"],
            value=row["value"],
            round=round_.number,
            at=None if row["at"] is None else row["at"].isoformat(),
            form=row["form"],
            guideline=row["guideline"],
            blind=row["blind"],
            label=label,
            why=_why(row, task, round_, spec),
        )
        yield row["id"], answer, members or (row["id"],)


def _why(
    row: Mapping[str, Any], task: Mapping[str, Any], round_: Round, spec: AgreeSpec
) -> str | None:
    """Why an answer does not count, as `agree` decides; None where it does."""
    if row["status"] != "submitted" or row["value"] is None:
        return row["status"] if row["status"] != "submitted" else "left open"
    if round_.purpose == "pilot":
        return "in a pilot"
    if task.get("kind") == "gold":
        return "to a gold item"
    if not spec.counts(row["annotator"], row["guideline"]):
        return "excluded by the settings of agree"
    return None


def _labels(workspace: Workspace) -> dict[str, list[Label]]:
    labels: dict[str, list[Label]] = defaultdict(list)
    if workspace.tables.stored("labels") is None:
        return labels
    names = ["id", "question", "value", "confidence", "votes", "agreement", "method", "adjudicator"]
    for row in workspace.tables.read("labels", names).to_pylist():
        own = {name: row[name] for name in names[1:]}
        labels[row["id"]].append(Label(**own, label=row["id"]))
    return labels


def holds(value: str | None, wanted: str) -> bool:
    """Whether a settled value, as JSON, is `wanted`, or has it among its labels or spans."""
    if value is None:
        return False
    decoded = json.loads(value)
    entries = decoded if isinstance(decoded, list) else [decoded]
    words = (one["label"] if isinstance(one, dict) else one for one in entries)
    return any(
        word == wanted or (not isinstance(word, str) and json.dumps(word) == wanted)
        for word in words
    )


def guidelines(workspace: Workspace) -> dict[str, set[str]]:
    """The names of each guideline by its digest: its file in the settings, its part, its round."""
    names: dict[str, set[str]] = defaultdict(set)
    for round_ in workspace.rounds.all():
        setting = round_.push["spec"].get("guidelines") if round_.push else None
        for batch in round_.batches:
            if batch.guideline is None:
                continue
            own = setting.get(batch.name) if isinstance(setting, dict) else setting
            files = [str(own), PurePath(own).name, PurePath(own).stem] if own else []
            names[batch.guideline] |= {*files, *([batch.name] if batch.name else ())}
    return names
