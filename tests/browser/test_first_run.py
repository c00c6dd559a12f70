"""The tutorial as a person walks through it: a CSV of 200 rows, ten texts labelled, a mixture."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from curate.servers.label_studio import server as label_studio
from curate.workspace import Workspace
from tests.browser.chromium import picture
from tests.browser.label_studio_page import LabelStudioPage
from tests.command import command
from tests.servers import environments

pytestmark = [pytest.mark.browser, pytest.mark.live]

TUTORIAL = Path(__file__).parent.parent.parent / "docs" / "tutorial.md"
GOOD = ("wonderful", "solid", "bright", "comfortable", "quick")


def tutorial() -> tuple[str, list[list[str]]]:
    """The tutorial's code that makes the CSV, and its command lines."""
    text = TUTORIAL.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    return code, [line[1:] for line in lines]


def test_the_tutorial_ends_with_a_mixture(
    browser: Any, label_studio_home: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_HOME", str(label_studio_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    run = command(monkeypatch, capsys)
    code, commands = tutorial()
    exec(code, {})
    init, first, again, close, *_ = commands
    assert (init[0], first[0], again, close[:2]) == ("init", "run", first, ["round", "close"])

    status, _, err = run(*init)
    assert status == 0, err
    assert "reviews.csv: texts in the column review" in err
    status, _, err = run(*first)
    assert status == 3, err
    assert "label here   http://127.0.0.1:" in err
    label_ten(browser, label_studio_home, tmp_path)

    status, out, err = run("status", "-w", "my-run")
    assert "10 of 20" in out
    assert "label here   http://127.0.0.1:" in err
    assert run(*first)[0] == 3, "ten of twenty texts are not all"
    assert run(*close)[0] == 0
    status, _, err = run(*first)
    assert status == 0, err
    assert re.search(r"quality: \d+ % right \(the commonest answer alone: \d+ %\)", err)
    assert "the report   my-run/report.html" in err
    assert run("verify", "my-run/export")[0] == 0
    lines = Path("my-run/export/data-00000.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 20
    assert all(0 <= json.loads(line)["quality"] <= 1 for line in lines)
    browser.set_window_size(1000, 1200)
    browser.get((tmp_path / "my-run" / "report.html").as_uri())
    picture(browser, tmp_path, "report")


def label_ten(browser: Any, home: Any, folder: Path) -> None:
    """Give stars to ten texts, as a person would."""
    current = Workspace(Path("my-run")).rounds.current()
    project = current.batches[0].project
    page = LabelStudioPage(browser, project.url.split("/projects")[0], label_studio.curator(home))
    page.log_in()
    page.open(project)
    for number in range(10):
        text = page.shown("text")
        page.rate("quality", 5 if any(word in text for word in GOOD) else 2, "mouse")
        if number == 2:
            picture(browser, folder, "labelling")
        page.submit("keys")
