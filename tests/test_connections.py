"""Which server a backend's name means."""

from pathlib import Path

import pytest

from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.folder import FolderBackend
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.connections import VARIABLES, Connections, embedded, home
from curate.errors import NotAllowed, RecipeError
from curate.progress import unwatched
from curate.servers import Account

BACKENDS = {"label_studio": LabelStudioBackend, "argilla": ArgillaBackend}


def connections(root: Path, **environment: str) -> Connections:
    given = {"CURATE_HOME": str(root), **environment}
    return Connections(root, unwatched, given, accept_withdrawals=True)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_server_that_the_environment_names_is_used(name: str, tmp_path: Path) -> None:
    url, key = VARIABLES[name]
    connect = connections(tmp_path, **{url: "https://labels.example.org/", key: "secret"})
    backend = connect(name)
    assert isinstance(backend, BACKENDS[name])
    assert backend.client.url == "https://labels.example.org"
    assert backend.accept_withdrawals
    assert connect.running(name) is not None
    login = connect.login(name, "https://labels.example.org/7")
    assert (login.url, login.user, login.password) == ("https://labels.example.org/7", None, None)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_server_without_a_key_is_refused_by_name(name: str, tmp_path: Path) -> None:
    url, key = VARIABLES[name]
    with pytest.raises(NotAllowed, match=f"{url} is set but {key} is not"):
        connections(tmp_path, **{url: "https://labels.example.org"})(name)


@pytest.mark.parametrize("name", VARIABLES)
def test_an_embedded_server_is_not_started_by_asking_whether_it_runs(
    name: str, tmp_path: Path
) -> None:
    assert connections(tmp_path).running(name) is None


@pytest.mark.parametrize("name", VARIABLES)
def test_the_curators_login_is_told_only_where_nobody_else_is_asked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, server = connections(tmp_path), embedded(name)
    alone = connect.login(name, "http://127.0.0.1:9/1")
    curator = server.curator(home({"CURATE_HOME": str(tmp_path)}))
    assert (alone.user, alone.listed) == (curator.email, False)
    monkeypatch.setattr(server, "accounts", lambda place: [Account("ann@example.org", "", "", "")])
    others = connect.login(name, "http://127.0.0.1:9/1")
    assert (others.user, others.password, others.listed) == (None, None, True)


def test_the_folder_needs_no_server(tmp_path: Path) -> None:
    connect = connections(tmp_path)
    assert isinstance(connect("folder"), FolderBackend)
    assert connect.running("folder") is not None
    assert connect.login("folder", "here").user is None


def test_another_name_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        connections(tmp_path)("doccano")
    assert caught.value.hint == "label_studio, argilla or folder"
