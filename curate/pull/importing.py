"""Import answers made elsewhere, as a round of their own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from curate.backends.folder import read_answers
from curate.errors import DataError
from curate.fetching.answers import answer_row, check_answer, key_of
from curate.fetching.projects import Fetched
from curate.names import unknown
from curate.people import accounts
from curate.pull.elsewhere import LABELS, Elsewhere
from curate.pull.formats.files import json_lines, unpacked
from curate.pull.formats.made import Asked, Made, value_at
from curate.pull.formats.registry import TOOLS, Tool
from curate.pull.formats.table import is_of_labels
from curate.pull.joining import Target, Targets, joins_of, sent, told
from curate.pull.offsets import CHARACTERS, reading_of
from curate.pull.placing import at_home, is_same_text, marked_in
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

    Without `how`, lines of our own are read, or a table that `curate labels` wrote. The same file
    read in the same way is one round. Its documents never enter corpus estimates. Raises DataError
    for a missing file, an invalid line, or a file without answers that can be joined.
    """
    with unpacked(answers) as source:
        how = how or (Elsewhere(LABELS) if _is_of_labels(source) else None)
        return _brought(workspace, answers, source, form, how)


def _is_of_labels(path: Path) -> bool:
    """Whether a file is a table of labels that curate wrote."""
    if path.suffix in (".csv", ".parquet"):
        return True
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    with path.open("rb") as file:
        try:
            row = json.loads(file.readline())
        except (ValueError, RecursionError):
            return False
    return isinstance(row, dict) and is_of_labels(row)


def _brought(
    workspace: Workspace, answers: Path, source: Path, form: Form, how: Elsewhere | None
) -> PullResult:
    """Import the answers of a source, which is the file itself or what it holds packed."""
    mark = _digest(answers, how)
    for round_ in workspace.rounds.all():
        if mark and round_.spec.get("file") == mark and round_.form.digest == form.digest:
            return summarize(round_, Fetched(), standing(round_, {}), done=True)
    brought = _own(workspace, source) if how is None else _made(workspace, source, form, how)
    if not brought.answers:
        raise DataError(f"{answers.name} holds no answers")
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
    columns = sorted({**how.columns.names, **how.columns.of_people}.items())
    return digest([*digests, how.tool, how.key, columns, *filter(None, [how.offsets])])


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
    value = at_home(answer.value, made, Target(answer.id, view), field, CHARACTERS)
    return replace(answer, value=value)


def _made(workspace: Workspace, path: Path, form: Form, how: Elsewhere) -> Brought:
    """The answers that another tool made, joined.

    Raises DataError if none can be joined, or if none answers a question of the form, and
    RecipeError for a declared column that no row has.
    """
    tool = TOOLS[how.tool]
    made = list(tool.read(path, form, how.columns))
    _check_columns(path, made, how)
    key = how.columns.names.get(how.key or "", how.key)  # as the tool calls it
    known = joins_of(workspace, form, made, how.key, key)
    joined = [own for row in made for own in _joined(row, known, form, key)]
    lost = [(own, by) for own, target, by in joined if target is None]
    pairs = [(own, target, by) for own, target, by in joined if target is not None]
    if not pairs:
        why = named(told(lost)) if lost else "it has no answers"
        raise DataError(f"{path.name}: nothing can be joined: {why}", hint=JOINS)
    reading, unsure = _reading(pairs, form, tool, how)
    said = [
        (own, target, by, [*_annotations(own, target, form, reading)]) for own, target, by in pairs
    ]
    spoken = [row for row in said if row[3]]
    if not spoken:
        raise DataError(f"{path.name} answers no question of the form {form.name}", hint=DECLARE)
    counts = Counter(by for _, _, by, _ in spoken)
    notes = [f"answers joined: {', '.join(f'{count:,} by {by}' for by, count in counts.items())}"]
    if len(spoken) < len(said):
        silent = [own.where for own, _, _, answers in said if not answers]
        notes.append(f"{len(silent):,} rows hold no answer: {named(silent)}")
    if reading != CHARACTERS:
        notes.append(f"offsets are read as {reading}, not as characters: their spans fit so")
    answers = [(answer, target.view) for _, target, _, own in spoken for answer in own]
    if twice := len(answers) - len({answer.key for answer, _ in answers}):
        notes.append(f"{twice:,} answers are replaced by later ones of the same person and text")
    found = {target.id: target for _, target, _, _ in spoken}
    doubts = (*_unjoined(lost), *_unanswered(form, answers), *_unopened(answers, tool))
    doubts += (*_unsure(unsure),)
    return Brought(answers, [*found.values()], tuple(notes), doubts)


def _reading(
    pairs: Sequence[tuple[Made, Target, str]], form: Form, tool: Tool, how: Elsewhere
) -> tuple[str, int]:
    """What the offsets of all spans count, and how many spans do not tell."""
    if how.offsets is not None:
        return how.offsets, 0
    marked = (span for own, target, _ in pairs for span in marked_in(own, target, form))
    return reading_of(marked, tool.offsets)


def _unsure(spans: int) -> Iterator[StageWarning]:
    """Yield a warning for spans whose offsets may count one thing or another."""
    if spans:
        words = (
            "{spans:,} spans lie behind emoji, rare ideographs or runs of white space, which some "
            "tools count otherwise, and nothing tells how: --offsets says it"
        )
        yield warn("pull.offsets", words, spans=spans)


JOINS = "rows are joined by id, by the text of a document, or by --key"
DECLARE = "say which column answers a question: --column QUESTION=COLUMN"


def _check_columns(path: Path, made: Sequence[Made], how: Elsewhere) -> None:
    """Raise RecipeError for a declared column that no row has."""
    columns = how.columns
    for column in (*columns.names.values(), *chain.from_iterable(columns.of_people.values())):
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


def _annotations(made: Made, target: Target, form: Form, reading: str) -> Iterator[Annotation]:
    """Yield an answer for each question of a row."""
    spans = {own.name: own.fields for own in form.questions if own.kind == "entities"}
    for question, value in made.answers.items():
        fields = spans.get(question)
        own = at_home(value, made, target, fields[0], reading) if fields else value
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
