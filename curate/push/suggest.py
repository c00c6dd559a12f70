"""Pre-annotations: a model's answers, for people to confirm or correct.

    spacy:MODEL       the entities that a spaCy pipeline finds
    scores            the predictions of `score`, learned from the rounds before
    MODULE:FUNCTION   your own: texts, or addresses of media → for each of them a value,
                      (value, probability) or None

Values that the form does not offer are left out before anything is sent, and counted with the
reason. Of several spans or labels the good ones stay.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate import tables
from curate.errors import CurateError, RecipeError
from curate.extras import require
from curate.forms import complaint
from curate.names import near, unknown
from curate.records import MARKS, Form, Question, Suggestion
from curate.rounds.views import View
from curate.spec import Spec
from curate.storage import read_parquet
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import pyarrow as pa

Guess = tuple[Any, float | None]
"""A value and its probability, None if unknown. A value of None stands for no guess."""


class SuggestSpec(Spec):
    """What answers one question beforehand."""

    question: Annotated[str, Field(description="The question answered.")]
    by: Annotated[str, Field(description="spacy:MODEL, scores, or MODULE:FUNCTION.")]
    labels: dict[str, str] = Field(
        default_factory=dict, description="The model's label → the form's; others keep theirs."
    )


@dataclass(frozen=True)
class Suggested:
    """The suggestions by task, and how many values were left out, by reason."""

    by_task: Mapping[str, Sequence[Suggestion]]
    dropped: Mapping[str, int]


def suggest(
    workspace: Workspace, form: Form, specs: Sequence[SuggestSpec], views: Mapping[str, View]
) -> Suggested:
    """The suggestions that fit the form. Raises RecipeError for a spec that fails."""
    suggestions: dict[str, list[Suggestion]] = {id: [] for id in views}
    dropped: Counter[str] = Counter()
    for spec in specs:
        question = _find_question(form, spec.question)
        model, guesses = _guesses(workspace, question, spec, views)
        for id, (value, score) in zip(views, guesses, strict=True):
            guess = _in_form_words(form, question, value, spec.labels)
            own, reasons = _fitting(form, question, guess, views[id].fields)
            dropped.update(f"{question.name}: {reason}" for reason in reasons)
            if own is not None:
                suggestions[id].append(Suggestion(question.name, own, score, model))
    return Suggested(suggestions, dict(dropped))


def _fitting(
    form: Form, question: Question, value: Any, fields: Mapping[str, str]
) -> tuple[Any, list[str]]:
    """What of a value fits the form (None: nothing does), and why each other part does not."""
    if question.kind not in PARTED or not isinstance(value, list):
        reason = complaint(form, question.name, value, fields)
        return (None, [_plainly(reason)]) if reason else (value, [])
    wrong = [complaint(form, question.name, [entry], fields) for entry in value]
    own = [entry for entry, reason in zip(value, wrong, strict=True) if reason is None]
    distinct = [entry for place, entry in enumerate(own) if entry not in own[:place]]
    reasons = [_plainly(reason) for reason in wrong if reason]
    reasons += ["it is suggested twice"] * (len(own) - len(distinct))
    return (distinct if distinct or not value else None), reasons


PARTED = (*MARKS, "choices")
"""Kinds of which a part can fit."""


def _plainly(reason: str) -> str:
    """A reason without the place in a text, so that equal ones are counted together."""
    plain = re.sub(r"the (span|region) \S+ ", r"a \1 ", reason)
    return re.sub(r"the box .* is not", "a box is not", plain)


def check_suggestion(workspace: Workspace, form: Form, spec: SuggestSpec) -> None:
    """Raise RecipeError if a suggestion names a question, label or model that is not there."""
    question = _find_question(form, spec.question)
    for label in spec.labels.values():
        if question.labels and label not in question.labels:
            raise unknown(
                f"push.suggest: {question.name} has no label {label}", label, question.labels
            )
    kind, _, name = spec.by.partition(":")
    if spec.by == "scores":
        _require_scores(workspace)
    elif kind == "spacy" and name:
        _refuse_missing_model(name)
    elif name:
        _import_function(kind, name)
    else:
        raise _no_model(spec.by)


def _require_scores(workspace: Workspace) -> None:
    """Raise RecipeError without scores: they are learned from the answers of earlier rounds."""
    if workspace.tables.stored("scores") is None:
        raise RecipeError(
            "push.suggest: there are no scores to suggest yet",
            hint="leave `by: scores` out until a round has been answered and scored",
        )


def _refuse_missing_model(name: str) -> None:
    require("spacy", "a suggestion by spaCy")
    from spacy.util import get_installed_models

    installed = get_installed_models()
    if name not in installed and not Path(name).exists():
        meant = near(name, installed)
        also = f"did you mean {meant}? Or " * bool(meant)
        raise RecipeError(
            f"push.suggest: spaCy has no model {name}",
            hint=f"{also}install its package into this Python",
        )


def _no_model(name: str) -> CurateError:
    models = ("scores", "spacy:MODEL", "MODULE:FUNCTION")
    return unknown(f"push.suggest: nothing is called {name}", name, models)


def _find_question(form: Form, name: str) -> Question:
    try:
        return form.question(name)
    except KeyError:
        names = [question.name for question in form.questions]
        raise unknown(
            f"push.suggest: the form {form.name} does not ask {name}", name, names
        ) from None


def _in_form_words(form: Form, question: Question, value: Any, labels: Mapping[str, str]) -> Any:
    """A value in the form's words."""
    if isinstance(value, list) and question.kind in MARKS:
        field = {"field": question.fields[0]} if len(form.fields) > 1 else {}
        return [
            {**field, **span, "label": labels.get(str(span.get("label")), span.get("label"))}
            if isinstance(span, dict)
            else span
            for span in value
        ]
    if isinstance(value, list):
        return [labels.get(label, label) if isinstance(label, str) else label for label in value]
    return labels.get(value, value) if isinstance(value, str) else value


