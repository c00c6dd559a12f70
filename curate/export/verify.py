"""Check an export against its manifest; nothing is trusted but the files themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from curate import storage, tokens
from curate.errors import CurateError, DataError
from curate.export.claims import Claims, FileClaim, LabelClaim, read_claims
from curate.export.copies import Copies
from curate.export.documents import content_fields, content_line, is_whole
from curate.export.draws import DRAW, DrawReader
from curate.export.groups import GroupCounts, check_groups, check_parts
from curate.export.labels import BY, LabelCounts
from curate.export.media.checking import MediaCheck
from curate.export.reading import Lines, lines_of
from curate.export.sums import SUMS, check_sums, edited_card, irregular, of_hub
from curate.media import Medium
from curate.media.counting import MediaTokens
from curate.media.counting import tokens as media_tokens
from curate.progress import Watch, unwatched
from curate.sources.chat_media import without_marks
from curate.sources.messages import text_of_part
from curate.spec import validated
from curate.takedown.listed import removed
from curate.text import content_id

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""The errors that a damaged file may raise; Arrow's are subclasses of these."""


@dataclass(frozen=True)
class VerifyResult:
    """What was checked, and everything that is wrong; `tokens` are as the pool counts.

    `notes` tell what a hub's clone added or changed beside the data.
    """

    folder: str
    files: int
    documents: int
    tokens: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Tally:
    """What the lines read so far hold, by group, question and id; `removed` are taken down.

    `lines` reads those of a shard.
    """

    lines: Lines
    copies: Copies
    draw: DrawReader
    media: MediaCheck
    removed: frozenset[str]
    groups: GroupCounts = field(default_factory=GroupCounts)
    labels: LabelCounts = field(default_factory=LabelCounts)
    content: Any = field(default_factory=sha256)
    held_out: Any = field(default_factory=sha256)


def verify(folder: Path, *, against: str | None = None, watch: Watch = unwatched) -> VerifyResult:
    """Read every shard again: sums, counts, ids, groups, phases, copies, and what was taken down.

    Each line is compared with its row of the draw. Memory does not depend on the number of
    documents; scratch files are in a temporary folder. `against` is the sum of SHA256SUMS as it was
    kept elsewhere. Nothing but regular files is opened. Raises DataError without a manifest.
    """
    if odd := irregular(folder):
        return VerifyResult(str(folder), 0, 0, 0, tuple(odd))
    claims = read_claims(folder)
    count = Counting.of(folder, claims)
    phases = [phase.name for phase in claims.phases]
    problems = [*_against(folder, against), *check_sums(folder), *check_parts(claims)]
    files = [*claims.files, *claims.held_out]
    with TemporaryDirectory(prefix="curate-verify-") as scratch:
        draw = DrawReader.of(folder / DRAW)
        copies, gone = Copies(Path(scratch), phases), removed(folder.absolute().parent)
        tally = _Tally(
            lines_of(folder, claims), copies, draw, MediaCheck.of(folder, claims.media), gone
        )
        with watch("verifying", sum(entry.documents for entry in files)) as advance:
            for entry in files:
                is_held_out = entry in claims.held_out
                line = _Line(entry.path, claims.phase_of.get(entry.path), is_held_out)
                problems += _file(folder / entry.path, entry, line, count, tally)
                advance(entry.documents)
        problems += _contents(claims, tally)
        problems += tally.media.end()
        problems += draw.problems()
        problems += _groups(claims, tally.groups)
        problems += _label_counts(claims.labels, tally.labels)
        problems += tally.copies.check(claims.max_epochs)
    return VerifyResult(
        folder=str(folder),
        files=len(files),
        documents=tally.groups.stored_documents.total(),
        tokens=tally.groups.stored_tokens.total(),
        problems=tuple(dict.fromkeys(problems)),
        notes=tuple(_notes(folder)),
    )


def _against(folder: Path, against: str | None) -> Iterator[str]:
    """Yield a problem if the sums are not those whose sum was kept elsewhere."""
    sums = folder / SUMS
    if against is not None and sums.is_file() and storage.sha256_of(sums) != against.lower():
        yield f"{SUMS} does not have the sum that --against gives: it is another export"


