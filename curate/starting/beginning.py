"""`curate init`: a workspace with a recipe that fits its data, or what is missing for one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage
from curate.clean.detecting import detect, primary
from curate.errors import DataError, RecipeError
from curate.extras import install_line, is_there
from curate.forms import load_form
from curate.names import suggestion
from curate.run import files
from curate.sources.readers.opening import split_suffix
from curate.sources.readers.registry import FORMATS, SUFFIXES
from curate.starting.looking import SINGLE, Seen, look
from curate.starting.shapes import Shape, shape_of
from curate.starting.writing import Plan, recipe
from curate.walking import files_below
from curate.wording import count, from_here
from curate.workspace import Workspace

FORMS = {"pair": "preference", "answer": "response"}
"""What people are asked about documents of a kind; all others are rated."""

PROBED = 200
"""Texts whose language is looked at."""

FEW = 3
"""So many files are named one by one in a recipe; more are a glob."""


@dataclass(frozen=True)
class Choice:
    """What a person chose: data, the column of the text, the form, and to have no server."""

    data: Sequence[Path] = ()
    text: str | None = None
    form: str | None = None
    is_offline: bool = False


def begin(workspace: Workspace, choice: Choice) -> list[str]:
    """Make a folder a workspace, with a recipe for the data there; the lines say what to do next.

    Without data it is a workspace without a recipe, and the lines say what is missing. Raises
    DataError where no column holds texts, or the folder has a recipe.
    """
    root, target = workspace.root.resolve(), workspace.root / files.NAME
    if target.exists():
        raise DataError(f"{target} exists already", hint="use another folder, or `curate run` here")
    paths = _paths(root, choice.data)
    if not paths:
        (workspace.root / "data").mkdir(parents=True, exist_ok=True)
        workspace.init(root.name)
        return list(_missing(workspace.root))
    plan = _plan(look(root, paths), choice)
    workspace.init(root.name)
    storage.write_text(target, recipe(plan))
    files.load(target)  # it is right, or the fault is ours
    form = workspace.root / "label_configs" / f"{plan.form}.xml"
    if not form.exists():
        storage.write_text(form, load_form(plan.form).xml)
    return [*plan.about, *_next_steps(workspace.root, target, form, plan)]


def _paths(root: Path, given: Sequence[Path]) -> list[str]:
    """The data: what was named, else `data/`, else files of the folder itself that hold rows."""
    if given:
        absolute = [path.expanduser().resolve() for path in given]
        return [_within(root, path) for path in absolute]
    data = root / "data"
    if data.is_dir() and any(files_below(data)):
        return ["data"]
    here = sorted(root.iterdir()) if root.is_dir() else []
    return [path.name for path in here if path.is_file() and _holds_rows(path)]


def _within(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _holds_rows(path: Path) -> bool:
    suffix = split_suffix(path.name)[1]
    return SUFFIXES.get(suffix) in ("jsonl", "csv", "tsv", "parquet", "arrow")


def _missing(root: Path) -> Iterable[str]:
    kinds = ", ".join(name for name in FORMATS if name != "image")
    init = f"curate init {shlex.quote(from_here(root))}"
    yield f"{from_here(root)} is a workspace; there are no texts yet, so it has no recipe"
    yield f"put files into {from_here(root / 'data')} ({kinds}), then: {init}"
    yield f"or name them: {init} reviews.csv"
    yield f"or start from a recipe of curate's: {init} --template sentiment"


def _plan(seen: Sequence[Seen], choice: Choice) -> Plan:
    """What the recipe is written from. Raises DataError where no file holds texts."""
    looked = [own for own in seen if not own.like and (own.rows or not own.problem)]
    shapes = {own.path: shape_of(own, choice.text) for own in looked}
    shapes |= {own.path: shapes[own.like] for own in seen if own.like}
    _refuse(seen, shapes, choice)
    usable = [(own, shape) for own in seen if (shape := shapes.get(own.path)) is not None]
    kinds = Counter(shape.kind for _, shape in usable)
    kind = kinds.most_common(1)[0][0]
    usable = [(own, shape) for own, shape in usable if shape.kind == kind]
    languages = _languages([shape for _, shape in usable])
    form = (
        choice.form or FORMS.get(kind) or ("quality_zh" if languages[:1] == ["zh"] else "quality")
    )
    load_form(form)
    rows = sum(_rows(own) for own, _ in usable)
    has_server = is_there("label_studio_sdk") and not choice.is_offline
    about = [*_about(usable, rows, languages), *_left(seen, usable)]
    if not (has_server or choice.is_offline):
        about.append(f"no server: answers go into a file ({install_line('label_studio_sdk')})")
    return Plan(_sources(usable), form, rows, languages, about, is_offline=not has_server)


def _refuse(seen: Sequence[Seen], shapes: dict[str, Shape | None], choice: Choice) -> None:
    """Raise DataError where no file holds texts, RecipeError for a column that no file has."""
    columns = list(dict.fromkeys(name for own in seen for name in own.columns))
    if choice.text is not None and choice.text.split(".")[0] not in columns:
        hint = suggestion(choice.text, sorted(columns))
        raise RecipeError(f"--text: no file has a column {choice.text}", hint=hint)
    if all(shape is not None and shape.kind == "image" for shape in shapes.values()) and shapes:
        raise DataError("there are only images", hint="`curate init DIR --template` names recipes")
    if any(shape is not None and shape.kind != "image" for shape in shapes.values()):
        return
    if problem := next((own.problem for own in seen if own.problem), ""):
        raise DataError(problem, hint="correct the file, or leave it out")
    names = ", ".join(columns)
    raise DataError(
        f"no column holds texts; there are: {names}",
        hint="name it: `curate init DIR --text COLUMN`",
    )


def _rows(own: Seen) -> int:
    """The rows of a file; a guess by its size where it has more than were looked at."""
    if own.is_whole or not own.rows or (own.like and own.format in SINGLE):
        return len(own.rows) or 1
    mean = sum(len(str(row)) for row in own.rows) / len(own.rows)
    return max(len(own.rows), int(own.size / max(mean, 1)))


def _languages(shapes: Sequence[Shape]) -> list[str]:
    """The languages of a probe of the texts, the commonest first; only those it is sure about."""
    texts = [text for shape in shapes for text in shape.examples if text.strip()][:PROBED]
    sure = Counter(primary(tag) for tag, score in detect(texts) if score > 0.5 and tag != "und")
    return [tag for tag, amount in sure.most_common() if amount >= 0.05 * max(1, sure.total())]


def _sources(usable: Sequence[tuple[Seen, Shape]]) -> list[dict[str, Any]]:
    """A source of the recipe for each way in which files are read.

    Many files that are a document each are a source for each folder, with the folder's name.
    """
    by_shape: dict[tuple[str, str], dict[str, Any]] = {}
    for own, shape in usable:
        folder = Path(own.path).parent.as_posix() if own.format in SINGLE else ""
        key = (repr(sorted(shape.source.items())), folder)
        source = by_shape.setdefault(key, {"paths": [], **shape.source})
        source["paths"].append(own.path)
    names = Counter(Path(folder).name for _, folder in by_shape)
    return [
        {
            **({"name": name} if name and names[name] == 1 and len(source["paths"]) > FEW else {}),
            **source,
            "paths": _shortened(source["paths"]),
        }
        for (_, folder), source in by_shape.items()
        for name in [Path(folder).name]
    ]


def _shortened(paths: Sequence[str]) -> list[str]:
    """The paths as globs where many files of one folder are alike: `data/*.csv`."""
    if len(paths) <= FEW:
        return [*paths]
    globs = {str(Path(path).parent / f"*{_suffix(path)}") for path in paths}
    return sorted(globs)


def _suffix(path: str) -> str:
    name = Path(path).name
    return name[name.index(".") :] if "." in name else ""


def _about(
    usable: Sequence[tuple[Seen, Shape]], rows: int, languages: Sequence[str]
) -> Iterable[str]:
    kinds = {
        "text": "texts",
        "chat": "conversations",
        "answer": "prompts with a response",
        "pair": "prompts with two responses",
        "image": "images",
    }
    where = {own.path: shape.source for own, shape in usable[:3]}
    about = "about " * any(not own.is_whole for own, _ in usable)
    yield f"{about}{rows:,} {kinds[usable[0][1].kind]} in {count(len(usable), 'file')}"
    for path, source in where.items():
        yield f"{from_here(Path(path)) if Path(path).is_absolute() else path}: {_read_as(source)}"
    if languages:
        yield f"languages: {', '.join(languages)}"


def _read_as(source: Any) -> str:
    if "chat" in source:
        return f"conversations in the column {source['chat'].get('field', 'messages')}"
    if "fields" in source:
        return f"the columns {', '.join(source['fields'].values())}"
    return f"texts in the column {source['text']}" if "text" in source else "texts"


def _left(seen: Sequence[Seen], usable: Sequence[tuple[Seen, Shape]]) -> Iterable[str]:
    """Say which files were left out, and why."""
    read = {own.path for own, _ in usable}
    for own in seen:
        if own.path not in read:
            yield f"left out: {own.problem or f'{own.path} (no texts like the others)'}"


def _next_steps(root: Path, target: Path, form: Path, plan: Plan) -> Iterable[str]:
    yield f"{from_here(target)} is a recipe for them; people will see the form {from_here(form)}"
    yield f"next: curate run -w {shlex.quote(from_here(root))}"
