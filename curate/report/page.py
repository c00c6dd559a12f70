"""Renders the page: one file with its style, its scripts, and nothing from anywhere else.

A policy in the page lets no script run but its own, by its hash: whatever a text says is text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.report import charts
from curate.report.lexicon import Lexicon, anchor
from curate.report.section import Chart, Live, Picture, Say, every, say
from curate.report.story import Story
from curate.rounding import rounded

if TYPE_CHECKING:
    from markupsafe import Markup

HERE = Path(__file__).parent
SCRIPTS = ("what_if.js", "map.js", "page.js")


def render(story: Story, lexicon: Lexicon) -> str:
    """The page as HTML."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters |= {
        "anchor": anchor,
        "column": lexicon.column,
        "drawn": lambda chart: _safe(draw(chart, lexicon)),
        "json": _json(lexicon),
        "live": lambda live: _told(live, lexicon),
        "percent": lambda value: rounded(value, ".1%").replace("%", " %"),
        "paragraph": lambda sentences: coded(lexicon.paragraph(sentences)),
        "said": lambda own: coded(lexicon.say(own)),
        "shown": lexicon.shown,
        "warned": lambda warning: coded(lexicon.sentence(warning)),
    }
    environment.tests["picture"] = lambda value: isinstance(value, Picture)
    own = {name: getattr(story, name) for name in story.__dataclass_fields__}
    own["made"] = f"{story.made[:16].replace('T', ' ')} UTC"
    script = _script() if any(part.live for part in every(story.chapters)) else ""
    return environment.from_string(_read("page.html.j2")).render(
        **own,
        lexicon=lexicon,
        say=lambda key, **figures: lexicon.say(say(key, **figures)),
        style=_read("page.css"),
        script=script,
        script_hash=_hash(script),
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _script() -> str:
    return "\n".join(["'use strict';", *(_read(f"live/{name}") for name in SCRIPTS)])


def _hash(script: str) -> str:
    """The script's hash as a policy names it."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def _safe(html: str) -> Markup:
    from markupsafe import Markup

    return Markup(html)


def draw(chart: Chart, lexicon: Lexicon) -> str:
    """A chart as SVG, in the language of the page."""
    from altair.utils.schemapi import debug_mode

    function = getattr(charts, chart.kind)
    with debug_mode(
        False
    ):  # it would check every part when it is made, which takes most of the time
        return str(function(lexicon.drawn(chart.rows), *chart.columns, title=lexicon.column))


def _told(live: Live, lexicon: Lexicon) -> Any:
    """The numbers of what is live, with its words in the language of the page."""

    def told(value: Any) -> Any:
        if isinstance(value, Say):
            return lexicon.say(value)
        if isinstance(value, Mapping):
            return {name: told(own) for name, own in value.items()}
        return [told(own) for own in value] if isinstance(value, list | tuple) else value

    return told(live.data)


def _json(lexicon: Lexicon) -> Any:
    """A filter: the numbers of what is live as JSON that ends no element of a page."""

    def written(live: Live) -> Markup:
        text = json.dumps(_told(live, lexicon), ensure_ascii=False, separators=(",", ":"))
        for letter in "<>&\u2028\u2029":  # some times as fast as `translate`
            text = text.replace(letter, f"\\u{ord(letter):04x}")
        return _safe(text)

    return written


def coded(words: str) -> Markup:
    """A sentence as HTML: what stands between backticks is code."""
    from markupsafe import Markup, escape

    parts = words.split("`")
    if len(parts) % 2 == 0:  # one backtick is alone
        return escape(words)
    code = Markup("<code>{}</code>").format
    return Markup("").join(
        code(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )
