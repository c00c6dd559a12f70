"""Answers made elsewhere, as a round of their own."""

from __future__ import annotations

from pathlib import Path

from curate.backends.folder import read_answers
from curate.people import accounts
from curate.pull.answers import answer_row, checked
from curate.pull.fetching import Fetched
from curate.pull.stage import PullResult, summarize
from curate.records import Form, Project, moment, now
from curate.rounds import Batch, Round, freeze
from curate.rounds.opened import Opened
from curate.rounds.standing import close, standing
from curate.storage import file_digest
from curate.workspace import Workspace


def bring(workspace: Workspace, answers: Path, form: Form) -> PullResult:
    """Bring in answers made elsewhere, for any documents of the pool, as a round of its own.

    The same file with the same form is one round. Its documents never enter corpus estimates.
    """
    mark = file_digest(answers) if answers.is_file() else None
    for each in workspace.rounds.all():
        if mark and each.spec.get("file") == mark and each.form.digest == form.digest:
            return summarize(each, Fetched(), standing(each, {}), done=True)
    given = list(read_answers(answers))
    ids = list(dict.fromkeys(each.id for each in given))
    found = workspace.documents.find_views(ids, edited=False)
    views = {id: found[id] for id in ids if id in found}
    number = workspace.rounds.next_number()
    opened: Opened = {
        "purpose": "import",
        "created": now(),
        "file": mark,
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
        asked = [{"id": id} for id in views]
        settings = {"backend": "folder", "overlap": "all"}
        fresh = Round.load(number, folder).freeze_push(settings, form, [batch], asked)
        names, _ = accounts.identify(workspace.root, "folder", {each.account for each in given})
        rows = [answer_row(checked(each, form, views), names, fresh, batch) for each in given]
        fresh.append([{**row, "at": row["at"] or moment(now())} for row in rows], {})
        close(fresh, "imported")
    current = workspace.rounds.all()[-1]
    return summarize(current, Fetched(len(rows)), standing(current, {}), done=True)
