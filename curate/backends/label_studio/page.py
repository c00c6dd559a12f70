"""What Label Studio's page makes of a form: names it can read, keys, and empty submissions.

Measured on 1.23.2: the page finds a field by an ASCII name alone, and shows any other name in the
place of its text. So such a field is sent under an alias, which never leaves this package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from curate.backends.label_studio.client import RECORD
from curate.backends.strong import readable
from curate.forms import meaning_of
from curate.forms.tags import OBJECTS, read
from curate.records import MARKS, Form

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TITLE = 50
"""The most characters of a title on the server; the end of a name says which round it is."""

READABLE = re.compile("[A-Za-z0-9_]+")
"""The names of fields that the page can read."""

BY_MOUSE = ("Labels", "RectangleLabels", "TextArea", "Pairwise")
"""The tags that need a mouse, whatever keys there are."""

KEYS = "1234567890qwetasdfgzxcvbyiopjklnm"
"""The keys that the page gives to options without one of their own, in this order."""

OF_THE_PAGE = {
    frozenset(keys.split("+")): what
    for keys, what in (
        ("ctrl+enter", "submits the text"),
        ("command+enter", "submits the text"),
        ("ctrl+space", "skips the text"),
        ("alt+enter", "skips the text"),
        ("ctrl+z", "undoes"),
        ("command+z", "undoes"),
        ("ctrl+shift+z", "does again"),
        ("command+shift+z", "does again"),
        ("backspace", "deletes a mark"),
        ("delete", "deletes a mark"),
        ("ctrl+backspace", "deletes all marks"),
        ("command+backspace", "deletes all marks"),
    )
}
"""Keys of the page itself, and what they do: it does both if an option has one of them too."""

OTHER_NAMES = {"control": "ctrl", "option": "alt", "return": "enter", "del": "delete"}
"""Names of keys that the page knows by another one too."""

FIELD = re.compile(r"\$[\w[\].{}]+", re.ASCII)
"""What the page takes for a field, in any attribute: it shows `US$.` as `USundefined`."""

NO_PANELS = ".lsf-sidepanels__wrapper { display: none } .lsf-sidepanels { padding: 0 !important }"
"""Hides the lists of marks beside what is asked about, which stay empty where nothing is marked."""


def title(name: str) -> str:
    """A project's name as the server holds it: its end, without spaces around it."""
    return name[-TITLE:].strip()


def aliases(form: Form) -> dict[str, str]:
    """Field → the name under which the server has it; the same, but for names it cannot read."""
    taken = {RECORD, *form.fields}
    free = (name for number in range(1, 10_000) if (name := f"field_{number}") not in taken)
    return {name: name if READABLE.fullmatch(name) else next(free) for name in form.fields}


def label_config(form: Form) -> str:
    """The form's XML as the server gets it.

    Sounds are decoded by the browser itself: the page's other decoder is WebAssembly, which the
    content policy of the embedded server forbids. Where nothing is marked, no list of marks is
    shown.
    """
    names = aliases(form)
    root = ElementTree.fromstring(form.xml)
    if not any(question.kind in MARKS for question in form.questions):
        ElementTree.SubElement(root, "Style").text = NO_PANELS
    for tag in root.iter():
        if tag.tag in OBJECTS:
            tag.set("value", f"${names[tag.attrib['value'].removeprefix('$')]}")
        if tag.tag == "Audio":
            tag.set("decoder", "webaudio")
    return ElementTree.tostring(root, encoding="unicode")


def asks(xml: str, form: Form) -> bool:
    """Whether a label config on the server asks what the form asks. Raises FormError.

    Projects of earlier versions have fields under their own names.
    """
    return meaning_of(xml) in (form.meaning, meaning_of(label_config(form)))


def shown_data(form: Form, fields: Mapping[str, str]) -> dict[str, str]:
    """A task's fields under the names of the server."""
    return {alias: fields[name] for name, alias in aliases(form).items()}


def texts_of(form: Form, data: Mapping[str, object]) -> dict[str, str]:
    """The fields of a task on the server under the names of the form."""
    return {name: str(data.get(alias, data.get(name, ""))) for name, alias in aliases(form).items()}


def refusals(form: Form) -> Iterator[str]:
    """Yield what the page would show or do otherwise than the form says, with tag and line."""
    for tag in read(form.xml):
        for name, value in tag.attributes.items():
            field = FIELD.search(value)
            if field and not (tag.name in OBJECTS and name == "value"):
                yield (
                    f"line {tag.line}: <{tag.name}> {name}={value!r}: the page takes {field[0]} "
                    "for a field; write $ with a space behind it"
                )
        if complaint := _wrong_key(tag.attributes.get("hotkey", "")):
            yield f"line {tag.line}: <{tag.name}> has the hotkey {complaint}"


def _wrong_key(hotkey: str) -> str | None:
    """What is wrong with a key of an option; None if nothing is."""
    if re.search(r"[\s,]", hotkey):
        return f"{hotkey!r}: give one key, without spaces and commas"
    names = hotkey.lower().split("+")
    what = OF_THE_PAGE.get(frozenset(OTHER_NAMES.get(name, name) for name in names))
    return f"{hotkey}, which {what} on the page" if what else None


def remarks(form: Form) -> Iterator[str]:
    """Yield what may surprise people on the page."""
    for name, alias in aliases(form).items():
        if name != alias:
            yield f"${name} is sent as ${alias}: the page reads only ASCII names"
    if optional := [question.name for question in form.questions if not question.required]:
        yield f"can be submitted empty: {', '.join(optional)}"
    if by_mouse := list(_by_mouse(form)):
        yield f"cannot be answered by keyboard: {', '.join(by_mouse)}"


def _by_mouse(form: Form) -> Iterator[str]:
    """Yield the questions that need a mouse.

    The page gives keys to options in the order of the form, as long as there are any. Marks are
    made with the mouse, comments are clicked into, and Pairwise has no keys.
    """
    root = ElementTree.fromstring(form.xml)
    own = {tag.attrib["hotkey"].lower() for tag in root.iter() if tag.get("hotkey")}
    free = len([key for key in KEYS if key not in own])
    without_keys: set[str] = set()
    for control in root.iter():
        parts = [tag for tag in control.iter() if tag.tag in ("Choice", "Label")]
        keyless = [tag for tag in parts or [control] if not tag.get("hotkey")]
        if control.tag in ("Choices", "Labels", "RectangleLabels", "Rating"):
            free -= len(keyless)
            if free < 0 and keyless:
                without_keys.add(control.attrib["name"])
    for question in form.questions:
        if question.tag in BY_MOUSE or question.name in without_keys:
            yield question.name


def instructions(markdown: str) -> str:
    """Guidelines as HTML. Markup and images in them are no markup: the page runs what it shows."""
    return str(_markdown().render(readable(markdown))).strip()


def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return (
        MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
    )
