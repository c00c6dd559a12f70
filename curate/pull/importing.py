"""Import answers made elsewhere, as a round of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from curate.backends.folder import read_answers
from curate.people import accounts
from curate.pull.answers import answer_row, check_answer
from curate.pull.fetching import Fetched
from curate.pull.stage import PullResult, summarize
from curate.records import Annotation, Form, Project, moment, now
from curate.rounds import Batch, Round, freeze
from curate.rounds.opened import Opened
from curate.rounds.standing import close, standing
from curate.rounds.taken_back import REJECTED
from curate.storage import file_digest
from curate.workspace import Workspace


def bring(workspace: Workspace, answers: Path, form: Form) -> PullResult:
    """Import a file of answers, to any documents of the pool, as a round of its own.

    The same file with the same form is one round. Its documents never enter corpus estimates.
    Raises DataError for a missing file or an invalid line.
    """
    digest = file_digest(answers) if answers.is_file() else None
    for round_ in workspace.rounds.all():
        if digest and round_.spec.get("file") == digest and round_.form.digest == form.digest:
            return summarize(round_, Fetched(), standing(round_, {}), done=True)
    annotations = [_as_said(answer) for answer in read_answers(answers)]
    ids = list(dict.fromkeys(answer.id for answer in annotations))
    pool_views = workspace.documents.find_views(ids, edited=False)
    views = {id: pool_views[id] for id in ids if id in pool_views}
    number = workspace.next_round()
    opened: Opened = {
        "purpose": "import",
        "created": now(),
        "file": digest,
        "sample": {},
        "frame": {},
    }
    sample = [
        {"id": id, "round": number, "rank": rank, "kind": "design", "strategy": "import"}
        for rank, id in enumerate(views)
    ]
    with freeze(workspace.root, number, opened, sample, views) as folder:
        project = Project("folder", "", f"import-{number:02}", str(number), form, None, "")
        batch = Batch(None, project)
        tasks = [{"id": id} for id in views]
        settings = {"backend": "folder", "overlap": "all"}
        new_round = Round.load(number, folder).freeze_push(settings, form, [batch], tasks)
        names = {answer.account for answer in annotations}
        ids_by_account, _ = accounts.identify(workspace.root, "folder", names)
        rows = [
            answer_row(check_answer(answer, form, views), ids_by_account, new_round, batch)
            for answer in annotations
        ]
        new_round.append([{**row, "at": row["at"] or moment(now())} for row in rows], {})
        close(new_round, "imported")
    current = workspace.rounds.all()[-1]
    return summarize(current, Fetched(len(rows)), standing(current, {}), done=True)


def _as_said(answer: Annotation) -> Annotation:
    """An answer that was rejected where it was made says so, beside its own reason."""
    if answer.status != "rejected":
        return answer
    return replace(answer, reason=": ".join(filter(None, (REJECTED, answer.reason))))
