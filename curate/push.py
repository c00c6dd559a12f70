"""Send a round to people: the same push twice is one push.

sample ──push──▶ the round's project on its server
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Annotated, Any, Literal

from pydantic import Field

from curate import chance, storage
from curate.errors import DataError, ProjectMismatch
from curate.forms import load_form
from curate.records import Form, Project, Task
from curate.rounds import Round
from curate.spec import Spec
from curate.workspace import Workspace, now

READS = ("sample",)
WRITES = ("project",)


class PushSpec(Spec):
    """Where people label, with which form, and how many of them each text."""

    backend: Annotated[
        Literal["label_studio", "argilla", "folder"], Field(description="Where people label.")
    ] = "label_studio"
    form: Annotated[str, Field(description="A form by name, or the path of a label config.")] = (
        "sentiment"
    )
    overlap: Annotated[
        Annotated[int, Field(ge=1)] | Literal["all"],
        Field(description="How many people answer each text."),
    ] = 1
    guidelines: Annotated[str | None, Field(description="A Markdown file for annotators.")] = None


@dataclass(frozen=True)
class PushResult:
    """What was sent, and where people find it."""

    round: int
    project: str
    url: str
    tasks: int
    sent: int
    notes: tuple[str, ...] = ()


def run(workspace: Workspace, spec: PushSpec) -> PushResult:
    """Send the newest round's tasks; what is there already is left alone.

    The first push freezes form, guidelines, overlap and backend. Settings that changed since act
    on the next round, and the result says so.
    """
    current = workspace.round
    if current.closed:
        raise DataError(
            f"round {current.number} is closed", hint="open another with `curate run --next-round`"
        )
    form, guidelines = _form(workspace, spec), _guidelines(workspace, spec)
    _check_fields(form, current)
    if current.push is None:
        _freeze(workspace, spec, current, form, guidelines)
    frozen = current.push
    notes = _changes(frozen, spec, form, guidelines)
    backend = workspace.connect(frozen["spec"]["backend"])
    project = current.project
    assert project is not None
    backend.open_project(project)
    tasks = tasks_of(current, seed=current.spec["sample"].get("seed", 0))
    with workspace.watch("sending", len(tasks)) as advance:
        sent = 0
        for _ in backend.push(project, tasks):
            sent += 1
            advance(1)
    return PushResult(current.number, project.name, project.url, len(tasks), sent, notes)


def tasks_of(current: Round, *, seed: int) -> list[Task]:
    """Return a round's tasks in the order shown: by hash, so that a round cut short is random."""
    ids = current.sample()["id"].to_pylist()
    texts = current.texts()
    order = chance.uniform(ids, seed, "order")
    return [Task(id, texts[id]) for _, id in sorted(zip(order.tolist(), ids, strict=True))]


def project_name(workspace: Workspace, number: int) -> str:
    """Return the project's name on the server: `<recipe>-<workspace id>-rNN`."""
    about = workspace.about
    return f"{about['name']}-{about['id']}-r{number:02}"


def _form(workspace: Workspace, spec: PushSpec) -> Form:
    return load_form(spec.form, workspace.root)


def _guidelines(workspace: Workspace, spec: PushSpec) -> str:
    if spec.guidelines is None:
        return ""
    path = workspace.path(spec.guidelines)
    if not path.is_file():
        raise DataError(f"push.guidelines: no file {path}")
    return path.read_text(encoding="utf-8")


def _check_fields(form: Form, current: Round) -> None:
    for id, shown in current.texts().items():
        missing = [name for name in form.fields if name not in shown]
        if missing:
            raise DataError(
                f"the form {form.name} shows ${missing[0]}, which document {id} does not have",
                hint=f"it has: {', '.join(shown)}",
            )


def _freeze(
    workspace: Workspace, spec: PushSpec, current: Round, form: Form, guidelines: str
) -> None:
    backend = workspace.connect(spec.backend)
    overlap = None if spec.overlap == "all" else spec.overlap
    name = project_name(workspace, current.number)
    project = backend.ensure_project(name, form, overlap=overlap, guidelines=guidelines)
    storage.write_text(current.folder / "form.xml", form.xml)
    storage.write_text(current.folder / "guidelines.md", guidelines)
    record = {
        "spec": spec.settings(),
        "form": form.name,
        "form_digest": form.digest,
        "guideline_digest": text_digest(guidelines),
        "project": _plain(project),
        "created": now(),
    }
    storage.write_json(current.folder / "project.json", record)


def text_digest(text: str) -> str | None:
    """Return the digest of a guideline; None for an empty one."""
    return blake2b(text.encode(), digest_size=16).hexdigest() if text else None


def _plain(project: Project) -> dict[str, Any]:
    return {name: value for name, value in asdict(project).items() if name != "form"}


def _changes(
    frozen: dict[str, Any], spec: PushSpec, form: Form, guidelines: str
) -> tuple[str, ...]:
    if form.digest != frozen["form_digest"]:
        raise ProjectMismatch(
            f"the form {form.name} has changed since its round was pushed",
            hint="finish or close the round; the new form acts on `curate run --next-round`",
        )
    now_, then = spec.settings(), frozen["spec"]
    changed = [name for name in now_ if now_[name] != then[name]]
    if text_digest(guidelines) != frozen["guideline_digest"] and "guidelines" not in changed:
        changed.append("guidelines")
    return tuple(f"push.{name} changed: it acts on the next round" for name in changed)
