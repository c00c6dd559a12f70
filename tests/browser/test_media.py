"""Images, sounds and films on both servers, and boxes and regions drawn with the mouse."""

import hashlib
import json
import urllib.error
import urllib.request
from uuid import uuid4

import pytest

from curate.forms import load_form
from curate.media.medium import Medium
from curate.records import Suggestion, Task
from curate.servers.shelf import digest_of
from tests.browser.chromium import picture as screenshot
from tests.browser.pages import give
from tests.media_shown import film, picture, sound

pytestmark = [pytest.mark.browser, pytest.mark.live]

MADE = {
    "image": lambda number: (f"{number}.png", picture(640, 480, shade=60 * number)),
    "audio": lambda number: (f"{number}.wav", sound(4.0, pitch=220.0 * (number + 1))),
    "video": lambda number: (f"{number}.webm", film(3.0 + number)),
}


def tasks_of(folder, form, suggested=()):
    """Return two tasks of media on disk; the second has the suggestions."""
    tasks, numbers = [], iter(range(9))
    for id in ("first", "second"):
        media = {field: _written(folder, field, kind, next(numbers)) for field, kind in form.media}
        fields = {field: medium.address for field, medium in media.items()}
        own = tuple(suggested) if id == "second" else ()
        tasks.append(Task(id, fields, 1, own, media, folder))
    return tasks


def _written(folder, field, kind, number):
    name, data = MADE[kind](number)
    (folder / name).write_bytes(data)
    return Medium(field, kind, name, hashlib.sha256(data).hexdigest(), len(data))


def begin(site, form, tasks):
    """Send the tasks, and go to where people label them."""
    project = site.backend.ensure_project(
        f"{form.name}-{uuid4().hex[:8]}-r01", form, overlap=1, guidelines=""
    )
    site.backend.admit(project, [site.person])
    assert list(site.backend.push(project, tasks)) == ["first", "second"]
    site.page.open(project)
    return project


def home(site, project):
    """Return what came home by task and question, all of it submitted by the person."""
    pulled = site.backend.pull(project, cursor=None, known={}).annotations
    assert {own.account for own in pulled} == {site.person}
    assert {own.status for own in pulled} == {"submitted"}
    return {(own.id, own.question): own.value for own in pulled}


PANELS = """
const shown = [...document.querySelectorAll(".lsf-sidepanels__wrapper")];
return shown.reduce((sum, box) => sum + box.getBoundingClientRect().width, 0);
"""
"""How wide the lists of marks beside what is asked about are, in pixels."""

