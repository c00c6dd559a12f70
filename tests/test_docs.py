"""The documentation: every block of code is run or at least read, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from curate.commands import app
from curate.run.recipe import Recipe

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)]*)?\)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[Any]:
    """The blocks of a language, a parameter each, named by page and number."""
    return [
        pytest.param(code, id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, (own, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
        if own == language
    ]


def generator() -> Any:
    """The script that makes the reference pages."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ── made from the code


def test_the_reference_is_what_the_code_says() -> None:
    for path, text in generator().pages().items():
        page = DOCS / path
        assert page.read_text(encoding="utf-8") == text, f"run `python docs/generate.py`: {path}"


def test_the_reference_names_every_command_and_exit_code() -> None:
    pages = generator().pages()
    for name in app.NAMES:
        assert f"### curate {name}" in pages["reference/commands.md"]
    assert "| 3 | people are still answering" in pages["reference/exit-codes.md"]
    assert "| `near_duplicates` |" in pages["reference/recipe.md"]


# ── blocks


@pytest.mark.parametrize("code", blocks("python"))
def test_a_block_of_python_is_python(code: str) -> None:
    compile(code, "page", "exec")


@pytest.mark.parametrize("code", blocks("json"))
def test_a_block_of_json_is_json(code: str) -> None:
    assert json.loads(code)


@pytest.mark.parametrize("code", blocks("yaml"))
def test_a_block_of_yaml_is_part_of_a_recipe(code: str) -> None:
    part = yaml.safe_load(code)
    assert Recipe.model_validate(part).model_fields_set == set(part)


def lines_of(code: str) -> Iterator[list[str]]:
    """The command lines of a block, as words, without comments and what follows a pipe."""
    for line in code.splitlines():
        words = shlex.split(re.split(r"\s{2,}[#(]|\s#\s|[>|]", line)[0])
        if words[:1] == ["curate"]:
            yield words[1:]


@pytest.mark.parametrize("code", blocks("console"))
def test_a_block_of_commands_names_commands_and_options(code: str) -> None:
    for words in lines_of(code):
        known: Any = app.load(words[0]) if words[0] in app.NAMES else None
        if words[0].startswith("-"):
            continue
        assert known is not None, words
        rest = words[1:]
        while hasattr(known, "commands"):
            assert rest[0] in known.commands, words
            known, rest = known.commands[rest[0]], rest[1:]
        options = {name for option in known.params for name in option.opts}
        given = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert given <= {*options, "--help"}, words


def run_page(page: Path) -> dict[str, Any]:
    """Run the blocks of Python of a page, one after the other."""
    known: dict[str, Any] = {}
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(code, page.name, "exec"), known)
    return known


@pytest.mark.slow
def test_the_notebook_page_runs(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    known = run_page(DOCS / "notebooks.md")
    assert (tmp_path / "my-run" / "report.html").exists()
    assert known["learned"].accuracy > 0.9
    assert "right; the commonest answer alone" in capsys.readouterr().out


# ── pages


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), f"{name_of(page)}: {target}"
        if anchor and path.suffix == ".md":
            assert anchor[1:] in anchors(path), f"{name_of(page)}: {target}{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_page_is_in_the_navigation() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert re.search(rf"\b{re.escape(page.relative_to(DOCS).as_posix())}\b", config), page


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "reference" / "commands" / "index.html").exists()
