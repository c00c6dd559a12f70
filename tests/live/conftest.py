"""The command, as live tests run it."""

import pytest

from tests.command import command
from tests.servers import environments


@pytest.fixture
def run(monkeypatch, capsys, label_studio_home):
    """`curate` with the Label Studio that tests share."""
    monkeypatch.setenv("CURATE_HOME", str(label_studio_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    return command(monkeypatch, capsys)
