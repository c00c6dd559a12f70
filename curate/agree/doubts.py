"""What is doubtful in labels: people who do not agree, or of whom nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curate.agree.results import QuestionResult
from curate.rounding import rounded
from curate.warning import StageWarning, warn

LEAST_ALPHA = 0.667
"""Below it Krippendorff (2004) advises to draw no conclusions from the labels."""

MOST_UNDECIDED = 0.2
"""A question of which more than this share of the labels is undecided is told."""


def doubts(questions: Sequence[QuestionResult]) -> Iterator[StageWarning]:
    """Yield a warning for each kind of doubt."""
    if alone := [own.question for own in questions if own.annotators == 1]:
        words = "only one person answered {questions}: nothing shows how reliable the labels are"
        yield warn("agree.one_annotator", words, questions=alone)
    if apart := [
        f"{own.question} ({rounded(own.alpha, '.2f')})"
        for own in questions
        if own.alpha is not None and own.alpha < LEAST_ALPHA
    ]:
        words = "people hardly agree (alpha below {least}): {questions}"
        yield warn("agree.low_alpha", words, least=LEAST_ALPHA, questions=apart)
    if left_open := [
        f"{own.question} ({own.undecided:,} of {own.items:,})"
        for own in questions
        if own.undecided > MOST_UNDECIDED * own.items
    ]:
        words = "many labels are undecided: {questions}"
        yield warn("agree.undecided", words, questions=left_open)
