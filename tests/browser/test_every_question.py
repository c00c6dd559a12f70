"""Every form that comes with curate is answered by mouse and by keys, skipped, edited, found."""

import base64
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import pytest

from curate.forms import known_forms, load_form
from curate.records import Task
from tests.browser.chromium import picture
from tests.browser.pages import give

pytestmark = [pytest.mark.browser, pytest.mark.live]

ENGLISH = "Anna Li works at the Red Cross in Bern."
CHINESE = "张伟在北京的中国科学院工作。"
LONG = {ENGLISH: ENGLISH + " The weather was fine, and nothing happened." * 1_200}
LONG[CHINESE] = CHINESE + "今天天气很好，什么也没有发生。" * 1_200


def marked(text, **spans):
    """Return spans of words by label."""
    found = [
        {"start": text.index(words), "end": text.index(words) + len(words), "label": label}
        for label, words in spans.items()
    ]
    return sorted(found, key=lambda span: span["start"])


NAMED = marked(ENGLISH, PERSON="Anna Li", ORG="the Red Cross", LOC="Bern")

# form → what is answered by mouse, then by keys; every choice of a preference is among them
ANSWERS = {
    "adequacy": ({"adequacy": 5, "note": "all"}, {"adequacy": 1}),
    "clipart": ({"subject": "food"}, {"subject": "people"}),
    "code_quality": ({"quality": 3, "note": "long"}, {"quality": 5}),
    "comment": ({"comment": "Shorter, please. 好"}, {"comment": "It's fine: <b> & 1 2 q\n二"}),
    "comparison": ({"better": "a", "note": "why not"}, {"better": "b"}),
    "entities": ({"entities": NAMED}, {"entities": NAMED[1:]}),
    "entities_zh": (
        {"entities": marked(CHINESE, PERSON="张伟", LOC="北京", ORG="中国科学院")},
        {"entities": marked(CHINESE, PERSON="张伟")},
    ),
    "faithfulness": (
        {"faithfulness": "unsupported", "note": "a date"},
        {"faithfulness": "faithful"},
    ),
    "flags": ({"flags": ["spam", "private", "language"]}, {"flags": ["toxic", "machine"]}),
    "image": ({"kind": "photo", "note": "blue"}, {"kind": "other"}),
    "preference": ({"preference": "response_a"}, {"preference": "tie", "note": "the same"}),
    "quality": ({"quality": 4, "note": "clear"}, {"quality": 2}),
    "quality_zh": ({"quality": 2, "note": "太短"}, {"quality": 4}),
    "response": ({"quality": 1, "note": "rude"}, {"quality": 5}),
    "review": (
        {
            **{"entities": NAMED, "topic": "science", "flags": ["toxic", "broken"]},
            **{"quality": 5, "note": "much"},
        },
        {"entities": NAMED[:1], "topic": "other", "flags": ["spam"], "quality": 1},
    ),
    "safety": ({"safety": "sensitive", "note": "health"}, {"safety": "unsafe"}),
    "sentiment": ({"sentiment": "negative"}, {"sentiment": "neutral"}),
    "sentiment_zh": ({"sentiment": "positive"}, {"sentiment": "negative"}),
    "topic": ({"topic": "health"}, {"topic": "other", "note": "1 2 3"}),
}

REFUSED = {
    "label_studio": ("Please choose a topic", "Please rate"),
    "argilla": ("To submit complete required responses",) * 2,  # it knows no words of the form's
}
"""Server → what it says when a topic is missing, and when a rating is."""


OF_MEDIA = {"audio", "boxes", "image_comparison", "regions", "video"}
"""The forms that are answered in `test_media.py`."""


def test_every_form_is_answered():
    assert ANSWERS.keys() | OF_MEDIA == known_forms().keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_meant_comes_home(site, tmp_path, name, images):
    form, page = load_form(name), site.page
    text = CHINESE if name.endswith("_zh") else ENGLISH
    shown = {"mouse": shown_texts(form, text, images[0])}
    shown["keys"] = shown_texts(form, LONG[text], images[1])
    project = start(site, form, shown)
    answers = dict(zip(shown, ANSWERS[name], strict=True))
    for _ in answers:  # in the server's order
        seen = {field: page.shown(field) for field in form.fields}
        (by,) = (each for each, texts in shown.items() if texts == seen)
        assert page.out_of_sight() == []
        give(page, form, shown[by], answers[by], by)
        picture(page.browser, tmp_path, f"{site.name}-{name}-{by}")
        page.submit(by)
    assert page.done()
    pulled = site.backend.pull(project, cursor=None, known={}).annotations
    assert {each.account for each in pulled} == {site.person}
    assert {each.status for each in pulled} == {"submitted"}
    found = {(each.id, each.question): each.value for each in pulled}
    assert found == {
        (by, question.name): values.get(question.name)
        for by, values in answers.items()
        for question in form.questions
    }


