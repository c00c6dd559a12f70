"""A newcomer's path: own texts, a page in the browser, labels by hand, a mixture and its report."""

import json
from urllib.parse import urlsplit

import pytest

from curate.servers.label_studio import server as label_studio
from tests.browser.chromium import picture, visit, wait_for
from tests.command import command
from tests.servers import environments
from tests.test_loop import BAD, GOOD, texts, truth

pytestmark = [pytest.mark.browser, pytest.mark.live]

HOTKEYS = {"negative": "1", "positive": "3"}


@pytest.fixture
def run(monkeypatch, capsys, label_studio_home):
    monkeypatch.setenv("CURATE_HOME", str(label_studio_home.home))
    monkeypatch.setenv("CURATE_ENVIRONMENTS", str(environments()))

    return command(monkeypatch, capsys)


def test_a_newcomer_labels_by_hand(run, browser, tmp_path, label_studio_home):
    folder = tmp_path / "my-run"
    assert run("init", folder, "--template", "sentiment")[0] == 0
    rows = [text for words in (GOOD, BAD) for text in texts(words)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in rows)
    (folder / "data" / "own.jsonl").write_text(lines)
    options = ("--set", "sample.n=14", "--set", "push.overlap=1")
    code, _, err = run("run", "-w", folder, *options)
    assert code == 3, err
    url = next(line.split()[-1] for line in err.splitlines() if "label here" in line)

    log_in(browser, url, label_studio.curator(label_studio_home))
    visit(browser, url, shown_text)
    picture(browser, tmp_path, "labelling")
    seen = [label_one(browser, url) for _ in range(14)]
    assert len(set(seen)) == 14
    picture(browser, tmp_path, "labelled")

    code, _, err = run("run", "-w", folder)
    assert code == 0, err
    labels = {row["text"]: row["value"] for row in labelled(folder)}
    assert labels == {text: truth(text) for text in seen}

    look_at(browser, folder / "report.html", tmp_path)
    outside = [host for host in hosts(browser) if host not in ("127.0.0.1", "localhost", "")]
    assert outside == []


def log_in(browser, url, account):
    from selenium.webdriver.common.by import By

    base = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    visit(browser, f"{base}/user/login/", lambda b: b.find_elements(By.NAME, "email"))
    browser.find_element(By.NAME, "email").send_keys(account.email)
    browser.find_element(By.NAME, "password").send_keys(account.password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait_for(browser, lambda b: "/user/login" not in b.current_url)


def label_one(browser, url):
    """Answer the text that the page shows, by hotkey; return the text."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    text = wait_for(browser, shown_text)
    ActionChains(browser).send_keys(HOTKEYS[truth(text)]).perform()
    wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "input[type=radio]:checked"))
    ActionChains(browser).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(
        Keys.CONTROL
    ).perform()
    wait_for(browser, lambda b: shown_text(b) != text)
    return text


def shown_text(browser):
    """Return the text to label, or None while there is none."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By

    try:
        for each in browser.find_elements(By.CSS_SELECTOR, "[class*=htx-richtext], .lsf-richtext"):
            if each.text.strip().startswith("The "):
                return each.text.strip()
    except StaleElementReferenceException:
        return None
    return "" if "No More Tasks" in browser.page_source else None


def labelled(folder):
    import pyarrow.parquet as pq

    shown = pq.read_table(folder / "rounds" / "01" / "texts.parquet").to_pylist()
    values = {
        row["id"]: json.loads(row["value"])
        for row in pq.read_table(folder / "labels.parquet").to_pylist()
    }
    return [
        {"text": dict(json.loads(row["fields"]))["text"], "value": values[row["id"]]}
        for row in shown
    ]


def look_at(browser, page, tmp_path):
    """Open the report and check that a person would see charts and no broken parts."""
    from selenium.webdriver.common.by import By

    browser.get_log("browser")  # what Label Studio's own pages said is not ours
    browser.get(page.as_uri())
    headings = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "h2, h3")]
    for heading in ("Agreement", "Calibration", "Quality by group", "The mixture", "Provenance"):
        assert heading in headings
    charts = browser.find_elements(By.TAG_NAME, "svg")
    assert len(charts) >= 5
    assert all(each.size["height"] > 40 and each.size["width"] > 100 for each in charts)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= browser.execute_script("return window.innerWidth")
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    browser.set_window_size(1100, 5200)
    picture(browser, tmp_path, "report")


def hosts(browser):
    """Return the host of every request that the browser made."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if url.startswith(("http:", "https:", "ws:", "wss:")):
                yield urlsplit(url).hostname
