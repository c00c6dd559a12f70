"""What an account may ask of the embedded Label Studio; the curator may ask everything.

Label Studio has no roles. So a request that is not the curator's is refused, unless it is listed
here: what the page reads, and what a person writes who labels.

    settings, users, invitations, projects, tasks, exports, storages   left to the curator
    answers, drafts, tabs                                              one's own only
    `completed_by`, `updated_by`                                       oneself only
    the task, project or answer of an answer or draft                  stays what it is
    pages                                                              those for labelling
    tips                                                               none: they came from outside
    filters by regular expression, or of many conditions               refused: one stops the server
    columns of other tables                                            refused: some are secret
    what cannot be sent back                                           refused: nobody could read on
    media of a round                                                   by signed address, logged in
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from curate.servers import shelf
from curate.servers.label_studio import forgetting, users

READ = ("GET", "HEAD", "OPTIONS")

READS = frozenset(
    {
        "annotation-detail",
        "api-version",
        "current-user-hotkeys",
        "current-user-token",
        "current-user-whoami",
        "dm-actions",
        "dm-actions-form",
        "dm-columns",
        "dm-project",
        "draft-detail",
        "label-list",
        "label-stream-history",
        "label_link-list",
        "organization-list",
        "organization-membership-detail",
        "organization-memberships-list",
        "prediction-detail",
        "prediction-list",
        "product-tour",
        "project-annotators",
        "project-counts-list",
        "project-detail",
        "project-list",
        "project-model-versions",
        "project-next",
        "project-summary",
        "project-tasks-list",
        "session-policy",
        "task-agreement",
        "task-annotations",
        "task-annotations-drafts",
        "task-detail",
        "task-drafts",
        "task-list",
        "token_manage",
        "user-detail",
        "user-list",
        "view-detail",
        "view-list",
    }
)
"""The routes of the API that the page reads."""

WRITES = frozenset(
    {
        ("POST", "task-annotations"),
        ("POST", "task-drafts"),
        ("POST", "dm-actions"),
        ("POST", "view-list"),
        ("POST", "token_manage"),  # a token of their own
        ("POST", "token_refresh"),
        ("PATCH", "current-user-hotkeys"),
        ("PATCH", "product-tour"),
        ("PUT", "product-tour"),
    }
)
"""What a person may write."""

OWN = frozenset(
    (method, route)
    for route in ("annotation-detail", "draft-detail", "view-detail")
    for method in ("PUT", "PATCH", "DELETE")
) | {("POST", "annotation-convert-to-draft"), ("POST", "task-annotations-drafts")}
"""What a person may write where the thing is theirs."""

PAGES = frozenset(
    {
        "collect_metrics",
        "data-upload",
        "health",
        "logout",
        "main",
        "models",
        "organization-index",
        "organization-simple",
        "organization-simple-webhooks",
        "project-data",
        "project-export",
        "project-import",
        "project-index",
        "project-settings",
        "project-settings-anything",
        "project-storage-data-presign",
        "project-storage-data-resolve",
        "storage-data-upload",
        "task-storage-data-presign",
        "task-storage-data-resolve",
        "user-account",
        "user-account-anything",
        "user-login",
        "user-signup",
        "version",
    }
)
"""The routes outside the API that anybody may read. Not among them: samples of any size."""

FILES = (
    *("label-studio-frontend/", "dm/", "react-app/", "static/", "data/avatars/"),
    *("sw\\.js", "sw-fallback\\.js", "favicon\\.ico"),
)
"""How the routes of files begin, which have no names."""

TIPS = "heidi_tips"
"""A page for which Label Studio would ask another machine, whoever looks at it."""

FORMS = frozenset({"user-login", "user-signup", "logout"})
"""The pages outside the API that take a form from anybody."""

EMPTY = frozenset({"ml-list"})
"""Lists that the page asks for, of which a person gets none: a refusal would hide its buttons."""

NAMES = ("completed_by", "updated_by", "last_created_by")
"""What names who answered."""

COLUMNS = ("filter", "column", "ordering")
"""What names columns: in a filter of the page, in a filter of a tab, and for sorting."""

READ_AGAIN = ("result", "lead_time")
"""What Label Studio reads out of a text as well: infinity, and all else that `_loaded` refuses."""

DEEPEST = 50
"""A value has at most so many levels; the page sends a handful."""

CONDITIONS = 50
"""So many conditions a filter has at most: Label Studio asks the database about each of them."""

DELETES = "curate_deletes"
"""The attribute of a request that holds the project of which it deletes texts."""

CURATORS = "only the curator may do this"


@dataclass(frozen=True)
class Asked:
    """A request: its route's name, its values, and the user who asks (None: nobody logged in).

    `theirs` tells the keys of the task, the project and the answer to which the thing of the path
    belongs, by name: the page may repeat them. It is None if the thing is not the user's own.
    `is_page` is true outside the API, `is_file` for files of the pages. `queries` are the values of
    `query` in the address.
    """

    method: str
    route: str
    is_page: bool
    user: int | None
    actions: Sequence[str]
    queries: Sequence[str]
    content_type: str
    charset: str
    body: bytes
    theirs: Callable[[], Mapping[str, Any] | None]
    is_file: bool = False


def refusal(asked: Asked) -> str | None:
    """Why a request that is not the curator's is refused; None for an allowed one."""
    if asked.is_page:
        is_read = asked.method in READ and (asked.is_file or asked.route in PAGES)
        return None if is_read or asked.route in FORMS else CURATORS
    places: Mapping[str, Any] = {}
    if asked.method in READ:
        if asked.route not in READS:
            return CURATORS
    elif (asked.method, asked.route) in OWN:
        theirs = asked.theirs()
        if theirs is None:
            return "this is somebody else's"
        places = theirs
    elif not _may_write(asked):
        return CURATORS
    return _refused_content(asked, places)


