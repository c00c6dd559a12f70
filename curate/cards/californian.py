"""The documentation of training data that California's AB 2013 asks for: its twelve points.

Civil Code, section 3111(a), in force since January 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from curate.cards import telling
from curate.cards.facts import Facts
from curate.cards.summary import Point, Summary, percent, shares
from curate.wording.numbers import count

MOST_ROWS = 50


def californian(facts: Facts) -> Summary:
    """The twelve points, as far as the tables know them."""
    return Summary(
        "Documentation of training data",
        (
            "For section 3111 of the Civil Code of California (AB 2013). A data set is a source.",
            *telling.about(facts),
        ),
        (*_what(facts), *_rights(facts), *_processing(facts)),
    )


def rough(number: int) -> str:
    """A number as a range between powers of ten, for what may be told in general ranges."""
    if number < 10:
        return "fewer than 10"
    power = len(str(number)) - 1
    return f"{10**power:,} to {10 ** (power + 1):,}"


def _what(facts: Facts) -> Iterator[Point]:
    yield Point(
        "1",
        "Sources or owners of the data sets",
        rows=telling.sources(facts),
        gaps=("The owner of each source, where its name does not say it.",),
    )
    yield Point(
        "2",
        "How the data sets further the purpose of the system",
        (
            "The export is a mixture of documents, drawn to train a language model; its card has "
            "the share of every group.",
        ),
        gaps=("The intended purpose of the system, and what each data set does for it.",),
    )
    yield Point(
        "3",
        "Number of data points",
        (
            f"{rough(facts.documents)} distinct documents ({facts.documents:,}), in "
            f"{facts.lines:,} lines with {facts.tokens:,} tokens. Those of each data set stand in "
            "point 1.",
        ),
    )
    media = [f"{count(facts.images, 'image')} in the documents."] if facts.images else []
    for kind, seconds in (("audio", facts.audio), ("video", facts.video)):
        media += [f"{telling.duration(seconds)} of {kind} in the documents."] if seconds else []
    yield Point(
        "4",
        "Types of data points",
        ("Texts.", *media, *telling.labelled(facts), "Languages, by share of tokens:"),
        shares(facts.languages, facts.tokens, "language", "not known", MOST_ROWS),
        ("The types of content, such as news, fiction, code or conversations.",),
    )


def _rights(facts: Facts) -> Iterator[Point]:
    unknown = facts.licenses[telling.UNKNOWN]
    yield Point(
        "5",
        "Copyright, trademark, patent, or public domain",
        ("Licences, by share of tokens:",),
        shares(facts.licenses, facts.tokens, "licence", telling.UNKNOWN, MOST_ROWS),
        (
            "Whether data are protected by copyright, trademark or patent, or all in the public "
            f"domain; of {percent(unknown, facts.tokens)} of the tokens no licence is known.",
        ),
    )
    yield Point(
        "6",
        "Purchased or licensed",
        gaps=("Which data sets the developer purchased or licensed.",),
    )
    private = tuple(telling.private(facts))
    gaps = ["Personal information that forms do not show, such as names and postal addresses."]
    if not private:
        gaps = ["Whether there is personal information: it was not looked for."]
    yield Point("7", "Personal information (Civil Code 1798.140(v))", private, gaps=tuple(gaps))
    yield Point(
        "8",
        "Aggregate consumer information (Civil Code 1798.140(b))",
        gaps=("Whether the data sets hold aggregate consumer information.",),
    )


def _processing(facts: Facts) -> Iterator[Point]:
    yield Point(
        "9",
        "Cleaning, processing and other modification",
        (*telling.processing(facts), telling.takedowns(facts)),
        telling.reasons(facts),
        ("The purpose of each step, in the words of the developer.",),
    )
    yield Point(
        "10",
        "Time of collection",
        (*telling.captured(facts), *telling.read(facts)),
        gaps=(
            "When each data set was collected, where it is not said above, and whether collection "
            "goes on.",
        ),
    )
    yield Point(
        "11",
        "First use of the data sets in development",
        gaps=("The days on which the data sets were first used.",),
    )
    yield Point(
        "12",
        "Synthetic data",
        ("curate generated no text of it. It removes, masks and repeats texts.",),
        gaps=("Whether the sources hold synthetic data, and what for.",),
    )
