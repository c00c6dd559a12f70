"""A team's path: a real browser labels over https, under the server's public name."""

import json
from urllib.parse import urlsplit

import pytest

from curate.servers import Home
from curate.servers.label_studio import server as label_studio
from tests.browser.chromium import picture, visit
from tests.browser.test_by_hand import hosts, label_one, log_in, shown_text
from tests.command import command
from tests.fronts import NAME, certificate, fingerprint, free_port, front
from tests.servers import PEOPLE, environments
from tests.test_loop import BAD, GOOD, texts, truth

pytestmark = [pytest.mark.browser, pytest.mark.live]


@pytest.fixture
def cert(tmp_path):
    return certificate(tmp_path)


@pytest.fixture
def flags(cert):
    """Let the name lead here, and trust the one certificate."""
    trusted = f"--ignore-certificate-errors-spki-list={fingerprint(cert)}"
    return (f"--host-resolver-rules=MAP {NAME} 127.0.0.1", trusted)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home", environments())
    label_studio.add_accounts(home, PEOPLE)
    yield home
    label_studio.stop(home)


@pytest.fixture
def run(monkeypatch, capsys, home):
    monkeypatch.setenv("CURATE_HOME", str(home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(home.environments))
    return command(monkeypatch, capsys)


def test_annotators_label_under_the_public_name(run, browser, tmp_path, home, cert):
    address = f"https://{NAME}:{free_port()}"
    code, _, err = run("server", "start", "--public-url", address)
    assert code == 0
    for line in ("proxy_pass http://127.0.0.1:", "reverse_proxy 127.0.0.1:", "ssh -N -L "):
        assert line in err
    folder = tmp_path / "my-run"
    run("init", folder, "--template", "sentiment")
    rows = [text for words in (GOOD, BAD) for text in texts(words)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in rows)
    (folder / "data" / "own.jsonl").write_text(lines)
    options = ("--set", "sample.n=3", "--set", "push.overlap=1")
    code, _, err = run("run", "-w", folder, *options)
    assert code == 3, err
    url = next(line.split()[-1] for line in err.splitlines() if "label here" in line)
    assert url.startswith(f"{address}/projects/")

    ann = label_studio.accounts(home)[0]
    with front("python", label_studio.status(home), cert, tmp_path):
        log_in(browser, url, ann)
        visit(browser, url, shown_text)
        assert browser.execute_script("return window.isSecureContext && location.origin") == address
        picture(browser, tmp_path, "public")
        seen = [label_one(browser, url) for _ in range(3)]
        kept = {cookie["name"]: cookie["secure"] for cookie in browser.get_cookies()}
        assert kept["sessionid"]
        assert set(hosts(browser)) - {""} == {urlsplit(address).hostname}
        assert broken(browser) == []
        log_out(browser, address)

    run("pull", "-w", folder)
    pulled = json.loads(run("round", "list", "-w", folder, "--json")[1])["rounds"]
    assert pulled[0]["answers"] == 3, pulled
    assert {truth(text) for text in seen} <= {"negative", "positive"}


def log_out(browser, address):
    """Log out, again if need be: the session is a cookie, and a late answer brings the old back."""
    is_out = lambda b: b.current_url.startswith(f"{address}/user/login")  # noqa: E731
    visit(browser, f"{address}/logout", is_out, patience=5)


def test_who_comes_by_the_tunnel_labels_too(run, browser, home):
    code, _, _ = run("server", "start", "--public-url", f"https://{NAME}")
    assert code == 0
    running = label_studio.status(home)
    log_in(browser, running.url, label_studio.accounts(home)[0])
    visit(browser, f"{running.url}/projects", lambda b: "/projects" in b.current_url)
    assert set(hosts(browser)) - {""} == {"127.0.0.1"}


def broken(browser):
    """Return what the way through the proxy broke; what Label Studio's pages lack, they lack."""
    said = [each["message"] for each in browser.get_log("browser")]
    return [line for line in said if "Mixed Content" in line or "ERR_" in line or "CORS" in line]
