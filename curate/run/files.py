"""Recipes on disk: read one, adopt it in a workspace, start from a template."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from curate import storage, yamls
from curate.errors import DataError, RecipeError
from curate.forms import load_form
from curate.names import absent, unknown
from curate.run.recipe import Recipe
from curate.run.templates import templates
from curate.spec import Place, Spec, refuse_unused, validated
from curate.storage import Provenance
from curate.wording import from_here
from curate.workspace import Workspace

NAME = "recipe.yaml"


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe; `overrides` are `section.key=value`, with YAML values. Raises RecipeError."""
    if not storage.regular(path).is_file():
        hint = "Start with `curate init --template sentiment`"
        raise absent(f"no recipe {path}", path, hint=hint)
    data = yamls.parse(path.read_bytes(), path.name, hint=_SHAPE)
    if not isinstance(data, dict):
        raise RecipeError(
            f"{path.name}: a recipe is a mapping of sections",
            hint="`curate recipe schema` prints every key",
        )
    data = {key: {} if value is None and key in SECTIONS else value for key, value in data.items()}
    if not overrides:
        recipe = validated(Recipe, data, where=path.name)
        refuse_unused(recipe, where=path.name)
        return recipe
    alone = _read_alone(data)
    unused_before = {setting.place for setting in alone.unused()} if alone else set()
    for override in overrides:
        _override(data, override)
    recipe = validated(Recipe, data, where="--set" if alone else path.name)
    refuse_unused(recipe, where=path.name, only=lambda place: place in unused_before)
    names = [tuple(override.partition("=")[0].split(".")) for override in overrides]
    refuse_unused(
        recipe,
        where="--set",
        only=lambda place: any(is_within(place, name) or is_within(name, place) for name in names),
    )
    return recipe


def is_within(place: Place, other: Place) -> bool:
    """Whether a place is another one, or within it."""
    return place[: len(other)] == other


SECTIONS = {name for name, field in Recipe.model_fields.items() if isinstance(field.default, Spec)}
"""The keys of a recipe that hold settings of their own; one that is empty has the defaults."""

_SHAPE = "a recipe is a mapping of sections, as in recipes/sentiment.yaml"


def _read_alone(data: Any) -> Recipe | None:
    """The recipe without overrides; None if it is not valid alone."""
    try:
        return Recipe.model_validate(data)
    except ValueError:
        return None


def _override(data: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    where = f"--set {override}"
    if not sign or not all(key.split(".")):
        raise RecipeError(f"{where}: write section.key=value")
    put(data, key, yamls.parse(value, where), where)


def put(data: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set a key with dots within nested mappings; `where` names it in the error.

    Raises RecipeError where something else than a mapping stands on the way.
    """
    *parents, last = key.split(".")
    place: Any = data
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise RecipeError(f"{where}: {parent} is not a section")
    place[last] = value


def of_workspace(workspace: Workspace, overrides: Sequence[str] = ()) -> Recipe:
    """Read the workspace's recipe; a workspace without one has the defaults."""
    path = workspace.root / NAME
    return load(path, overrides) if path.exists() or overrides else Recipe()


def adopt(workspace: Workspace, path: Path) -> tuple[str, ...]:
    """Make `path` the workspace's recipe; the result names the fields that changed.

    The ledger keeps the replaced recipe.
    """
    recipe = load(path)
    target = workspace.root / NAME
    workspace.init(recipe.name or _name_from(path))
    if target.exists() and target.samefile(path):
        return ()
    text = path.read_text(encoding="utf-8")
    before = target.read_text(encoding="utf-8", errors="replace") if target.exists() else None
    if before == text:
        return ()
    changed: tuple[str, ...] = ()
    if before is not None:
        changed = tuple(_changes(before, text))
        provenance = Provenance("recipe", {"replaced": before}, {}, "")
        workspace.ledger.append(provenance, {}, {"changed": changed}, 0.0)
    storage.write_text(target, text)
    return changed


def _name_from(path: Path) -> str:
    return path.stem if path.stem != "recipe" else path.resolve().parent.name


def _changes(before: str, after: str) -> Iterator[str]:
    try:
        old = yamls.parse(before, NAME)
    except RecipeError:
        old = {}  # the old recipe cannot be read: everything is new
    return differences(old, yamls.parse(after, NAME))


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted paths at which two nested mappings differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from differences(one.get(key), other.get(key), f"{path}.{key}".strip("."))
    elif one != other:
        yield path


def begin(workspace: Workspace, template: str) -> list[str]:
    """Make a folder a workspace with a template's recipe and form; the lines say what to do next.

    A form that is there stays as it is. Raises RecipeError for an unknown template, and DataError
    if the folder has a recipe.
    """
    recipes = templates()
    if template not in recipes:
        raise unknown(f"no template {template}", template, recipes)
    recipe = load(recipes[template])
    target = workspace.root / NAME
    if target.exists():
        raise DataError(f"{target} exists already", hint="use another folder, or `curate run` here")
    root = workspace.root
    workspace.init(recipe.name or template)
    storage.write_text(target, recipes[template].read_text(encoding="utf-8"))
    lines = [f"{from_here(root)} is a workspace: edit {from_here(target)}"]
    if recipe.asks_people():
        form = root / "label_configs" / f"{recipe.push.form}.xml"
        if not form.exists():
            storage.write_text(form, load_form(recipe.push.form).xml)
        lines.append(f"people will see the form {from_here(form)}")
    patterns = ", ".join(path for source in recipe.pool.sources for path in source.paths)
    (root / "data").mkdir(exist_ok=True)
    run = f"curate run -w {shlex.quote(from_here(root))}"
    lines.append(f"put your texts at {from_here(root)}/{patterns}, then: {run}")
    return lines
