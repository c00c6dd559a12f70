"""The accounts in Argilla's database, written without loading Argilla, which takes seconds.

The tables are those of the only version that we run. A running server sees a new account at once.
"""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

WORKSPACE = "curate"
REMOVED = "(removed)"
"""The last name of a user whose account has ended: without the row, the answers would be gone."""

USER = """
INSERT INTO users(id, username, first_name, role, api_key, password_hash, inserted_at, updated_at)
    VALUES (:id, :email, :name, :role, :token, :hash, :now, :now)
    ON CONFLICT(username) DO UPDATE SET first_name = excluded.first_name, role = excluded.role,
        last_name = NULL,
        api_key = excluded.api_key, password_hash = excluded.password_hash,
        updated_at = excluded.updated_at"""
SHUT_OUT = """
UPDATE users SET api_key = :id, password_hash = '', last_name = :removed, updated_at = :now
    WHERE username = :email AND last_name IS NOT :removed"""
NO_MEMBER = """
DELETE FROM workspaces_users WHERE user_id IN (SELECT id FROM users WHERE username = :email)"""
MEMBER = """
INSERT OR IGNORE INTO workspaces_users(id, workspace_id, user_id, inserted_at, updated_at)
    SELECT :id, w.id, u.id, :now, :now FROM workspaces w, users u
    WHERE w.name = :workspace AND u.username = :email"""


def ensure(database: Path, secrets: Mapping[str, Any]) -> None:
    """Create missing users, and reset those whose key or name differs from the secrets.

    Everybody is in one workspace, so that a new account sees all datasets.
    """
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO workspaces(id, name, inserted_at, updated_at)"
            " VALUES (:id, :workspace, :now, :now)",
            _row(),
        )
        _ensure(connection, secrets["curator"], "owner")
        for account in secrets["people"]:
            _ensure(connection, account, "annotator")
        for login in secrets.get("removed", ()):
            connection.execute(SHUT_OUT, {**_row(), "email": login, "removed": REMOVED})
            connection.execute(NO_MEMBER, {"email": login})


def _ensure(connection: sqlite3.Connection, account: Mapping[str, str], role: str) -> None:
    """Let an account log in with its password and call the API with its key.

    A user whose name was changed on the server has the key already, and keeps the new name.
    """
    import bcrypt

    query = "SELECT username FROM users WHERE api_key = ? AND username != ?"
    renamed = connection.execute(query, (account["token"], account["email"])).fetchone()
    if renamed:
        connection.execute(MEMBER, {**_row(), "email": renamed[0]})
        return
    query = "SELECT api_key, first_name FROM users WHERE username = ?"
    if connection.execute(query, (account["email"],)).fetchone() != (
        account["token"],
        account["name"],
    ):
        hashed = bcrypt.hashpw(account["password"].encode(), bcrypt.gensalt()).decode()
        connection.execute(USER, {**_row(), **account, "role": role, "hash": hashed})
    connection.execute(MEMBER, {**_row(), "email": account["email"]})


def _row() -> dict[str, str]:
    """The values that every row of Argilla's tables needs: an id, the time, the workspace."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return {"id": uuid4().hex, "now": now, "workspace": WORKSPACE}
