"""Import answers made elsewhere, as a round of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curate.backends.folder import read_answers
from curate.errors import DataError, RecipeError
from curate.fetching.answers import answer_row, check_answer, key_of
from curate.fetching.projects import Fetched
from curate.names import unknown
from curate.people import accounts
from curate.pull.formats.made import Asked, Columns, Made, json_lines, value_at
from curate.pull.formats.registry import TOOLS, Tool
from curate.pull.joining import Target, Targets, at_home, is_same_text, joins_of, sent, told
from curate.pull.stage import PullResult, summarize
from curate.records import Annotation, Form, Key, Project, in_turn, moment, now
from curate.rounds import Batch, Round, freeze
from curate.rounds.answers import submissions
from curate.rounds.opened import Opened
from curate.rounds.standing import close, standing
from curate.rounds.taken_back import REJECTED
from curate.rounds.views import View
from curate.storage import digest, file_digest, write_text
from curate.text import canonical
from curate.walking import files_below
from curate.warning import StageWarning, named, warn
from curate.workspace import Workspace


@dataclass(frozen=True)
class Elsewhere:
    """How answers made with another tool are read: the tool, a key to join by, declared columns."""

    tool: str
    key: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(tool: str, key: str | None, columns: Sequence[str]) -> Elsewhere:
        """The options of the command. Raises RecipeError for an unknown tool, or no NAME=COLUMN."""
        if tool not in TOOLS:
            raise unknown(f"--from: no tool is called {tool}", tool, TOOLS)
        wrong = [own for own in columns if not all(own.partition("="))]
        if wrong:
            raise RecipeError(f"--column {wrong[0]}: not NAME=COLUMN", hint="as in text=sentence")
        pairs = (own.partition("=") for own in columns)
        return Elsewhere(tool, key, {name: column for name, _, column in pairs})


@dataclass(frozen=True)
class Brought:
    """Answers with the targets that they are about, and what was said of the joining."""

    answers: Sequence[tuple[Annotation, View]]
    targets: Sequence[Target]
    notes: tuple[str, ...] = ()
    warnings: tuple[StageWarning, ...] = ()


def bring(
    workspace: Workspace, answers: Path, form: Form, how: Elsewhere | None = None
) -> PullResult:
    """Import a file of answers, to any documents of the pool, as a round of its own.

    The same file read in the same way is one round. Its documents never enter corpus estimates.
    Raises DataError for a missing file, an invalid line, or a file of which nothing can be joined.
    """
    mark = _digest(answers, how)
    for round_ in workspace.rounds.all():
        if mark and round_.spec.get("file") == mark and round_.form.digest == form.digest:
            return summarize(round_, Fetched(), standing(round_, {}), done=True)
    brought = _own(workspace, answers) if how is None else _made(workspace, answers, form, how)
    number = workspace.next_round()
    opened: Opened = {
        "purpose": "import",
        "created": now(),
        "file": mark,
        "at_home": {str(own.number): own.count_answers() for own in workspace.rounds.all()},
        "sample": {},
        "frame": {},
    }
    sample = [
        _sample_row(target) | {"round": number, "rank": rank, "kind": "design"}
        for rank, target in enumerate(brought.targets)
    ]
    views = {target.id: target.view for target in brought.targets}
    with freeze(workspace.root, number, opened, sample, views) as folder:
        project = Project("folder", "", f"import-{number:02}", str(number), form, None, "")
        batch = Batch(None, project)
        tasks = [{"id": id} for id in views]
        settings = {"backend": "folder", "overlap": "all"}
        new_round = Round.load(number, folder).freeze_push(settings, form, [batch], tasks)
        names = {answer.account for answer, _ in brought.answers}
        ids_by_account, _ = accounts.identify(workspace.root, "folder", names)
        rows = [
            answer_row(check_answer(answer, form, _seen(answer, view)), ids_by_account, *place)
            for place in [(new_round, batch)]
            for answer, view in brought.answers
        ]
        new_round.append(_dated(in_turn(rows, key_of, lambda row: row["at"])), {})
        close(new_round, "imported")
    current = workspace.rounds.all()[-1]
    fetched = Fetched(len(submissions(rows)))
    result = summarize(current, fetched, standing(current, {}), done=True)
    notes, warnings = (*result.notes, *brought.notes), (*result.warnings, *brought.warnings)
    return replace(result, notes=notes, warnings=warnings)


def _dated(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a file, each with a time, so that of two lines the later one counts.

    A row without a time has that of the next about the same answer, else the present.
    """
    present: Any = moment(now())
    latest = {key_of(row): row["at"] for row in rows if row["at"]}
    following: dict[Key, Any] = {}
    dated = []
    for row in reversed(rows):
        key = key_of(row)
        at = row["at"] or following.get(key) or max(present, latest.get(key, present))
        following[key] = at
        dated.append({**row, "at": at})
    return dated[::-1]


