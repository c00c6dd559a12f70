"""Label Studio's own page, used as a person does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from curate.records import Form, Project
from curate.servers import Account
from tests.browser.chromium import Point, drag, drag_over, offset, press, visit, wait_for
from tests.browser.pages import By

CONTROL, ENTER, ESCAPE, SHIFT = "\ue009", "\ue007", "\ue00c", "\ue008"
PLUS = "button[aria-label='Create an annotation']"
SUBMIT, UPDATE = (f"[data-testid=bottombar-{name}-button]" for name in ("submit", "update"))
END = "No More Tasks Left in Queue"
PREFERRED = "bg-primary-background"
AREA = {
    **{"Choices": ".lsf-choices", "Rating": ".ant-rate"},
    **dict.fromkeys(("Labels", "RectangleLabels"), ".lsf-labels"),
}
PICTURE, WAVE = ".konvajs-content", "#waveform-layer-main"
OBJECTS = f".lsf-htx-richtext, .lsf-image img, {WAVE}, .lsf-video-canvas canvas"
LISTED = ".lsf-outliner-item:not(.lsf-outliner-item_group)"


class LabelStudioPage:
    """One person's Label Studio."""

    def __init__(self, browser: Any, url: str, account: Account) -> None:
        self.browser, self.url, self.account = browser, url, account
        self.form: Form

    def log_in(self) -> None:
        self._visit(f"{self.url}/user/login/", "[name=email]").send_keys(self.account.email)
        self._one("[name=password]").send_keys(self.account.password)
        self._one("button[type=submit]").click()
        wait_for(self.browser, lambda b: "/user/login" not in urlsplit(b.current_url).path)

    def open(self, project: Project) -> str:
        self.form = project.form
        visit(self.browser, project.url, lambda b: self._task() or self.done())
        guidelines = self._all(".lsf-modal-ls_visible .lsf-modal-ls__body")
        if not guidelines:
            return ""
        text = str(guidelines[0].text)
        close = ".lsf-modal-ls_visible button[aria-label='Close modal']"
        self._click(lambda: self._one(close))
        wait_for(self.browser, lambda b: not self._all(".lsf-modal-ls__body"))
        return text

    def done(self) -> bool:
        return END in self._text("body")

    def shown(self, field: str) -> str:
        if self.form.medium(field):
            wait_for(self.browser, lambda b: b.execute_script(_LOADED))
            return str(self.browser.execute_script(_ADDRESS, f"${field}"))
        return str(self.browser.execute_script(_CONTENT, self._box(field)))

    # ── answers

    def choose(self, question: str, values: Collection[str], by: By) -> None:
        for value in values:
            box = self._option(question, value)
            if by == "mouse":
                self.browser.execute_script("arguments[0].scrollIntoViewIfNeeded()", box)
                box.find_element("xpath", "./ancestor::label").click()
            else:
                press(self.browser, self._key(question, value))
            wait_for(self.browser, lambda b, value=value: value in self.chosen(question))

    def chosen(self, question: str) -> list[str]:
        asked = self.form.question(question)
        return [value for value in asked.labels if self._option(question, value).is_selected()]

    def find_nothing(self, question: str) -> None:
        assert self._area(question)

    def rate(self, question: str, value: int, by: By) -> None:
        area = self._area(question)
        if by == "mouse":
            area.find_elements("css selector", "li > div")[value - 1].click()
        else:  # each press is one more
            key = self._attribute(question, "hotkey")
            for count in range(value):
                press(self.browser, key)
                self._until_rated(area, count + 1)
        self._until_rated(area, value)

    def _until_rated(self, area: Any, value: int) -> None:
        full = "li.ant-rate-star-full"
        wait_for(self.browser, lambda b: len(area.find_elements("css selector", full)) == value)

    def write(self, question: str, words: str, by: By) -> None:
        place = self._one(f"textarea[name={question}]")
        place.click()
        place.send_keys(words)
        if by == "mouse":
            form = place.find_element("xpath", "./ancestor::form")
            form.find_element("css selector", "[data-testid=textarea-add-button]").click()
        else:
            press(self.browser, ENTER, held=SHIFT)
        wait_for(self.browser, lambda b: not self._all(f"textarea[name={question}]"))

    def mark(self, question: str, text: str, span: Mapping[str, Any], by: By) -> None:
        asked = self.form.question(question)
        before = self._marked()
        label = dict(zip(asked.labels, asked.shown, strict=True))[span["label"]]
        if by == "mouse":
            path = f".//span[contains(@class, 'lsf-label__text')][.='{label}']"
            self._area(question).find_element("xpath", path).click()
        else:
            press(self.browser, self._key(question, span["label"]))
        self._wait(".lsf-label_selected")
        box = self._box(span.get("field") or asked.fields[0])
        drag_over(self.browser, box, offset(text, span["start"]), offset(text, span["end"]))
        wait_for(self.browser, lambda b: self._marked() == before + 1, 10)

    def _marked(self) -> int:
        return len({each.get_attribute("data-index") for each in self._all(".htx-highlight")})

    def draw(self, question: str, label: str, start: Point, end: Point) -> None:
        """Draw a box or a region with the mouse; points are shares of the picture or the wave."""
        asked = self.form.question(question)
        before = self._drawn()
        press(self.browser, self._key(question, label))
        self._wait(".lsf-label_selected")
        drag(self.browser, self._one(WAVE if asked.kind == "regions" else PICTURE), start, end)
        wait_for(self.browser, lambda b: self._drawn() == before + 1, 10)
        press(self.browser, ESCAPE)

    def _drawn(self) -> int:
        """Return how many marks the page lists."""
        return len(self._all(LISTED))

    def seconds(self, field: str) -> float:
        """Return how long the sound or film of a field is, once it can be played."""
        said = {"audio": ".lsf-audio-tag", "video": ".lsf-video-segmentation"}
        place = said[self.form.medium(field) or ""]
        return float(wait_for(self.browser, lambda b: b.execute_script(_SECONDS, place)))

    def prefer(self, question: str, value: str, by: By) -> None:
        asked = self.form.question(question)
        if asked.tag == "Choices":
            self.choose(question, [value], by)
            return
        side = self._box(value).find_element("xpath", "..")  # it has no hotkeys
        side.click()
        wait_for(self.browser, lambda b: PREFERRED in side.get_attribute("class").split())

    # ── from task to task

    def submit(self, by: By) -> None:
        self._leave(lambda: self._submit(by))

    def _submit(self, by: By) -> None:
        if by == "mouse":
            self._click(lambda: self._one(SUBMIT))
        else:
            press(self.browser, ENTER, held=CONTROL)

    def skip(self, by: By) -> None:
        def do() -> None:
            if by == "mouse":
                self._click(lambda: self._one("[data-testid=bottombar-skip-button]"))
            else:
                press(self.browser, " ", held=CONTROL)

        self._leave(do)

    def refused(self, by: By) -> str:
        self._submit(by)
        said = str(wait_for(self.browser, lambda b: self._text(".ant-modal-confirm-content")))
        wait_for(self.browser, self._dismissed)
        return said

    def _dismissed(self, _: Any) -> bool:
        """Press OK; whether the message is gone. While it grows, a click may go beside it."""
        from selenium.common.exceptions import WebDriverException

        if not self._all(".ant-modal-confirm-content"):
            return True
        with suppress(WebDriverException):
            self._one(".ant-modal-confirm-btns button").click()
        return False

    def back(self) -> None:
        selector = "button[aria-label='Previous task']"
        self._leave(lambda: self._click(lambda: self._one(selector)))

    def update(self, by: By) -> None:
        wait_for(self.browser, lambda b: self._one(UPDATE).is_enabled())
        if by == "mouse":
            self._click(lambda: self._one(UPDATE))
        else:
            press(self.browser, ENTER, held=CONTROL)
        wait_for(self.browser, lambda b: not self._one(UPDATE).is_enabled())

    def answer_again(self, question: str, values: Collection[str], by: By) -> None:
        """Make a second annotation, which only the page of a single task offers."""
        self.back()
        tasks = self.browser.current_url.partition("?")[0]
        self._visit(f"{tasks}?task={self._task()}", PLUS)
        self._click(lambda: self._one(PLUS))
        wait_for(self.browser, lambda b: self._all(SUBMIT) and not self.chosen(question))
        self.choose(question, values, by)
        self._submit(by)
        wait_for(self.browser, lambda b: self._all(UPDATE))

    def _leave(self, go: Callable[[], None]) -> None:
        before = self._task()
        go()
        wait_for(self.browser, lambda b: self._task() != before and (self._task() or self.done()))

    def _task(self) -> str:
        """Return the number of the task shown, once all of it is there."""
        number = self._text(".lsf-current-task__task-id").split("\n")[0]
        shown = self._all(OBJECTS)
        return number if len(shown) == len(self.form.fields) else ""

    def tour(self, project: Project) -> Iterator[str]:
        visit(self.browser, f"{self.url}/projects/", lambda b: project.name in self._text("body"))
        yield "projects"
        self._visit(project.url.partition("?")[0], "[data-testid=table-row]")
        yield "tasks"
        while self.browser.execute_script(_SCROLL, self._wait("[data-testid=table-row]")):
            yield "more-tasks"
        self._click(lambda: self._all("[data-testid=table-row]")[-2])
        self._wait(".lsf-htx-richtext")
        yield "task"

    def out_of_sight(self) -> list[str]:
        bottom = self._one(SUBMIT).rect["y"]
        lost = []
        for question in self.form.questions:
            place = self._place(question.tag, question.name)
            box = self.browser.execute_script(_RECT, place)
            if box["height"] < 10 or box["top"] < 0 or box["bottom"] > bottom:
                lost.append(question.name)
        return lost

    # ── where things are

    def _box(self, field: str) -> Any:
        fields = [tag.attrib["value"] for tag in self._tags("Text")]
        return self._all(".lsf-htx-richtext")[fields.index(f"${field}")]

    def _place(self, tag: str, question: str) -> Any:
        if tag == "Pairwise":
            box = self._box(self.form.question(question).fields[0])
            return box.find_element("xpath", "./ancestor::div[@class='curate-text']")
        return (
            self._one(f"textarea[name={question}]") if tag == "TextArea" else self._area(question)
        )

    def _area(self, question: str) -> Any:
        tag = self.form.question(question).tag
        names = [each.attrib["name"] for each in self._tags(tag)]
        return self._all(AREA[tag])[names.index(question)]

    def _option(self, question: str, value: str) -> Any:
        asked = self.form.question(question)
        word = dict(zip(asked.labels, asked.shown, strict=True))[value]
        return self._area(question).find_element("css selector", f'input[name="{word}"]')

    def _key(self, question: str, value: str) -> str:
        asked = self.form.question(question)
        (tag,) = (each for each in self._tags(asked.tag) if each.attrib["name"] == question)
        options = [each for each in tag.iter() if each.tag in ("Choice", "Label")]
        return options[asked.labels.index(value)].attrib["hotkey"]

    def _attribute(self, question: str, attribute: str) -> str:
        tags = self._tags(self.form.question(question).tag)
        return next(tag.attrib[attribute] for tag in tags if tag.attrib["name"] == question)

    def _tags(self, name: str) -> list[ElementTree.Element]:
        return list(ElementTree.fromstring(self.form.xml).iter(name))

    def _click(self, find: Callable[[], Any]) -> None:
        """Click on something once no message passes before it."""
        from selenium.common.exceptions import ElementClickInterceptedException

        def clicked(_: Any) -> bool:
            try:
                find().click()
            except ElementClickInterceptedException:
                return False
            return True

        wait_for(self.browser, clicked)

    def _all(self, selector: str) -> list[Any]:
        return list(self.browser.find_elements("css selector", selector))

    def _one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def _visit(self, url: str, selector: str) -> Any:
        return visit(self.browser, url, lambda b: next(iter(self._all(selector)), None))

    def _wait(self, selector: str) -> Any:
        return wait_for(self.browser, lambda b: next(iter(self._all(selector)), None))

    def _text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.browser.execute_script(script, selector))


