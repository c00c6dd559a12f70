"""Charts as SVG text, drawn without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

_ROLES = r' role="graphics-[a-z]+" aria-roledescription="[a-z ]+"'
"""What Vega says of parts of a chart: the page names the chart as a whole."""

Rows = Sequence[Mapping[str, Any]]
Title = Callable[[str], str]
"""The words for the name of a column, in the language of the page."""

INK = "currentColor"
"""The colour of the text around the chart, which is light on a dark page."""

_INK = {"labelColor": INK, "titleColor": INK}
_FONT = {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 320}
_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "aria": False,
    "axis": {**_FONT, "grid": False, **_INK, "domainColor": INK, "tickColor": INK},
    "legend": _INK,
}
"""How all charts look, beside Altair's theme."""

_WIDTH = 560
_PADDING = {"left": 32, "right": 8, "top": 8, "bottom": 8}
"""Pixels around a chart: a browser may have a wider font than the one that was measured."""

_COLORS = ["#9aa5b1", "#3f6fb5", "#2a9d6f", "#d9822b", "#8e5ea2"]


def bars(rows: Rows, name: str, value: str, *, title: Title = str) -> str:
    """Horizontal bars in the order of the rows, with their numbers."""
    import altair as alt

    base = _chart(rows).encode(
        y=alt.Y(f"{name}:N", sort=None, title=None),
        x=alt.X(f"{value}:Q", title=title(value), axis=alt.Axis(tickCount=6)),
    )
    marks = base.mark_bar(color=_COLORS[1])
    numbers = base.mark_text(align="left", dx=4, color=INK).encode(
        text=alt.Text(f"{value}:Q", format=",")
    )
    return _svg((marks + numbers).properties(width=_WIDTH, height=alt.Step(26)))


def grouped(rows: Rows, name: str, value: str, series: str, *, title: Title = str) -> str:
    """Bars side by side: one cluster for each `name`, one bar for each `series`."""
    import altair as alt

    order = list(dict.fromkeys(row[series] for row in rows))
    chart = (
        _chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y(f"{name}:N", sort=None, title=None),
            yOffset=alt.YOffset(f"{series}:N", sort=order),
            x=alt.X(f"{value}:Q", title=title(value)),
            color=alt.Color(
                f"{series}:N", sort=order, scale=alt.Scale(range=_COLORS[: len(order)]), title=None
            ),
        )
    )
    return _svg(chart.properties(width=_WIDTH, height=alt.Step(12)))


def shares(rows: Rows, name: str, value: str, series: str, *, title: Title = str) -> str:
    """Bars side by side as `grouped`, each with its interval from `low` to `high` if it has one."""
    import altair as alt

    order = list(dict.fromkeys(row[series] for row in rows))
    base = _chart(rows).encode(
        y=alt.Y(f"{name}:N", sort=None, title=None), yOffset=alt.YOffset(f"{series}:N", sort=order)
    )
    color = alt.Color(
        f"{series}:N", sort=order, scale=alt.Scale(range=_COLORS[: len(order)]), title=None
    )
    marks = base.mark_bar().encode(x=alt.X(f"{value}:Q", title=title(value)), color=color)
    known = base.transform_filter("isValid(datum.low)")
    spans = known.mark_rule(color=INK).encode(x="low:Q", x2="high:Q")
    return _svg((marks + spans).properties(width=_WIDTH, height=alt.Step(12)))