def _digest(answers: Path, how: Elsewhere | None) -> str | None:
    """What identifies an import: the file, or all files of a folder, and how they are read."""
    paths = [answers] if answers.is_file() else sorted(files_below(answers))
    digests = [file_digest(path) for path in paths if "." in path.name]
    if how is None or not digests:
        return digests[0] if answers.is_file() else None
    return digest([*digests, how.tool, how.key, sorted(how.columns.items())])


def _seen(answer: Annotation, view: View) -> dict[str, View]:
    return {answer.id: view} if view.fields else {}


def _sample_row(target: Target) -> dict[str, Any]:
    start, end = target.window or (None, None)
    return {
        "id": target.id,
        "strategy": "import",
        "members": list(target.members) or None,
        "start": start,
        "end": end,
    }


def _own(workspace: Workspace, path: Path) -> Brought:
    """The answers of a file of ours, which names documents, or tasks of rounds, by id."""
    answers = [_as_said(answer) for answer in read_answers(path)]
    texts = [row.get("text") for _, row in json_lines(path)]
    ids = list(dict.fromkeys(answer.id for answer in answers))
    views = workspace.documents.find_views(ids, edited=False)
    targets = {id: Target(id, view) for id, view in views.items()}
    if len(targets) < len(ids):
        targets = {task.id: task for task in sent(workspace) if task.id in ids} | targets
    own = [
        (_followed(answer, text, view), view)
        for answer, text in zip(answers, texts, strict=True)
        for view in [targets[answer.id].view if answer.id in targets else View({})]
    ]
    return Brought(own, [targets[id] for id in ids if id in targets])


def _followed(answer: Annotation, text: Any, view: View) -> Annotation:
    """An answer whose spans count the `text` beside them, which may have other line ends."""
    field, *others = view.fields or ("",)
    if others or not isinstance(text, str) or canonical(text) != view.fields.get(field):
        return answer
    made = Made("", answer.account, {}, texts={field: text})
    return replace(answer, value=at_home(answer.value, made, Target(answer.id, view), field))


def _made(workspace: Workspace, path: Path, form: Form, how: Elsewhere) -> Brought:
    """The answers that another tool made, joined.

    Raises DataError if none can be joined, or if none answers a question of the form, and
    RecipeError for a declared column that no row has.
    """
    tool = TOOLS[how.tool]
    made = list(tool.read(path, form, Columns(how.columns)))
    _check_columns(path, made, how)
    known = joins_of(workspace, form, made, how.key)
    joined = [own for row in made for own in _joined(row, known, form, how.key)]
    lost = [(own, by) for own, target, by in joined if target is None]
    pairs = [(own, target, by) for own, target, by in joined if target is not None]
    if not pairs:
        why = named(told(lost)) if lost else "it has no answers"
        raise DataError(f"{path.name}: nothing can be joined: {why}", hint=JOINS)
    said = [(own, target, by, [*_annotations(own, target, form)]) for own, target, by in pairs]
    spoken = [row for row in said if row[3]]
    if not spoken:
        raise DataError(f"{path.name} answers no question of the form {form.name}", hint=DECLARE)
    counts = Counter(by for _, _, by, _ in spoken)
    notes = [f"answers joined: {', '.join(f'{count:,} by {by}' for by, count in counts.items())}"]
    if len(spoken) < len(said):
        silent = [own.where for own, _, _, answers in said if not answers]
        notes.append(f"{len(silent):,} rows hold no answer: {named(silent)}")
    answers = [(answer, target.view) for _, target, _, own in spoken for answer in own]
    found = {target.id: target for _, target, _, _ in spoken}
    doubts = (*_unjoined(lost), *_unanswered(form, answers), *_unopened(answers, tool))
    return Brought(answers, [*found.values()], tuple(notes), doubts)


JOINS = "rows are joined by id, by the text of a document, or by --key"
DECLARE = "say which column answers a question: --column QUESTION=COLUMN"