def _groups(claims: Claims, counts: GroupCounts) -> list[str]:
    """What is wrong with the groups; numbers of a manifest may be too large to compute with."""
    try:
        return list(check_groups(claims, counts))
    except ArithmeticError as error:
        return [f"the numbers of manifest.json cannot be compared: {error}"]


def _notes(folder: Path) -> Iterator[str]:
    if names := of_hub(folder):
        yield f"it is a clone from a hub, which added {', '.join(names)}"
    if edited_card(folder):
        yield "README.md was edited there: it is the card, not data"


@dataclass(frozen=True)
class _Line:
    """What is known of the lines of a shard: its path, their phase, and whether it is held out."""

    path: str
    phase: str | None
    is_held_out: bool


def _contents(claims: Claims, tally: _Tally) -> Iterator[str]:
    """Yield what is wrong with the content of all lines; of some token ids it cannot be known."""
    if not tally.lines.has_texts:
        return
    if tally.content.hexdigest() != claims.content_sha256:
        yield "content_sha256 is not that of the documents"
    if claims.validation and tally.held_out.hexdigest() != claims.validation.content_sha256:
        yield "content_sha256 of the validation is not that of its documents"


@dataclass(frozen=True)
class Counting:
    """Counts the tokens of a document as the pool and as the budget did, which may be one.

    `budget` is None where both count by one tokenizer; `extra` are more tokens a document. A budget
    in another `unit` counts items, or thousandths of the seconds of audio and video.
    """

    pool: tokens.Counter
    budget: tokens.Counter | None
    extra: int
    media: MediaTokens | None
    unit: str

    @staticmethod
    def of(folder: Path, claims: Claims) -> Counting:
        """Counts as an export did. Raises DataError where its tokenizers are not there."""
        own = claims.budget_tokenizer
        budget = None if own is None else _counter(folder, own)
        pool = _counter(folder, claims.tokenizer)
        of_media = _media_tokens(claims)
        return Counting(pool, budget, claims.extra_tokens, of_media, claims.budget_unit)

    def __call__(self, document: Mapping[str, Any]) -> tuple[int, int]:
        """The tokens of a document as the budget counts them, and as the pool does."""
        if sizes := document.get("sizes"):
            return int(sizes[0]), int(sizes[1])
        text, media = document["text"], document["media"] or ()
        of_media = self._of_media(media)
        own = self.pool(text) + of_media
        if self.unit != "tokens":
            return 1 if self.unit == "items" else _thousandths(media), own
        return (own if self.budget is None else self.budget(text) + of_media) + self.extra, own

    def _of_media(self, media: Sequence[Mapping[str, Any]]) -> int:
        if self.media is None:
            return 0
        return sum(media_tokens(Medium.of(medium), self.media) for medium in media)


def _thousandths(media: Sequence[Mapping[str, Any]]) -> int:
    """Thousandths of the seconds of media, as `mix` counts them."""
    return round(1000 * sum(medium.get("seconds") or 0.0 for medium in media))


def _media_tokens(claims: Claims) -> MediaTokens | None:
    """What media count as. Raises DataError where that cannot be read."""
    if claims.media_tokens is None:
        return None
    return validated(MediaTokens, claims.media_tokens, where="manifest.json: media_tokens")


def _counter(folder: Path, name: str) -> tokens.Counter:
    """Counts by a tokenizer. Raises DataError where it is not there."""
    try:
        return tokens.counter(str(folder / name) if name.endswith(".json") else name)
    except CurateError as error:
        raise DataError(
            f"{folder}: the tokenizer {name} cannot be used",
            hint=error.message.removeprefix("pool.tokenizer: "),
        ) from None


def _file(path: Path, entry: FileClaim, line: _Line, count: Counting, tally: _Tally) -> list[str]:
    """What is wrong with a shard, which may be no longer readable."""
    try:
        return _shard(path, entry, line, count, tally)
    except UNREADABLE as error:
        return [f"{entry.path} cannot be read: {error!r}"]


