"""A run's folder as one small value: its parts, and what stages get from the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from curate import __version__, storage
from curate.engine import Engine, Local
from curate.errors import CurateError, MissingInput
from curate.progress import Watch, unwatched
from curate.records import now
from curate.rounds import Rounds
from curate.workspace.documents import Documents
from curate.workspace.freshness import Freshness
from curate.workspace.ledger import Ledger
from curate.workspace.lineage import Lineage
from curate.workspace.lock import Lock
from curate.workspace.tables import Tables

if TYPE_CHECKING:
    from curate.backends import Backend


def _no_backend(name: str) -> Backend:
    raise CurateError(f"this workspace was opened without a way to connect to {name}")


def _no_maker(table: str) -> str | None:
    return None


@dataclass
class Workspace:
    """The parts of a run's folder; the command gives engine, backends, progress and makers.

    `engine` runs bulk work, `connect` returns the backend of a name, `watch` shows progress, and
    `maker` names the stage that makes a table, for the hint of a missing one.
    """

    root: Path
    engine: Engine = field(default_factory=Local, kw_only=True)
    connect: Callable[[str], Backend] = field(default=_no_backend, kw_only=True)
    watch: Watch = field(default=unwatched, kw_only=True)
    maker: Callable[[str], str | None] = field(default=_no_maker, kw_only=True)

    def __post_init__(self) -> None:
        self.root = Path(self.root).resolve()  # the same path, whatever the current folder is
        self.rounds = Rounds(self.root)
        self.tables = Tables(self.root, self.rounds, self.maker)
        self.documents = Documents(self.tables)
        self.ledger = Ledger(self.root)
        self.lineage = Lineage(self.tables, self.ledger)
        self.freshness = Freshness(self.tables, self.ledger, self.lineage)
        self.lock = Lock(self.root)

    def init(self, name: str) -> None:
        """Make the folder a workspace; one that is a workspace keeps its id."""
        if not (self.root / "workspace.json").exists():
            about = {"id": token_hex(4), "name": name, "created": now(), "version": __version__}
            about["folder"] = self._inode()
            storage.write_json(self.root / "workspace.json", about)

    def _inode(self) -> str:
        """The number of the folder on its file system: that of a copy is another."""
        self.root.mkdir(parents=True, exist_ok=True)
        return str(self.root.stat().st_ino)

    def project_id(self) -> str:
        """The id in the names of projects on servers; a copy of a workspace gets one of its own.

        The workspace's own id stays: the pseudonyms of people are made from it.
        """
        about = self.about()
        if about.get("folder", self._inode()) != self._inode():
            about = {**about, "folder": self._inode(), "projects": token_hex(4)}
            storage.write_json(self.root / "workspace.json", about)
        return about.get("projects", about["id"])

    def about(self) -> dict[str, str]:
        """Read the workspace's random id, name and time of creation. Raises MissingInput."""
        about = storage.read_record(self.root / "workspace.json", "id", "name")
        if about is None:
            raise MissingInput(
                f"{self.root} is not a workspace",
                hint="make one with `curate init DIR` or `curate run RECIPE -w DIR`",
            )
        return about

    def next_round(self) -> int:
        """The number of the next round. That of a deleted round is not given again.

        On a server its project may still be there, with the answers to other texts.
        """
        present = max((round_.number for round_ in self.rounds.all()), default=0)
        return max(present, self.ledger.last_round()) + 1

    def require(self) -> None:
        """Raise MissingInput unless the folder is a workspace or holds a recipe to begin with."""
        if not (self.root / "recipe.yaml").is_file():
            self.about()

    def path(self, name: str) -> Path:
        """A recipe's path: relative ones are relative to the workspace."""
        return self.root / Path(name).expanduser()
