"""A server with accounts, on files: users have numbers, and their logins may change or be gone."""

from __future__ import annotations

from pathlib import Path

from curate.backends.folder import FolderBackend
from curate.records import User

SERVER = "label_studio/0a1b2c3d"


class TeamServer(FolderBackend):
    """A folder whose answers name the numbers of users; `logins` maps these to their logins."""

    name = "label_studio"

    def __init__(self, root: Path, logins: dict[str, str]) -> None:
        super().__init__(root)
        self.logins = logins

    def users(self) -> tuple[User, ...]:
        return tuple(self.user(number) for number in self.logins)

    def user(self, name: str) -> User:
        return User(f"{SERVER}/{name}", self.logins.get(name, ""))

    def accounts(self) -> tuple[str, ...]:
        return tuple(sorted(self.logins.values()))
