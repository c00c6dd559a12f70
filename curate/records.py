"""The frozen dataclasses that are exchanged with an annotation server."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from curate.media.medium import Medium

Kind = Literal[
    "choice", "choices", "rating", "comment", "entities", "preference", "regions", "boxes"
]
MediumKind = Literal["image", "audio", "video"]
Status = Literal["submitted", "draft", "skipped", "discarded", "withdrawn", "rejected"]

T = TypeVar("T")

MARKS: tuple[Kind, ...] = ("entities", "regions", "boxes")
"""The kinds whose answers are lists of marks, each with a label.

    entities   {"start", "end", "label"}                 code points of a text
    regions    {"start", "end", "label"}                 seconds of a sound
    boxes      {"x", "y", "width", "height", "label"}    percent of a picture, from its upper left

A mark names its `field` where the form shows several.
"""

SPAN_KEY = re.compile(r"(?:(?P<field>.+?)@)?(?P<start>\d+):(?P<end>\d+):(?P<label>.*)", re.DOTALL)


def span_key(start: int, end: int, label: str, field: str | None) -> str:
    """A span as the key of a posterior: `0:4:PERSON`, or `title@0:4:PERSON` with its field."""
    return f"{f'{field}@' if field else ''}{start}:{end}:{label}"


def span_of_key(key: str) -> dict[str, Any]:
    """The span of such a key; `field` is None where it names none. Raises ValueError."""
    parts = SPAN_KEY.fullmatch(key)
    if parts is None:
        raise ValueError(f"{key!r} is not a key of a span")
    places = {"start": int(parts["start"]), "end": int(parts["end"])}
    return {**places, "label": parts["label"], "field": parts["field"]}


@dataclass(frozen=True)
class Question:
    """One thing that people are asked.

    `labels` are the values that an answer may take: choices and entity labels (by alias if the
    form has one), the fields compared (and `tie` if it can be chosen), or the numbers of a rating
    as strings. `shown` are their words on the page. `fields` are the fields it is asked about.
    `tag` and `line` are its place in the label config.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...]
    labels: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    required: bool = False
    tag: str = ""
    line: int = 0

    @property
    def is_part(self) -> bool:
        """Whether it asks if one label of another question occurs: `entities:PERSON`."""
        return ":" in self.name

    def parts(self) -> tuple[Question, ...]:
        """Return, for each label of choices or marks, the question whether it occurs.

        Such a question is named `entities:PERSON`; its values are `absent` and `present`.
        """
        if self.kind not in ("choices", *MARKS):
            return ()
        answers = ("absent", "present")
        names = [f"{self.name}:{label}" for label in self.labels]
        return tuple(Question(name, "choice", self.fields, answers, answers) for name in names)


@dataclass(frozen=True)
class Form:
    """What people see: the fields shown and the questions asked, from one label config.

    `media` are the fields that hold the address of an image, a sound or a film, with which of
    these it is. Forms that ask the same in the same words have the same `meaning`, whatever they
    look like.
    """

    name: str
    fields: tuple[str, ...]
    questions: tuple[Question, ...]
    xml: str
    digest: str
    media: tuple[tuple[str, MediumKind], ...] = ()
    meaning: str = ""

    @property
    def images(self) -> tuple[str, ...]:
        """The fields that are images."""
        return tuple(field for field, kind in self.media if kind == "image")

    def medium(self, field: str) -> MediumKind | None:
        """What a field holds the address of; None for a text."""
        return dict(self.media).get(field)

    def question(self, name: str) -> Question:
        """Return the question of that name. Raises KeyError if the form has none."""
        for question in self.questions:
            if question.name == name:
                return question
        raise KeyError(name)


@dataclass(frozen=True)
class Suggestion:
    """A pre-annotation: a model's guess that people may confirm or correct."""

    question: str
    value: Any
    score: float | None = None
    model: str = ""


@dataclass(frozen=True)
class Task:
    """One thing to label: the fields as shown, and the number of answers wanted.

    `media` are the fields that hold the address of a medium on disk; `folder` is where relative
    addresses begin: the workspace.
    """

    id: str
    fields: Mapping[str, str]
    overlap: int | None = None
    suggestions: tuple[Suggestion, ...] = ()
    media: Mapping[str, Medium] = field(default_factory=dict)
    folder: Path = Path()


@dataclass(frozen=True)
class Server:
    """An annotation server as `ping` found it."""

    backend: str
    url: str
    version: str
    user: str


