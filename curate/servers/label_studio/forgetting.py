"""What the curator deletes from Label Studio stays in none of its files.

database       deleted rows are overwritten (`SQLITE` in `inside.py`)
log of writes  is emptied before the deletion is answered
exports        of the project, which its page leaves on the disk, go as well
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"

TRIES, PAUSE = 20, 0.1
"""How often the log of writes is emptied, if somebody reads just then, and the seconds between."""

BY_PROJECT = frozenset({"project-detail", "project-tasks-list"})
"""The routes that delete all texts of the project that their path names."""

LOG = logging.getLogger("curate")


def project_of(
    method: str, route: str | None, names: Mapping[str, Any], query: Mapping[str, str]
) -> int | None:
    """The project of which a request deletes texts; None if it deletes none.

    `names` are the parts of the path, and `query` those of the address after it.
    """
    from tasks.models import Task

    if method == "POST" and route == "dm-actions":
        is_deletion = query.get("id", "").startswith("delete_tasks")
        project = query.get("project", "")
        return int(project) if is_deletion and project.isdecimal() else None
    if method == "DELETE" and route in BY_PROJECT:
        return int(names["pk"])
    if method == "DELETE" and route == "task-detail":
        keys = Task.objects.filter(pk=names["pk"]).values_list("project_id", flat=True)
        return next(iter(keys), None)
    return None


def forget(project: int) -> None:
    """Let no deleted text stay in the files: not in exports, not in the log of writes."""
    from data_export.models import Export
    from django.conf import settings

    for export in Export.objects.filter(project=project):
        for copy in (*export.converted_formats.all(), export):
            copy.file.delete(save=False)
        export.delete()
    for path in Path(settings.EXPORT_DIR).glob(f"project-{project}-at-*"):
        path.unlink(missing_ok=True)
    _empty_log()


def _empty_log() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for _ in range(TRIES):
            cursor.execute(EMPTY_LOG)
            is_busy, *_ = cursor.fetchone()
            if not is_busy:
                return
            time.sleep(PAUSE)
    LOG.warning("deleted texts stay in the log of writes for now: it is being read")
