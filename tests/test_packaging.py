"""What travels in the wheel: every recipe and every form, so that `init --template` works."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_recipe_and_form_is_in_the_wheel():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    recipes = {f"recipes/{path.name}" for path in (ROOT / "recipes").glob("*.yaml")}
    assert recipes | {"label_configs"} == set(included)
    assert all(place == f"curate/{path}" for path, place in included.items())


def test_pinned_requirements_hold_every_dependency():
    import re

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=\[]", each)[0].lower().replace("_", "-") for each in wanted}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in lines
        if line and not line.startswith("#")
    }
    assert names <= pinned
