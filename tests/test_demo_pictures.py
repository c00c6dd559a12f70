"""The pictures of the demo: a fixed choice, names that tell nothing, and errors in words."""

import json

import pytest

from recipes.demo import pictures, replay
from tests.media_small import digest, png, put


@pytest.fixture
def clipart(tmp_path):
    """Folders of pictures as the package has them; one picture stands in two of them."""
    files = {
        f"{name}/sub/{n}.png": png(100 * place + n, 64)
        for place, name in enumerate(pictures.CLASSES)
        for n in range(4)
    }
    both = {"animals/twice.png": png(999, 64), "food/twice.png": png(999, 64)}
    put(tmp_path / "clipart", {**files, **both, "animals/small.png": b"x" * 10})
    return tmp_path / "clipart"


def test_pictures_are_chosen_by_seed_and_named_by_their_sums(clipart, tmp_path):
    path = pictures.write_pictures(tmp_path / "one" / "data", clipart, seed=7, each=3)
    truth = json.loads(path.read_text(encoding="utf-8"))
    files = sorted(file.name for file in (tmp_path / "one" / "data").iterdir())
    assert files == sorted(truth)
    assert sorted(truth.values()) == sorted(3 * pictures.CLASSES)
    for name in files:
        data = (tmp_path / "one" / "data" / name).read_bytes()
        assert name == f"{digest(data)[:16]}.png"
        assert data != png(999, 64)
    again = pictures.write_pictures(tmp_path / "two" / "data", clipart, seed=7, each=3)
    assert again.read_bytes() == path.read_bytes()


def test_every_account_answers_with_the_folder(clipart):
    tasks = [{"id": "a", "image": "data/1.png"}, {"id": "b", "image": "data/2.png"}]
    answers = pictures.plan(tasks, {"1.png": "food", "2.png": "people"}, ["x", "y"])
    assert [(a.account, a.id, a.value) for a in answers] == [
        *[("x", "a", "food"), ("y", "a", "food")],
        *[("x", "b", "people"), ("y", "b", "people")],
    ]
    (result,) = replay.Asked("subject", "image").result("food")
    assert (result["from_name"], result["to_name"]) == ("subject", "image")
    assert result["value"] == {"choices": ["food"]}


def test_without_the_package_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "INSTALLED", tmp_path / "usr" / "none")
    monkeypatch.setattr(pictures.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="there is no apt-get") as caught:
        pictures.clipart(tmp_path / "cache")
    assert "apt-get install openclipart-png" in str(caught.value)


def test_what_is_installed_is_taken(tmp_path, monkeypatch):
    put(tmp_path, {"png/animals/1.png": png(1)})
    monkeypatch.setattr(pictures, "INSTALLED", tmp_path / "png")
    assert pictures.clipart(tmp_path / "cache") == tmp_path / "png"


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_demo_ends_with_the_exit_code_of_the_command_that_failed(monkeypatch, capfd, code):
    from recipes.demo import __main__ as demo

    failing = f"import sys; sys.stderr.write('no server\\n'); sys.exit({code})"
    real = demo.subprocess.run

    def run(command, **settings):
        return real([command[0], "-c", failing], **settings)

    monkeypatch.setattr(demo.subprocess, "run", run)
    with pytest.raises(SystemExit) as caught:
        demo.run_json("server", "start", "label_studio", "--json")
    assert caught.value.code == code
    assert capfd.readouterr().err == "no server\n"  # and no traceback
    with pytest.raises(SystemExit) as caught:
        demo.stop_on_failure(demo.curate("verify", "export"))
    assert caught.value.code == code


def test_a_demo_goes_on_after_a_command_that_succeeded(monkeypatch):
    from recipes.demo import __main__ as demo

    real = demo.subprocess.run
    said = 'print(\'{"user": "ada"}\')'
    monkeypatch.setattr(
        demo.subprocess, "run", lambda command, **own: real([command[0], "-c", said], **own)
    )
    assert demo.run_json("server", "start", "label_studio", "--json") == {"user": "ada"}
    demo.stop_on_failure(demo.curate("verify", "export"))


def test_perplexity_is_explained_only_where_the_run_has_some(tmp_path, capsys):
    from recipes.demo import __main__ as demo

    said = {"mixture by the n-gram proxy (all): better than uniform by .1"}
    for story in ([], [*said]):
        evaluation = {"models": {"subject": None}, "story": story}
        (tmp_path / "evaluate.json").write_text(json.dumps(evaluation), encoding="utf-8")
        demo.verdict(tmp_path)
        assert ("Perplexity" in capsys.readouterr().out) == bool(story)
