"""A real Chromium, what happened in it, and the hands that move its mouse."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1280,1000"),
    "--disable-features=SpareRendererForSitePerProcess",  # a process that waits in vain
)
HERE = ("127.0.0.1", "localhost")
INSIDE = ("data:", "blob:", "about:", "chrome:", "file:", "chrome-untrusted:")
"""Addresses that are asked of nobody."""


@contextmanager
def chromium(profile: Path, *flags: str) -> Iterator[Any]:
    """Yield a Chromium with an empty profile; its log of requests and dialogs can be read."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    page = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield page
    finally:
        page.quit()


def incidents(browser: Any) -> list[str]:
    """Return what should never happen, since the last look: requests elsewhere, dialogs, traces."""
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        happened, details = message["method"], message["params"]
        if happened in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            url = details.get("url") or details["request"]["url"]
            if not url.startswith(INSIDE) and urlsplit(url).hostname not in HERE:
                found.append(f"asked {url[:200]}")
        if happened == "Page.javascriptDialogOpening":
            found.append(f"a dialog said {details['message']!r}")
    if browser.execute_script("return 'hacked' in window"):
        found.append("a script of the text ran")
    return found


def picture(browser: Any, folder: Path, name: str) -> None:
    """Take a screenshot; it is kept where CURATE_SCREENSHOTS says."""
    place = Path(os.environ.get("CURATE_SCREENSHOTS") or folder)
    place.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(place / f"{name}.png"))


def wait_for(browser: Any, found: Callable[[Any], Any], seconds: float = 90) -> Any:
    """Return what is found once it is found.

    Raises TimeoutException that says where the page is after so many seconds.
    """
    from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    gone = (StaleElementReferenceException,)
    wait = WebDriverWait(browser, seconds, poll_frequency=0.05, ignored_exceptions=gone)
    try:
        return wait.until(found)
    except TimeoutException:
        words = f"nothing was found within {seconds:g} s; {whereabouts(browser)}"
        raise TimeoutException(words) from None


def visit(
    browser: Any, url: str, found: Callable[[Any], Any], seconds: float = 90, patience: float = 30
) -> Any:
    """Open a page and return what is found there; it is opened again after `patience` seconds.

    A server that is busy may answer with an error, and a late answer to another request may undo
    what the page did to the session. So it must be a page that can be opened twice. Raises
    TimeoutException as `wait_for` does.
    """
    from selenium.common.exceptions import TimeoutException

    for _ in range(ceil(seconds / patience) - 1):
        browser.get(url)
        with suppress(TimeoutException):
            return wait_for(browser, found, patience)
    browser.get(url)
    return wait_for(browser, found, patience)


def whereabouts(browser: Any) -> str:
    """Say where a page is: its address, its title and how its text begins."""
    from selenium.common.exceptions import WebDriverException

    try:
        text = str(browser.execute_script("return document.body?.innerText ?? ''"))
        return f"the page is {browser.current_url} ({browser.title!r}): {text[:300]!r}"
    except WebDriverException as error:
        return f"the page does not answer: {error.msg}"


def press(browser: Any, *keys: str, held: str = "") -> None:
    """Press keys one after the other, while another is held."""
    from selenium.webdriver import ActionChains

    chain = ActionChains(browser, duration=0)
    if held:
        chain.key_down(held)
    chain.send_keys(*keys)
    if held:
        chain.key_up(held)
    chain.perform()


def drag_over(browser: Any, box: Any, start: int, end: int, held: str = "") -> None:
    """Select characters of a box with the mouse: press before the first, release after the last.

    `start` and `end` count the UTF-16 units of the box's text, line breaks left out. A key may be
    held while the button is released.
    """
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    (left, top), (right, bottom) = browser.execute_script(_EDGES, box, start, end)
    hands = ActionBuilder(browser, duration=20)
    mouse, keys = hands.pointer_action, hands.key_action
    mouse.move_to_location(left, top).pointer_down()
    mouse.move_to_location((left + right) // 2, (top + bottom) // 2)
    mouse.move_to_location(right, bottom)
    if held:  # both hands move in the same beat, or rest
        for _ in range(4):
            keys.pause()
        keys.key_down(held).pause().key_up(held)
        mouse.pause(0)
    mouse.pointer_up()
    hands.perform()


Point = tuple[float, float]
"""A place in a box: the share of its width from the left, and of its height from the top."""


def drag(browser: Any, box: Any, start: Point, end: Point) -> None:
    """Press the mouse at one place of a box, and release it at another."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    place = browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", box)
    (left, top), (right, bottom) = (
        (
            round(place["left"] + across * place["width"]),
            round(place["top"] + down * place["height"]),
        )
        for across, down in (start, end)
    )
    hands = ActionBuilder(browser, duration=50)
    mouse = hands.pointer_action
    mouse.move_to_location(left, top).pointer_down()
    mouse.move_to_location((left + right) // 2, (top + bottom) // 2)
    mouse.move_to_location(right, bottom).pointer_up()
    hands.perform()


def offset(text: str, at: int) -> int:
    """Return where a code point of a text stands for `drag_over`."""
    return len(text[:at].replace("\r", "").replace("\n", "").encode("utf-16-le")) // 2


_EDGES = r"""
const [box, start, end] = arguments;
const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
const range = document.createRange();
let seen = 0;
search: for (let node; (node = walker.nextNode()); ) {
  for (let i = 0; i < node.data.length; i++) {
    if (node.data[i] === "\n" || node.data[i] === "\r") continue;
    if (seen === start) range.setStart(node, i);
    seen++;
    if (seen === end) { range.setEnd(node, i + 1); break search; }
  }
}
const rects = () => [...range.getClientRects()].filter((rect) => rect.width > 0);
for (let each = box; each; each = each.parentElement) {
  const first = rects()[0], frame = each.getBoundingClientRect();
  const top = each === document.documentElement ? 0 : frame.top, bottom = top + each.clientHeight;
  if (each.scrollHeight > each.clientHeight && (first.top < top || first.bottom > bottom))
    each.scrollTop += first.top - top - each.clientHeight / 3;
  if (each.scrollWidth > each.clientWidth && (first.left < frame.left || first.right > frame.right))
    each.scrollLeft += first.left - frame.left - each.clientWidth / 3;
}
// on a line of many thousand pixels a rectangle is some pixels off: ask where the caret would be
const caret = (x, y, node, offset) => {
  for (const step of [0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 8, -8, 10, -10, 12, -12]) {
    const at = document.caretRangeFromPoint(x + step, y);
    if (at && at.startContainer === node && at.startOffset === offset) return [x + step, y];
  }
  return [x, y];
};
const all = rects(), first = all[0], last = all[all.length - 1];
const middle = (rect) => Math.round((rect.top + rect.bottom) / 2);
return [
  caret(Math.round(first.left) + 1, middle(first), range.startContainer, range.startOffset),
  caret(Math.round(last.right) - 1, middle(last), range.endContainer, range.endOffset),
];
"""