def _may_write(asked: Asked) -> bool:
    is_action = asked.route == "dm-actions"
    listed = (asked.method, asked.route) in WRITES
    return listed and (not is_action or list(asked.actions) == ["next_task"])


def _refused_content(asked: Asked, places: Mapping[str, Any]) -> str | None:
    try:
        values = [_loaded(unquote(query)) for query in asked.queries]
        if asked.body.strip():
            if asked.content_type != "application/json" or asked.charset not in ("", "utf-8"):
                return "this server takes JSON in UTF-8"
            values.append(_loaded(asked.body.decode()))
    except (ValueError, RecursionError):
        return "this is not JSON that can be sent back"
    if any(_is_dangerous(value) for value in values):
        return "this filter is left to the curator: it can stop the server, or read other tables"
    return next(
        filter(None, (_refused_answer(value, asked.user, places) for value in values)), None
    )


def _refused_answer(value: Any, user: int | None, places: Mapping[str, Any]) -> str | None:
    """Why a value cannot be an answer, a draft or a tab of the user's; None if it can."""
    if not isinstance(value, dict):
        return None
    if any(value.get(name) not in (None, user) for name in NAMES):
        return "an answer is given in one's own name"
    if any(str(value[name]) != str(place) for name, place in places.items() if name in value):
        return "an answer stays with its task"
    if any(isinstance(value.get(name), str) for name in READ_AGAIN):
        return "an answer holds a list and a number, not texts of these"
    return None


def _loaded(text: str) -> Any:
    """A value of JSON. ValueError for one with which no list of answers could be sent any more.

    Label Studio stores it, and then fails on every list that holds it: of lone surrogates, infinite
    numbers, and values nested as deep as Python can go.
    """
    value = json.loads(text, parse_constant=_number, parse_float=_number)
    if any(depth > DEEPEST for depth, _ in _nested(value)):
        raise ValueError("nested too deeply")
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("no number")
    return number


