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
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["media"]]
    names = {re.split(r"[<>=\[]", each)[0].lower().replace("_", "-") for each in wanted}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in lines
        if line and not line.startswith("#")
    }
    assert names <= pinned


def test_every_module_and_lock_is_in_the_wheel():
    from hatchling.builders.wheel import WheelBuilder

    included = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    package = ROOT / "curate"
    modules = {path for path in package.rglob("*.py") if "__pycache__" not in path.parts}
    locks = set(package.rglob("requirements.lock"))
    assert {path.parent.name for path in locks} == {"argilla", "label_studio"}
    assert {str(path.relative_to(ROOT)) for path in modules | locks} <= included
