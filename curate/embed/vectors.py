"""The vectors of the kept documents, saved in blocks and cached by content.

A vector is made once for each content and encoder, and kept. The composition of a batch moves the
vectors of some encoders by 2e-7, so two runs agree to 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.embed import blocks, contents
from curate.embed.blocks import Cache, VectorShard
from curate.embed.chargram import FIT, CharGram
from curate.embed.contents import Sample
from curate.embed.encoders import PROBED, Encoder, choose, load
from curate.embed.joined import Joined, is_joined, parts_of
from curate.embed.modalities import DEFAULT, Modalities
from curate.errors import DataError, MissingInput
from curate.media import Medium
from curate.rounding import rounded
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BLOCK = 1024
"""The documents that are encoded at once, and the most in a block."""

MOST_CHANGED = 0.1
"""The share of its texts that may have changed before a fitted encoder is fitted again."""


@dataclass(frozen=True)
class Vectors:
    """The table of the vectors of the kept documents, and the encoder that made them.

    `encoded` is the number of documents that this run encoded; `note` says why `auto` chose it, or
    that it keeps its fit.
    """

    table: str
    encoder: str
    digest: str
    dimension: int
    documents: int
    encoded: int
    note: str
    window: int | None = None

    def shards(self, workspace: Workspace) -> list[VectorShard]:
        """The vectors of each shard of the documents: small values that workers read."""
        folder = workspace.tables.folder(self.table)
        own, _ = blocks.listed(folder, self.digest)
        documents = workspace.documents.shards()
        digests = folder / contents.folder_name(self.window)
        return blocks.shards_of(documents, digests, own, self.dimension, self.window)

    def vectors(self, workspace: Workspace) -> tuple[list[str], NDArray[np.float32]]:
        """The ids and vectors of all documents in memory: for tests and notebooks alone."""
        import numpy as np

        shards = self.shards(workspace)
        ids = [shard.documents.read(["id"])["id"].to_pylist() for shard in shards]
        parts = [shard.means(np.arange(shard.rows())) for shard in shards]
        nothing = np.zeros((0, self.dimension), np.float32)
        return [id for part in ids for id in part], np.concatenate([nothing, *parts])


@dataclass(frozen=True)
class _Corpus:
    """The documents to encode: their shards, fingerprints, and the folder of their digests."""

    workspace: Workspace
    shards: Sequence[DocumentShard]
    inputs: dict[str, str | None]
    digests: Path
    window: int | None = None

    def sample(self, n: int) -> Sample:
        """The n documents with the smallest digests."""
        return Sample.of(self.digests, self.shards, n)

    def vectors(self, folder: Path, encoder: Encoder) -> list[VectorShard]:
        """The blocks of an encoder that are there, by shard."""
        own, _ = blocks.listed(folder, blocks.digest_of(encoder.about))
        return blocks.shards_of(self.shards, self.digests, own, encoder.dimension, self.window)


def embed(workspace: Workspace, name: str, window: int | None = None) -> Vectors:
    """Make the vectors of every kept document with the encoder of that name (`auto` chooses).

    `auto` reads the media of documents too. With a `window`, longer texts are cut into windows of
    at most so many characters, and each has a vector. Vectors of contents that are there are kept.
    Raises CurateError if there is no such encoder.
    """
    corpus = _corpus(workspace, window)
    (chosen, *_), reason = _offered(corpus, name, DEFAULT) if name == "auto" else ((name,), "")
    encoder, note = _loaded(corpus, chosen)
    table, digest = f"vectors/{encoder.id}", blocks.digest_of(encoder.about)
    folder = workspace.tables.folder(table)
    others = blocks.listed(folder, digest)[1]
    for path in others:
        path.unlink()
    documents = sum(shard.rows() for shard in corpus.vectors(folder, encoder))
    missing = _missing(corpus, folder, encoder, documents)
    encoded = _fill(corpus, folder, encoder, missing) if missing else 0
    facts = {"auto": reason} if reason else {}
    made = storage.Provenance("embed", encoder.about, corpus.inputs, "", facts)
    _seal(corpus, folder, encoder, made, is_changed=bool(others or missing))
    said = reason or note
    return Vectors(table, encoder.id, digest, encoder.dimension, documents, encoded, said, window)


def found(workspace: Workspace, encoder: str) -> Vectors | None:
    """The vectors by an encoder as they lie there, without encoding any.

    None where there are none of the documents as they are now. Whole texts go before windows.
    """
    table = f"vectors/{encoder}"
    stored, folder = workspace.tables.stored(table), workspace.tables.folder(table)
    inputs = workspace.tables.fingerprints(("pool", "clean"))
    sizes = contents.sizes(folder)
    if stored is None or stored.made.inputs != inputs or not sizes:
        return None
    digest = blocks.digest_of(stored.made.spec)
    own, _ = blocks.listed(folder, digest)
    paths = [path for parts in own.values() for path in parts]
    dimension = blocks.read_vectors(paths[0]).shape[1] if paths else 0
    made = Vectors(table, encoder, digest, dimension, 0, 0, "", sizes[0])
    return replace(made, documents=sum(shard.rows() for shard in made.shards(workspace)))


def candidates(
    workspace: Workspace, name: str, media: Mapping[str, str | None] = DEFAULT
) -> tuple[tuple[str, ...], str]:
    """The encoders that heads may choose from, the likeliest first; and why.

    `auto` are minilm and use-m3 where the pool is English, since neither is always the better one;
    else use-m3 alone. Documents with media are read by the encoder of texts joined with those of
    `media`; heads may also choose to read the media alone.
    """
    own = Modalities.of(workspace.documents.shards())
    if name != "auto" and not own.kinds:
        return (name,), ""
    return _offered(_corpus(workspace, None), name, media)


def encode(
    workspace: Workspace,
    name: str,
    texts: Sequence[str],
    media: Sequence[Sequence[Medium]] | None = None,
) -> NDArray[np.float32]:
    """The vectors of some texts and their media: texts x dimension.

    Raises what `encoder_of` does.
    """
    vectors = _encoded(encoder_of(workspace, name), texts, media or [()] * len(texts))
    check_numbers(name, vectors, texts)
    return vectors


def _encoded(
    encoder: Encoder, texts: Sequence[str], media: Sequence[Sequence[Medium]]
) -> NDArray[np.float32]:
    if isinstance(encoder, Joined):
        return encoder.encode_documents(texts, media)
    return encoder.encode(list(texts))


def check_numbers(encoder: str, vectors: NDArray[np.float32], names: Sequence[str]) -> None:
    """Raise DataError where a vector holds what is no number; `names` are those of its texts."""
    import numpy as np

    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        raise DataError(
            f"the encoder {encoder} gave no numbers for {len(wrong):,} of {len(vectors):,} texts, "
            f"such as {names[wrong[0]][:40]!r}",
            hint="take another encoder, or leave such texts out by a rule of `clean`",
        )


def encoder_of(workspace: Workspace, name: str) -> Encoder:
    """The encoder of that name, for any texts; one that is fitted on the pool as it was fitted.

    Raises MissingInput where that has not happened.
    """
    if is_joined(name):
        text = parts_of(name)[0]
        return Joined(name, workspace.root, encoder_of(workspace, text) if text else None)
    if name != CharGram.id:
        return load(name, workspace.root, lambda: iter(()))
    fitted = CharGram.open(workspace.tables.folder(f"vectors/{CharGram.id}") / FIT)
    if fitted is None:
        raise MissingInput("chargram has not been fitted yet", hint="run `curate score` first")
    return fitted


def _corpus(workspace: Workspace, window: int | None) -> _Corpus:
    shards = workspace.documents.shards()
    inputs = workspace.tables.fingerprints(("pool", "clean"))
    digests = contents.find(workspace, shards, inputs, window)
    return _Corpus(workspace, shards, inputs, digests, window)


# ── which encoder


def _offered(
    corpus: _Corpus, name: str, media: Mapping[str, str | None]
) -> tuple[tuple[str, ...], str]:
    """The encoders of a corpus, the likeliest first, and why; `name` is that of texts, or auto."""
    own = Modalities.of(corpus.shards)
    if own.kinds and not own.has_text:
        return (own.completed(name, media),), ""
    first, reason = _chosen(corpus) if name == "auto" else (name, "")
    if not own.kinds:
        return tuple(dict.fromkeys((first, "use-m3"))), reason
    both = (own.completed(first, media), own.alone(media))
    return tuple(filter(None, both)), reason


def _chosen(corpus: _Corpus) -> tuple[str, str]:
    """The choice of `auto`, and the reason; both are remembered until documents change."""
    for path in sorted((corpus.workspace.root / "vectors").glob(f"*/{storage.MANIFEST}")):
        stored = storage.stored_folder(path.parent)
        if stored and stored.made.inputs == corpus.inputs and "auto" in stored.made.facts:
            name = path.parent.name
            text = parts_of(name)[0] if is_joined(name) else name
            return text or name, str(stored.made.facts["auto"])
    return choose("auto", corpus.sample(PROBED).texts(corpus.shards, corpus.window))


def _loaded(corpus: _Corpus, name: str) -> tuple[Encoder, str]:
    """The encoder of that name, and what there is to say of it."""
    if is_joined(name):
        text = parts_of(name)[0]
        encoder, note = _loaded(corpus, text) if text else (None, "")
        return Joined(name, corpus.workspace.root, encoder), note
    if name == CharGram.id:
        return _fitted(corpus)
    return load(name, corpus.workspace.root, lambda: iter(())), ""


def _fitted(corpus: _Corpus) -> tuple[Encoder, str]:
    """The encoder that is fitted on the documents: as it is, or new if too many have changed."""
    path = corpus.workspace.tables.folder(f"vectors/{CharGram.id}") / FIT
    sample, stored = corpus.sample(CharGram.fit_on), CharGram.open(path)
    changed = sample.changed(stored.sample) if stored else 1.0
    if stored and changed <= MOST_CHANGED:
        share = rounded(changed, ".1%")
        note = f"encoder: chargram keeps its fit: {share} of its texts have changed since"
        return stored, note if changed else ""
    with corpus.workspace.watch("fitting chargram", None):
        texts = sample.texts(corpus.shards, corpus.window)
        encoder = load(CharGram.id, corpus.workspace.root, lambda: iter(texts))
    assert isinstance(encoder, CharGram)
    encoder.save(path)
    return encoder, ""


# ── what is missing


def _missing(corpus: _Corpus, folder: Path, encoder: Encoder, documents: int) -> int:
    """The number of kept documents without a vector in their shard."""
    shards = corpus.vectors(folder, encoder)
    total = 0
    with corpus.workspace.watch("looking for vectors", documents) as advance:
        for place, missing in corpus.workspace.engine.each(_count_missing, shards):
            total += missing
            advance(shards[place].rows())
    return total


def _count_missing(shard: VectorShard) -> int:
    return len(shard.missing())


def _fill(corpus: _Corpus, folder: Path, encoder: Encoder, missing: int) -> int:
    """Write the missing vectors; the number of documents that were encoded.

    Documents that are in another shard than before take their vectors along.
    """
    own, _ = blocks.listed(folder, blocks.digest_of(encoder.about))
    cache = Cache([path for paths in own.values() for path in paths])
    encoded = 0
    with corpus.workspace.watch(f"embedding with {encoder.id}", missing) as advance:
        for shard in corpus.vectors(folder, encoder):
            for is_new, documents in _blocks(shard, folder, encoder, cache):
                encoded += documents if is_new else 0
                advance(documents)
    return encoded


def _blocks(
    shard: VectorShard, folder: Path, encoder: Encoder, cache: Cache
) -> Iterator[tuple[bool, int]]:
    """Write the blocks that a shard lacks; yield whether each was encoded, and its pieces."""
    import numpy as np

    rows = shard.missing()
    if not len(rows):
        return
    digests, digest = shard.digests(), blocks.digest_of(encoder.about)
    pieces = contents.pieces_of(shard.documents, shard.window)
    places = cache.find(digests[rows])
    for is_new in (False, True):
        wanted = np.flatnonzero((places < 0) == is_new)
        for start in range(0, len(wanted), BLOCK):
            part = wanted[start : start + BLOCK]
            own = rows[part]
            if is_new:
                texts, media = pieces.texts.take(own).to_pylist(), pieces.media_of(own)
                vectors = _encoded(encoder, texts, media)
                check_numbers(encoder.id, vectors, pieces.ids.take(own).to_pylist())
            else:
                vectors = cache.read(places[part], encoder.dimension)
            ids, parts = pieces.ids.take(own), pieces.parts[own]
            name = shard.documents.name
            blocks.write(folder, name, digest, ids, digests[own], vectors, parts)
            yield is_new, len(part)


# ── the record


def _seal(
    corpus: _Corpus,
    folder: Path,
    encoder: Encoder,
    made: storage.Provenance,
    *,
    is_changed: bool,
) -> None:
    """Seal the folder if anything is new, without the blocks of which no document is left."""
    stored = storage.stored_folder(folder)
    is_same = stored is not None and stored.made.same_as(made)
    is_known = stored is not None and made.facts.items() <= stored.made.facts.items()
    has_contents = corpus.digests.parent == folder
    if is_same and is_known and has_contents and not is_changed:
        return
    own, _ = blocks.listed(folder, blocks.digest_of(encoder.about))
    shards = corpus.vectors(folder, encoder)
    unused = [
        path for _, paths in corpus.workspace.engine.each(blocks.unused, shards) for path in paths
    ]
    names = {Path(shard.name).stem for shard in corpus.shards}
    elsewhere = [path for name, paths in own.items() if name not in names for path in paths]
    # Without its record nobody takes the new digests for those of other documents.
    for path in (folder / storage.MANIFEST, *unused, *elsewhere):
        path.unlink(missing_ok=True)
    if not is_same:
        contents.forget(folder, corpus.digests)
    contents.adopt(corpus.digests, folder, corpus.window)
    storage.seal(folder, made)
