"""The texts of the user's that mixtures are judged on."""

from __future__ import annotations

from pathlib import Path

from curate import chance
from curate.errors import DataError
from curate.evaluate.spec import JudgeFile
from curate.names import absent
from curate.sources.reading import Bad, SourceSpec, content, parts, read
from curate.workspace import Workspace

WHERE = "evaluate.judge"


def read_judge_files(
    workspace: Workspace, files: list[JudgeFile], limit: int
) -> dict[str, list[str]]:
    """The texts of each file, by its path: each once, drawn by hash up to so many bytes.

    Raises RecipeError for a file that is not there, DataError for a row or a file without text.
    """
    return {own.file: _texts(workspace.path(own.file), own, limit) for own in files}


def _texts(path: Path, file: JudgeFile, limit: int) -> list[str]:
    if not path.is_file():
        hint = "a path in a recipe is relative to the workspace"
        raise absent(f"{WHERE}: no file {path}", path, hint=hint)
    source = SourceSpec(paths=(str(path.resolve()),), text=file.text)
    texts: dict[str, str] = {}
    noise: dict[str, float] = {}
    for part in parts([source], path.parent):
        for row in read(source, part, strict=True):
            if isinstance(row, Bad):
                raise DataError(f"{WHERE}: {row.file}, row {row.row}: {row.reason}")
            own = content(row)
            if own.text:
                texts[own.id] = own.text
        noise |= dict(zip(texts, chance.uniform(texts, 0, "judge").tolist(), strict=True))
        texts = _first(texts, noise, limit)
    if not texts:
        raise DataError(
            f"{WHERE}: {path.name} has no text in {file.text}",
            hint="name the column: `judge: [{file: PATH, text: COLUMN}]`",
        )
    return list(texts.values())


def _first(texts: dict[str, str], noise: dict[str, float], limit: int) -> dict[str, str]:
    """The first texts by their noise, up to so many bytes; the first always counts."""
    left: dict[str, str] = {}
    for id in sorted(texts, key=noise.__getitem__):
        limit -= len(texts[id].encode())
        if limit < 0 and left:
            break
        left[id] = texts[id]
    return left
