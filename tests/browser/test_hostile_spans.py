"""Spans marked with the mouse in texts that break pages come home exactly, and nothing breaks.

Texts go as they came and, where that differs, in their canonical form, as `pool` keeps them.
"""

from uuid import uuid4

import pytest

from curate.forms import load_form
from curate.records import Task
from curate.text import canonical
from tests.browser.chromium import incidents, picture
from tests.browser.hostile import HOSTILE, TARGET

pytestmark = [pytest.mark.browser, pytest.mark.live]

LOOKED_AT = ("family", "script", "right_to_left", "long", "long_word")


def texts():
    """Return id → text, raw and canonical."""
    forms = {f"{name} canonical": canonical(text) for name, text in HOSTILE.items()}
    return HOSTILE | {id: text for id, text in forms.items() if text not in HOSTILE.values()}


def test_the_texts_are_hostile_enough():
    assert len(HOSTILE) >= 22
    assert all(text.count(TARGET) == 1 for text in texts().values())
    assert {"crlf canonical", "lone_cr canonical"} <= texts().keys()


def test_spans_in_hostile_texts_come_home_exactly(site, tmp_path):
    sent, page = texts(), site.page
    project = pushed(site, sent)
    page.open(project)
    seen = set()
    while not page.done():
        shown = unbroken(page.shown("text"))
        ids = [id for id, text in sent.items() if unbroken(text) == shown]
        assert ids, f"a text is not shown as it is: {shown[:100]!r}"
        text = sent[ids[0]]
        page.mark("entities", text, span(text), "keys")
        assert incidents(page.browser) == [], ids
        if ids[0] in LOOKED_AT and ids[0] not in seen:
            picture(page.browser, tmp_path, f"{site.name}-{ids[0]}")
        seen.update(ids)
        page.submit("keys")
    assert seen == sent.keys()
    for place in page.tour(project):
        assert incidents(page.browser) == [], place
        picture(page.browser, tmp_path, f"{site.name}-{place}")
    answers = site.backend.pull(project, cursor=None, known={}).annotations
    found = {each.id: each.value for each in answers if each.status == "submitted"}
    assert found == {id: [span(text)] for id, text in sent.items()}
    assert {each.account for each in answers} == {site.person}


@pytest.mark.parametrize("logged_in", ["argilla"], indirect=True)
def test_many_hostile_texts_on_one_page_do_nothing(site, tmp_path):
    sent, seen = texts(), set()
    for number, shown in enumerate(site.page.many(pushed(site, sent))):
        assert incidents(site.page.browser) == [], shown
        picture(site.page.browser, tmp_path, f"{site.name}-many-{number}")
        seen.update(map(unbroken, shown))
    assert seen == set(map(unbroken, sent.values()))


def pushed(site, texts):
    """Return a project that asks for the entities of texts."""
    name = f"spans-{uuid4().hex[:8]}-r01"
    project = site.backend.ensure_project(name, load_form("entities"), overlap=1, guidelines="")
    site.backend.admit(project, [site.person])
    list(site.backend.push(project, [Task(id, {"text": text}) for id, text in texts.items()]))
    return project


def span(text):
    start = text.index(TARGET)
    return {"start": start, "end": start + len(TARGET), "label": "ORG"}


def unbroken(text):
    """Return a text without its line breaks, of which a page keeps the place alone."""
    return text.replace("\r", "").replace("\n", "")
