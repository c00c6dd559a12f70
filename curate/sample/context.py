"""What a strategy may know: scores, vectors and answers, each read when it is first asked for.

Scores are those of the last round, as they lie there: a snapshot that the new round records.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import median

from curate.annotated.documents import LabelledDocuments, labelled_documents
from curate.embed import Vectors, embed
from curate.errors import DataError
from curate.names import unknown
from curate.sample.spec import SampleSpec
from curate.warning import StageWarning, warn
from curate.workspace import Workspace
from curate.workspace.predictions import Predicted, predicted_questions

LEARN_FIRST = "label a first round with `curate sample --strategy random`, then `curate score`"


@dataclass(frozen=True)
class Context:
    """The workspace as the strategies of a round see it."""

    workspace: Workspace
    spec: SampleSpec

    @cached_property
    def learned(self) -> dict[str, Predicted]:
        """The questions that were learned, by name; empty without scores."""
        return predicted_questions(self.workspace.tables)

    @cached_property
    def fits(self) -> bool:
        """Whether there are scores of the documents as they are now."""
        made = self.workspace.tables.record("scores")
        return made is not None and made.inputs.get("clean") == (
            self.workspace.tables.fingerprint("clean")
        )

    @cached_property
    def question(self) -> Predicted | None:
        """The question whose predictions count: the first that was learned, or that of `of`.

        Raises RecipeError for a question that was not learned.
        """
        learned = self.learned if self.fits else {}
        name = self.spec.of or next(iter(learned), None)
        if learned and name not in learned:
            raise unknown(f"sample.of: no question {name} was learned", str(name), learned)
        return learned[name] if learned and name else None

    def require_scores(self, strategy: str) -> None:
        """Raise DataError if nothing was learned of today's documents."""
        if not self.learned:
            words = f"sample.strategy {strategy} needs scores, and there are none yet"
            raise DataError(words, hint=LEARN_FIRST)
        if not self.fits:
            words = f"sample.strategy {strategy} needs scores of the documents as they are now"
            raise DataError(words, hint="run `curate score` again, or choose strategy random")

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of all documents: by an encoder of the scores, else by that of `auto`."""
        own = filter(None, (self.question, *self.learned.values()))
        encoders = (question.encoder for question in own)
        return embed(self.workspace, next(filter(None, encoders), "auto"))

    @cached_property
    def disagreement(self) -> dict[str, float]:
        """How much people disagree on each labelled document: 1 - sum of squares of its posterior.

        Of several questions that of `of` counts, else the first that was asked and has labels.
        """
        asked = [question.name for question in self.workspace.rounds.questions()]
        found = next(
            filter(None, map(self.posteriors, [self.spec.of] if self.spec.of else asked)), {}
        )
        return {id: 1 - sum(p**2 for p in posterior.values()) for id, posterior in found.items()}

    @cached_property
    def labelled_quality(self) -> LabelledDocuments | None:
        """The documents whose quality people's answers tell; None if scores are of other labels."""
        if not self.workspace.freshness.fits("scores", "labels"):
            return None
        return labelled_documents(self.workspace).quality

    def require_disagreement(self) -> None:
        """Raise MissingInput without labels, DataError if none is of the question."""
        self.workspace.tables.require("labels")
        if not self.disagreement:
            words = f"sample.strategy disagreement: no labels of {self.spec.of or 'any question'}"
            raise DataError(words, hint="see `sample.of`, or run `curate agree`")

    def posteriors(self, question: str) -> dict[str, dict[str, float]]:
        """Read the posteriors (value → probability) of a question by document, if there are any."""
        import pyarrow.compute as pc

        if self.workspace.tables.stored("labels") is None:
            return {}
        labels = self.workspace.tables.read("labels", ["id", "question", "posterior"])
        labels = labels.filter(pc.equal(labels["question"], question))
        columns = (labels[name].to_pylist() for name in ("id", "posterior"))
        return {id: dict(posterior) for id, posterior in zip(*columns, strict=True) if posterior}

    @cached_property
    def seconds(self) -> dict[str, float | None]:
        """The answered documents, and the median seconds of an answer; None where not measured."""
        times: dict[str, list[float]] = {}
        for round_ in self.workspace.rounds.all():
            if round_.purpose == "pilot":
                continue
            documents = round_.documents()
            for answer in round_.answers():
                if answer["status"] == "submitted":
                    for id in documents.get(answer["id"], ()):
                        known = [answer["seconds"]] if answer["seconds"] else []
                        times.setdefault(id, []).extend(known)
        return {id: median(own) if own else None for id, own in times.items()}

    def warnings(self) -> tuple[StageWarning, ...]:
        """A warning if the scores that are used are older than what they were made from."""
        outdated = self.workspace.freshness.outdated("scores") if self.question else []
        words = "the scores that this round was chosen by are older: {why} ({hint})"
        return tuple(
            warn("sample.outdated_scores", words, why=one.words, hint=one.hint, **one.figures)
            for one in outdated[:1]
        )
