"""The public summary of training content that Europe's AI Act asks for, from its template.

Regulation (EU) 2024/1689, Article 53(1)(d); template of the Commission, July 2025: general
information, list of data sources, data processing. Its numbers are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from curate.cards import telling
from curate.cards.facts import Facts, Origin
from curate.cards.summary import Point, Summary, percent, shares

BILLION, TRILLION, MILLION = 10**9, 10**12, 10**6
TOP_SHARE = 0.1
"""The share of all domain names that the template asks for, the largest ones."""

MOST_DOMAINS = 1_000
"""So many domain names are listed: as many as the template asks of a small provider at most."""

MOST_ROWS = 50


def european(facts: Facts) -> Summary:
    """The summary, as far as the tables know it."""
    return Summary(
        "Public summary of training content",
        (
            "For Article 53(1)(d) of Regulation (EU) 2024/1689, after the template of the European "
            "Commission of July 2025.",
            *telling.about(facts),
        ),
        (*_general(facts), *_sources(facts), *_processing(facts)),
    )


def text_size(tokens: int) -> str:
    """The range of the template for texts."""
    if tokens < BILLION:
        return "less than 1 billion tokens"
    return (
        "1 billion to 10 trillion tokens"
        if tokens <= 10 * TRILLION
        else "more than 10 trillion tokens"
    )


def image_size(images: int) -> str:
    """The range of the template for images."""
    if images < MILLION:
        return "less than 1 million images"
    return "1 million to 1 billion images" if images <= BILLION else "more than 1 billion images"


def hours_size(seconds: float) -> str:
    """The range of the template for audio, and for video."""
    hours = seconds / 3600
    if hours < 10_000:
        return "less than 10,000 hours"
    return "10,000 to 1 million hours" if hours <= MILLION else "more than 1 million hours"


def _media(facts: Facts) -> Iterator[str]:
    if facts.images:
        yield f"Image: {image_size(facts.images)} ({facts.images:,})."
    for name, seconds in (("Audio", facts.audio), ("Video", facts.video)):
        if seconds:
            yield f"{name}: {hours_size(seconds)} ({telling.duration(seconds)})."


def _general(facts: Facts) -> Iterator[Point]:
    yield Point("1", "General information")
    yield Point(
        "1.1",
        "Provider",
        gaps=("Name and contact of the provider, and of an authorised representative.",),
    )
    yield Point(
        "1.2",
        "Model",
        gaps=(
            "Names and versions of the model, the models that it depends on, and the day on which "
            "it was placed on the market of the Union.",
        ),
    )
    yield _modalities(facts)


def _modalities(facts: Facts) -> Point:
    counts_bytes = facts.tokenizer == "bytes"
    size = f"Text: {text_size(facts.tokens)} ({facts.tokens:,} in {facts.lines:,} lines)."
    if counts_bytes:
        size = f"Text: {facts.tokens:,} bytes in {facts.lines:,} lines."
    gaps = [
        "Sizes of all other data that the model was trained on, among them other modalities.",
        "Types of content, such as fiction, news, science, law, code or social media.",
    ]
    if counts_bytes:
        gaps.insert(0, "The range in tokens: the pool counts bytes.")
    if not facts.read:
        gaps.append("The latest day on which data were acquired or collected.")
    return Point(
        "1.3",
        "Modalities, sizes and other characteristics",
        (size, *_media(facts), *telling.read(facts), "Languages, by share of tokens:"),
        shares(facts.languages, facts.tokens, "language", "not known", MOST_ROWS),
        tuple(gaps),
    )


def _sources(facts: Facts) -> Iterator[Point]:
    hubs = [origin for origin in facts.origins if origin.place.kind == "hub"]
    databases = [origin for origin in facts.origins if origin.place.kind == "database"]
    yield Point(
        "2",
        "List of data sources",
        rows=telling.sources(facts),
        gaps=("To which of the kinds 2.1 to 2.6 each source belongs, where it is not said below.",),
    )
    yield Point(
        "2.1",
        "Publicly available data sets",
        tuple(_large(hubs, facts)),
        gaps=(
            "Which sources are publicly available data sets, with a link to each, and whether "
            "those of hubs are public.",
        ),
    )
    yield Point(
        "2.2",
        "Private data sets of third parties",
        tuple(f"{origin.name} is a query of a database." for origin in databases),
        gaps=(
            "Whether any data set was commercially licensed by rightsholders or their "
            "representatives (2.2.1), or obtained from other third parties (2.2.2).",
        ),
    )
    yield _crawled(facts)
    yield Point(
        "2.4",
        "User data",
        gaps=(
            "Whether data from interactions of users with the model, or with other services of the "
            "provider, are among the sources.",
        ),
    )
    yield Point(
        "2.5",
        "Synthetic data",
        ("curate generated no text of it. It removes, masks and repeats texts.",),
        gaps=("Whether the sources hold texts that a model generated, and by which models.",),
    )
    yield Point("2.6", "Other sources", gaps=("Sources that are in none of the kinds above.",))


def _large(hubs: Sequence[Origin], facts: Facts) -> Iterator[str]:
    for origin in sorted(hubs, key=lambda own: (-own.tokens, own.name)):
        yield (
            f"{origin.name} is the data set {origin.place.hub} of a hub, "
            f"{percent(origin.tokens, facts.tokens)} of all tokens."
        )


def _crawled(facts: Facts) -> Point:
    """What is known of the web: archives, days of capture, and the domain names of addresses."""
    asked = ceil(len(facts.hosts) * TOP_SHARE)
    addressed = sum(origin.addressed for origin in facts.origins)
    known = [
        f"{origin.name} has pages out of web archives."
        for origin in facts.origins
        if origin.archived
    ]
    known += telling.captured(facts)
    gaps = [
        "Whether crawlers were used by the provider or on its behalf: their names, purposes and "
        "behaviour (robots.txt, paywalls, captchas), and the time of collection where it is not "
        "said above.",
    ]
    if facts.hosts:
        known.append(
            f"{addressed:,} tokens ({percent(addressed, facts.tokens)}) have an address on the "
            f"web, of {len(facts.hosts):,} domain names. The template asks for the largest tenth "
            f"of these, {asked:,}; the largest {min(asked, MOST_DOMAINS):,} by tokens:"
        )
    else:
        gaps.append("Domain names: no document has an address on the web.")
    rows = shares(facts.hosts, facts.tokens, "domain name", "", min(asked, MOST_DOMAINS))
    return Point(
        "2.3",
        "Data crawled and scraped from online sources",
        tuple(known),
        rows if facts.hosts else None,
        tuple(gaps),
    )


def _processing(facts: Facts) -> Iterator[Point]:
    yield Point("3", "Data processing")
    yield Point(
        "3.1",
        "Respect of reservations of rights (opt-outs)",
        (telling.takedowns(facts), *_licensed(facts)),
        gaps=(
            "Whether the provider signed the Code of Practice, and which opt-outs (such as "
            "robots.txt) were respected before and during collection.",
        ),
    )
    yield Point(
        "3.2",
        "Removal of illegal content",
        gaps=(
            "Measures against content that is illegal in the Union, such as block lists, key words "
            "or classifiers: no table tells of any.",
        ),
    )
    yield Point(
        "3.3",
        "Other processing",
        (*telling.processing(facts), *telling.labelled(facts)),
        telling.reasons(facts),
    )


def _licensed(facts: Facts) -> Iterator[str]:
    unknown = facts.licenses[telling.UNKNOWN]
    yield (
        f"Licences are known of {percent(facts.tokens - unknown, facts.tokens)} of the tokens; "
        "section 2 names those of each source."
    )
