"""Where forms lie, and how one is loaded by name or path."""

from __future__ import annotations

from pathlib import Path

from curate.errors import FormError
from curate.forms.reading import parse_form
from curate.records import Form


def folders(workspace: Path | None = None) -> list[Path]:
    """Return where forms are looked for: the workspace's own, then those that come with curate."""
    here = Path(__file__).parent.parent
    shipped = [here.parent / "label_configs", here / "label_configs"]
    own = [workspace / "label_configs"] if workspace else []
    return [folder for folder in (*own, *shipped) if folder.is_dir()]


def known_forms(workspace: Path | None = None) -> dict[str, Path]:
    """Return every form by name; the workspace's own come before those shipped."""
    found: dict[str, Path] = {}
    for folder in folders(workspace):
        for path in sorted(folder.glob("*.xml")):
            found.setdefault(path.stem, path)
    return found


def load_form(name: str, workspace: Path | None = None) -> Form:
    """Return the form of that name, or of that path if it ends in `.xml`."""
    if name.endswith(".xml"):
        path = (workspace or Path()) / name
    else:
        known = known_forms(workspace)
        if name not in known:
            raise FormError(f"no form named {name}", hint=f"there are: {', '.join(known)}")
        path = known[name]
    if not path.is_file():
        raise FormError(f"no form at {path}", hint="`curate forms list` names those there are")
    try:
        return parse_form(path.read_text(encoding="utf-8-sig"), name=path.stem)
    except UnicodeDecodeError:
        raise FormError(f"{path.name} is not in UTF-8", hint="save it as UTF-8") from None
    except FormError as error:
        raise FormError(f"{path.name}, {error.message}", hint=error.hint) from None
