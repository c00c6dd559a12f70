"""The folders of forms, and loading a form by its name or path."""

from __future__ import annotations

from pathlib import Path

from curate.errors import FormError
from curate.forms.reading import parse_form
from curate.names import absent, unknown
from curate.records import Form


def folders(workspace: Path | None = None) -> list[Path]:
    """The folders with forms: first the workspace's own, then those that come with curate."""
    package = Path(__file__).parent.parent
    shipped = [package.parent / "label_configs", package / "label_configs"]
    in_workspace = [workspace / "label_configs"] if workspace else []
    return [folder for folder in (*in_workspace, *shipped) if folder.is_dir()]


def known_forms(workspace: Path | None = None) -> dict[str, Path]:
    """The paths of all forms by name; the workspace's own replace shipped ones."""
    paths: dict[str, Path] = {}
    for folder in folders(workspace):
        for path in sorted(folder.glob("*.xml")):
            paths.setdefault(path.stem, path)
    return paths


def load_form(name: str, workspace: Path | None = None) -> Form:
    """The form of that name, or of that path if it ends in `.xml`. Raises FormError."""
    if name.endswith(".xml"):
        path = (workspace or Path()) / name
    else:
        paths = known_forms(workspace)
        if name not in paths:
            raise unknown(f"no form named {name}", name, paths, kind=FormError)
        path = paths[name]
    if not path.is_file():
        hint = "`curate forms list` names those there are"
        raise absent(f"no form at {path}", path, hint=hint, kind=FormError)
    try:
        return parse_form(path.read_text(encoding="utf-8-sig"), name=path.stem)
    except UnicodeDecodeError:
        raise FormError(f"{path.name} is not in UTF-8", hint="save it as UTF-8") from None
    except FormError as error:
        raise FormError(f"{path.name}, {error.message}", hint=error.hint) from None
