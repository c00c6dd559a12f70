"""Argilla's page in the browser: usable behind the guard, and no text can make it do anything."""

import json
import time

import pytest

from curate.servers.argilla import server as argilla
from tests.argilla import ENTITIES, SENTIMENT, Dataset
from tests.browser.chromium import visit, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.live]

EVIL = (
    "<img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>"
    "<iframe srcdoc=\"<script>parent.document.title='evil'</script>\"></iframe>"
    '<link rel=stylesheet href="http://evil.example/a.css"><img src="http://evil.example/b.png">'
)


@pytest.fixture
def dataset(argilla_home):
    """Two records: one of a well-behaved client, one whose text is a page of its own."""
    dataset = Dataset(argilla_home, fields=("text", "note"), questions=(SENTIMENT, ENTITIES))
    dataset.log({"external_id": "good", "fields": {"text": "Ada & <b>Bob</b>", "note": "none"}})
    evil = {"external_id": "evil", "fields": {"text": EVIL, "note": EVIL}}
    dataset.owner("PUT", f"{dataset.path}/records/bulk", json={"items": [evil]})
    return dataset


def test_a_person_labels_and_no_text_runs_or_calls(browser, argilla_home, dataset):
    ann = argilla.accounts(argilla_home)[0]
    url = argilla.start(argilla_home).url
    log_in(browser, url, ann)
    wait_for(browser, lambda b: dataset.name in b.page_source)

    visit(browser, f"{url}/dataset/{dataset.id}/annotation-mode", lambda b: shown(b) is not None)
    seen = []
    for _ in range(2):
        wait_for(browser, lambda b: "Sentiment" in b.page_source and shown(b) not in seen)
        time.sleep(1)  # as long as an image needs to fail and a script to run
        assert browser.title == "Argilla"
        seen.append(shown(browser))
        label(browser)
    assert "Ada & <b>Bob</b>" in seen
    submitted = {
        name: record["responses"][0]["values"]["sentiment"]["value"]
        for name, record in wait_for(browser, lambda b: all_answered(dataset)).items()
    }
    assert submitted == {"good": "positive", "evil": "positive"}

    hosts, refused = traffic(browser)
    assert hosts == {url.partition("//")[2]}, hosts
    assert refused <= {"csp"}
    assert browser.title == "Argilla"


def log_in(browser, url, account):
    from selenium.webdriver.common.by import By

    visit(browser, url, lambda b: b.find_elements(By.CSS_SELECTOR, "input[type=password]"))
    browser.find_element(By.CSS_SELECTOR, "input[type=text]").send_keys(account.email)
    browser.find_element(By.CSS_SELECTOR, "input[type=password]").send_keys(account.password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()


def shown(browser):
    """Return the text of the record that the page shows: empty if nothing of it may be shown.

    None where no record is shown. Which record comes first differs: every person has an order.
    """
    from selenium.webdriver.common.by import By

    fields = browser.find_elements(By.CSS_SELECTOR, '[aria-label="Data entry for Field: text"]')
    return fields[0].text.strip() if fields else None


def label(browser):
    """Choose the first sentiment by its key, and submit."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(browser).send_keys("1").perform()
    time.sleep(0.5)
    ActionChains(browser).send_keys(Keys.ENTER).perform()


def all_answered(dataset):
    records = dataset.records()
    return records if all(record["responses"] for record in records.values()) else None


def traffic(browser):
    """Return the hosts that the page asked, and why requests of it were blocked."""
    hosts, refused = {}, set()
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            address = event["params"]["request"]["url"]
            if address.startswith(("http", "ws")):
                hosts[event["params"]["requestId"]] = address.split("/")[2]
        if event["method"] == "Network.loadingFailed" and event["params"].get("blockedReason"):
            refused.add(event["params"]["blockedReason"])
            hosts.pop(event["params"]["requestId"], None)  # it was never sent
    return set(hosts.values()), refused
