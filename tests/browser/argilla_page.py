"""Argilla's own page, used as a person does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from curate.records import Form, Project
from curate.servers import Account
from tests.browser.chromium import drag_over, offset, press, visit, wait_for
from tests.browser.pages import By

BACKSPACE, DOWN, ENTER, ESCAPE = "\ue003", "\ue015", "\ue006", "\ue00c"
SHIFT, TAB, UP = "\ue008", "\ue004", "\ue013"
SUBMIT, DISCARD = ".button--submit", ".button--discard"
NO_GUIDELINES = "This dataset has no annotation guidelines"
STILL = 5
"""How many looks in a row, one each 0.05 s, have to find a thing at the same place."""
END = ("pending records", "task is completed")


class ArgillaPage:
    """One person's Argilla."""

    def __init__(self, browser: Any, url: str, account: Account) -> None:
        self.browser, self.url, self.account = browser, url, account
        self.form: Form
        self._left = ""

    def log_in(self) -> None:
        self._visit(self.url, "input[type=password]").send_keys(self.account.password)
        self._one("input[type=text]").send_keys(self.account.email)
        self._one("button[type=submit]").click()
        wait_for(self.browser, lambda b: "sign-in" not in urlsplit(b.current_url).path)

    def open(self, project: Project) -> str:
        self.form, self._left = project.form, ""
        visit(self.browser, project.url, lambda b: self._task() or self.done())
        self._still(".panel__header").click()
        text = str(wait_for(self.browser, lambda b: self._text(".panel__content")))
        self._still(".panel__header").click()
        wait_for(self.browser, lambda b: not self._all(".panel__content"))
        return "" if text == NO_GUIDELINES else text

    def done(self) -> bool:
        said = self._text(".wrapper__records")
        return not self._all(".fields > div") and any(words in said for words in END)

    def shown(self, field: str) -> str:
        if field in self.form.images:
            image = self._box(field)
            wait_for(self.browser, lambda b: b.execute_script(_LOADED, image))
            return str(image.get_attribute("src"))
        if self.form.medium(field):
            player = self._box(field).find_element("css selector", "audio, video")
            return str(player.get_attribute("src"))
        return str(self._box(field).get_property("textContent"))

    # ── answers

    def seconds(self, field: str) -> float:
        """Return how long the sound or film of a field is, once it can be played."""
        return float(wait_for(self.browser, lambda b: b.execute_script(_SECONDS)))

    def choose(self, question: str, values: Collection[str], by: By) -> None:
        for value in values:
            if by == "mouse":
                self._label(self._option(question, value)).click()
            else:
                self._focus(question)
                self._press_digit(question, value)
            if self._submits_itself(by):
                return
            wait_for(
                self.browser, lambda b, value=value: self._option(question, value).is_selected()
            )

    def chosen(self, question: str) -> list[str]:
        labels = self.form.question(question).labels
        options = zip(labels, self._options(question), strict=False)  # there may be one for none
        return [value for value, option in options if option.is_selected()]

    def find_nothing(self, question: str) -> None:
        if self.form.question(question).kind == "choices":
            self._label(self._options(question)[-1]).click()
            wait_for(self.browser, lambda b: self._options(question)[-1].is_selected())

    def rate(self, question: str, value: int, by: By) -> None:
        self.choose(question, [str(value)], by)

    def write(self, question: str, words: str, by: By) -> None:
        place = self._question(question).find_element("css selector", "[contenteditable]")
        if by == "mouse":
            place.click()
        else:
            self._focus(question)
            if not self._writing():
                press(self.browser, ENTER, held=SHIFT)
        wait_for(self.browser, lambda b: self._writing())
        self.browser.switch_to.active_element.send_keys(words)
        wait_for(self.browser, lambda b: place.text.split() == words.split())
        if by == "keys":
            press(self.browser, ESCAPE)
            wait_for(self.browser, lambda b: not self._writing())

    def mark(self, question: str, text: str, span: Mapping[str, Any], by: By) -> None:
        """Mark exactly these characters; by mouse alone, Argilla takes the whole words."""
        asked = self.form.question(question)
        before = self._marked()
        if not self._option(question, span["label"]).is_selected():
            if by == "mouse":
                self._label(self._option(question, span["label"])).click()
            else:
                self._press_digit(question, span["label"])
        wait_for(self.browser, lambda b: self._option(question, span["label"]).is_selected())
        start, end = offset(text, span["start"]), offset(text, span["end"])
        box = self._box(span.get("field") or asked.fields[0])
        drag_over(self.browser, box, start, end, held=SHIFT if by == "keys" else "")
        wait_for(self.browser, lambda b: self._marked() == before + 1, 10)

    def _marked(self) -> int:
        return len(self._all(".span-entity__wrapper"))

    def prefer(self, question: str, value: str, by: By) -> None:
        self.choose(question, [value], by)

    def _press_digit(self, question: str, value: str) -> None:
        """Press an option's number; where only one question marks spans, from anywhere."""
        task = self._task()
        press(self.browser, str(self.form.question(question).labels.index(value) + 1))
        if self._submits_itself("keys"):
            self._left = task
            wait_for(self.browser, lambda b: self._is_past(task))

    def _submits_itself(self, by: By) -> bool:
        """Whether a number is all that it takes: so where a single one is all that is asked."""
        single = self.form.questions[0].kind in ("choice", "preference", "rating")
        return by == "keys" and single and len(self.form.questions) == 1

    def _focus(self, question: str) -> None:
        """Go to a question with the arrows, from whichever has the focus."""
        names = [each.name for each in self.form.questions]
        if self._writing() and self._focused() != question:
            press(self.browser, ESCAPE)
        while (here := self._focused()) != question:
            if here:
                press(self.browser, DOWN if names.index(here) < names.index(question) else UP)
            else:
                press(self.browser, TAB)
            wait_for(self.browser, lambda b, here=here: self._focused() not in ("", here))

    def _focused(self) -> str:
        return str(self.browser.execute_script(_FOCUSED))

    def _writing(self) -> bool:
        return bool(self.browser.execute_script("return document.activeElement.isContentEditable"))

    # ── from task to task

    def submit(self, by: By) -> None:
        if self._left:  # it went by itself
            self._left = ""
            return
        wait_for(self.browser, lambda b: self._one(SUBMIT).is_enabled())
        self._leave(lambda: self._give(SUBMIT, ENTER, by))

    def skip(self, by: By) -> None:
        self._leave(lambda: self._give(DISCARD, BACKSPACE, by))

    def refused(self, by: By) -> str:
        button = self._one(SUBMIT)
        assert not button.is_enabled()
        self._give(SUBMIT, ENTER, by)
        return " ".join(button.get_attribute("data-title").split())

    def back(self) -> None:
        self._leave(lambda: self._one(".pagination__buttons button").click())

    def update(self, by: By) -> None:
        self.submit(by)

    def answer_again(self, question: str, values: Collection[str], by: By) -> None:
        self.back()
        self.choose(question, values, by)
        self.update(by)

    def _give(self, button: str, key: str, by: By) -> None:
        if by == "mouse":
            self._click(button)
        else:
            press(self.browser, key)

    def _click(self, selector: str) -> None:
        """Click in the middle of something, whether it is enabled or not."""
        from selenium.webdriver import ActionChains

        ActionChains(self.browser, duration=0).click(self._one(selector)).perform()

    def _leave(self, go: Callable[[], None]) -> None:
        before = self._task()
        go()
        wait_for(self.browser, lambda b: self._is_past(before))

    def _is_past(self, task: str) -> bool:
        return self._task() not in ("", task) or self.done()

    def _task(self) -> str:
        """Return which record is shown, once all of it is there and can be answered."""
        return str(self.browser.execute_script(_TASK, len(self.form.fields)))

    def tour(self, project: Project) -> Iterator[str]:
        datasets = f"{self.url}/?workspaces={project.name}"
        visit(self.browser, datasets, lambda b: project.name in self._text("body"))
        yield "datasets"
        visit(self.browser, f"{project.url}?page=1&status=submitted", lambda b: self._task())
        yield "submitted"
        self._one(".search-area__icon").click()
        press(self.browser, "and", ENTER)
        wait_for(self.browser, lambda b: "search=and" in b.current_url and self._task())
        yield "found"

    def many(self, project: Project) -> Iterator[list[str]]:
        """Go through what shows many texts at once; yield those on each page while it is there."""
        self._visit(project.url, ".fields")
        self._one(".switch:not(.active)").click()
        wait_for(self.browser, lambda b: len(self._all(".fields")) > 1)
        while True:
            texts = self.browser.execute_script(_CONTENTS)
            yield texts
            onward = self._all(".pagination__buttons button")[-1]
            if not onward.is_enabled():
                return
            onward.click()
            wait_for(
                self.browser, lambda b, texts=texts: b.execute_script(_CONTENTS) not in ([], texts)
            )

    def out_of_sight(self) -> list[str]:
        bottom = self._one(".footer-form").rect["y"]
        lost = []
        for question in self.form.questions:
            box = self.browser.execute_script(_RECT, self._question(question.name))
            if box["height"] < 10 or box["top"] < 0 or box["bottom"] > bottom:
                lost.append(question.name)
        return lost

    # ── where things are

    def _box(self, field: str) -> Any:
        place = self._all(".fields > div")[self.form.fields.index(field)]
        inside = "img" if field in self.form.images else "[id^=fields-content-] > :first-child"
        return place.find_element("css selector", inside)

    def _question(self, question: str) -> Any:
        return self._one(f"[aria-label='Question: {question}']")

    def _options(self, question: str) -> list[Any]:
        boxes = self._question(question).find_elements("css selector", "input[type=checkbox]")
        return list(boxes)

    def _option(self, question: str, value: str) -> Any:
        return self._options(question)[self.form.question(question).labels.index(value)]

    def _label(self, option: Any) -> Any:
        return option.find_element("xpath", "..//label")

    def _all(self, selector: str) -> list[Any]:
        return list(self.browser.find_elements("css selector", selector))

    def _one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def _visit(self, url: str, selector: str) -> Any:
        return visit(self.browser, url, lambda b: next(iter(self._all(selector)), None))

    def _wait(self, selector: str) -> Any:
        return wait_for(self.browser, lambda b: next(iter(self._all(selector)), None))

    def _still(self, selector: str) -> Any:
        """Return something once it stands still: a click before goes beside it."""
        places: list[Any] = []

        def found(_: Any) -> Any:
            element = self._wait(selector)
            places.append(self.browser.execute_script(_RECT, element))
            return places.count(places[-1]) >= STILL and element

        return wait_for(self.browser, found)

    def _text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.browser.execute_script(script, selector))


_LOADED = "return arguments[0].complete && arguments[0].naturalWidth > 0"
_SECONDS = """
const medium = document.querySelector(".fields audio, .fields video");
return medium && medium.readyState > 1 ? medium.duration : 0;
"""
_RECT = "return arguments[0].getBoundingClientRect().toJSON()"
_CONTENTS = """
const boxes = document.querySelectorAll("[id^=fields-content-] > :first-child");
return [...boxes].map((box) => box.textContent);
"""
_FOCUSED = """
const place = document.activeElement.closest("[aria-label^='Question: ']");
return place ? place.getAttribute("aria-label").slice("Question: ".length) : "";
"""
_TASK = """
const parts = [...document.querySelectorAll(".fields > div")];
const form = document.querySelector(".questions-form");
if (parts.length !== arguments[0] || !form || form.classList.contains("--waiting")) return "";
const contents = parts.map((part) => part.querySelector("[id^=fields-content-] > *, img"));
if (contents.includes(null)) return "";
return contents.map((content) => content.src ?? content.parentNode.id).join();
"""
