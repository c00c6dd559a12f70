"""What an account may ask of the embedded Label Studio, and what is left to the curator."""

import json

import pytest

from curate.servers.label_studio import guard
from curate.servers.label_studio.guard import Asked, refusal


def asked(method, route, body=b"", *, theirs=True, page=False, actions=(), queries=(), **more):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content_type": "application/json", "charset": "", **more}
    places = {"task": 1, "project": 5, "annotation": 3} if theirs else None
    return Asked(
        method, route, page, 7, actions, queries, body=content, theirs=lambda: places, **given
    )


ALLOWED = [
    asked("GET", "task-list", queries=['{"filters": {"items": [{"filter": "filter:tasks:id"}]}}']),
    asked("GET", "task-list", queries=['{"ordering": ["-tasks:total_annotations"]}']),
    asked("GET", "task-list", {"filters": {"items": [{"operator": "equal"}] * 50}}),
    asked("POST", "task-annotations-drafts", {"result": []}),
    asked("POST", "task-annotations", {"result": [], "lead_time": 1}),
    asked("POST", "task-annotations", {"result": [], "completed_by": 7}),
    asked("PATCH", "annotation-detail", {"result": []}),
    asked("DELETE", "annotation-detail"),
    asked("POST", "task-drafts", {"result": [{"value": {"text": ["regex __ here"]}}]}),
    asked("POST", "dm-actions", {"project": 1}, actions=["next_task"]),
    asked("GET", "project-data", page=True),
    asked("HEAD", "main", page=True),
    asked("GET", "", page=True, is_file=True),
    asked("PATCH", "annotation-detail", {"result": [], "updated_by": 7, "was_cancelled": True}),
    asked("PATCH", "annotation-detail", {"result": [], "project": "5", "task": 1}),
    asked("PATCH", "draft-detail", {"result": [], "annotation": 3, "project": "5"}),
    asked("POST", "task-drafts", {"result": [], "annotation": 4, "task": 9}),
    asked("POST", "user-login", b"email=a", page=True, content_type="text/plain"),
]
REFUSED = [
    asked("POST", "api-jwt-settings", {"legacy_api_tokens_enabled": False}),
    asked("GET", "organization-invite"),
    asked("POST", "organization-reset-token"),
    asked("POST", "user-list", {"email": "new@example.org"}),
    asked("PATCH", "user-detail", {"first_name": "Curator"}),
    asked("PATCH", "organization-detail", {"title": "mine"}),
    asked("POST", "project-list", {"title": "mine"}),
    asked("PATCH", "project-detail", {"maximum_annotations": 1}),
    asked("DELETE", "project-detail"),
    asked("PATCH", "task-detail", {"data": {"text": "another"}}),
    asked("DELETE", "task-detail"),
    asked("POST", "project-import", [{"data": {}}]),
    asked("POST", "dm-actions", {}, actions=["delete_tasks"]),
    asked("POST", "dm-actions", {}, actions=["next_task", "delete_tasks"]),
    asked("POST", "task-annotations", {"result": [], "completed_by": 1}),
    asked("PATCH", "annotation-detail", {"result": [], "completed_by": 1}),
    asked("PATCH", "annotation-detail", {"result": []}, theirs=False),
    asked("DELETE", "annotation-detail", theirs=False),
    asked("DELETE", "draft-detail", theirs=False),
    asked("PATCH", "view-detail", {"data": {}}, theirs=False),
    asked("POST", "task-annotations", b"completed_by=1", content_type="text/plain"),
    asked("POST", "task-annotations", {"result": []}, charset="utf-7"),
    asked("POST", "task-annotations", b"{"),
    asked("GET", "task-list", queries=['{"operator": "regex", "value": "(a+)+$"}']),
    asked("GET", "task-list", queries=["%7B%22operator%22%3A%22r\\u0065gex%22%7D"]),
    asked("POST", "view-list", {"data": {"filters": {"items": [{"operator": "regex"}]}}}),
    asked("POST", "view-list", {"data": {"filters": [{"filter": "filter:tasks:data.a__regex"}]}}),
    asked("POST", "view-list", {"filter_group": {"filters": [{"column": "tasks:data.a__regex"}]}}),
    asked("GET", "task-list", queries=['{"ordering": ["-tasks:updated_by__password"]}']),
    asked("POST", "view-list", {"ordering": ["tasks:project__created_by__auth_token__key"]}),
    asked("GET", "task-list", {"filters": {"items": [{"operator": "equal"}] * 51}}),
    asked("POST", "task-annotations-drafts", {"result": []}, theirs=False),
    asked("POST", "task-annotations", b'{"result": [], "lead_time": 1e400}'),
    asked("POST", "task-annotations", b'{"result": [], "lead_time": -Infinity}'),
    asked("PATCH", "annotation-detail", b'{"result": [{"value": {"start": NaN}}]}'),
    asked("POST", "task-drafts", b'{"result": [{"value": {"text": ["\\ud83d"]}}]}'),
    asked("POST", "task-annotations", {"result": [], "lead_time": "1e400"}),
    asked("POST", "task-annotations", {"result": [], "lead_time": "nan"}),
    asked("PATCH", "annotation-detail", {"result": '[{"value": "\\ud83d"}]'}),
    asked("POST", "view-list", b'{"data": {"title": "\\udc00"}}'),
    asked("PATCH", "annotation-detail", b'{"result": ' + b"[" * 60 + b"]" * 60 + b"}"),
    asked("POST", "user-account", page=True),
    asked("GET", "metrics", page=True),  # the name of a page that only fails, too
    asked("GET", "static_time_series", page=True),
    asked("GET", "samples_paragraphs", page=True),
    asked("GET", "schema", page=True),
    asked("GET", "rq_home", page=True),
    asked("GET", "index", page=True),
    asked("GET", "", page=True),
    asked("POST", "", page=True, is_file=True),
    asked("PATCH", "annotation-detail", {"task": 9}),
    asked("PATCH", "annotation-detail", {"result": [], "project": 2}),
    asked("PATCH", "annotation-detail", {"updated_by": 1}),
    asked("PATCH", "annotation-detail", {"last_created_by": 1}),
    asked("PATCH", "draft-detail", {"annotation": 4}),
    asked("PUT", "draft-detail", {"result": [], "task": 9}),
]


@pytest.mark.parametrize("request_", ALLOWED, ids=lambda each: f"{each.method} {each.route}")
def test_who_labels_may_do_what_the_page_needs(request_):
    assert refusal(request_) is None


@pytest.mark.parametrize("request_", REFUSED, ids=lambda each: f"{each.method} {each.route}")
def test_what_is_the_curators_is_refused(request_):
    assert refusal(request_) is not None


def test_a_route_that_a_later_version_adds_is_refused():
    for method in (*guard.READ, "POST", "PUT", "PATCH", "DELETE"):
        for page in (False, True):
            assert refusal(asked(method, "something-new", page=page)) == guard.CURATORS