def _check_columns(path: Path, made: Sequence[Made], how: Elsewhere) -> None:
    """Raise RecipeError for a declared column that no row has."""
    for column in how.columns.values():
        if not any(value_at(own.data, column) is not None for own in made):
            known = dict.fromkeys(name for own in made for name in own.data)
            raise unknown(f"{path.name} has no column {column}", column, known)


Joined = tuple[Made, Target | None, str]
"""A row, what it is about, and by what it was joined, or why it was not."""


def _joined(row: Made, known: Targets, form: Form, key: str | None) -> list[Joined]:
    """The row with its target; or its sentences with theirs, if no document has all of it."""
    target, by = known.find(row, form, key)
    if target is not None or not row.parts:
        return [(row, target, by)]
    return [(own, *known.find(own, form, key)) for own in row.parts]


def _unjoined(lost: Sequence[tuple[Made, str]]) -> Iterator[StageWarning]:
    """Yield a warning for rows that belong to no document, with examples."""
    if lost:
        words = "{rows:,} rows could not be joined to a document: {examples}"
        yield warn("pull.unjoined", words, rows=len(lost), examples=told(lost))


def _unanswered(form: Form, answers: Sequence[tuple[Annotation, View]]) -> Iterator[StageWarning]:
    """Yield a warning for questions that no row answers: they may have another name there."""
    answered = {answer.question for answer, _ in answers}
    asked = [own.name for own in form.questions if own.kind != "comment"]
    lacking = [name for name in asked if name not in answered]
    if lacking:
        words = "no row answers {questions}; --column QUESTION=COLUMN says where an answer stands"
        yield warn("pull.unanswered", words, questions=lacking)


def _unopened(answers: Sequence[tuple[Annotation, View]], tool: Tool) -> Iterator[StageWarning]:
    """Yield a warning for empty answers of a tool that writes unopened texts in the same way."""
    empty = {(answer.id, answer.account) for answer, _ in answers if answer.value == []}
    if empty and tool.unopened_is_empty:
        words = (
            "{answers:,} answers have nothing marked or chosen, and the tool writes a text that "
            "nobody opened in the same way: export approved texts only"
        )
        yield warn("pull.unopened", words, answers=len(empty))


def _annotations(made: Made, target: Target, form: Form) -> Iterator[Annotation]:
    """Yield an answer for each question of a row."""
    spans = {own.name: own.fields for own in form.questions if own.kind == "entities"}
    for question, value in made.answers.items():
        fields = spans.get(question)
        own = at_home(value, made, target, fields[0]) if fields else value
        if made.status == "submitted" and own is None:
            continue
        said = own if made.status == "submitted" else None
        answer = _as_said(
            Annotation(
                target.id,
                question,
                made.annotator,
                said,
                made.status,
                _time(made),
                made.seconds,
                made.reason,
            )
        )
        if fields and said and not is_same_text(made, target, fields):
            answer = replace(answer, status="rejected", reason=OTHER_TEXT)
        yield answer


OTHER_TEXT = "the text beside it is not the document's"


def _time(made: Made) -> str | None:
    """The time of an answer. Raises DataError for what is no time."""
    try:
        moment(made.at)
    except (TypeError, ValueError):
        hint = "give ISO 8601, as in 2026-01-31T12:00:00Z"
        raise DataError(f"{made.where}: not a time: {made.at!r}", hint=hint) from None
    return made.at


def write_template(workspace: Workspace, path: Path, form: Form, how: Elsewhere) -> int:
    """Write what a tool reads: the ids and texts that the newest round asks; return how many.

    Raises DataError for a file that is there, and MissingInput without a round.
    """
    if path.exists():
        raise DataError(f"{path} exists already", hint="name a file that does not exist")
    current = workspace.rounds.current()
    rows = current.sample().select(["id", "kind"]).to_pylist()
    views = current.views()
    asked = [Asked(row["id"], views[row["id"]].fields) for row in rows if row["kind"] != "gold"]
    lacking = [name for name in form.fields for task in asked[:1] if name not in task.texts]
    if lacking:
        raise DataError(f"the form {form.name} shows ${lacking[0]}, which the texts do not have")
    write_text(path, TOOLS[how.tool].template(asked, form))
    return len(asked)


def _as_said(answer: Annotation) -> Annotation:
    """An answer that was rejected where it was made says so, beside its own reason."""
    if answer.status != "rejected":
        return answer
    return replace(answer, reason=": ".join(filter(None, (REJECTED, answer.reason))))