_LOADED = """
const images = [...document.querySelectorAll(".lsf-image img")];
return images.every((image) => image.complete && image.naturalWidth > 0);
"""
_ADDRESS = """
const shown = [...Htx.annotationStore.selected.names.values()];
const own = shown.find((each) => each.value === arguments[0]);
return own.parsedValue ?? own._value;
"""
_CONTENT = """
const words = (node) => (node.nodeName === "BR" ? "\\n" : node.textContent);
return [...arguments[0].childNodes].map(words).join("");
"""
_SECONDS = """
const film = document.querySelector("video");
if (film && film.readyState > 1) return film.duration;
const times = [...document.querySelectorAll(arguments[0] + " input, " + arguments[0] + " span")]
  .map((each) => (each.value ?? each.innerText).match(/^(\\d\\d):(\\d\\d):(\\d\\d):(\\d{3})$/))
  .filter((each) => each)
  .map(([, hours, minutes, seconds, rest]) => hours * 3600 + minutes * 60 + +seconds + rest / 1000);
return Math.max(0, ...times);
"""
_RECT = "return arguments[0].getBoundingClientRect().toJSON()"
_SCROLL = """
let box = arguments[0];
const scrolls = (box) =>
  box.scrollHeight > box.clientHeight + 1 && getComputedStyle(box).overflowY !== "visible";
while (box && !scrolls(box)) box = box.parentElement;
if (!box) return false;
const before = box.scrollTop;
box.scrollTop += box.clientHeight - 80;
return box.scrollTop > before;
"""
