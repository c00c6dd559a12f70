"""Which server can ask a form as it is meant: each backend's own reasons, side by side."""

from __future__ import annotations

from curate.backends import folder, label_studio_values
from curate.records import Form

SERVERS = {
    "label_studio": label_studio_values.refusals,
    "folder": folder.refusals,
}
"""Backend → a function of a form that says why the server cannot ask it; nothing if it can."""


def refusals(form: Form) -> dict[str, tuple[str, ...]]:
    """Return, by backend, why it cannot ask this form."""
    return {name: reasons(form) for name, reasons in SERVERS.items()}
