"""Read guidelines, and compare settings and files with what the first push froze."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curate.errors import CurateError, DataError, ProjectMismatch
from curate.forms import load_form
from curate.names import absent
from curate.push.spec import PushSpec
from curate.records import Form
from curate.rounds import Round, text_digest
from curate.workspace import Workspace


def read_guidelines(workspace: Workspace, spec: PushSpec) -> dict[str | None, str]:
    """The guideline of each part; None stands for the parts that have none of their own.

    Raises DataError for a file that is missing or not UTF-8.
    """
    setting = spec.guidelines
    files = setting if isinstance(setting, dict) else {None: setting} if setting else {}
    guidelines: dict[str | None, str] = {None: ""}
    for part, file in files.items():
        path = workspace.path(file)
        if not path.is_file():
            hint = "Paths in a recipe are relative to the workspace"
            raise absent(f"push.guidelines: no file {path}", path, hint=hint, kind=DataError)
        try:
            guidelines[part] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(
                f"push.guidelines: {path} is not UTF-8", hint="save it as UTF-8"
            ) from None
    return guidelines


def changes(
    current: Round, spec: PushSpec, form: Form, guidelines: Mapping[str | None, str]
) -> tuple[str, ...]:
    """Notes on the settings that changed since the first push.

    Raises ProjectMismatch if the form has changed.
    """
    if form.meaning != current.form.meaning:
        before = current.sent["form"]
        raise ProjectMismatch(
            f"the form {form.name} has changed since its round was pushed"
            if form.name == before
            else f"round {current.number} was pushed with the form {before}, not {form.name}",
            hint="finish or close the round; the new form acts on `curate run --next-round`",
        )
    settings, frozen = spec.settings(), current.sent["spec"]
    names = [name for name in settings if settings[name] != frozen.get(name)]
    if form.digest != current.form.digest and "form" not in names:
        names.append("form")
    if "guidelines" not in names and _guidelines_differ(current, guidelines):
        names.append("guidelines")
    return tuple(f"push.{name} changed: it acts on the next round" for name in names)


def _guidelines_differ(current: Round, guidelines: Mapping[str | None, str]) -> bool:
    texts = [guidelines.get(batch.name, guidelines[None]) for batch in current.batches]
    return [text_digest(text) for text in texts] != [batch.guideline for batch in current.batches]


def rewritten(workspace: Workspace, spec: PushSpec, current: Round) -> tuple[str, ...]:
    """The settings whose files changed after the push: `push.form`, `push.guidelines`."""
    checks = {
        "form": lambda: load_form(spec.form, workspace.root).digest != current.form.digest,
        "guidelines": lambda: _guidelines_differ(current, read_guidelines(workspace, spec)),
    }
    return tuple(f"push.{name}" for name, check in checks.items() if _differs(check))


def _differs(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except CurateError:  # the file is missing or cannot be read
        return True
