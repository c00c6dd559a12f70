"""The report in a real Chromium: nothing breaks, nothing of a text runs, sliders compute `mix`."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest

from curate.mixture.projection import Problem
from curate.mixture.shares import Offer, by_quality
from tests.browser.chromium import chromium, incidents, picture
from tests.browser.hostile import HOSTILE
from tests.conftest import Offline, reviews

pytestmark = pytest.mark.browser

LOOKS = [(1400, "light"), (1400, "dark"), (400, "light"), (400, "dark")]
QUALITY = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}
WORDS = ("lovely", "awful", "fine", "dreadful", "excellent")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with hostile texts among its documents, examples, disputes and people."""
    run = Offline(tmp_path_factory.mktemp("hostile") / "run")
    run.lines("<img src=x onerror=hacked=1>.jsonl".replace("/", ""), HOSTILE.values())
    run.lines("mixed.jsonl", reviews(("soup", "western", "stew", "comedy"), WORDS))
    run.reviews()
    run.pool(holdout=0.05)
    run.run("clean", rules=["length"])
    run.run("sample", n=150, strategy="random", seed=1)
    run.run("push", backend="folder", form="sentiment", overlap=2)
    run.answer("ann")
    hostile = [task["id"] for task in run.tasks if is_hostile(task["text"])]
    assert len(hostile) >= 21
    run.answer("<script>hacked=1</script>", ids=hostile, opinion=lambda text: "positive")
    run.run("pull")
    run.run("agree", bootstrap=50)
    run.run("score", encoder="chargram", resamples=2, quality=QUALITY)
    run.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="40%")
    return run


def is_hostile(text):
    return any(mark in text for mark in ("TARGET", "x" * 1000, "quick brown"))


