"""What a person does on the page of any annotation server, by mouse or by keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from curate.backends import Backend
from curate.records import Form, Project

By = Literal["mouse", "keys"]


class Page(Protocol):
    """A browser, in which one person labels; every method ends when the page shows its effect."""

    browser: Any

    def log_in(self) -> None:
        """Give name and password."""

    def open(self, project: Project) -> str:
        """Go to where people label in a project; return the guidelines that it shows first."""

    def done(self) -> bool:
        """Whether nothing is left to label."""

    def shown(self, field: str) -> str:
        """Return a field's text as the page holds it, line breaks as it likes; or its image."""

    def choose(self, question: str, values: Collection[str], by: By) -> None:
        """Pick choices."""

    def chosen(self, question: str) -> list[str]:
        """Return which choices are picked."""

    def find_nothing(self, question: str) -> None:
        """Say that none of the choices or labels applies, where the page wants that said."""

    def rate(self, question: str, value: int, by: By) -> None:
        """Give a rating."""

    def write(self, question: str, words: str, by: By) -> None:
        """Write a comment where none is yet."""

    def mark(self, question: str, text: str, span: Mapping[str, Any], by: By) -> None:
        """Mark a span, in code points of `text`, by drawing the mouse over it."""

    def prefer(self, question: str, value: str, by: By) -> None:
        """Say which of two is better."""

    def submit(self, by: By) -> None:
        """Submit the answers; the next task comes."""

    def skip(self, by: By) -> None:
        """Skip the task, or discard it; the next one comes."""

    def refused(self, by: By) -> str:
        """Try to submit what is not complete; return what the page says about it."""

    def back(self) -> None:
        """Go back to the task before."""

    def update(self, by: By) -> None:
        """Submit the changed answers of a task gone back to."""

    def answer_again(self, question: str, values: Collection[str], by: By) -> None:
        """Answer the task before once more: beside the first answer if the page can, or over it."""

    def tour(self, project: Project) -> Iterator[str]:
        """Go to the other pages that show texts; yield the name of each while it is there."""

    def out_of_sight(self) -> list[str]:
        """Return the questions of which the page does not show a part without scrolling it."""


@dataclass(frozen=True)
class Site:
    """A server to label on: its backend, the page of one of its people, and their account."""

    name: str
    backend: Backend
    page: Page
    person: str


def give(
    page: Page, form: Form, texts: Mapping[str, str], values: Mapping[str, Any], by: By
) -> None:
    """Give answers to questions, each as its kind is given."""
    for name, value in values.items():
        kind = form.question(name).kind
        if kind == "choice":
            page.choose(name, [value], by)
        elif kind == "choices":
            page.choose(name, value, by)
        elif kind == "rating":
            page.rate(name, value, by)
        elif kind == "comment":
            page.write(name, value, by)
        elif kind == "preference":
            page.prefer(name, value, by)
        else:
            for span in value:
                field = span.get("field") or form.question(name).fields[0]
                page.mark(name, texts[field], span, by)
