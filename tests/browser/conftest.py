"""A real Chromium, or a skip that says what is missing."""

import shutil

import pytest

from tests.servers import running_argilla, running_label_studio

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1280,1000"),
)


@pytest.fixture
def flags():
    """More flags for Chromium; a module may have its own."""
    return ()


@pytest.fixture
def browser(tmp_path, flags):
    """Chromium with an empty profile; its log of requests can be read."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, *flags, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    page = webdriver.Chrome(options=options, service=Service(driver))
    yield page
    page.quit()


@pytest.fixture(scope="session")
def label_studio_home(tmp_path_factory):
    """A running Label Studio with three people."""
    with running_label_studio(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="session")
def argilla_home(tmp_path_factory):
    """A running Argilla with three people."""
    with running_argilla(tmp_path_factory.mktemp("argilla")) as home:
        yield home
