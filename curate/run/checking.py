"""What a recipe names and what there is: found out before people are asked.

A name refers to something else: a form, a question, a class, a group, a source, a person, a file.
Each check raises the error of the first name that refers to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path

from curate import tokens
from curate.annotated.quality import quality_function
from curate.backends.fits import SERVERS
from curate.clean.by_source import OTHERS
from curate.clean.duplicates import older
from curate.clean.instruments.contamination import EvaluationSet
from curate.clean.instruments.references import digest_of, read_texts
from curate.clean.instruments.relevance import TargetText
from curate.clean.rules import c4
from curate.clean.rules.registry import named
from curate.clean.verdicts import limits_of
from curate.errors import CurateError, DataError, FormError, RecipeError
from curate.extras import require_server
from curate.forms import complaint, load_form
from curate.mix.keys import KEYS, is_question, tie_of
from curate.mix.limiting import LimitsByKey, ValueLimits
from curate.mix.preparing import check_tokenizer, needs_quality
from curate.mix.sharing import wish_of
from curate.mix.spec import EVERY_OTHER, ShareLimit
from curate.mixture.groups import SEPARATOR
from curate.names import near, unknown
from curate.people import people
from curate.push.first import check_assign
from curate.push.guidelines import read_guidelines
from curate.push.spec import PERSON
from curate.push.suggest import check_suggestion
from curate.records import Form, Question
from curate.rounds.views import SIDES
from curate.run.looking import Looked, look_into
from curate.run.recipe import Recipe
from curate.sample.gold import read_gold
from curate.score.questions import chosen, learnable
from curate.score.spec import ENCODERS
from curate.workspace import Workspace

MOST_GROUPS = 10_000
"""Names of groups are listed if there can be no more than these."""


@dataclass(frozen=True)
class Known:
    """What the names of a recipe can refer to.

    `form` is that of the next round (None: nobody is asked again), `asked` are all questions,
    `questions` those that can be learned, `sources` what was seen of each source (None: texts are
    not there yet).
    """

    form: Form | None = None
    asked: tuple[Question, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    sources: Sequence[Looked] | None = None

    def learned(self, recipe: Recipe) -> Mapping[str, Question]:
        """The questions that `score` would learn; none if nothing can be learned."""
        if not self.questions:
            return {}
        return chosen(recipe.score.question, self.asked)

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values that a key of `mix.groups` can have; None if they are not known yet."""
        if key in self.questions:
            return self.questions[key].labels
        return self.source_names if key == "source" else None

    def possible(self, key: str) -> tuple[str, ...] | None:
        """The values of a key, with the class of documents that people may leave undecided."""
        own = self.values(key)
        return (*own, tie_of(own)) if own is not None and is_question(key) else own

    @property
    def source_names(self) -> tuple[str, ...] | None:
        """The names of all sources; None if they are not known yet."""
        if self.sources is None:
            return None
        return tuple(dict.fromkeys(name for looked in self.sources for name in looked.names))


def check(recipe: Recipe, workspace: Workspace, *, asks: bool, has_texts: bool = True) -> None:
    """Raise the error of the first name or file of a recipe that is not there.

    `asks` says whether people will be asked again, `has_texts` whether the sources' files should be
    there.
    """
    known = _known(recipe, workspace, asks, has_texts)
    if has_texts:
        _check_clean_files(recipe, workspace)
        tokens.counter(_tokenizer(recipe, workspace))
    _check_clean(recipe, known)
    _check_encoders(recipe, workspace)
    if known.form is not None:
        _check_push(recipe, workspace, known, known.form)
    for key in recipe.evaluate.bias:
        _check_meta(key, known, "evaluate.bias")
    if known.questions or asks:
        _check_score(recipe, known)
    if "mix" in recipe.model_fields_set:
        _check_mix(recipe, workspace, known)


def asks_anew(recipe: Recipe, workspace: Workspace, next_round: bool) -> bool:
    """Whether a run would send a round to people."""
    rounds = workspace.rounds.asking()
    pilots = all(round_.purpose == "pilot" and round_.closed for round_ in rounds)
    is_due = next_round or pilots or rounds[-1].push is None
    return recipe.asks_people() and is_due


def _look_up(
    name: str,
    known: Collection[str] | None,
    complaint: str,
    *,
    kind: type[CurateError] = RecipeError,
) -> None:
    """Raise an error with the complaint for a name that is not known, if names are known at all."""
    if known is not None and name not in known:
        raise unknown(complaint, name, known, kind=kind)


def _known(recipe: Recipe, workspace: Workspace, asks: bool, has_texts: bool) -> Known:
    form = _form(recipe, workspace) if asks else None
    asked = [*workspace.rounds.questions(), *(form.questions if form else ())]
    questions = {question.name: question for question in asked}
    everything = tuple(questions.values())
    sources = look_into(workspace, recipe.pool.sources) if has_texts else None
    return Known(form, everything, learnable(everything), sources)


