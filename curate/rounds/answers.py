"""The answers of a round: files that are only ever added. The newest row of each key counts.

The metadata of a file holds the cursors: where the next pull of each project continues.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate import storage, tables
from curate.records import replaces

Answer = Mapping[str, Any]
"""A row of the table `annotations`."""

KEY = ("id", "question", "annotator")
"""What identifies an answer within a round."""


def append(folder: Path, answers: list[dict[str, Any]], cursors: Mapping[str, str]) -> None:
    """Add answers and cursors as one more file; existing files are not touched."""
    number = max((int(path.stem) for path in storage.shards(folder)), default=0) + 1
    table = tables.rows("annotations", answers)
    table = table.replace_schema_metadata({"cursors": json.dumps(dict(cursors))})
    storage.write_parquet(folder / f"{number:04}.parquet", table)


def answer_files(folder: Path) -> list[Path]:
    """The files of answers, oldest first. Raises DataError if one between them is gone."""
    files = storage.shards(folder)
    for number, path in enumerate(files, 1):
        if path.stem != f"{number:04}":
            raise storage.damaged(folder / f"{number:04}.parquet", "it is gone")
    return files


def count_rows(folder: Path) -> int:
    """The number of answers in all files. Raises DataError for a damaged one."""
    import pyarrow.parquet as pq

    rows = 0
    for path in answer_files(folder):
        with storage.reading(path):
            rows += pq.read_metadata(path).num_rows
    return rows


def count_submissions(folder: Path) -> int:
    """The number of submissions in all files: in each, the pairs of a task and a person."""
    pairs = (storage.read_parquet(path, ["id", "annotator"]) for path in answer_files(folder))
    return sum(table.group_by(["id", "annotator"]).aggregate([]).num_rows for table in pairs)


def read_cursors(folder: Path) -> dict[str, str]:
    """Read where the next pull of each project continues."""
    import pyarrow.parquet as pq

    files = answer_files(folder)
    if not files:
        return {}
    with storage.reading(files[-1]):
        metadata = pq.read_schema(files[-1]).metadata or {}
        return dict(json.loads(metadata.get(b"cursors", b"{}")))


def read_history(folder: Path, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read every answer, oldest first; `names` maps replaced ids of people to today's."""
    return [
        {**row, "annotator": names.get(row["annotator"], row["annotator"])}
        for path in answer_files(folder)
        for row in storage.read_parquet(path, tables.schema("annotations").names).to_pylist()
    ]


def said(row: Answer) -> tuple[str, str]:
    """The task of an answer, and the digest of its value: what is refused once it was erased."""
    return row["id"], storage.digest(row["value"])


def replace_answers(
    folder: Path, marks: Collection[tuple[str, str]], erased: Callable[[Answer], dict[str, Any]]
) -> int:
    """Put `erased` of them in place of the answers with these marks; return how many they are.

    Everything else stays as it is, cursors too. Answers are only ever added: what must be erased
    by law is the one exception.
    """
    import pyarrow as pa

    count = 0
    for path in answer_files(folder):
        with storage.reading(path):
            table = storage.read_parquet(path)
        rows = table.to_pylist()
        chosen = [row["value"] is not None and said(row) in marks for row in rows]
        if any(chosen):
            rows = [erased(row) if own else row for row, own in zip(rows, chosen, strict=True)]
            storage.write_parquet(path, pa.Table.from_pylist(rows, schema=table.schema))
        count += sum(chosen)
    return count


SUBMISSION = ("withdrawn", "draft", "rejected", "skipped", "discarded", "submitted")
"""The statuses of a person's answers to one task: all of them together have the last of these."""


def submissions(
    rows: Iterable[Answer], required: Collection[str] = ()
) -> dict[tuple[str, str], str]:
    """The status of each submission, by task and annotator: one, whatever the form asks.

    It is rejected if it has to be mended.
    """
    statuses: dict[tuple[str, str], str] = {}
    answers = [*rows]
    for row in answers:
        key = (row["id"], row["annotator"])
        statuses[key] = max(statuses.get(key, SUBMISSION[0]), row["status"], key=SUBMISSION.index)
    unfit = {(id, annotator) for _, id, annotator in to_mend(answers, required)}
    return statuses | dict.fromkeys(sorted(unfit), "rejected")


def not_rejected(history: Sequence[dict[str, Any]], required: Collection[str]) -> list[Answer]:
    """The rows of a round's history but for those of submissions that stand as rejected."""
    statuses = submissions(newest(history), required)
    rejected = {key for key, status in statuses.items() if status == "rejected"}
    return [row for row in history if (row["id"], row["annotator"]) not in rejected]


def answering(rows: Sequence[Answer], required: Collection[str]) -> set[tuple[str, str, str]]:
    """The submissions that answer their task, by project, task and annotator.

    Every `required` question has a value; without one, any question. None is to be mended.
    """
    said: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row["status"] == "submitted" and row["value"] is not None:
            said[row["project"], row["id"], row["annotator"]].add(row["question"])
    whole = {key for key, questions in said.items() if questions.issuperset(required)}
    return whole - to_mend(rows, required)


def to_mend(rows: Iterable[Answer], required: Collection[str]) -> set[tuple[str, str, str]]:
    """The submissions that do not answer their task, by project, task and annotator.

    A `required` question's answer was rejected, or some answer was and no other says anything.
    """
    unfit: set[tuple[str, str, str]] = set()
    partly: set[tuple[str, str, str]] = set()
    spoken: set[tuple[str, str, str]] = set()
    for row in rows:
        key = (row["project"], row["id"], row["annotator"])
        if row["status"] == "rejected":
            (unfit if row["question"] in required else partly).add(key)
        elif row["status"] == "submitted" and row["value"] is not None:
            spoken.add(key)
    return unfit | partly - spoken


def newest(rows: Iterable[dict[str, Any]], columns: Sequence[str] = KEY) -> list[dict[str, Any]]:
    """The newest answer of each key, which is in `columns`; of equally new ones, the later row.

    A draft never replaces a submission. A withdrawal always replaces, whatever its time. So does
    any answer after a withdrawal, because the server has it again.
    """
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        last = latest.get(key)
        if last is None or replaces(row["status"], row["at"], last["status"], last["at"]):
            latest[key] = row
    return list(latest.values())
