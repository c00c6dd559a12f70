"""The tags of a label config: a tree with line numbers, and the attributes that each tag may have.

A server silently accepts a misspelt attribute. Some attributes that it knows lose answers, or
answer before anybody looked. So everything that is not known to be right is refused. Measurements
on Label Studio stand beside the refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from xml.parsers import expat

from curate.errors import FormError

OBJECTS = ("Text", "Image", "Audio", "Video")
CONTROLS = ("Choices", "Rating", "TextArea", "Labels", "RectangleLabels", "Pairwise")
LAYOUT = ("View", "Header", "Style", "Collapse", "Panel")
PARTS = {"Choice": ("Choices",), "Label": ("Labels", "RectangleLabels")}
HOLDERS = ("View", "Collapse", "Panel", "Choices", "Labels", "RectangleLabels")
"""The tags that may contain others; measured: a question inside a <Text> is asked of nobody."""


@dataclass
class Tag:
    """One tag: its name, line, attributes, children and text."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list[Tag] = field(default_factory=list)
    text: str = ""

    def walk(self) -> Iterator[Tag]:
        """Yield the tag and all tags inside it, in the order of the lines."""
        yield self
        for child in self.children:
            yield from child.walk()

    def get(self, attribute: str) -> str:
        """The value of a required attribute. Raises FormError if it is missing or empty."""
        if attribute not in self.attributes:
            raise self.error(f"has no {attribute}")
        if not self.attributes[attribute].strip():
            raise self.error(f"has an empty {attribute}")
        return self.attributes[attribute]

    def one_of(self, attribute: str, allowed: Sequence[str], default: str) -> str:
        """The value of an attribute with few allowed values. Raises FormError for others."""
        value = self.attributes.get(attribute, default)
        if value not in allowed:
            raise self.error(f'{attribute}="{value}" is not known', hint=" or ".join(allowed))
        return value

    def error(self, complaint: str, hint: str = "") -> FormError:
        """An error that names the tag, its line and the complaint."""
        return FormError(f"line {self.line}: <{self.name}> {complaint}", hint=hint)


def read(xml: str) -> list[Tag]:
    """All tags of a label config. Raises FormError for one that cannot be read."""
    tags = list(_tree(xml).walk())
    if tags[0].name != "View":
        raise tags[0].error("stands outermost", hint="a form is one <View>")
    _refuse_unknown(tags)
    for tag in tags:
        _refuse_attributes(tag)
    _refuse_same(tags, "name", str)
    _refuse_same(tags, "hotkey", str.lower)
    return tags


def tree(xml: str) -> list[Tag]:
    """All tags of a label config, none of them checked. Raises FormError for what is no XML."""
    return [*_tree(xml).walk()]