@pytest.fixture(scope="module")
def pages(run):
    """The page in each language, beside each other."""
    paths = {}
    for language in ("en", "zh"):
        run.run("report", lang=language, title="{{ title }} <b>TARGET</b>")
        paths[language] = run.root / f"page-{language}.html"
        (run.root / "report.html").rename(paths[language])
    return paths


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def show(window, path, width, scheme):
    """Open the page in a window so wide, in a light or a dark colour scheme."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    window.get(path.as_uri())
    window.execute_script("document.querySelectorAll('details').forEach((own) => own.open = true)")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_breaks_and_nothing_of_a_text_runs(window, pages, language, tmp_path):
    assert len(HOSTILE) >= 21
    for width, scheme in LOOKS:
        show(window, pages[language], width, scheme)
        assert window.get_log("browser") == []
        assert incidents(window) == []
        assert window.execute_script("return document.documentElement.scrollWidth") <= width
        background = "return getComputedStyle(document.body).backgroundColor"
        is_dark = window.execute_script(background) == "rgb(20, 25, 31)"
        assert is_dark == (scheme == "dark")
        picture(window, tmp_path, f"report-{language}-{width}-{scheme}")
    shown = window.execute_script("return document.querySelector('main').innerText")
    lines = [" ".join(text.split())[:60] for text in HOSTILE.values()]
    assert sum(line in " ".join(shown.split()) for line in lines) >= 15
    assert "{{ title }} <b>TARGET</b>" in window.title
    assert window.execute_script("return document.scripts.length") == 3  # two hold numbers alone


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", 1400, "light"), ("zh", 400, "dark")]
)
def test_a_screen_reader_finds_nothing_serious(window, pages, language, width, scheme):
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    show(window, pages[language], width, scheme)
    window.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = window.execute_async_script("axe.run().then(arguments[0])")
    serious = [
        (own["id"], [node["html"][:120] for node in own["nodes"]][:3])
        for own in found["violations"]
        if own["impact"] in ("serious", "critical")
    ]
    assert len(found["passes"]) > 20
    assert serious == []


def test_the_map_shows_the_text_of_a_point_by_mouse_and_by_keys(window, pages, run):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    show(window, pages["en"], 1400, "light")
    canvas = window.find_element(By.TAG_NAME, "canvas")
    told = window.find_element(By.CSS_SELECTOR, ".told")
    window.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    canvas.send_keys(Keys.ARROW_RIGHT)
    first = told.text
    canvas.send_keys(Keys.ARROW_RIGHT)
    second = told.text
    assert first != second
    kept = {row["id"] for row in run.rows("clean") if row["kept"]}
    beginnings = {" ".join(row["text"].split())[:100].strip() for row in run.rows("pool")
                  if row["id"] in kept}  # fmt: skip
    assert {words.split("\n")[0].rstrip("…") for words in (first, second)} <= beginnings
    assert "source: " in second
    data = "return JSON.parse(document.querySelector('[data-live=map] script').textContent)"
    numbers = window.execute_script(data)
    assert len(numbers["texts"]) == len(kept)
    x, y = (np.frombuffer(_bytes(numbers[axis]), "<u2")[0] for axis in ("x", "y"))
    size = canvas.size
    left, top = 8 + x / 65535 * (size["width"] - 16), 8 + (1 - y / 65535) * (size["height"] - 16)
    aside = (round(left - size["width"] / 2), round(top - size["height"] / 2))
    ActionChains(window).move_to_element_with_offset(canvas, *aside).perform()
    assert told.text.startswith(numbers["texts"][0][:20].strip())


def _bytes(text):
    from base64 import b64decode

    return b64decode(text)


def slide(window, **values):
    """Move sliders as a person does; a temperature by its value."""
    for name, value in values.items():
        window.execute_script(
            "const own = document.querySelector(`input[name=${arguments[0]}]`);"
            "own.value = arguments[1]; own.dispatchEvent(new Event('input', {bubbles: true}));",
            name, value,
        )  # fmt: skip


def computed(window, name):
    """What the page computed of each group."""
    cells = (
        "return Object.fromEntries([...document.querySelectorAll('[data-live=what-if] tbody tr')]"
        ".map((row) => [row.querySelector('th').textContent,"
        " Number(row.querySelector(`[data-is=${arguments[0]}]`).dataset[arguments[0]])]))"
    )
    return window.execute_script(cells, name)


def test_sliders_give_the_shares_that_mix_computes(window, pages, run):
    show(window, pages["en"], 1400, "light")
    promised = {row["group"]: row["promised"] for row in run.rows("groups")}
    assert computed(window, "share") == pytest.approx(promised, abs=1e-6)
    slide(window, alpha=0.4, beta=3, cap=0.26)
    shares = computed(window, "share")
    assert max(shares.values()) == pytest.approx(0.26)
    between = {"strategy": "quality", "alpha": 0.4, "beta": 3}
    run.run(
        "mix", groups=["source"], within={"strategy": "softmax"}, budget="40%", between=between,
        limits={"*": {"max_share": 0.26}},
    )  # fmt: skip
    promised = {row["group"]: row["promised"] for row in run.rows("groups")}
    assert shares == pytest.approx(promised, abs=1e-6)
    recipe = window.execute_script("return document.querySelector('code.recipe').textContent")
    assert recipe == (
        "mix: {between: {strategy: quality, alpha: 0.4, beta: 3}, "
        'within: {strategy: softmax, temperature: 1}, limits: {"*": {max_share: 0.26}}}'
    )
    slide(window, cap=0.01)
    status = window.execute_script("return document.querySelector('[role=status]').textContent")
    assert status == "No shares keep these limits within the budget." or min(shares.values()) > 0


@pytest.mark.parametrize("seed", range(5))
def test_the_page_computes_shares_by_the_formulas_of_the_code(window, pages, seed):
    show(window, pages["en"], 1400, "light")
    rng = np.random.default_rng(seed)
    names = [f"g{at}" for at in range(6)]
    supply = rng.integers(1_000, 1_000_000, 6)
    quality, most = rng.random(6), rng.uniform(0.2, 0.6, 6)
    alpha, beta = float(rng.random()), float(rng.uniform(-5, 5))
    offer = Offer(pd.Series(supply, names), pd.Series(quality, names), pd.Series(most, names))
    wanted = by_quality(offer, alpha=alpha, beta=beta)
    prior = np.array([wanted[name] for name in names])
    expected = Problem.of(prior, most, [], names=names).project(prior).shares
    groups = [
        {"supply": int(supply[at]), "quality": float(quality[at]), "is_tied": False}
        for at in range(6)
    ]
    found = window.execute_script(
        "const [groups, alpha, beta, high] = arguments;"
        "return nearest(wanted(groups, alpha, beta), groups.map(() => 0), high)",
        groups, alpha, beta, most.tolist(),
    )  # fmt: skip
    assert found == pytest.approx(expected.tolist(), abs=1e-7)


@pytest.mark.parametrize(("temperature", "share"), [(0.3, 0.2), (1.0, 0.5), (0.5, 1.6)])
def test_the_quality_of_what_is_drawn_is_that_of_a_draw(window, pages, temperature, share):
    """Beside the draw itself: whole passes, then the largest of log weight + Gumbel noise."""
    show(window, pages["en"], 1400, "light")
    rng = np.random.default_rng(3)
    quality = rng.beta(2, 3, 100_000)
    z = (quality - quality.mean()) / quality.std()
    passes, rest = divmod(share, 1)
    keys = z / temperature + rng.gumbel(size=len(z))
    top = quality[np.argsort(-keys)[: round(rest * len(z))]]
    drawn = (passes * quality.sum() + top.sum()) / (passes * len(z) + len(top))
    tokens = np.histogram(quality, 100, (0, 1))[0]
    group = {
        **{"supply": len(z), "tokens": tokens.tolist(), "epochs": 4},
        **{"mean": float(quality.mean()), "spread": float(quality.std())},
    }
    found = window.execute_script(
        "const [group, share, temperature] = arguments;"
        "return drawnQuality(group, share, group.supply, temperature)",
        group, share, temperature,
    )  # fmt: skip
    assert found == pytest.approx(drawn, abs=0.003)
    assert abs(drawn - quality.mean()) > 0.01
