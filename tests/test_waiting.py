"""How browser tests wait: pages are opened again, and a timeout says where the page was."""

import pytest

from tests.browser.chromium import visit, wait_for

selenium = pytest.importorskip("selenium.common.exceptions")


class Browser:
    """Opens pages; the session it has lost comes back with the first answers to `/logout`."""

    title = "Projects"

    def __init__(self, late=0):
        self.late, self.opened, self.current_url = late, [], "about:blank"

    def get(self, url):
        self.opened.append(url)
        self.current_url = "/projects" if len(self.opened) <= self.late else "/user/login"

    def execute_script(self, script):
        return "Nobody is logged out. " * 100


class Gone(Browser):
    def execute_script(self, script):
        raise selenium.WebDriverException("no such window")


def is_out(browser):
    return browser.current_url == "/user/login"


def test_a_page_is_opened_until_it_shows_what_it_should():
    browser = Browser(late=2)
    assert visit(browser, "/logout", is_out, seconds=0.4, patience=0.1)
    assert browser.opened == ["/logout"] * 3
    browser = Browser()
    assert visit(browser, "/logout", is_out)
    assert browser.opened == ["/logout"]


def test_what_never_comes_says_where_the_page_is():
    browser = Browser(late=9)
    with pytest.raises(selenium.TimeoutException) as caught:
        visit(browser, "/logout", is_out, seconds=0.3, patience=0.1)
    assert browser.opened == ["/logout"] * 3
    assert "nothing was found within 0.1 s; the page is /projects ('Projects')" in caught.value.msg
    assert ("Nobody is logged out. " * 100)[:300] in caught.value.msg
    assert len(caught.value.msg) < 400
    with pytest.raises(selenium.TimeoutException, match="does not answer: no such window"):
        wait_for(Gone(), lambda b: None, 0.05)