def _guesses(
    workspace: Workspace, question: Question, spec: SuggestSpec, views: Mapping[str, View]
) -> tuple[str, list[Guess]]:
    """The model's name, and its guesses in the order of the views."""
    texts = [view.fields[question.fields[0]] for view in views.values()]
    kind, _, name = spec.by.partition(":")
    if spec.by == "scores":
        return "curate", list(_predicted(workspace, question, views))
    if kind == "spacy" and name:
        return _spacy(name, texts)
    if name:
        return spec.by, _call(spec.by, _import_function(kind, name), texts)
    raise _no_model(spec.by)


def _spacy(name: str, texts: Sequence[str]) -> tuple[str, list[Guess]]:
    require("spacy", "a suggestion by spaCy")
    import spacy

    try:
        pipeline = spacy.load(name, exclude=["parser", "lemmatizer", "attribute_ruler", "tagger"])
    except OSError:
        raise RecipeError(
            f"push.suggest: spaCy has no model {name}", hint="install its package into this Python"
        ) from None
    guesses = [
        (
            [
                {"start": entity.start_char, "end": entity.end_char, "label": entity.label_}
                for entity in document.ents
            ],
            None,
        )
        for document in pipeline.pipe(texts)
    ]
    return f"spacy:{name}=={pipeline.meta['version']}", [(spans, score) for spans, score in guesses]


def _predicted(
    workspace: Workspace, question: Question, views: Mapping[str, View]
) -> Iterator[Guess]:
    """Yield the prediction of `score` for each view's document, with its probability."""
    _require_scores(workspace)
    documents = [view.members[0] if view.members else id for id, view in views.items()]
    if question.kind == "choices":
        yield from _labels_predicted(workspace, question, documents)
        return
    column = tables.predicted(question.name)
    rows = _scores(workspace, question, column, set(documents))
    for id in documents:
        row = rows.get(id)
        value = row[column] if row else None
        score = row.get(f"{question.name}:{value}") if row else None
        if value is not None and question.kind == "rating":
            value = int(value)
        yield value, score