@dataclass(frozen=True)
class User:
    """An account as its server knows it: `key` stays, while the login may change or be gone.

    The key is backend, identity of the server and user id, joined by `/`. On the folder backend it
    is the name itself.
    """

    key: str
    login: str

    @property
    def server(self) -> str:
        """The backend and the identity of the server."""
        return self.key.rpartition("/")[0]

    @property
    def number(self) -> str:
        """The server's own id of the user."""
        return self.key.rpartition("/")[2]


def login_of(user: User) -> str:
    """The login of a user; the key of one who has none any more."""
    return user.login or user.key


@dataclass(frozen=True)
class Authors:
    """Whose answers are whose.

    `of` gives the account under which a user's answers are told: an id of people.yaml, or by
    default the login. `left` are the accounts whose people have left the server: their answers
    stand, also where the server has removed them. `said` tells the accounts that ever gave an
    answer, by its task, question and mark; it reads all answers, so it is asked where that is
    needed.
    """

    of: Callable[[User], str] = login_of
    left: frozenset[str] = frozenset()
    said: Callable[[], Mapping[tuple[str, str, str], frozenset[str]]] = dict


@dataclass(frozen=True)
class Project:
    """A round's place on a server. `key` is the server's own id; `born` its time of creation.

    `altered` says that somebody has changed the form on the server, as it was seen just now.
    """

    backend: str
    server: str
    name: str
    key: str
    form: Form
    overlap: int | None
    url: str
    born: str = ""
    altered: bool = False


Key = tuple[str, str, str]
"""The key of an answer within a round: (id, question, account)."""


def moment(at: str | None) -> datetime | None:
    """Return an ISO 8601 time in UTC; a time without a zone is UTC.

    Raises ValueError if it is not ISO 8601, or before the year 1 or after 9999.
    """
    if at is None:
        return None
    time = datetime.fromisoformat(at)
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"no time: {at}") from None


@dataclass(frozen=True)
class Annotation:
    """One person's answer to one question about one task.

    `account` is the person as `Authors` names them: an id, or the server's name for the person (an
    e-mail address, a user name). `value` has the public shape; it is null if the question was left
    open. `at` is UTC in ISO 8601. `shown` are the fields that the server shows with the answer now;
    null if they cannot have changed there.
    """

    id: str
    question: str
    account: str
    value: Any
    status: Status
    at: str | None = None
    seconds: float | None = None
    reason: str | None = None
    shown: Mapping[str, str] | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> Key:
        """The id, the question and the account of the answer."""
        return (self.id, self.question, self.account)

    @property
    def mark(self) -> str:
        """Status, value and time in one string: it differs if the answer has changed."""
        return f"{self.status}|{self.value!r}|{moment(self.at)}"


def replaces(status: str, at: datetime | None, before: str, before_at: datetime | None) -> bool:
    """Whether an answer replaces the one before it, of status `before` and time `before_at`.

    A draft never replaces a submission. A withdrawal always replaces, and is always replaced.
    Otherwise an answer replaces one that is not later. If a time is missing, it replaces too.
    """
    if status == "draft" and before == "submitted":
        return False
    if "withdrawn" in (status, before):
        return True
    return at is None or before_at is None or at >= before_at


def in_turn(
    answers: Iterable[T], key: Callable[[T], Key], at: Callable[[T], datetime | None]
) -> list[T]:
    """The lines of a file in the order in which they count.

    Those of one key that have a time stand by their times, in each other's places. One without a
    time stays where it is.
    """
    lines = list(answers)
    timed: dict[Key, list[tuple[datetime, int]]] = defaultdict(list)
    for place, answer in enumerate(lines):
        time = at(answer)
        if time is not None:
            timed[key(answer)].append((time, place))
    for own in timed.values():
        ordered = [lines[place] for _, place in sorted(own)]
        for (_, place), answer in zip(own, ordered, strict=True):
            lines[place] = answer
    return lines


@dataclass(frozen=True)
class Pulled:
    """The result of a pull: new and changed answers (withdrawn too), and the next cursor."""

    annotations: tuple[Annotation, ...]
    cursor: str | None
    seen: int = 0


@dataclass(frozen=True)
class Unserved:
    """The tasks that lack answers, and that the server shows to nobody any more.

    Of those in `counted` it counts answers that do not count here; those in `gone` it lacks.
    """

    counted: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Counts of answers by account and status, and the accounts that can be asked."""

    answers: Mapping[str, Mapping[str, int]]
    accounts: tuple[str, ...] = ()
    tasks: int = 0
    notes: tuple[str, ...] = field(default=())


def now() -> str:
    """Return the current time in UTC, as ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
