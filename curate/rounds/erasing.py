"""Blank the texts of tasks that were taken down; answers stay."""

from __future__ import annotations

import json
from typing import Any


def blanked(row: dict[str, Any]) -> dict[str, Any]:
    fields = [[name, ""] for name, _ in json.loads(row["fields"])]
    return {**row, "fields": json.dumps(fields, ensure_ascii=False), "edits": None}


def unsuggested(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "suggestions": None}