ANSWERS = {
    "image": ({"kind": "chart", "note": "red"}, {"kind": "photo"}),
    "image_comparison": ({"better": "b", "note": "redder"}, {"better": "tie"}),
    "audio": ({"sound": "music", "clarity": 4, "note": "a tone"}, {"sound": "noise"}),
    "video": ({"scene": "screen", "quality": 2, "note": "a bar"}, {"scene": "still"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_media_are_shown_and_answered(site, tmp_path, name):
    form, page = load_form(name), site.page
    tasks = tasks_of(tmp_path, form)
    project = begin(site, form, tasks)
    answers = dict(zip(("first", "second"), ANSWERS[name], strict=True))
    for by in ("mouse", "keys"):  # in the server's order
        seen = {field: digest_of(page.shown(field)) for field, _ in form.media}
        (id,) = (
            task.id
            for task in tasks
            if {field: medium.sha256 for field, medium in task.media.items()} == seen
        )
        for field, kind in form.media:
            if kind != "image":
                expected = 4 if kind == "audio" else 3 + (id == "second")
                assert page.seconds(field) == pytest.approx(expected, abs=0.2)
        assert page.out_of_sight() == []
        assert not page.browser.execute_script(PANELS)  # nothing is marked, so no list of marks
        give(page, form, {}, answers[id], by)
        screenshot(page.browser, tmp_path, f"{site.name}-{name}-{by}")
        page.submit(by)
    assert page.done()
    assert home(site, project) == {
        (id, question.name): values.get(question.name)
        for id, values in answers.items()
        for question in form.questions
    }


@pytest.fixture
def label_studio(site):
    if site.name != "label_studio":
        pytest.skip("Argilla asks for no boxes and no regions")
    return site


BOX = {"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0, "label": "vehicle"}
STRETCH = {"start": 0.5, "end": 1.5, "label": "music"}


def test_boxes_are_drawn_with_the_mouse(label_studio, tmp_path):
    site, page, form = label_studio, label_studio.page, load_form("boxes")
    suggested = [Suggestion("boxes", [BOX], 0.7)]
    project = begin(site, form, tasks_of(tmp_path, form, suggested))
    page.draw("boxes", "animal", (0.1, 0.1), (0.5, 0.4))
    page.draw("boxes", "person", (0.6, 0.5), (0.9, 0.85))
    assert page.browser.execute_script(PANELS) > 100  # boxes are listed
    screenshot(page.browser, tmp_path, "boxes-drawn")
    page.submit("keys")
    screenshot(page.browser, tmp_path, "boxes-suggested")
    page.submit("mouse")
    assert page.done()
    found = home(site, project)
    assert found["second", "boxes"] == [BOX]
    one, other = found["first", "boxes"]
    assert (one.pop("label"), other.pop("label")) == ("animal", "person")
    assert one == pytest.approx({"x": 10, "y": 10, "width": 40, "height": 30}, abs=1)
    assert other == pytest.approx({"x": 60, "y": 50, "width": 30, "height": 35}, abs=1)
    assert found["first", "boxes"] == stored(site, project, ("x", "y", "width", "height"))


def test_regions_are_drawn_over_the_wave(label_studio, tmp_path):
    site, page, form = label_studio, label_studio.page, load_form("regions")
    project = begin(site, form, tasks_of(tmp_path, form, [Suggestion("regions", [STRETCH], 0.7)]))
    assert page.seconds("audio") == pytest.approx(4)
    page.draw("regions", "speech", (0.25, 0.6), (0.5, 0.6))
    page.draw("regions", "noise", (0.6, 0.6), (0.9, 0.6))
    screenshot(page.browser, tmp_path, "regions-drawn")
    page.submit("keys")
    page.submit("keys")
    assert page.done()
    found = home(site, project)
    assert found["second", "regions"] == [STRETCH]
    one, other = found["first", "regions"]
    assert (one.pop("label"), other.pop("label")) == ("speech", "noise")
    assert one == pytest.approx({"start": 1, "end": 2}, abs=0.03)
    assert other == pytest.approx({"start": 2.4, "end": 3.6}, abs=0.03)
    assert found["first", "regions"] == stored(site, project, ("start", "end"))


def stored(site, project, edges):
    """Return the marks of the first task as the server has them, without their labels."""
    fields = "id,data,annotations,result,completed_by,updated_at"
    rows = {
        task["data"]["record_id"]: task for task in site.backend.client.tasks(project.key, fields)
    }
    (annotation,) = rows["first"]["annotations"]
    values = [item["value"] for item in annotation["result"]]
    return sorted(
        ({edge: float(own[edge]) for edge in edges} for own in values),
        key=lambda own: [*own.values()],
    )


# ── who may see what


def asked(url, token=None, method="GET", **headers):
    """Return status, headers and body of what a server answers."""
    given = {**headers, **({"Authorization": f"Token {token}"} if token else {})}
    request = urllib.request.Request(url, headers=given, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_only_what_a_round_shows_is_given_and_to_nobody_else(site, tmp_path):
    form = load_form("image")
    tasks = tasks_of(tmp_path, form)
    project = begin(site, form, tasks)
    address = site.page.shown("image")
    token = None if site.name == "argilla" else site.backend.client._key
    place = address[address.index("/curate/") :]
    url = site.backend.client.url
    data = (tmp_path / "0.png").read_bytes(), (tmp_path / "1.png").read_bytes()
    status, headers, body = asked(f"{url}{place}", token)
    assert (status, body in data) == (200, True)
    lowered = {name.lower(): value for name, value in headers.items()}
    assert lowered["content-security-policy"] == "default-src 'none'; sandbox"
    assert lowered["x-content-type-options"] == "nosniff"
    assert lowered["content-disposition"] == "attachment"
    assert lowered["content-type"] == "image/png"
    status, headers, part = asked(f"{url}{place}", token, Range="bytes=1-3")
    assert (status, part) == (206, b"PNG")
    signature = place.split("/")[3]
    for other in (
        place.replace(signature, "0" * 64),
        place.replace(f"/{project.key}/", "/../"),
        place.replace(f"/{project.key}/", "/%2e%2e/"),
        "/curate/media/../../secrets.json",
        "/curate/media/",
    ):
        assert asked(f"{url}{other}", token)[0] == 404, other
    if site.name == "label_studio":
        assert asked(f"{url}{place}")[0] == 404  # nobody has logged in
        ann = site.page.account.token
        assert asked(f"{url}{place}", ann)[0] == 200
        assert asked(f"{url}/api/ml?project={project.key}", ann)[::2] == (200, b"[]")
    assert asked(f"{url}{place}", token, Origin="http://evil.example")[0] == 403
    assert site.backend.erase(project, ["first", "second"]) == 2
    assert asked(f"{url}{place}", token)[0] == 404
    assert json.dumps(tasks[0].fields) == '{"image": "0.png"}'
