"""The report's map with 20,000 points in a real Chromium, and the page as it is printed."""

import base64
import io

import numpy as np
import pypdfium2
import pytest

from curate.report.lexicon import Lexicon
from curate.report.page import render
from curate.report.section import Chapter, Live, as_written, say, section
from curate.report.sections.map import _base64
from curate.report.story import Story
from tests.browser.chromium import chromium

pytestmark = pytest.mark.browser

POINTS = 20_000
FRAME = 1000 / 60
"""Milliseconds of a frame at 60 a second."""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with a map of so many points, and a table that is wider than paper."""
    rng = np.random.default_rng(0)
    x, y = (rng.integers(0, 65536, POINTS).astype("<u2") for _ in "xy")
    codes = _base64(rng.integers(0, 12, POINTS).astype(np.uint8).tobytes())
    names = [as_written(f"group {number}") for number in range(11)]
    data = {
        "x": _base64(x.tobytes()), "y": _base64(y.tobytes()),
        "texts": [f"text {number}" for number in range(POINTS)],
        "colours": [{"name": say("map.group"), "kind": "name", "names": names, "codes": codes}],
        "words": {"colour": say("map.colour"), "hint": say("map.hint"),
                  "label": say("map.caption", shown=POINTS)},
    }  # fmt: skip
    rows = [{f"column {n} of many": 1000 * n for n in range(16)} | {"last": "the last cell"}] * 40
    told = section("map", live=Live("map", data), rows=rows)
    story = Story("Points", "2026-01-01T00:00:00Z", (), (), (), (Chapter("corpus", (told,)),), ())
    path = tmp_path_factory.mktemp("points") / "report.html"
    path.write_text(render(story, Lexicon("en")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def window(page, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        browser.get(page.as_uri())
        yield browser


HOVER = """
const canvas = document.querySelector("canvas"), frame = canvas.getBoundingClientRect();
const counted = {drawn: 0}, real = CanvasRenderingContext2D.prototype.fillRect;
CanvasRenderingContext2D.prototype.fillRect = function (...own) {
  counted.drawn++;
  real.apply(this, own);
};
const times = [];
for (let step = 0; step < 300; step++) {
  const clientX = frame.left + 20 + (step * 37) % (frame.width - 40);
  const clientY = frame.top + 20 + (step * 53) % (frame.height - 40);
  const began = performance.now();
  canvas.dispatchEvent(new PointerEvent("pointermove", {clientX, clientY}));
  times.push(performance.now() - began);
}
CanvasRenderingContext2D.prototype.fillRect = real;
return {median: times.sort((one, other) => one - other)[150], worst: times[299],
        drawn: counted.drawn, told: document.querySelector(".told").textContent};
"""


def test_a_move_of_the_mouse_draws_no_point_again(window):
    found = window.execute_script(HOVER)
    print(f"{found['median']:.2f} ms a move (median), {found['worst']:.2f} ms the slowest")
    assert found["drawn"] == 0
    assert found["told"].startswith("text ")
    assert found["median"] < FRAME


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_is_light_and_cuts_nothing(window, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    made = window.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    pages = pypdfium2.PdfDocument(io.BytesIO(base64.b64decode(made["data"])))
    words = " ".join(sheet.get_textpage().get_text_range() for sheet in pages)
    assert "".join(words.split()).count("thelastcell") == 40
    for number, sheet in enumerate(pages):
        image = np.asarray(sheet.render(scale=1).to_pil().convert("L"))
        assert image[2, 2] > 240, number
        assert (image > 200).mean() > 0.5, number
        assert image[:, -4:].min() > 200, f"page {number} runs over its right edge"
