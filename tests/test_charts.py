"""Every chart of the report is valid Vega-Lite: nothing checks it while it is drawn."""

import inspect
import json

import altair as alt
import jsonschema
import pytest
import vl_convert
from altair.utils.schemapi import debug_mode, validate_jsonschema

from curate.report import charts

SPAN = {"low": 0.1, "median": 0.2, "high": 0.4}
BOTH = ("web", "books")
DRAWN = {
    "bars": ([{"group": name, "documents": 3} for name in BOTH], "group", "documents"),
    "grouped": (
        [{"group": name, "share": 0.5, "which": which} for name in BOTH for which in "ab"],
        *("group", "share", "which"),
    ),
    "shares": (
        [{"group": name, "share": 0.3, "which": "a", **SPAN} for name in BOTH]
        + [{"group": "news", "share": 0.4, "which": "b", "low": None, "high": None}],
        *("group", "share", "which"),
    ),
    "reliability": (
        [
            {"question": question, "confidence": x, "accuracy": x / 2}
            for question in ("mood", "topic")
            for x in (0.5, 0.9)
        ],
    ),
    "distributions": ([{"group": name, "which": "all", **SPAN} for name in BOTH],),
    "intervals": ([{"name": name, "value": 0.2, "naive": 0.3, **SPAN} for name in BOTH],),
    "differences": ([{"name": name, "difference": 0.2, **SPAN} for name in BOTH],),
    "losses": ([{"source": name, "mixture": "mixed", "loss": 1.5, "sd": 0.1} for name in BOTH],),
    "curves": (
        [
            {"mixture": name, "step": step, "loss": 3 / step, "text": "held out"}
            for name in BOTH
            for step in (1, 2)
        ],
    ),
    "weights": ([{"group": name, "part": part, "share": 0.5} for name in BOTH for part in (1, 2)],),
}
"""What is drawn, by the kind of the chart."""


def test_every_chart_is_drawn_here():
    own = inspect.getmembers(charts, inspect.isfunction)
    assert {name for name, _ in own if not name.startswith("_")} == set(DRAWN)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_valid_and_has_the_look_of_all(kind, monkeypatch):
    specs = []
    drawn = vl_convert.vegalite_to_svg
    monkeypatch.setattr(
        vl_convert, "vegalite_to_svg", lambda spec: specs.append(spec) or drawn(spec)
    )
    svg = getattr(charts, kind)(*DRAWN[kind])
    (spec,) = map(json.loads, specs)
    validate_jsonschema(spec, alt.load_schema())
    config = spec["config"]
    assert (config["background"], config["aria"]) == ("transparent", False)
    assert config["axis"]["labelColor"] == config["legend"]["titleColor"] == "currentColor"
    assert config["view"]["stroke"] is None
    assert config["view"]["continuousHeight"] == 300  # of Altair's theme, as ever
    assert spec["padding"]["left"] == 32
    assert svg.startswith("<svg")
    assert "aria-roledescription" not in svg
    with debug_mode(False):
        assert getattr(charts, kind)(*DRAWN[kind]) == svg


def test_a_chart_that_is_not_valid_is_seen():
    with pytest.raises(jsonschema.ValidationError):
        validate_jsonschema({"mark": "no mark", "encoding": {}}, alt.load_schema())
