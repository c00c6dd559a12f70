"""Folders of any depth, and files that are more or less than they seem."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from curate.errors import DataError
from curate.export.sums import check_sums, irregular, write_sums
from curate.sources.reading import SourceSpec, parts, read
from curate.walking import below, files_below, walk

DEEP = 1200
"""More folders than Python's own walks go down."""


def _down(levels):
    """Go down so many new folders called `d`, from the current one."""
    for _ in range(levels):
        os.mkdir("d")  # noqa: PTH102 (a whole path would be too long)
        os.chdir("d")


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """A folder with a file at its top, and one below more folders than Python walks."""
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "a.txt").write_text("tea")
    monkeypatch.chdir(folder)
    _down(DEEP)
    Path("z.txt").write_text("rice")
    os.chdir(tmp_path)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _rows(root, *paths):
    source = SourceSpec(paths=paths)
    return [row for part in parts([source], root) for row in read(source, part, strict=False)]


def test_a_walk_is_as_pythons_own(tmp_path):
    for name in ("b/c/d.txt", "b/e.txt", "a/f", ".g/h", "i"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "round").symlink_to("round")
    (tmp_path / "a" / "file").symlink_to(tmp_path / "i")
    expected = [(path, set(folders), set(files)) for path, folders, files in os.walk(tmp_path)]
    assert [(path, set(folders), set(files)) for path, folders, files in walk(tmp_path)] == expected
    assert set(below(tmp_path)) == set(tmp_path.rglob("*"))
    assert {path.name for path in files_below(tmp_path)} == {
        "d.txt",
        "e.txt",
        "f",
        "h",
        "i",
        "file",
    }


def test_a_folder_that_is_taken_out_is_not_walked(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    seen = []
    for parent, folders, _ in walk(tmp_path):
        seen.append(Path(parent).name)
        folders[:] = [name for name in folders if name != "a"]
    assert seen == [tmp_path.name, "c"]


def test_a_source_is_read_at_any_depth(deep):
    assert [row.fields[0][1] for row in _rows(deep.parent, "deep")] == ["tea", "rice"]
    assert len(list(below(deep))) == DEEP + 2


def test_a_glob_over_folders_too_deep_is_told(deep):
    with pytest.raises(DataError, match=r"deep/\*\*/\*\.txt: the folders lie too deep") as caught:
        _rows(deep.parent, "deep/**/*.txt")
    assert caught.value.hint == "name the folder itself: it is read at any depth"


def test_a_path_longer_than_any_is_one_unreadable_folder(tmp_path, monkeypatch):
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "a.txt").write_text("tea")
    monkeypatch.chdir(folder)
    _down(2200)
    os.chdir(tmp_path)
    text, *bad = _rows(tmp_path, "long")
    assert (text.fields[0][1], [row.reason for row in bad]) == (
        "tea",
        ["cannot be read: File name too long"],
    )
    assert [line.split(" ", 1)[1] for line in irregular(folder)] == [
        "cannot be read: File name too long"
    ]
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_what_is_added_at_any_depth_is_not_in_the_sums(deep):
    write_sums(deep, ["a.txt"], {})
    assert irregular(deep) == []
    assert list(check_sums(deep)) == [f"{'d/' * DEEP}z.txt is not in SHA256SUMS"]


def test_a_file_in_another_form_is_told(tmp_path):
    for name in ("A.jsonl", "b.jsonl", "c.jsonl"):
        (tmp_path / name).write_text(name)
    write_sums(tmp_path, ["A.jsonl", "b.jsonl", "c.jsonl"], {})
    (tmp_path / "A.jsonl").rename(tmp_path / "a.jsonl")
    os.link(tmp_path / "b.jsonl", tmp_path / "B.jsonl")
    (tmp_path / "c.jsonl").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "c.jsonl"))
        assert irregular(tmp_path) == [
            "c.jsonl is not a regular file: a link, a pipe or a device",
        ]
        assert list(check_sums(tmp_path)) == [
            "A.jsonl is missing",
            "B.jsonl is not in SHA256SUMS",
            "a.jsonl is not in SHA256SUMS",
            "c.jsonl is not the file that SHA256SUMS names",
        ]


def test_a_file_of_nothing_but_space_is_not_read(tmp_path):
    (tmp_path / "a.jsonl").write_text("tea")
    write_sums(tmp_path, ["a.jsonl"], {})
    os.truncate(tmp_path / "a.jsonl", 1 << 40)
    assert irregular(tmp_path) == ["a.jsonl is not a file of an export: it is empty space"]
