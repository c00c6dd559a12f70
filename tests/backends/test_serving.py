"""What a server still shows to people, on clients that answer from memory."""

from types import SimpleNamespace

import pytest

from curate.backends.argilla import serving as argilla
from curate.backends.label_studio import serving as label_studio
from curate.errors import BackendUnavailable
from curate.records import Unserved

WORKSPACE = "7d9f4f3e-0d0b-4d8e-9d4f-5d1d7b6a1c2e"


class LabelStudio:
    """A project: record → overlap and number of answers; `written` holds what was changed."""

    def __init__(self, tasks, skips=label_studio.SKIPS):
        self.keys = {record: number for number, record in enumerate(tasks, 1)}
        self.rows, self.skips, self.written = dict(tasks), skips, []

    def request(self, method, path, params=None, body=None):
        if method == "PATCH":
            self.written.append((path, body))
        return {"skip_queue": self.skips}

    def _chosen(self, filters):
        lists = [own["value"] for own in filters if own["operator"] == "in_list"]
        return [record for record in self.rows if all(record in names for names in lists)]

    def tasks(self, project, fields, *filters):
        for record in self._chosen(filters):
            overlap, answers = self.rows[record]
            yield {
                "id": self.keys[record],
                "data": {"record_id": record},
                "overlap": overlap,
                "total_annotations": answers,
            }

    def records(self, project, *filters):
        return [(self.keys[record], record) for record in self._chosen(filters)]

    def count_tasks(self, project, *filters):
        return len(self._chosen(filters))


def test_overlaps_are_raised_where_the_server_counts_more():
    server = LabelStudio({"a": (2, 2), "b": (2, 1), "c": (2, 0), "d": (3, 2)})
    missing = {"a": 1, "b": 1, "c": 2, "d": 2}
    assert label_studio.ask_more(server, "7", missing, 4) == Unserved()
    assert server.written == [
        ("api/tasks/1/", {"overlap": 3}),
        ("api/tasks/4/", {"overlap": 4}),
    ]


@pytest.mark.parametrize("skips", ["IGNORE_SKIPPED", "REQUEUE_FOR_ME", None])
def test_others_are_asked_about_what_somebody_skipped_however_the_project_was_set_up(skips):
    server = LabelStudio({"a": (1, 0)}, skips)
    label_studio.ask_more(server, "7", {"a": 1}, 1)
    assert server.written == [("api/projects/7/", {"skip_queue": "REQUEUE_FOR_OTHERS"})]


def test_nothing_is_asked_of_the_server_where_nothing_lacks():
    server = LabelStudio({}, "IGNORE_SKIPPED")
    assert label_studio.ask_more(server, "7", {}, 0) == Unserved()
    assert server.written == []


@pytest.mark.parametrize("number", [3, 250, 2300])
def test_tasks_that_are_gone_are_named(number):
    ids = [f"{place:05}" for place in range(number)]
    gone = {ids[0], ids[number // 2]}
    server = LabelStudio({id: (1, 0) for id in ids if id not in gone})
    made = label_studio.ask_more(server, "7", dict.fromkeys(ids, 1), number)
    assert made == Unserved(gone=tuple(sorted(gone)))


class Argilla:
    """A dataset: record → its status; and the people of its server and its workspace."""

    def __init__(self, records, users=(), members=()):
        self.rows, self.people, self.inside = records, users, members
        self.readings, self.distribution, self.is_failing = 0, None, False

    def request(self, method, path, body=None):
        if body:
            self.distribution = body["distribution"]
            if self.is_failing:
                raise BackendUnavailable("HTTP 500")
        completed = sum(status == "completed" for status in self.rows.values())
        return {"total": len(self.rows), "completed": completed}

    def records(self, dataset, keep, *, responses):
        self.readings += 1
        return [
            keep({"external_id": id, "status": status, "id": id})
            for id, status in self.rows.items()
        ]

    def dataset(self, key):
        return {"workspace_id": WORKSPACE, "distribution": self.distribution}

    def users(self, workspace=None):
        return [user for user in self.people if workspace is None or user.username in self.inside]


def test_records_that_are_complete_or_gone_are_told_apart():
    server = Argilla({"a": "completed", "b": "pending", "c": "completed"})
    missing = {"a": 1, "b": 1, "z": 2}
    assert argilla.unserved(server, "k", missing, 4) == Unserved(("a",), ("z",))
    assert argilla.unserved(server, "k", {"b": 1}, 3) == Unserved()
    assert server.readings == 1  # the counts were enough the second time


@pytest.mark.parametrize("is_failing", [False, True])
def test_the_overlap_is_put_back(is_failing):
    """Measured: where no job can be queued, the server changes it and answers with 500."""
    server = Argilla({})
    server.distribution, server.is_failing = {"strategy": "overlap", "min_submitted": 1}, is_failing
    assert argilla.set_overlap(server, "k", 3)
    assert server.distribution == {"strategy": "overlap", "min_submitted": 3}
    assert not argilla.set_overlap(server, "k", 3)


def test_owners_see_every_dataset_and_others_that_of_their_workspace():
    roles = {"ann": "annotator", "bob": "annotator", "cy": "admin", "dee": "owner"}
    users = [SimpleNamespace(id=name, username=name, role=role) for name, role in roles.items()]
    server = Argilla({}, users, {"bob"})
    seen = argilla.who_sees(server, "k")
    assert [(user.key, user.login) for user in seen] == [
        ("argilla/bob", "bob"),
        ("argilla/dee", "dee"),
    ]
