"""The embedded Label Studio for a team: https under a public name, and nothing else opened."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from curate.backends.label_studio.backend import LabelStudioBackend
from curate.backends.label_studio.client import TooLarge
from curate.backends.label_studio.values import write_items
from curate.errors import BackendError, BackendUnavailable, ServerError
from curate.records import Task
from curate.servers import Account, Home, Running
from curate.servers.label_studio import server as label_studio
from tests.backends.contract import TOPIC
from tests.command import Outcome, command
from tests.fronts import NAME, Certificate, certificate, free_port, front, lead_here, python_front
from tests.servers import PEOPLE, environments

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("public")


@pytest.fixture(scope="module")
def cert(folder: Path) -> Certificate:
    return certificate(folder)


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[Home]:
    """A server with a public address, and nothing in front of it yet."""
    home = Home(folder / "home", environments())
    label_studio.add_accounts(home, PEOPLE)
    label_studio.start(home, public=f"https://{NAME}:{free_port()}")
    yield home
    label_studio.stop(home)


@pytest.fixture(params=["python", "nginx", "caddy"])
def behind(
    request: pytest.FixtureRequest,
    home: Home,
    cert: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Running]:
    """The server behind each kind of proxy, whose certificate this process trusts."""
    lead_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert.file))
    running = running_at(home)
    with front(request.param, running, cert, tmp_path):
        yield running


@pytest.fixture
def trusted(home: Home, cert: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """The server behind a proxy of our own."""
    lead_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert.file))
    running = running_at(home)
    with python_front(_port(running.public), running.port, cert):
        yield running


@pytest.fixture
def run(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[object]:
    monkeypatch.setenv("CURATE_HOME", str(home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(home.environments))
    return command(monkeypatch, capsys)


def running_at(home: Home) -> Running:
    running = label_studio.status(home)
    assert running is not None
    return running


@contextmanager
def log_in(url: str, account: Account) -> Iterator[httpx.Client]:
    """Yield a browser, as it were, in which the account is logged in."""
    with httpx.Client(base_url=url, follow_redirects=True) as browser:
        browser.get("/user/login")
        form = {"email": account.email, "password": account.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        page = browser.post("/user/login", data=form, headers={"Referer": f"{url}/user/login"})
        assert page.status_code == 200, page.text[:300]
        assert urlsplit(str(page.url)).path != "/user/login"
        yield browser


def _port(address: str) -> int:
    return urlsplit(address).port or 443


def test_people_work_under_the_public_name(behind: Running, home: Home) -> None:
    ann = label_studio.accounts(home)[0]
    with log_in(behind.public, ann) as browser:
        me = browser.get("/api/current-user/whoami").json()
        assert me["email"] == ann.email
        assert all(cookie.secure for cookie in browser.cookies.jar)
        page = browser.get("/projects")
        assert page.status_code == 200
        assert str(page.url).startswith(behind.public)
        assert "content-security-policy" in page.headers
        assert "http://127.0.0.1" not in page.text
        out = browser.get("/logout")
        assert str(out.url).startswith(f"{behind.public}/user/login")
    foreign = {"Referer": "https://evil.example/", "Origin": "https://evil.example"}
    with httpx.Client(base_url=behind.public) as browser:
        browser.get("/user/login")
        form = {"email": ann.email, "password": ann.password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert browser.post("/user/login", data=form, headers=foreign).status_code == 403


def test_another_name_and_another_interface_lead_nowhere(behind: Running) -> None:
    for url in (behind.public, behind.url):
        evil = {"Host": "evil.example", "X-Forwarded-Host": NAME}
        answer = httpx.get(f"{url}/user/login", headers=evil)
        assert "csrftoken" not in answer.cookies, url
        assert "password" not in answer.text
    direct = httpx.get(f"{behind.url}/health", headers={"Host": "evil.example"})
    assert direct.status_code == 400
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", behind.port), timeout=2)


def test_who_comes_past_the_proxy_can_log_in_too(home: Home) -> None:
    running = running_at(home)
    with log_in(running.url, label_studio.curator(home)) as browser:
        assert browser.get("/api/current-user/whoami").json()["email"] == label_studio.CURATOR
        assert not any(cookie.secure for cookie in browser.cookies.jar)
        assert running.public not in browser.get("/projects").text, "pages must not lead away"


def test_a_round_goes_out_and_comes_home_over_tls_and_loopback(behind: Running, home: Home) -> None:
    key, ann = label_studio.curator(home).token, label_studio.accounts(home)[0]
    inside = LabelStudioBackend(behind.url, key, public=behind.public)
    outside = LabelStudioBackend(behind.public, key)
    project = inside.ensure_project(f"public-{free_port()}-r01", TOPIC, overlap=1, guidelines="")
    assert project.server == behind.url
    assert project.url.startswith(f"{behind.public}/projects/")
    assert outside.open_project(project).url == project.url
    half = [Task(f"t{number:03}", {"text": "word " * 2000}) for number in range(300)]
    assert len(list(outside.push(project, half))) == 300
    more = [*half, Task("last", {"text": "the last one"})]
    assert list(inside.push(project, more)) == ["last"]
    assert list(outside.push(project, more)) == []
    headers = {"Authorization": f"Token {ann.token}"}
    task = next(key for key, id in outside.client.records(project.key) if id == "last")
    body = {"result": write_items(TOPIC, "topic", "news")}
    there = f"{behind.public}/api/tasks/{task}/annotations/"
    httpx.post(there, json=body, headers=headers).raise_for_status()
    for backend in (inside, outside):
        (answer,) = backend.pull(project, cursor=None, known={}).annotations
        assert (answer.id, answer.value, answer.account) == ("last", "news", ann.email)
    with log_in(behind.public, ann) as browser:
        assert browser.get(project.url).status_code == 200


def test_long_addresses_pass(behind: Running) -> None:
    assert httpx.get(f"{behind.public}/health?x={'y' * 12_000}").status_code == 200


# ── faults


def test_a_certificate_that_nobody_vouches_for_is_told_in_words(
    trusted: Running, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = label_studio.curator(home).token
    assert LabelStudioBackend(trusted.public, key).ping().user == label_studio.CURATOR
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(BackendError, match="is not trusted: self-signed") as bad:
        LabelStudioBackend(trusted.public, key).ping()
    assert "SSL_CERT_FILE" in bad.value.hint
    assert key not in f"{bad.value} {bad.value.hint}"
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(BackendError, match="cannot be read") as bad:
        LabelStudioBackend(trusted.public, key).ping()
    assert "SSL_CERT_FILE" in bad.value.hint


def test_https_and_http_mixed_up_are_told_in_words(trusted: Running, home: Home) -> None:
    key = label_studio.curator(home).token
    with pytest.raises(BackendError, match="does not speak TLS"):
        LabelStudioBackend(trusted.url.replace("http:", "https:"), key).ping()
    with pytest.raises(BackendError) as caught:
        LabelStudioBackend(trusted.public.replace("https:", "http:"), key).ping()
    assert caught.value.hint


def test_the_name_of_another_host_is_told_in_words(trusted: Running, home: Home) -> None:
    address = f"https://127.0.0.1:{_port(trusted.public)}"
    with pytest.raises(BackendError, match="not trusted"):
        LabelStudioBackend(address, label_studio.curator(home).token).ping()


def test_a_batch_too_large_for_the_proxy_goes_in_halves(
    home: Home, cert: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert.file))
    running = running_at(home)
    backend = LabelStudioBackend(running.public, label_studio.curator(home).token)
    tasks = [Task(f"t{number:03}", {"text": "word " * 200}) for number in range(50)]
    with python_front(_port(running.public), running.port, cert, largest=9_000):
        project = backend.ensure_project(
            f"large-{free_port()}-r01", TOPIC, overlap=1, guidelines=""
        )
        assert list(backend.push(project, tasks)) == [task.id for task in tasks]
        assert sorted(id for _, id in backend.client.records(project.key)) == [
            task.id for task in tasks
        ]
        whole = [Task("whole", {"text": "word " * 4_000})]
        with pytest.raises(TooLarge) as caught:
            list(backend.push(project, whole))
    assert "client_max_body_size" in caught.value.hint


def test_nobody_behind_the_proxy_is_unavailable(
    home: Home, cert: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert.file))
    running = running_at(home)
    with (
        python_front(_port(running.public), running.port, cert, closed="/"),
        pytest.raises(BackendUnavailable, match="503"),
    ):
        LabelStudioBackend(running.public, "k" * 40).client.accounts()


# ── accounts on a server that is not ours


@pytest.fixture
def elsewhere(trusted: Running, home: Home, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The same server, but as the environment names it."""
    monkeypatch.setenv("LABEL_STUDIO_URL", trusted.public)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.curator(home).token)
    return trusted