def test_what_must_be_answered_is_asked_for(site, tmp_path):
    form, page = load_form("review"), site.page
    project = start(site, form, {"one": {"text": ENGLISH}})
    said = REFUSED[site.name]
    assert page.refused("mouse") == said[0]
    page.choose("topic", ["news"], "mouse")
    assert page.refused("keys") == said[1]
    picture(page.browser, tmp_path, f"{site.name}-refused")
    assert site.backend.pull(project, cursor=None, known={}).annotations == ()
    page.rate("quality", 3, "keys")
    page.submit("keys")
    answers = site.backend.pull(project, cursor=None, known={}).annotations
    found = {each.question: each.value for each in answers}
    assert found == {"topic": "news", "quality": 3, "flags": [], "entities": [], "note": None}


def test_a_preference_goes_to_the_second_too(site):
    form, page = load_form("preference"), site.page
    texts = {"prompt": "Say hello.", "response_a": "Bye.", "response_b": "Hello."}
    project = start(site, form, {"one": texts})
    page.prefer("preference", "response_a", "keys")
    page.prefer("preference", "response_b", "mouse")
    page.submit("mouse")
    answers = site.backend.pull(project, cursor=None, known={}).annotations
    assert {each.question: each.value for each in answers} == {
        "preference": "response_b",
        "note": None,
    }


@pytest.mark.parametrize("name", ["entities", "flags"])
def test_nothing_found_is_an_answer_and_a_skip_is_none(site, name):
    form, page = load_form(name), site.page
    project = start(site, form, {id: {"text": f"It rained on the {id}."} for id in ("4th", "5th")})
    first = page.shown("text").split()[-1].strip(".")
    page.find_nothing(name)
    page.submit("keys")
    page.skip("keys")
    assert page.done()
    answers = site.backend.pull(project, cursor=None, known={}).annotations
    found = {
        each.id == first: (each.status, each.value) for each in answers if each.question == name
    }
    assert found == {True: ("submitted", []), False: ("skipped", None)}


def test_a_person_skips_goes_back_and_comes_back(site, tmp_path):
    form, page, backend = load_form("topic"), site.page, site.backend
    guidelines = "Be *fair* & <b>kind</b>.\n\n公平。"
    tasks = {id: {"text": f"This is {id}."} for id in ("first", "second", "third", "fourth")}
    project = start(site, form, tasks, guidelines=guidelines)
    order = []
    for by in ("keys", "mouse", "keys"):
        order.append(page.shown("text").split()[-1].strip("."))
        if len(order) == 2:
            page.skip(by)
        else:
            page.choose("topic", ["news"], by)
            page.submit(by)
    first = backend.pull(project, cursor=None, known={})
    assert statuses(first) == dict(zip(order, ["submitted", "skipped", "submitted"], strict=True))

    page.back()
    assert page.shown("text") == f"This is {order[2]}."
    assert page.chosen("topic") == ["news"]
    page.choose("topic", ["sport"], "mouse")
    page.update("mouse")
    picture(page.browser, tmp_path, f"{site.name}-edited")
    known = {each.key: each.mark for each in first.annotations}
    second = backend.pull(project, cursor=first.cursor, known=known)
    assert {(each.id, each.question, each.value) for each in second.annotations} >= {
        (order[2], "topic", "sport")
    }
    assert {each.id for each in second.annotations} == {order[2]}

    page.open(project)  # as on the next day
    last = page.shown("text").split()[-1].strip(".")
    assert last not in order
    page.choose("topic", ["life"], "keys")
    page.submit("keys")
    assert page.done()
    third = backend.pull(project, cursor=None, known={})
    topics = {each.id: each.value for each in third.annotations if each.question == "topic"}
    assert topics == {order[0]: "news", order[1]: None, order[2]: "sport", last: "life"}


def start(site, form, texts, guidelines=""):
    """Push texts by id; go to where people label them."""
    name = f"{form.name}-{uuid4().hex[:8]}-r01"
    project = site.backend.ensure_project(name, form, overlap=1, guidelines=guidelines)
    site.backend.admit(project, [site.person])
    list(site.backend.push(project, [Task(id, fields) for id, fields in texts.items()]))
    shown = site.page.open(project)
    assert shown.replace("*", "").split() == guidelines.replace("*", "").split()  # drawn or not
    return project


def shown_texts(form, text, image):
    """Return something for each field of a form to show."""
    return {field: image if field in form.images else f"{text} ({field})" for field in form.fields}


def statuses(pulled):
    return {each.id: each.status for each in pulled.annotations}


# ── images


def drawn(width=320, height=240):
    """Return a PNG of a blue that turns red."""
    rows = b"".join(
        b"\0" + b"".join(bytes((255 * x // width, 90, 255 * y // height)) for x in range(width))
        for y in range(height)
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


class Images(SimpleHTTPRequestHandler):
    """Gives images to any page: Label Studio shows none that its host does not let it have."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Images, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The same image as a data address, and as one on this machine."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "image.png").write_bytes(drawn())
    with served(folder) as url:
        yield f"data:image/png;base64,{base64.b64encode(drawn()).decode()}", f"{url}/image.png"
