"""The embedded servers that live tests share."""

from collections.abc import Iterator

import pytest

from curate.servers import Home
from tests.servers import running_argilla, running_label_studio


@pytest.fixture(scope="session")
def label_studio_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A running Label Studio with three people; do not stop it."""
    with running_label_studio(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="session")
def argilla_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A running Argilla with three people; do not stop it."""
    with running_argilla(tmp_path_factory.mktemp("argilla")) as home:
        yield home
