"""Check the media of an export: each line has its bytes, and they are those that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.export.claims import MediaClaim
from curate.export.media.beside import FOLDER
from curate.export.media.bringing import is_at_hand
from curate.export.media.columns import MediaCounts, count_of
from curate.export.sums import SUMS, read_sums


@dataclass
class MediaCheck:
    """Checks the media of lines; `sums` are those of files, `counts` what lines hold so far.

    `cleaned` media were exported without a place. An export without a claim has no media, or is of
    an older version, which copied none.
    """

    claim: MediaClaim | None
    sums: Mapping[str, str]
    counts: MediaCounts = field(default_factory=MediaCounts)
    cleaned: int = 0

    @staticmethod
    def of(folder: Path, claim: MediaClaim | None) -> MediaCheck:
        """A check of an export; its files are compared with SHA256SUMS elsewhere."""
        return MediaCheck(claim, read_sums(folder)[0] if (folder / SUMS).is_file() else {})

    def line(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is wrong with the media of a line."""
        for medium in (document["media"] or ()) if self.claim else ():
            self.counts.update(count_of(medium))
            if is_at_hand(medium):
                self.cleaned += medium["exported_sha256"] != medium["sha256"]
                if problem := self._problem(medium):
                    yield f"{document['id']}: the medium {medium['field']} {problem}"

    def _problem(self, medium: Mapping[str, Any]) -> str:
        """What is wrong with a medium whose bytes the pool knew; empty if nothing is."""
        path, digest = medium["path"], medium["exported_sha256"]
        if path is None:
            return "is not in the export"
        if "stored_sha256" in medium:  # it lies within the shard
            return "" if medium["stored_sha256"] == digest else "is not the one that its line names"
        if not str(path).startswith(f"{FOLDER}/") or path not in self.sums:
            return f"is not a file of {FOLDER}/: {path}"
        return "" if self.sums[path] == digest else f"is not the file {path}"

    def end(self) -> Iterator[str]:
        """Yield where the media of all lines are not those that the manifest counts."""
        claim = self.claim or MediaClaim(kinds={})
        known = claim.kinds
        for kind in sorted({*known, *(kind for kind, _ in self.counts)}):
            actual, claimed = self.counts[kind, "media"], known.get(kind, {}).get("media", 0)
            if actual != claimed:
                yield f"lines hold {actual} media of the kind {kind}, not {claimed}"
        files = sum(name.startswith(f"{FOLDER}/") for name in self.sums)
        if files != claim.files:
            yield f"{FOLDER}/ holds {files} files, not {claim.files}"
        if bool(self.cleaned) != bool(claim.without_places):
            yield f"{self.cleaned} media lack a place that they had, other than manifest.json says"