def _form(recipe: Recipe, workspace: Workspace) -> Form:
    form = load_form(recipe.push.form, workspace.root)
    if reasons := SERVERS[recipe.push.backend](form):
        raise FormError(
            f"push.form: {recipe.push.backend} cannot ask {form.name}: {reasons[0]}",
            hint=f"`curate forms check {recipe.push.form}` says which server can",
        )
    return form


# ── pool and clean


def _tokenizer(recipe: Recipe, workspace: Workspace) -> str:
    name = recipe.pool.tokenizer
    return str(workspace.path(name)) if name.endswith(".json") else name


def _check_clean(recipe: Recipe, known: Known) -> None:
    clean = recipe.clean
    limits_of(clean)
    for setting, by_source in (("rules", clean.rules), ("languages", clean.languages)):
        for name in by_source if isinstance(by_source, dict) else ():
            if name != OTHERS:
                _look_up(name, known.source_names, f"clean.{setting}: no source {name}")


def _check_clean_files(recipe: Recipe, workspace: Workspace) -> None:
    """Check that the files to compare with are there and have the fields named."""
    clean = recipe.clean
    sets = clean.contamination.sets if clean.contamination else ()
    targets = clean.relevance.target if clean.relevance else ()
    groups: dict[str, Sequence[EvaluationSet | TargetText]]
    groups = {"contamination.sets": sets, "relevance.target": targets}
    for group, texts in groups.items():
        for place, text in enumerate(texts):
            path = workspace.path(text.path)
            digest_of(path, f"clean.{group}.{place}.path")
            fields = (text.field,) if isinstance(text.field, str) else text.field
            next(iter(read_texts(path, fields, getattr(text, "id", None))), None)
    if "c4" in named(clean.rules):
        c4.prepare(workspace, clean.c4)
    older.pieces(workspace.root, clean.against)


def _check_encoders(recipe: Recipe, workspace: Workspace) -> None:
    clean = recipe.section("clean").settings()
    encoders = {
        "score.encoder": recipe.section("score").settings()["encoder"],
        "clean.semantic.encoder": (clean["semantic"] or {}).get("encoder"),
        "clean.relevance.encoder": (clean["relevance"] or {}).get("encoder"),
    }
    for setting, name in encoders.items():
        if name in (None, *ENCODERS) or "/" in name or workspace.path(name).exists():
            continue
        if near(name, ENCODERS):  # any other name may be a SentenceTransformer's
            raise unknown(f"{setting}: no encoder {name}", name, ENCODERS)


# ── people


def _check_push(recipe: Recipe, workspace: Workspace, known: Known, form: Form) -> None:
    require_server(recipe.push.backend)
    check_assign(recipe.push.assign)
    _check_meta(recipe.push.assign, known, "push.assign")
    _check_kinds(workspace, form)
    _check_fields(recipe, known, form)
    guidelines = read_guidelines(workspace, recipe.push)
    parts = known.source_names if recipe.push.assign == "source" else None
    for setting, names in (("people", recipe.push.people), ("guidelines", guidelines)):
        for name in filter(None, names):
            _look_up(name, parts, f"push.{setting}: no source {name}")
    _check_people(recipe, workspace.root)
    for suggestion in recipe.push.suggest:
        check_suggestion(workspace, form, suggestion)
    if recipe.sample.gold:
        _check_gold(workspace.path(recipe.sample.gold), form, recipe.sample.window)
    if recipe.sample.relabel:
        _check_relabel(recipe.sample.relabel, workspace)
    if asked := recipe.sample.of:
        questions = dict.fromkeys((*known.questions, *(own.name for own in known.asked)))
        _look_up(asked, questions, f"sample.of: no question {asked}")


def _check_meta(setting: str | None, known: Known, where: str) -> None:
    """Check that a row has the key of `meta` that a setting names, if rows can be seen."""
    _, of_meta, key = (setting or "").partition("meta.")
    seen = [looked.meta for looked in known.sources or ()]
    if of_meta and seen and None not in seen:
        keys = {f"meta.{name}" for names in seen for name in names or ()}
        _look_up(f"meta.{key}", sorted(keys), f"{where}: no row has {key} in meta")


def _check_kinds(workspace: Workspace, form: Form) -> None:
    """Check that a name still stands for the same kind of question as in earlier rounds."""
    kinds = {question.name: question.kind for question in workspace.rounds.questions()}
    for question in form.questions:
        if kinds.get(question.name, question.kind) != question.kind:
            raise FormError(
                f"push.form: {question.name} was asked as {kinds[question.name]} in earlier "
                f"rounds, and {form.name} asks it as {question.kind}",
                hint="give the question another name: its answers are of another kind",
            )


def _check_fields(recipe: Recipe, known: Known, form: Form) -> None:
    """Check that documents have the fields that the form shows."""
    if recipe.sample.relabel:
        return
    for looked in known.sources or ():
        fields = SIDES if recipe.sample.compare else looked.fields
        where = "a comparison" if recipe.sample.compare else f"pool.sources.{looked.place}"
        for name in form.fields:
            complaint = f"the form {form.name} shows ${name}, which {where} does not have"
            _look_up(name, fields, complaint, kind=DataError)


