"""Guidelines: read, compared with what is frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curate.errors import CurateError, DataError, ProjectMismatch
from curate.forms import load_form
from curate.push.spec import PushSpec
from curate.records import Form
from curate.rounds import Round, text_digest
from curate.workspace import Workspace


def read_guidelines(workspace: Workspace, spec: PushSpec) -> dict[str | None, str]:
    """Return the guideline of each part; None stands for all parts that have none of their own."""
    given = spec.guidelines
    files = given if isinstance(given, dict) else {None: given} if given else {}
    found: dict[str | None, str] = {None: ""}
    for part, file in files.items():
        path = workspace.path(file)
        if not path.is_file():
            raise DataError(f"push.guidelines: no file {path}")
        try:
            found[part] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(
                f"push.guidelines: {path} is not UTF-8", hint="save it as UTF-8"
            ) from None
    return found


def changes(
    current: Round, spec: PushSpec, form: Form, guidelines: Mapping[str | None, str]
) -> tuple[str, ...]:
    if form.digest != current.sent["form_digest"]:
        raise ProjectMismatch(
            f"the form {form.name} has changed since its round was pushed",
            hint="finish or close the round; the new form acts on `curate run --next-round`",
        )
    now_, then = spec.settings(), current.sent["spec"]
    changed = [name for name in now_ if now_[name] != then.get(name)]
    if "guidelines" not in changed and _other_guidelines(current, guidelines):
        changed.append("guidelines")
    return tuple(f"push.{name} changed: it acts on the next round" for name in changed)


def _other_guidelines(current: Round, guidelines: Mapping[str | None, str]) -> bool:
    texts = [guidelines.get(batch.name, guidelines[None]) for batch in current.batches]
    return [text_digest(text) for text in texts] != [b.guideline for b in current.batches]


def rewritten(workspace: Workspace, spec: PushSpec, current: Round) -> tuple[str, ...]:
    """Return which files have other words than those a pushed round is frozen with."""
    checks = {
        "form": lambda: load_form(spec.form, workspace.root).digest != current.sent["form_digest"],
        "guidelines": lambda: _other_guidelines(current, read_guidelines(workspace, spec)),
    }
    return tuple(f"push.{name}" for name, differs in checks.items() if _holds(differs))


def _holds(differs: Callable[[], bool]) -> bool:
    try:
        return differs()
    except CurateError:  # a file that is gone, or cannot be read any more
        return True