def reliability(bins: Rows, *, title: Title = str) -> str:
    """Confidence against the share that came true, a line for each `question`; the diagonal."""
    import altair as alt

    names = list(dict.fromkeys(row["question"] for row in bins))
    colors = {"range": _COLORS[1:]} if len(names) < len(_COLORS) else {"scheme": "tableau20"}
    points = (
        _chart(bins)
        .mark_line(point=alt.OverlayMarkDef(size=60))
        .encode(
            color=alt.Color(
                "question:N",
                sort=names,
                scale=alt.Scale(domain=names, **colors),
                title=None,
                legend=alt.Legend() if len(names) > 1 else None,
            ),
            x=alt.X("confidence:Q", scale=alt.Scale(domain=[0, 1]), title=title("confidence")),
            y=alt.Y("accuracy:Q", scale=alt.Scale(domain=[0, 1]), title=title("came true")),
        )
    )
    ends = [{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]
    diagonal = (
        _chart(ends)
        .mark_line(strokeDash=[4, 4], color=_COLORS[0])
        .encode(x="confidence:Q", y="accuracy:Q")
    )
    return _svg((diagonal + points).properties(width=320, height=320))


def distributions(rows: Rows, *, title: Title = str) -> str:
    """The quartiles `low`, `median` and `high` of each `group`, side by side for each `which`."""
    import altair as alt

    base = _chart(rows).encode(
        y=alt.Y("group:N", title=None),
        yOffset=alt.YOffset("which:N"),
        color=alt.Color("which:N", scale=alt.Scale(range=[_COLORS[0], _COLORS[1]]), title=None),
    )
    boxes = base.mark_bar(opacity=0.6).encode(
        x=alt.X("low:Q", title=title("quality"), scale=alt.Scale(zero=False)), x2="high:Q"
    )
    ticks = base.mark_tick(thickness=3).encode(x="median:Q")
    return _svg((boxes + ticks).properties(width=_WIDTH, height=alt.Step(16)))


def intervals(rows: Rows, *, title: Title = str) -> str:
    """The `value` of each `name` from `low` to `high`, and the `naive` one as a small tick."""
    import altair as alt

    base = _chart(rows).encode(y=alt.Y("name:N", sort=None, title=None))
    spans = base.mark_rule(strokeWidth=2, color=_COLORS[1]).encode(
        x=alt.X("low:Q", title=title("estimate, 90 % interval")), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, color=_COLORS[1], opacity=1).encode(x="value:Q")
    ticks = base.mark_tick(thickness=2, size=10, color=_COLORS[3]).encode(x="naive:Q")
    return _svg((spans + dots + ticks).properties(width=_WIDTH, height=alt.Step(20)))


def differences(rows: Rows, *, title: Title = str) -> str:
    """The `difference` of each `name` from `low` to `high`, beside no difference."""
    import altair as alt

    base = _chart(rows).encode(y=alt.Y("name:N", sort=None, title=None))
    spans = base.mark_rule(strokeWidth=2, color=_COLORS[1]).encode(
        x=alt.X("low:Q", title=title("difference, 95 % interval")), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, color=_COLORS[1], opacity=1).encode(
        x="difference:Q"
    )
    none = _chart([{"none": 0}]).mark_rule(strokeDash=[4, 4], color=_COLORS[0]).encode(x="none:Q")
    return _svg((none + spans + dots).properties(width=_WIDTH, height=alt.Step(20)))


def losses(points: Rows, *, title: Title = str) -> str:
    """The cross-entropy of each mixture on each source, with two standard deviations each way."""
    import altair as alt

    rows = [
        {
            **point,
            "low": point["loss"] - 2 * point["sd"],
            "high": point["loss"] + 2 * point["sd"],
        }
        for point in points
    ]
    base = _chart(rows).encode(
        y=alt.Y("source:N", title=None),
        yOffset=alt.YOffset("mixture:N"),
        color=alt.Color("mixture:N", scale=alt.Scale(range=_COLORS[1:]), title=None),
    )
    dots = base.mark_point(filled=True, size=70).encode(
        x=alt.X("loss:Q", title=title("nats per byte"), scale=alt.Scale(zero=False))
    )
    spans = base.mark_rule().encode(x="low:Q", x2="high:Q")
    return _svg((dots + spans).properties(width=_WIDTH, height=alt.Step(20)))


def curves(points: Rows, *, title: Title = str) -> str:
    """The loss of each `mixture` at each `step`, a line for each `text`: dashed if trained on."""
    import altair as alt

    names = list(dict.fromkeys(point["mixture"] for point in points))
    colors = {"range": _COLORS[1:]} if len(names) < len(_COLORS) else {"scheme": "tableau20"}
    chart = (
        _chart(points)
        .mark_line(point=alt.OverlayMarkDef(size=20))
        .encode(
            x=alt.X("step:Q", title=title("step")),
            y=alt.Y("loss:Q", title=title("nats per token"), scale=alt.Scale(zero=False)),
            color=alt.Color(
                "mixture:N", sort=names, scale=alt.Scale(domain=names, **colors), title=None
            ),
            strokeDash=alt.StrokeDash(
                "text:N",
                scale=alt.Scale(
                    domain=[title("held out"), title("trained on")], range=[[1, 0], [4, 3]]
                ),
                legend=alt.Legend(symbolType="stroke", symbolStrokeColor=INK),
                title=None,
            ),
        )
    )
    return _svg(chart.properties(width=_WIDTH, height=260))


def weights(points: Rows, *, title: Title = str) -> str:
    """The `share` of each `group` over the parts of a budget, a line each."""
    import altair as alt

    names = list(dict.fromkeys(point["group"] for point in points))
    chart = (
        _chart(points)
        .mark_line(point=True)
        .encode(
            x=alt.X("part:O", title=title("part of the budget"), axis=alt.Axis(labelAngle=0)),
            y=alt.Y("share:Q", title=title("share"), scale=alt.Scale(zero=True)),
            color=alt.Color("group:N", sort=names, scale=alt.Scale(scheme="tableau20"), title=None),
        )
    )
    return _svg(chart.properties(width=_WIDTH, height=240))


def _chart(rows: Rows) -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.InlineData(values=list(rows)))


def _svg(chart: Any) -> str:
    import vl_convert

    spec = chart.to_dict(validate=False)  # tests draw every chart, and hold it to the schema
    theme = spec.get("config", {})
    spec["config"] = {**theme, **_CONFIG, "view": {**theme.get("view", {}), "stroke": None}}
    spec["padding"] = _PADDING
    svg = str(vl_convert.vegalite_to_svg(json.dumps(spec, sort_keys=True)))
    return re.sub(_ROLES, "", svg)
