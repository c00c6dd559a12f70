"""What the first push freezes: form, guidelines, tasks, and the project of each batch.

    form.xml  guidelines.md (guidelines-N.md where the round is split)  tasks.parquet  project.json

The round counts as pushed once project.json is there: it is written last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from curate import storage, tables
from curate.forms import parse_form
from curate.records import Form, Project
from curate.rounds.batch import Batch, BatchRecord, project_record


class Sent(TypedDict, total=False):
    """The record project.json: settings of `push`, time, the form's name and digest, batches."""

    spec: Mapping[str, Any]
    created: str
    form: str
    form_digest: str
    batches: list[BatchRecord]


def freeze_sent(
    folder: Path,
    spec: Mapping[str, Any],
    form: Form,
    batches: Sequence[Batch],
    tasks: list[dict[str, Any]],
    created: str,
) -> None:
    """Write down what is sent where; `tasks` are rows of the table `tasks`."""
    storage.write_text(folder / "form.xml", form.xml)
    storage.write_parquet(folder / "tasks.parquet", tables.rows("tasks", tasks))
    names = [
        f"guidelines-{number}.md" if batch.name else "guidelines.md"
        for number, batch in enumerate(batches, 1)
    ]
    for name, batch in zip(names, batches, strict=True):
        storage.write_text(folder / name, batch.guidelines)
    record: Sent = {
        "spec": spec,
        "created": created,
        "form": form.name,
        "form_digest": form.digest,
        "batches": [batch.record(name) for name, batch in zip(names, batches, strict=True)],
    }
    storage.write_json(folder / "project.json", record)


def replace_project(
    folder: Path, sent: Sent, batch: str | None, project: Project, restored: str
) -> None:
    """Point a batch to the project that its answers were put back to at the time `restored`."""
    batches = [
        {**record, "project": project_record(project), "restored": restored}
        if record["name"] == batch
        else record
        for record in sent["batches"]
    ]
    storage.write_json(folder / "project.json", {**sent, "batches": batches})


def read_batches(folder: Path, sent: Sent, names: Mapping[str, str]) -> tuple[Batch, ...]:
    """Read the batches; `names` maps replaced ids of people to today's."""
    with storage.reading(folder / "form.xml"):
        xml = (folder / "form.xml").read_text(encoding="utf-8")
    form = parse_form(xml, name=sent["form"])
    with storage.reading(folder / "project.json"):
        return tuple(
            Batch(
                name=record["name"],
                project=Project(**{**record["project"], "form": form}),
                people=_todays_ids(record["people"], names),
                guidelines=storage.regular(folder / record["guidelines"]).read_text("utf-8"),
                restored=record.get("restored"),
            )
            for record in sent["batches"]
        )


def _todays_ids(people: Sequence[str] | None, names: Mapping[str, str]) -> tuple[str, ...] | None:
    return None if people is None else tuple(names.get(id, id) for id in people)