def _labels_predicted(
    workspace: Workspace, question: Question, documents: Sequence[str]
) -> Iterator[Guess]:
    """Yield the labels that are predicted to be present, with the least sure label's probability.

    A label that was not learned is not among them.
    """
    learned = predicted_questions(workspace.tables)
    parts = [part for part in question.parts() if part.name in learned]
    if not parts:
        raise RecipeError(f"push.suggest: scores holds no prediction of {question.name}")
    columns = {part.name: tables.predicted(part.name) for part in parts}
    rows = [_scores(workspace, part, columns[part.name], set(documents)) for part in parts]
    for id in documents:
        own = [of_part.get(id) for of_part in rows]
        answers = [
            (part.name.removeprefix(f"{question.name}:"), value, row[f"{part.name}:{value}"])
            for part, row in zip(parts, own, strict=True)
            if row and (value := row[columns[part.name]]) is not None
        ]
        if len(answers) < len(parts):
            yield None, None
        else:
            present = [label for label, value, _ in answers if value == "present"]
            yield present, min(share for *_, share in answers)


def _scores(
    workspace: Workspace, question: Question, column: str, ids: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The predictions of one question for some documents, by id; some may have none."""
    import pyarrow.parquet as pq

    paths = workspace.tables.shards("scores")
    names = pq.read_schema(paths[0]).names if paths else []
    if column not in names:
        raise RecipeError(f"push.suggest: scores holds no prediction of {question.name}")
    columns = [name for name in names if name.startswith(f"{question.name}:")]
    find = _Find(tuple(sorted(ids)), tuple(dict.fromkeys(("id", column, *columns))))
    rows: dict[str, dict[str, Any]] = {}
    with workspace.watch("reading scores", workspace.tables.rows("scores")) as advance:
        for _, (number, table) in workspace.engine.each(find, paths):
            rows |= {row["id"]: row for row in table.to_pylist()}
            advance(number)
    return rows


@dataclass(frozen=True)
class _Find:
    """Reads columns of some documents in a shard, with the number of all its rows.

    Scores may be older than the pool, so that no index says where a document is.
    """

    ids: tuple[str, ...]
    columns: tuple[str, ...]

    def __call__(self, path: Path) -> tuple[int, pa.Table]:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        ids = read_parquet(path, columns=["id"])["id"]
        is_wanted = pc.is_in(ids, pa.array(self.ids, pa.string()))
        if not pc.any(is_wanted).as_py():
            return len(ids), pq.read_schema(path).empty_table().select(self.columns)
        return len(ids), read_parquet(path, columns=list(self.columns)).filter(is_wanted)


_IMPORTABLE = "a module is found in the current folder, in PYTHONPATH, or among what is installed"


def _import_function(module: str, name: str) -> Callable[[Sequence[str]], Sequence[Any]]:
    """A user's function. Raises RecipeError for a module or a name that is not there, or fails."""
    where = f"push.suggest: {module}:{name}"
    try:
        loaded = import_module(module)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # a module runs when it is imported
        meant = near(module, (known.name for known in iter_modules()))
        raise RecipeError(
            f"{where} cannot be imported ({type(error).__name__}: {error})",
            hint=f"did you mean {meant}?" if meant not in (None, module) else _IMPORTABLE,
        ) from None
    function: Callable[[Sequence[str]], Sequence[Any]] | None = getattr(loaded, name, None)
    if not callable(function):
        functions = (known for known, value in vars(loaded).items() if callable(value))
        raise unknown(f"{where} is not a function", name, functions)
    return function


def _call(
    name: str, function: Callable[[Sequence[str]], Sequence[Any]], texts: Sequence[str]
) -> list[Guess]:
    """The guesses of a user's function, as plain values. Raises RecipeError if it fails."""
    try:
        guesses = [_plain_guess(output) for output in function(texts)]
    except Exception as error:
        raise RecipeError(f"push.suggest: {name}: {type(error).__name__}: {error}") from error
    if len(guesses) != len(texts):
        raise RecipeError(
            f"push.suggest: {name} makes {len(guesses)} guesses for {len(texts)} texts",
            hint="one for each, in their order; None stands for no guess",
        )
    return guesses


def _plain_guess(output: Any) -> Guess:
    value, score = output if isinstance(output, tuple) else (output, None)
    # NumPy values are not JSON: `tolist` makes them plain.
    value = json.loads(json.dumps(value, default=lambda array: array.tolist()))
    score = None if score is None else float(score)
    if score is not None and not 0 <= score <= 1:
        raise ValueError(f"a probability is between 0 and 1, not {score:g}")
    return value, score