def add(run: object, *arguments: str) -> Outcome:
    outcome: Outcome = run("server", "accounts", "add", *arguments)  # type: ignore[operator]
    return outcome


def test_an_account_is_made_through_the_invite_link(
    elsewhere: Running, home: Home, run: object
) -> None:
    code, out, err = add(run, "Dora@Example.org", "--name", "Dora Li", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert (made["server"], made["email"]) == (elsewhere.public, "dora@example.org")
    dora = Account(made["email"], made["name"], made["password"], made["token"])
    with log_in(elsewhere.public, dora) as browser:
        me = browser.get("/api/current-user/whoami").json()
    assert (me["email"], me["first_name"]) == (dora.email, "")  # others could read a name
    assert LabelStudioBackend(elsewhere.public, dora.token).ping().user == dora.email
    code, out, _ = run("server", "accounts", "list")  # type: ignore[operator]
    assert code == 0
    assert dora.email in out
    assert dora.password not in out
    assert dora.email not in {account.email for account in label_studio.accounts(home)}
    code, out, err = add(run, "dora@example.org")
    assert (code, out) == (1, "")
    assert "has an account on" in err


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")  # the SDK's own
def test_where_legacy_tokens_are_off_the_new_account_gets_another(
    elsewhere: Running, home: Home, run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = label_studio.curator(home).token
    legacy = {"Authorization": f"Token {key}"}
    pat = httpx.post(f"{elsewhere.public}/api/token/", headers=legacy).json()["token"]
    access = httpx.post(f"{elsewhere.public}/api/token/refresh/", json={"refresh": pat}).json()
    bearer = {"Authorization": f"Bearer {access['access']}"}
    settings = f"{elsewhere.public}/api/jwt/settings"
    both = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
    httpx.post(settings, headers=bearer, json=both).raise_for_status()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", pat)
    try:
        code, out, err = add(run, "eli@example.org", "--json")
        assert code == 0, err
        token = json.loads(out)["token"]
        assert token.count(".") == 2
        assert LabelStudioBackend(elsewhere.public, token).ping().user == "eli@example.org"
    finally:
        both["legacy_api_tokens_enabled"] = True
        httpx.post(settings, headers=bearer, json=both).raise_for_status()


def test_where_the_page_cannot_be_filled_in_the_link_is_printed(
    home: Home,
    cert: Certificate,
    run: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert.file))
    running, key = running_at(home), label_studio.curator(home).token
    monkeypatch.setenv("LABEL_STUDIO_URL", running.public)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", key)
    with python_front(_port(running.public), running.port, cert, closed="/user/signup"):
        code, out, err = add(run, "fay@example.org")
    assert (code, out) == (1, "")
    assert "did not sign the person up: HTTP 503" in err
    assert (
        f"send the person this link, and nobody else: {running.public}/user/signup/?token=" in err
    )
    assert key not in err
    assert "Traceback" not in err


def test_what_is_no_email_is_refused_before_anything(elsewhere: Running, run: object) -> None:
    assert "cannot be an account" in add(run, "nobody")[2]


# ── the address is remembered with its port


def test_the_address_stays_until_another_is_given(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", environments())
    name = f"https://{NAME}"
    try:
        first = label_studio.start(home, public=name)
        assert first.public == name
        assert label_studio.start(home) == first
        with pytest.raises(ServerError, match="runs already, as https"):
            label_studio.start(home, public="")
        label_studio.stop(home)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", first.port))
            taken.listen()
            with pytest.raises(ServerError, match=f"port {first.port}, to which the proxy"):
                label_studio.start(home)
            second = label_studio.start(home, public=name)
        assert second.port != first.port
        label_studio.stop(home)
        assert label_studio.start(home).port == second.port
        label_studio.stop(home)
        third = label_studio.start(home, public="")
        assert third.public == ""
        unnamed = httpx.get(f"{third.url}/health", headers={"Host": NAME})
        assert unnamed.status_code == 400
        said = httpx.get(f"{third.url}/user/login", headers={"X-Forwarded-Proto": "https"})
        assert "Secure" not in said.headers["set-cookie"]
        label_studio.stop(home)
        assert label_studio.start(home).public == ""
    finally:
        label_studio.stop(home)
