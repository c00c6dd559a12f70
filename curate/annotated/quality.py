"""Quality of a document: a function of the answers to one or several questions.

It is applied to what heads predict, and to what people said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from curate.annotated.spec import QualitySpec, TermSpec
from curate.errors import CurateError, RecipeError
from curate.names import unknown
from curate.records import Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Answers = Mapping[str, "Array"]
"""Question → probabilities of its values: documents x values. A preference has one column: the
probability that a document is preferred to an average one."""


class Quality(Protocol):
    """Answers → the quality of each document, 0 to 1."""

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions that it reads."""
        ...

    def __call__(self, answers: Answers) -> Array:
        """The quality of each document."""
        ...


@dataclass(frozen=True)
class Clarity:
    """The largest probability of some values of a question, by their places."""

    question: str
    places: tuple[int, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question."""
        return (self.question,)

    def __call__(self, answers: Answers) -> Array:
        """The quality of each document."""
        import numpy as np

        return np.asarray(answers[self.question][:, list(self.places)].max(axis=1))


@dataclass(frozen=True)
class Expectation:
    """The expected worth of a question's answer, given that of each value: 0 to 1."""

    question: str
    worth: Array

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question."""
        return (self.question,)

    def __call__(self, answers: Answers) -> Array:
        """The quality of each document."""
        import numpy as np

        # Probabilities may sum to a little more than 1.
        return np.asarray(np.clip(answers[self.question] @ self.worth, 0.0, 1.0))


@dataclass(frozen=True)
class Combined:
    """The weighted mean of several terms, or their product, each to the power of its weight."""

    terms: tuple[Quality, ...]
    weights: tuple[float, ...]
    is_product: bool

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions of all terms."""
        return tuple(name for term in self.terms for name in term.questions)

    def __call__(self, answers: Answers) -> Array:
        """The quality of each document."""
        import numpy as np

        own = np.stack([term(answers) for term in self.terms])
        weights = np.array(self.weights)[:, None]
        if self.is_product:
            return np.asarray((own**weights).prod(axis=0))
        return np.asarray((own * weights).sum(axis=0) / weights.sum())


@dataclass(frozen=True)
class Custom:
    """A function of one's own, by module and name: it travels to workers as these words."""

    name: str
    questions: tuple[str, ...]

    def __call__(self, answers: Answers) -> Array:
        """The quality of each document; NaN only where an answer is.

        Raises CurateError for what is none, and where the function fails.
        """
        import numpy as np

        unknown = np.any([np.isnan(own).any(axis=1) for own in answers.values()], axis=0)
        try:
            quality = np.asarray(_function(self.name)(dict(answers)), np.float64)
        except (MemoryError, CurateError):
            raise
        except Exception as error:  # a function of one's own may raise anything
            words = f"score.quality: {self.name} failed ({type(error).__name__}: {error})"
            raise CurateError(words, hint="correct the function") from None
        if (
            quality.shape != unknown.shape
            or not (((quality >= 0) & (quality <= 1)) | unknown).all()
        ):
            raise CurateError(
                f"score.quality: {self.name} did not return a quality for each document",
                hint="return a number from 0 to 1 for each document",
            )
        return quality


def _function(name: str) -> Callable[[dict[str, Array]], Array]:
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        raise RecipeError(
            f"score.quality: no function {name} ({error})",
            hint="MODULE:FUNCTION of a module that Python finds (see PYTHONPATH)",
        ) from None


def quality_function(spec: QualitySpec | None, questions: Mapping[str, Question]) -> Quality | None:
    """The function from answers to quality; None without one. `questions` are those learned.

    Without a setting it is the first question, if that is a rating or a comparison. Raises
    RecipeError if the recipe names a value that a question lacks, leaves one out, or names a
    question that is not learned.
    """
    first = next(iter(questions.values()))
    if spec is None:
        return None if first.kind == "choice" else _plain(first)
    if spec.function is not None:
        _function(spec.function)
        return Custom(spec.function, tuple(questions))
    terms = spec.sum or spec.product
    if terms is None:
        return _of_one(first, spec)
    own = tuple(_of_one(_learned(term, questions), term) for term in terms)
    return Combined(own, tuple(term.weight for term in terms), spec.product is not None)


def _learned(term: TermSpec, questions: Mapping[str, Question]) -> Question:
    if term.question not in questions:
        raise unknown(
            f"score.quality: {term.question} is not learned", term.question, list(questions)
        )
    return questions[term.question]


def _plain(question: Question) -> Quality:
    """A rating scaled to 0..1, or how likely a document is preferred."""
    import numpy as np

    if question.kind == "preference":
        return Expectation(question.name, np.ones(1))
    return Expectation(question.name, np.linspace(0, 1, len(question.labels), dtype=np.float64))


def _of_one(question: Question, spec: QualitySpec | TermSpec) -> Quality:
    import numpy as np

    values = () if question.kind == "preference" else question.labels
    if spec.clarity is not None:
        places = tuple(_place(name, question.name, values) for name in spec.clarity)
        return Clarity(question.name, places)
    if spec.values is None:
        if question.kind == "choice":
            raise RecipeError(
                f"score.quality: what are the values of {question.name} worth?",
                hint="give `values: {VALUE: 0 to 1}` or `clarity: [VALUE]` beside it",
            )
        return _plain(question)
    for name in spec.values:
        _place(name, question.name, values)
    if missing := [value for value in values if value not in spec.values]:
        raise RecipeError(f"score.quality.values: what is the quality of {missing[0]}?")
    return Expectation(question.name, np.array([spec.values[value] for value in values]))


def _place(name: str, question: str, values: tuple[str, ...]) -> int:
    if name not in values:
        raise unknown(f"score.quality: the question {question} has no value {name}", name, values)
    return values.index(name)
