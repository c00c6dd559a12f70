"""A real Chromium, or a skip that says what is missing; and pages to label on."""

import pytest

from curate.backends.argilla.backend import ArgillaBackend
from curate.backends.label_studio.backend import LabelStudioBackend
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio
from tests.browser.argilla_page import ArgillaPage
from tests.browser.chromium import chromium, incidents
from tests.browser.label_studio_page import LabelStudioPage
from tests.browser.pages import Site


@pytest.fixture
def flags():
    """More flags for Chromium; a module may have its own."""
    return ()


@pytest.fixture
def browser(tmp_path, flags):
    """Chromium with an empty profile; its log of requests can be read."""
    with chromium(tmp_path / "profile", *flags) as browser:
        yield browser


def label_studio_site(home, browser):
    """Return a Label Studio with Ann before it."""
    url = label_studio.start(home).url
    backend = LabelStudioBackend(
        url, label_studio.curator(home).token, shelf=label_studio.shelf(home)
    )
    (ann,) = (each for each in label_studio.accounts(home) if each.name == "Ann")
    return Site("label_studio", backend, LabelStudioPage(browser, url, ann), ann.email)


def argilla_site(home, browser):
    """Return an Argilla with Ann before it."""
    url = argilla.start(home).url
    backend = ArgillaBackend(url, argilla.curator(home).token, shelf=argilla.shelf(home))
    (ann,) = (each for each in argilla.accounts(home) if each.name == "Ann")
    return Site("argilla", backend, ArgillaPage(browser, url, ann), ann.email)


SITES = {"label_studio": label_studio_site, "argilla": argilla_site}
"""Server → how to get a Site on it, from its home (the fixture `<server>_home`) and a browser."""


@pytest.fixture(scope="module", params=SITES)
def logged_in(request, tmp_path_factory):
    """A server, and a person who has logged in there."""
    home = request.getfixturevalue(f"{request.param}_home")
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        site = SITES[request.param](home, browser)
        site.page.log_in()
        yield site


@pytest.fixture
def site(logged_in):
    """The same; afterwards no dialog opened, no text ran as script, nobody else was asked."""
    yield logged_in
    assert incidents(logged_in.page.browser) == []
