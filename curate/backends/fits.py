"""Which server can ask a form as it is meant: each backend's own reasons, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from curate.backends import folder
from curate.backends.argilla import form as argilla_form
from curate.backends.label_studio import values
from curate.records import Form

SERVERS = {
    "label_studio": values.refusals,
    "argilla": argilla_form.refusals,
    "folder": folder.refusals,
}
"""Backend → a function of a form that says why the server cannot ask it; nothing if it can."""

REMARKS = {"label_studio": values.remarks, "argilla": argilla_form.remarks}
"""Backend → what is a little different there from what the form says, or may seem to say."""


@dataclass(frozen=True)
class Fit:
    """How a form fits a server: whether it can ask it, and why not or what is different."""

    server: str
    can: bool
    notes: tuple[str, ...]


def fits(form: Form) -> list[Fit]:
    """Return how a form fits each server."""
    found = []
    for name, reasons in SERVERS.items():
        whys = reasons(form)
        remarks = REMARKS[name](form) if name in REMARKS and not whys else ()
        found.append(Fit(name, not whys, whys or remarks))
    return found