def _shard(path: Path, entry: FileClaim, line: _Line, count: Counting, tally: _Tally) -> list[str]:
    if not path.is_file():
        return [f"{entry.path} is missing"]
    if Path(entry.path).is_absolute() or ".." in Path(entry.path).parts:
        return [f"{entry.path} is not a file of the export"]
    problems = []
    documents = total = chats = 0
    if storage.sha256_of(path) != entry.sha256:
        problems.append(f"{entry.path} is not the file that the manifest names")
    for document in tally.lines(entry):
        size, pool_size = count(document)
        if line.is_held_out:
            tally.held_out.update(content_line(document))
            tally.copies.add_held_out(document["id"])
        else:
            problems += _count_line(document, line, (documents, size, pool_size), tally)
        documents, total = documents + 1, total + pool_size
        chats += document.get("messages") is not None
        problems += _of_line(document, entry, line, tally.removed)
        problems += tally.media.line(document)
    counts = [("documents", documents, entry.documents), ("tokens", total, entry.tokens)]
    if entry.messages is not None:
        counts.append(("lines with messages", chats, entry.messages))
    for name, actual, told in counts:
        if actual != told:
            problems.append(f"{entry.path} holds {actual} {name}, not {told}")
    return problems


def _count_line(
    document: Mapping[str, Any], line: _Line, about: tuple[int, int, int], tally: _Tally
) -> Iterator[str]:
    """Count a line to train on; `about` are its position and its tokens by both counts.

    Yields what is wrong with its number of copies, which groups and limits hold for its document.
    """
    position, size, pool_size = about
    group = document["group"]
    times = document.get("copies", 1)
    tally.groups.add((line.phase, group), times, size, pool_size)
    tally.content.update(content_line(document))
    tally.labels.update(_labels(document))
    names = (document["id"], document["copy"], group, line.path, position)
    earlier, most = tally.draw.copies(names)
    if document["copy"] == 1 and line.phase is None:
        tally.groups.earlier[group] += earlier * size
    tally.copies.add(document["id"], document["copy"], line.phase, earlier)
    if most is not None and earlier + document["copy"] > most:
        before = f" after {earlier} in earlier parts" if earlier else ""
        told = f"has the copy {document['copy']}{before}"
        yield f"{document['id']} {told}: limits allow {most}"


def _of_line(
    document: Mapping[str, Any], entry: FileClaim, line: _Line, removed: frozenset[str]
) -> Iterator[str]:
    """Yield what is wrong with a line by itself."""
    if document.get("phase") != line.phase:
        yield f"{line.path} holds lines of another phase"
    if entry.group is not None and document["group"] != entry.group:
        yield f"{line.path} holds lines of another group"
    if document["id"] in removed:
        yield f"{line.path} holds {document['id']}, which was taken down"
    if is_whole(document) and content_id(content_fields(document)) != document["id"]:
        yield f"{document['id']}: the text is not that of its id"
    if not _says(document["text"], document.get("messages") or (), bool(document["media"])):
        yield f"{document['id']}: its messages do not say its text"


def _says(text: str | None, messages: Sequence[Mapping[str, Any]], has_media: bool) -> bool:
    """Whether the contents of messages stand in a text, in their order; marks of media do not."""
    at = 0
    for words in _said(messages) if text is not None else ():
        for piece in without_marks(words) if has_media else [words]:
            place = str(text).find(piece, at)
            if place < 0:
                return False
            at = place + len(piece)
    return True


def _said(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the texts of messages."""
    for message in messages:
        content = message["content"]
        for part in content if isinstance(content, list) else [content]:
            words, _ = text_of_part(part)
            if words is not None:
                yield words


def _labels(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the question of each label of a document, and who gave it."""
    for question, label in (document["labels"] or {}).items():
        if label is not None:
            yield question, "undecided" if label["undecided"] else str(label["by"])


def _label_counts(claims: Sequence[LabelClaim], labels: LabelCounts) -> Iterator[str]:
    named = {(claim.question, name): getattr(claim, name) for claim in claims for name in BY}
    for question, name in sorted({**labels, **named}):
        told, actual = named.get((question, name), 0), labels[question, name]
        if actual != told:
            yield f"{question} has {actual} labels ({name}), not {told}"