def options(tag: Tag, part: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values of choices or labels, and their words on the page. Raises FormError."""
    parts = [child for child in tag.walk() if child.name == part]
    if not parts:
        raise tag.error(f"offers no <{part}>")
    values: list[str] = []
    words: list[str] = []
    for option in parts:
        word = _option(option, "value")
        value = _option(option, "alias") if "alias" in option.attributes else word
        if value in values:
            raise option.error(f"repeats {value}")
        if word in words:
            raise option.error(f"looks like another: {word}")
        values.append(value)
        words.append(word)
    for option, value, word in zip(parts, values, words, strict=True):
        if value != word and value in words:  # an answer is looked up by either
            raise option.error(f"has the alias {value}, which is another's value")
    return tuple(values), tuple(words)


def _option(option: Tag, attribute: str) -> str:
    value = option.get(attribute)
    if value != value.strip():
        raise option.error(f"{attribute}={value!r} has white space around it")
    return value


# ── what is refused


_QUESTION = ("name", "toName", "required", "requiredMessage")
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Text": ("name", "value", "granularity", "highlightColor", "showLabels", "saveTextResult"),
    "Image": (
        *("name", "value", "width", "maxWidth", "horizontalAlignment", "verticalAlignment"),
        *("smoothing", "zoom", "negativeZoom", "zoomBy", "zoomControl", "defaultZoom"),
        *("grid", "gridSize", "gridColor", "crosshair", "crossOrigin"),
        *("brightnessControl", "contrastControl", "rotateControl"),
    ),
    "Audio": ("name", "value", "height", "zoom", "volume", "speed", "hotkey", "decoder"),
    "Video": ("name", "value", "height", "muted"),
    "Choices": (*_QUESTION, "choice", "showInline", "layout"),
    "Choice": ("value", "alias", "hotkey", "hint", "style", "color"),
    "Labels": (
        *(*_QUESTION, "choice", "showInline", "maxUsages"),
        *("opacity", "fillColor", "strokeColor", "strokeWidth"),
    ),
    "RectangleLabels": (
        *(*_QUESTION, "choice", "showInline", "maxUsages", "canRotate", "snap"),
        *("opacity", "fillColor", "strokeColor", "strokeWidth"),
    ),
    "Label": (
        *("value", "alias", "hotkey", "hint", "background", "selectedColor", "size"),
        *("maxUsages", "showAlias", "aliasStyle", "category"),
    ),
    "Rating": (*_QUESTION, "maxRating", "size", "icon", "hotkey"),
    "TextArea": (
        *(*_QUESTION, "label", "placeholder", "rows", "editable", "maxSubmissions"),
        *("skipDuplicates", "showSubmitButton"),
    ),
    "Pairwise": (*_QUESTION, "selectionStyle", "leftClass", "rightClass"),
    "View": ("className", "style", "display", "idAttr"),
    "Header": ("value", "size", "style", "underline"),
    "Style": (),
    "Collapse": ("accordion", "bordered", "open"),
    "Panel": ("value",),
}

LOOKS = frozenset(
    (
        *("hotkey", "style", "color", "background", "selectedColor", "className", "idAttr"),
        *("size", "width", "maxWidth", "rows", "icon", "layout", "showInline", "underline"),
        *("highlightColor", "showLabels", "opacity", "fillColor", "strokeColor", "strokeWidth"),
        *("horizontalAlignment", "verticalAlignment", "smoothing", "grid", "gridSize"),
        *("gridColor", "crosshair", "showAlias", "aliasStyle", "selectionStyle", "leftClass"),
        *("rightClass", "display", "accordion", "bordered", "open", "showSubmitButton"),
        *("height", "zoom", "volume", "speed", "muted", "decoder", "saveTextResult"),
        *("brightnessControl", "contrastControl", "zoomControl", "zoomBy", "negativeZoom"),
        *("defaultZoom", "crossOrigin"),
    )
)
"""Attributes that change how a form looks, and nothing of what it asks."""

_ASKED_FOR_A_PART = "cannot be asked per region"
_ANSWERED = "would be answered before anybody looked ({})"
_DEPENDS = "cannot depend on another answer ({})"
_FROM_DATA = "cannot take its options from the data"
_REFUSED = {
    "perregion": _ASKED_FOR_A_PART,
    "peritem": "cannot be asked per item",
    "selected": _ANSWERED,
    "defaultvalue": _ANSWERED,
    "visiblewhen": _DEPENDS,
    "whentagname": _DEPENDS,
    "whenlabelvalue": _DEPENDS,
    "whenchoicevalue": _DEPENDS,
    "allownested": "cannot have choices within choices",
    "valuelist": 'must show one field, as in value="$text"',
    "valuetype": "cannot fetch its text from an address",
    "encoding": "must show the text as it is: spans are counted in it",
    "html": "must show its value",
}
"""Attributes that the server knows and we refuse, in lower case as its page reads them."""

_SWITCHES = ("perRegion", "perItem", "selected", "allowNested")
"""Attributes of `_REFUSED` that are allowed if they are off."""

PLAIN = {
    **dict.fromkeys(("required", *_SWITCHES), "false"),
    **{"choice": "single", "granularity": "symbol", "maxRating": "5"},
}
"""Attributes with the values that they have if nothing is said."""


def _refuse_unknown(tags: Sequence[Tag]) -> None:
    inside = {
        id(part) for tag in tags for part in tag.walk() if tag.name in PARTS.get(part.name, ())
    }
    for tag in tags:
        if tag.name not in (*OBJECTS, *CONTROLS, *LAYOUT, *PARTS):
            allowed = ", ".join((*OBJECTS, *CONTROLS, *PARTS, *LAYOUT))
            raise tag.error("cannot be read by curate", hint=f"use only {allowed}")
        if tag.name in PARTS and id(tag) not in inside:
            raise tag.error(f"belongs in <{'> or <'.join(PARTS[tag.name])}>")
        if tag.children and tag.name not in HOLDERS:
            raise tag.children[0].error(f"cannot stand in <{tag.name}>")
        if tag.name in CONTROLS:
            for other in tag.walk():
                if other is not tag and other.name in (*OBJECTS, *CONTROLS):  # no page opens
                    raise other.error(f"cannot stand in <{tag.name}>")


def _refuse_attributes(tag: Tag) -> None:
    allowed = _ATTRIBUTES[tag.name]
    for name, value in tag.attributes.items():
        if name in _SWITCHES and value == "false":
            continue
        if name not in allowed:
            raise _unknown(tag, name, allowed)
        if re.search(r"\$\w", value) and (tag.name not in OBJECTS or name != "value"):
            # measured: "costs $5" is shown, and answered, as "costs undefined"
            raise tag.error(
                f"{name}={value!r}: what follows a $ is taken for a field",
                hint='show a field with <Text value="$…"/>; write $ with a space behind it',
            )
    tag.one_of("required", ("true", "false"), "false")


def _unknown(tag: Tag, name: str, allowed: Sequence[str]) -> FormError:
    if tag.name in ("Choices", "Labels", "RectangleLabels", "TextArea") and name == "value":
        return tag.error(_ANSWERED.format(name) if tag.name == "TextArea" else _FROM_DATA)
    if complaint := _REFUSED.get(name.lower()):
        return tag.error(complaint.format(name))
    near = get_close_matches(name, allowed, 1, 0.7)
    hint = f"{near[0]}?" if near else f"it may have {', '.join(allowed) or 'none'}"
    return tag.error(f"has an attribute that curate does not know: {name}", hint=hint)


def _refuse_same(tags: Sequence[Tag], attribute: str, normalise: Callable[[str], str]) -> None:
    """Refuse a repeated value: measured, a hotkey then does both, and the server refuses a name."""
    first_tags: dict[str, Tag] = {}
    for tag in tags:
        if attribute in tag.attributes:
            value = normalise(tag.get(attribute))
            first = first_tags.setdefault(value, tag)
            if first is not tag:
                raise tag.error(f"has the {attribute} {value} of line {first.line}")


# ── XML


def _tree(xml: str) -> Tag:
    root = Tag("", 0, {})
    open_tags = [root]
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = Tag(name, parser.CurrentLineNumber, attributes)
        open_tags[-1].children.append(tag)
        open_tags.append(tag)

    def end(name: str) -> None:
        open_tags.pop()

    def characters(text: str) -> None:
        open_tags[-1].text += text

    def doctype(*_: object) -> None:
        raise FormError(f"line {parser.CurrentLineNumber}: a form must not declare a DOCTYPE")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise FormError(f"line {error.lineno}: {expat.ErrorString(error.code)}") from None
    return root.children[0]