def _nested(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield a value and all that it holds, each with its depth."""
    waiting = [(0, value)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        if isinstance(item, Mapping):
            waiting += [(depth + 1, inner) for inner in item.values()]
        elif isinstance(item, list):
            waiting += [(depth + 1, inner) for inner in item]


def _is_dangerous(value: Any) -> bool:
    """Whether it makes the database match a regular expression, look elsewhere, or work for long.

    After two underscores the name of a column holds an operator, or a column of another table:
    also of one with passwords.
    """
    filters = [item for _, item in _nested(value) if isinstance(item, Mapping)]
    return (
        any(item.get("operator") in ("regex", "iregex") for item in filters)
        or any("__" in str(item.get(name, "")) for item in filters for name in COLUMNS)
        or sum("operator" in item for item in filters) > CONDITIONS
    )


class Guard:
    """A middleware of Django that refuses what is the curator's; the last of the list."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Let the application answer, but for media and accounts; `process_view` refuses before."""
        if request.path.startswith(shelf.ROOT):
            return _medium(request)
        if request.path == users.PATH:
            return users.follow(request)
        response = self._get_response(request)
        if response.status_code < 300 and (project := getattr(request, DELETES, None)):
            forgetting.forget(project)
        return response

    def process_view(
        self, request: Any, view: Any, arguments: Sequence[Any], names: Mapping[str, Any]
    ) -> Any:
        """Return a refusal, or None: the request goes on to its view."""
        from django.http import JsonResponse

        match = request.resolver_match
        if match.url_name == TIPS:
            return JsonResponse({}, status=404)
        users = _users(request)
        if users and all(user.is_superuser for user in users):
            deletes = forgetting.project_of(request.method, match.url_name, names, request.GET)
            setattr(request, DELETES, deletes)
            return None
        if request.method == "GET" and match.url_name in EMPTY:
            return JsonResponse([], safe=False)
        user = users[0].pk if users else None
        route = match.route.lstrip("^")
        reason = refusal(
            Asked(
                method=request.method,
                route=match.url_name or "",
                is_page=not route.startswith("api/"),
                user=user,
                actions=request.GET.getlist("id"),
                queries=request.GET.getlist("query"),
                content_type=request.content_type or "",
                charset=request.content_params.get("charset", "").lower(),
                body=request.body,
                theirs=lambda: _theirs(match.url_name, names, user),
                is_file=route.startswith(FILES),
            )
        )
        return JsonResponse({"detail": reason}, status=403) if reason else None


def _medium(request: Any) -> Any:
    """A file of a round, for whoever has logged in."""
    from django.conf import settings
    from django.http import StreamingHttpResponse

    own = shelf.Shelf.of(Path(os.environ["CURATE_MEDIA"]), settings.SECRET_KEY)
    path = request.path if _users(request) else ""
    answer = own.answer(request.method, path, request.META.get("HTTP_RANGE"))
    return StreamingHttpResponse(answer.blocks(), status=answer.status, headers=answer.headers)


def _users(request: Any) -> list[Any]:
    """The users whom a request names, by its token first, as the API looks at them."""
    from rest_framework.authtoken.models import Token

    users = []
    keyword, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if keyword.lower() == "token":
        tokens = Token.objects.select_related("user").filter(key=key.strip())
        users += [token.user for token in tokens]
    if request.user.is_authenticated:
        users.append(request.user)
    return users


def _theirs(route: str, names: Mapping[str, Any], user: int | None) -> Mapping[str, Any] | None:
    """What a thing of the user's belongs to; None if none of theirs is at the path's `names`."""
    from data_manager.models import View
    from tasks.models import Annotation, AnnotationDraft

    key = names.get("annotation_id", names.get("pk"))
    if user is None or not str(key).isdecimal():
        return None
    if route == "view-detail":
        return {} if View.objects.filter(pk=key, user=user).exists() else None
    if route == "draft-detail":
        drafts = AnnotationDraft.objects.filter(pk=key, user=user)
        return _places(drafts, annotation="annotation_id", project="task__project_id")
    answers = Annotation.objects.filter(pk=key, completed_by=user)
    if "annotation_id" in names:  # the path names the task too
        answers = answers.filter(task=names["pk"])
    return _places(answers, project="project_id")


def _places(things: Any, **columns: str) -> Mapping[str, Any] | None:
    """The keys of what the only one of some things belongs to, by name; None if there is none."""
    columns = {"task": "task_id", **columns}
    row = things.values_list(*columns.values()).first()
    return row and dict(zip(columns, row, strict=True))
