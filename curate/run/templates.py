"""The recipes that come with curate. Nothing is read here but the names of files."""

from __future__ import annotations

from pathlib import Path


def templates() -> dict[str, Path]:
    """The recipes that come with curate, by name: in a checkout, or inside the package."""
    package = Path(__file__).parent.parent
    folders = [package.parent / "recipes", package / "recipes"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def is_template(path: Path) -> bool:
    """Whether a recipe is one that comes with curate: its texts are not there yet."""
    return any(path.exists() and path.samefile(template) for template in templates().values())
