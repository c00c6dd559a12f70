"""Which servers can ask a form as it is meant, with the reasons of each backend."""

from __future__ import annotations

from dataclasses import dataclass

from curate.backends import folder
from curate.backends.argilla import form as argilla_form
from curate.backends.label_studio import page, values
from curate.records import Form

SERVERS = {
    "label_studio": values.refusals,
    "argilla": argilla_form.refusals,
    "folder": folder.refusals,
}
"""Backend → a function that gives the reasons why the server cannot ask a form; none if it can."""

REMARKS = {
    "label_studio": lambda form: (*values.remarks(form), *page.remarks(form)),
    "argilla": argilla_form.remarks,
}
"""Backend → a function that says what differs a little there from what the form seems to say."""


@dataclass(frozen=True)
class Fit:
    """Whether a server can ask a form; `notes` say why not, or what differs there."""

    server: str
    can: bool
    notes: tuple[str, ...]


def fits(form: Form) -> list[Fit]:
    """How a form fits each server."""
    verdicts = []
    for server, refusals in SERVERS.items():
        reasons = refusals(form)
        remarks = REMARKS[server](form) if server in REMARKS and not reasons else ()
        verdicts.append(Fit(server, not reasons, reasons or remarks))
    return verdicts
