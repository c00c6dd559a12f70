"""The protocol of an annotation server, and two refusals that the backends share.

`tests/backends/contract.py` holds the laws of the protocol.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from curate.errors import DataError, ProjectMismatch
from curate.records import (
    Annotation,
    Authors,
    Form,
    Key,
    Progress,
    Project,
    Pulled,
    Server,
    Task,
    Unserved,
    User,
)

EVERYONE_BY_LOGIN = Authors()


class Backend(Protocol):
    """An annotation server: Label Studio, Argilla, or a folder of files."""

    name: str
    asks_by_task: bool
    """Whether each task can ask a number of people of its own."""

    def ping(self) -> Server:
        """The server, and the user whose key it is. Raises BackendUnavailable or NotAllowed."""
        ...

    def ensure_project(
        self, name: str, form: Form, *, overlap: int | None, guidelines: str
    ) -> Project:
        """Find the project with that name or create it; `overlap` None asks everyone.

        Raises FormError if the server cannot ask the form. Raises ProjectMismatch if the project
        has another form: a live form is never altered.
        """
        ...

    def open_project(self, project: Project) -> Project:
        """The project with its current address, if it is still the same. Raises ProjectMismatch.

        A form that was changed on the server is told by `altered`: answers can still come home, and
        nothing can be sent. Looks are no change (`Form.meaning`).
        """
        ...

    def accounts(self) -> tuple[str, ...]:
        """Everyone who can be asked; the key's own account only if there is nobody else."""
        ...

    def users(self) -> tuple[User, ...]:
        """Every account on the server, the key's own too; none if it knows no accounts."""
        ...

    def members(self, project: Project) -> tuple[User, ...] | None:
        """The users who see the project; None where everyone does."""
        ...

    def admit(self, project: Project, accounts: Collection[str]) -> None:
        """Let these accounts label in the project. Raises DataError for an unknown one."""
        ...

    def push(self, project: Project, tasks: Iterable[Task]) -> Iterator[str]:
        """Send the tasks that the server lacks; yield the id of each one stored.

        Raises ProjectMismatch for a form that was changed on the server, DataError for a task that
        cannot be shown, PartialPush if a later batch fails.
        """
        ...

    def ask_more(self, project: Project, missing: Mapping[str, int], *, tasks: int) -> Unserved:
        """See that the server asks so many more people about each of these tasks.

        It may count answers that we do not, as a person's second one. `tasks` is the number of all
        tasks of the project. Returns those that the server shows to nobody any more, where it
        cannot be told to ask more.
        """
        ...

    def erase(self, project: Project, ids: Collection[str]) -> int:
        """Remove tasks with their texts and answers; return how many were there.

        Ids that are not there are ignored. A later pull reports the erased answers as withdrawn,
        if they are in its `known`.
        """
        ...

    def restore(
        self, project: Project, tasks: Iterable[Task], answers: Iterable[Annotation]
    ) -> int:
        """Put the workspace's answers back under their accounts, with their tasks.

        What the server already has stays as it is, so a killed restore can be run again. All
        `answers` are submitted, skipped or discarded. Return how many pairs of task and account
        were put back. Raises DataError, before anything is sent, for an unknown account.
        """
        ...

    def pull(
        self,
        project: Project,
        *,
        cursor: str | None,
        known: Mapping[Key, str],
        authors: Authors = EVERYONE_BY_LOGIN,
        accept_losses: bool = False,
    ) -> Pulled:
        """Fetch the answers that are new or changed since `cursor`, by the accounts of `authors`.

        `known` maps the keys of the workspace's answers to their marks (see `Annotation.mark`). A
        known answer that is gone from the server comes back with the status `withdrawn`, unless its
        person has left the server. One that somebody else has changed is told as theirs; that of
        its first author stands. Raises ProjectMismatch if too many are gone (see `refuse_losses`),
        but for `accept_losses`.
        """
        ...

    def progress(self, project: Project, *, authors: Authors = EVERYONE_BY_LOGIN) -> Progress:
        """How many tasks each account submitted, skipped or began, by its last answer."""
        ...


def refuse_altered(project: Project) -> None:
    """Raise ProjectMismatch if somebody has changed the project's form on the server."""
    if project.altered:
        raise ProjectMismatch(
            f"{project.name} asks other questions on {project.server}: its form was changed there",
            hint="`curate pull` brings the answers home that fit the round's form, `curate round "
            "close` ends the round, and a changed form acts on the next: `curate run --next-round`",
        )


def refuse_another_form(project: Project) -> None:
    """Raise ProjectMismatch if the project found under a name asks other questions than ours."""
    if project.altered:
        raise ProjectMismatch(
            f"{project.server} has another project {project.name}, which asks other questions",
            hint="see whose it is; rename it or delete it there, then run this again",
        )


class Recognition:
    """Finds the author of an answer whose account is gone, by what the workspace knows of it."""

    def __init__(self, known: Mapping[Key, str], authors: Authors) -> None:
        self._known, self._authors = known, authors

    @cached_property
    def _accounts(self) -> Mapping[tuple[str, str, str], set[str]]:
        """The accounts that gave an answer, by its task, question and mark."""
        accounts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for (id, question, account), mark in self._known.items():
            accounts[id, question, mark].add(account)
        for answer, people in self._authors.said().items():
            accounts[answer] |= people
        return accounts

    def author(self, answers: Sequence[Annotation]) -> str | None:
        """The only account that gave these answers, or None; `answers` are one person's."""
        if any(answer.key in self._known for answer in answers):
            return None
        candidates = [
            self._accounts.get((answer.id, answer.question, answer.mark), set())
            for answer in answers
        ]
        common = set.intersection(*candidates) if candidates else set()
        return common.pop() if len(common) == 1 else None


def refuse_losses(
    withdrawals: Iterable[Annotation], known: Mapping[Key, str], project: str
) -> None:
    """Raise ProjectMismatch if more than two and more than 5 % of submitted answers are gone."""
    submitted = {key for key, mark in known.items() if mark.startswith("submitted|")}
    lost = len(submitted.intersection(answer.key for answer in withdrawals))
    if lost > max(2, 0.05 * len(submitted)):
        raise ProjectMismatch(
            f"{lost} of {len(submitted)} answers are gone from {project}; nothing was withdrawn",
            hint="see who removed them; `curate pull --accept-withdrawals` if that was meant",
        )


def refuse_strangers(accounts: Iterable[str], logins: Collection[str], server: str) -> None:
    """Raise DataError if one of the accounts is not among the server's logins."""
    strangers = sorted(set(accounts) - set(logins))
    if strangers:
        names = ", ".join(strangers)
        raise DataError(
            f"{server} has no account {names}",
            hint="add it with `curate server accounts add`, or name another in people.yaml",
        )
