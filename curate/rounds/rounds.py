"""The rounds of a workspace, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curate import storage
from curate.errors import MissingInput
from curate.records import Question
from curate.rounds.round import Round


@dataclass(frozen=True)
class Rounds:
    """The rounds under a workspace's root; every method reads the disk."""

    root: Path

    def all(self) -> list[Round]:
        """Load every round, oldest first."""
        folders = [path for path in (self.root / "rounds").glob("[0-9]*") if path.name.isdigit()]
        return sorted(
            (Round.load(int(path.name), path) for path in folders), key=lambda round: round.number
        )

    def asking(self) -> list[Round]:
        """Load the rounds that ask people, oldest first: all but imports."""
        return [round for round in self.all() if round.purpose != "import"]

    def current(self) -> Round:
        """Load the newest round that asks people. Raises MissingInput if there is none."""
        asking = self.asking()
        if not asking:
            raise MissingInput("there is no round yet", hint="run `curate sample` first")
        return asking[-1]

    def open(self) -> list[Round]:
        """Load the rounds that ask people and have not been closed, sent or not."""
        return [round for round in self.asking() if not round.closed]

    def numbered(self, number: int) -> Round:
        """Load the round of that number. Raises MissingInput if there is none."""
        rounds = {round.number: round for round in self.all()}
        if number not in rounds:
            listed = ", ".join(map(str, rounds)) or "none"
            raise MissingInput(f"there is no round {number}", hint=f"there are: {listed}")
        return rounds[number]

    def questions(self) -> list[Question]:
        """The questions that people were asked; one that changed is that of its newest form."""
        forms = [round.form for round in self.all() if round.push is not None]
        newest = {question.name: question for form in forms for question in form.questions}
        return list(newest.values())

    def answers(self) -> int:
        """The number of rows of answers that ever came home, changed and withdrawn ones too."""
        return sum(round.count_answers() for round in self.all())

    def count_submissions(self) -> int:
        """The number of submissions that ever came home, however many questions each answers."""
        return sum(round.count_submissions() for round in self.all())

    def fingerprint(self, name: str) -> str | None:
        """A digest of all rounds' `sample`, `tasks`, `project` or `annotations`; None if absent."""
        digests = {round.number: round.fingerprint(name) for round in self.all()}
        return storage.digest(digests) if any(digests.values()) else None
