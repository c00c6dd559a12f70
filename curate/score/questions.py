"""Which questions can be learned, and which ones a recipe asks to learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from curate.errors import NothingToDo
from curate.names import unknown
from curate.records import Kind, Question

LEARNED: tuple[Kind, ...] = ("choice", "rating", "preference")
"""The kinds that heads learn. Of several labels, whether each occurs is a choice."""


def learnable(questions: Iterable[Question]) -> dict[str, Question]:
    """The questions that can be learned, by name: those that are asked, then their parts."""
    asked = tuple(questions)
    parts = (part for question in asked for part in question.parts())
    return {question.name: question for question in (*asked, *parts) if question.kind in LEARNED}


def chosen(names: tuple[str, ...] | None, questions: Iterable[Question]) -> Mapping[str, Question]:
    """The questions to learn, by name; without names the first that can be learned.

    A question with several labels stands for its parts: whether each label occurs. Raises
    NothingToDo if nothing can be learned, RecipeError for an unknown name.
    """
    asked = tuple(questions)
    own = learnable(asked)
    parts = {question.name: question.parts() for question in asked if question.parts()}
    if not own:
        raise NothingToDo("the form asks nothing that can be learned", hint="Choices or Rating")
    to_learn: dict[str, Question] = {}
    for name in names or (next(iter(own)),):
        if name not in own and name not in parts:
            known = [*own, *parts]
            raise unknown(f"score.question: no question {name} that can be learned", name, known)
        members = parts.get(name) or (own[name],)
        to_learn |= {question.name: question for question in members}
    return to_learn