def _check_people(recipe: Recipe, root: Path) -> None:
    listed = {person.id: person for person in people.load(root).people}
    backend = recipe.push.backend
    if recipe.push.assign == PERSON and backend == "folder" and not listed:
        raise DataError(
            "push.assign: there is nobody to share the texts out to",
            hint="list them first: `curate people add ann`",
        )
    for id in dict.fromkeys(id for ids in recipe.push.people.values() for id in ids):
        _look_up(id, listed or None, f"push.people: nobody is listed as {id}")
        if listed and backend != "folder" and backend not in listed[id].accounts:
            raise RecipeError(
                f"push.people: {id} has no account on {backend}",
                hint=f"`curate people add {id} --account {backend}=…` names one",
            )


def _check_gold(path: Path, form: Form, window: int | None) -> None:
    for item in read_gold(path, window).values():
        for question, value in item.answers.items():
            names = [other.name for other in form.questions]
            _look_up(question, names, f"sample.gold: the form {form.name} does not ask {question}")
            if reason := complaint(form, question, value, item.fields):
                text = " ".join(item.fields.values())[:40]
                raise DataError(f"sample.gold: {text!r}: {reason}", hint="correct the file")


def _check_relabel(condition: str, workspace: Workspace) -> None:
    attribute, _, value = condition.partition("=")
    rounds = workspace.rounds.all()
    names: dict[str, Callable[[], Iterable[str]]] = {
        "label": lambda: (label for q in workspace.rounds.questions() for label in q.labels),
        "annotator": lambda: {row["annotator"] for round_ in rounds for row in round_.answers()},
    }
    known = list(names.get(attribute, lambda: [value])())
    _look_up(value, known, f"sample.relabel: no {attribute} {value} in the rounds")


# ── score and mix


def _check_score(recipe: Recipe, known: Known) -> None:
    learned = known.learned(recipe)
    if learned:
        quality_function(recipe.score.quality, learned)
    elif recipe.score.question is not None:
        chosen(recipe.score.question, known.asked)


def _check_mix(recipe: Recipe, workspace: Workspace, known: Known) -> None:
    mix, learned = recipe.mix, known.learned(recipe)
    for name in mix.groups:
        if not is_question(name):
            continue
        names = (*KEYS, *known.questions)
        _look_up(name, names, f"mix.groups: nothing to group by is called {name}")
        if learned and name not in learned:
            raise RecipeError(
                f"mix.groups: {name} is not among the questions that `score` learns, "
                f"{', '.join(learned)}",
                hint=f"set `score: {{question: [{', '.join((*learned, name))}]}}`",
            )
        if name in learned and learned[name].kind == "preference":
            raise RecipeError(
                f"mix.groups: {name} compares documents, and makes no groups of them",
                hint="group by another question, or by source",
            )
    has_quality = bool(learned) and quality_function(recipe.score.quality, learned) is not None
    if needs_quality(mix) and not has_quality:
        raise RecipeError(
            "mix: the weights need quality, and `score` has none",
            hint="declare `score: {quality: …}`",
        )
    wish_of(workspace, mix)
    check_tokenizer(workspace, mix)
    _check_shares(recipe, known)
    _check_limits(recipe, known)


def _check_shares(recipe: Recipe, known: Known) -> None:
    for key, shares in (recipe.mix.between.shares or {}).items():
        values = known.values(key)
        for value in shares:
            _look_up(value, values, f"mix.between.shares: {key} has no value {value}")


def _check_limits(recipe: Recipe, known: Known) -> None:
    limits = LimitsByKey.of(
        recipe.mix, lambda name: not is_question(name) or _is_asked(name, known)
    )
    for key, own in limits.columns.items():
        for value in own.own:
            _look_up(value, known.possible(key), f"mix.limits: {key} has no value {value}")
    for name in limits.groups.own:
        column, equals, _ = name.partition("=")
        if equals and known.source_names is not None and column not in known.source_names:
            _look_up(column, (*KEYS, *known.questions), f"mix.limits: no column {column}")
    _check_groups(recipe, known, limits.groups)


def _is_asked(name: str, known: Known) -> bool:
    return name in known.questions


def _check_groups(recipe: Recipe, known: Known, limits: ValueLimits) -> None:
    """Check the limits of groups by name, as far as the groups are known."""
    listed = [own for own in map(known.values, recipe.mix.groups) if own is not None]
    if len(listed) < len(recipe.mix.groups) or prod(map(len, listed)) > MOST_GROUPS:
        return
    groups = [SEPARATOR.join(parts) for parts in product(*listed)]
    with_ties = [known.possible(key) or () for key in recipe.mix.groups]
    possible = [SEPARATOR.join(parts) for parts in product(*with_ties)]
    for name in limits.own:
        _look_up(name, (EVERY_OTHER, *possible), f"mix.limits: no group {name}")
    most = sum((limits.of(name) or ShareLimit()).max_share for name in groups)
    if most < 1 - 1e-9:
        raise RecipeError(
            f"mix.limits: the largest shares of all groups sum to {most:g}, less than 1",
            hint="raise a `max`",
        )
