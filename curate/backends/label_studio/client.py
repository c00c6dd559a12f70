"""The client of a Label Studio server: requests, faults translated once, tasks by pages.

The SDK connects (it exchanges personal access tokens by itself) and knows projects and users; its
authenticated HTTP client carries everything in bulk. A request that writes is never sent twice: by
default the SDK repeats a request whose answer was lost, and 100 tasks become 300.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from curate.backends.loopback import is_loopback, without_certificates
from curate.backends.pace import TooLarge
from curate.errors import BackendError, BackendUnavailable, NotAllowed
from curate.extras import require
from curate.records import User

if TYPE_CHECKING:
    import httpx
    from label_studio_sdk import LabelStudio

T = TypeVar("T")

RECORD = "record_id"
"""The field of a task's data that holds our id."""

PAGE = 500
LOOKUP = 100
"""How many records one lookup names: 32 characters each, and all must fit into an address."""

TIMEOUT = 300.0
"""Seconds to wait for an answer."""

WRONG_ADDRESS = "is that the address of a Label Studio? see LABEL_STUDIO_URL"

FAULTS = {
    401: (
        "refuses the key",
        "LABEL_STUDIO_API_KEY holds an access token or a legacy token; the server may have legacy "
        "tokens off, and access tokens expire: make a new one under Account & Settings",
    ),
    403: (
        "does not allow that with this key",
        "LABEL_STUDIO_API_KEY must be of an account that may do this; or a proxy stands in between",
    ),
    404: ("has no such thing", ""),
    409: ("says that it exists already", "see what changed on the server, then try again"),
    413: (
        "takes no body of that size",
        "raise the limit of the proxy before it (nginx: `client_max_body_size 250m`)",
    ),
    414: (
        "takes no address of that length",
        "raise the limit of the proxy before it (nginx: `large_client_header_buffers 8 64k`)",
    ),
    422: ("cannot make sense of what was sent", "is it another version? written against 1.23"),
}
"""HTTP status → what the server means by it, and a hint."""


class Forbidden(NotAllowed):
    """The key is right, and its account may not do that."""


class NotFound(BackendError):
    """The server has no such thing."""


def http_client(url: str) -> httpx.Client:
    """An HTTP client for one server; SSL_CERT_FILE names the authorities that it trusts.

    Raises BackendError if the certificates cannot be read.
    """
    import httpx

    try:
        context = without_certificates(url) or httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is an OSError
        raise BackendError(
            f"the certificates to trust cannot be read: {error.strerror or error}",
            hint="see SSL_CERT_FILE: it names a file of certificates in PEM",
        ) from None
    return httpx.Client(timeout=TIMEOUT, trust_env=not is_loopback(url), verify=context)


class Client:
    """One server and its key; every fault is raised as a BackendError without the key.

    Requests go to `bulk` if it is set: another address of the same server, where they do not keep
    people waiting.
    """

    def __init__(self, url: str, api_key: str, bulk: str = "") -> None:
        self.url = url.rstrip("/")
        self._target = (bulk or url).rstrip("/")
        self._key = api_key.strip()
        self._present: datetime | None = None

    @cached_property
    def sdk(self) -> LabelStudio:
        """The SDK's client, made on first use: the import takes a second."""
        require("label_studio_sdk", "the backend label_studio")
        from label_studio_sdk import LabelStudio

        if not self._key or not self._key.isascii() or not self._key.isprintable():
            raise NotAllowed(
                f"there is no key to {self.url}",
                hint="set LABEL_STUDIO_API_KEY; Label Studio shows it under Account & Settings",
            )
        http = http_client(self._target)
        finalize(self, http.close)
        with self.translated():
            return LabelStudio(base_url=self._target, api_key=self._key, httpx_client=http)

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """Send a request, once if it writes; return the JSON of the answer. Raises BackendError."""
        with self.translated():
            response = self.sdk._client_wrapper.httpx_client.request(
                path,
                method=method,
                params=dict(params or {}),
                content=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                request_options=None if method == "GET" else {"max_retries": 0},
            )
        self._present = _date(response.headers.get("date"))
        try:
            answer = {} if response.status_code == 204 else response.json()
        except ValueError:
            answer = None
        if response.status_code >= 300:
            raise self._fault(response.status_code, answer, response.headers)
        if answer is None:
            raise BackendError(f"{self.url} does not answer in JSON", hint=WRONG_ADDRESS)
        return answer

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn every fault of the SDK and of HTTP into a BackendError."""
        require("label_studio_sdk", "the backend label_studio")
        import httpx
        from label_studio_sdk.core.api_error import ApiError
        from pydantic import ValidationError

        try:
            yield
        except ApiError as error:
            raise self._fault(error.status_code or 0, error.body, error.headers or {}) from None
        except httpx.TimeoutException:
            raise BackendUnavailable(
                f"{self.url} does not answer in time", hint="try again in a while"
            ) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise BackendError(
                f"{self.url} is not an address",
                hint="LABEL_STUDIO_URL is like http://127.0.0.1:8080",
            ) from None
        except httpx.HTTPError as error:
            raise unreachable(self.url, error) from None
        except (ValidationError, ValueError, TypeError, AttributeError) as error:
            raise BackendError(
                f"{self.url} answers what the SDK cannot read ({type(error).__name__})",
                hint=WRONG_ADDRESS,
            ) from None

    def _fault(self, status: int, body: Any, headers: Mapping[str, str]) -> BackendError:
        reason = self._reason(body)
        what, hint = FAULTS.get(status, ("refuses", ""))
        message = f"{self.url} {what} (HTTP {status}): {reason}"
        if status < 300:
            return BackendError(f"{self.url} does not answer in JSON", hint=WRONG_ADDRESS)
        if status in (401, 403):
            return (NotAllowed if status == 401 else Forbidden)(message, hint=hint)
        if 300 <= status < 400:
            location = headers.get("location", "").partition("?")[0] or "somewhere else"
            return BackendError(f"{self.url} sends on to {location}", hint=WRONG_ADDRESS)
        if status == 404:
            is_ours = isinstance(body, dict)
            return NotFound(message, hint="" if is_ours else WRONG_ADDRESS)
        if status == 413:
            return TooLarge(message, hint=hint)
        if status in (408, 425, 429) or status >= 500:
            wait = headers.get("retry-after", "")
            when = f"in {wait} s" if wait.isdigit() else f"after {wait}" if wait else "in a while"
            return BackendUnavailable(
                f"{self.url} cannot answer now (HTTP {status}): {reason}", hint=f"try again {when}"
            )
        return BackendError(message, hint=hint)

    def _reason(self, body: Any) -> str:
        """The reason that the server gave, shortened and without the key, even if it echoes it."""
        if not isinstance(body, dict):
            return "no reason given"
        reason = body.get("validation_errors") or body.get("detail") or body
        if not isinstance(reason, str):
            reason = json.dumps(reason, ensure_ascii=False, default=str)
        return " ".join(reason.replace(self._key, "…").split())[:300]

    # ── tasks

    def tasks(
        self, project: str, fields: str, *filters: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield the tasks that match all filters, in the order of their ids.

        Each page starts after the last id of the page before. `fields` must name `data`. A task
        that somebody else put there has `task …` as its record id: its answers are pulled too, and
        rejected by that name.
        """
        last = 0
        while True:
            after = where("id", "greater", "Number", last)
            page = self._page(project, fields, PAGE, *filters, after)
            with well_formed():
                tasks = page["tasks"]
                for task in tasks:
                    if RECORD not in task["data"]:
                        task["data"][RECORD] = f"task {task['id']}"
                yield from tasks
                if len(tasks) >= page["total"]:
                    return
                last = tasks[-1]["id"]

    def count_tasks(self, project: str, *filters: Mapping[str, Any]) -> int:
        """The number of tasks that match all filters."""
        with well_formed():
            return int(self._page(project, "id", 1, *filters)["total"])

    def count_answers(self, project: str) -> tuple[int, str]:
        """The server's number of answers in a project, skips too, and its present (ours if unsaid).

        The present is UTC in ISO 8601, rounded down to seconds.
        """
        answer = self.request("GET", f"api/projects/{project}/")
        present = (self._present or datetime.now(UTC)).isoformat()
        with well_formed():
            counts = (answer["total_annotations_number"], answer["skipped_annotations_number"])
            return sum(counts), present

    def records(self, project: str, *filters: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the server's id and ours of each task that matches all filters."""
        for task in self.tasks(project, "id,data", *filters):
            with well_formed():
                yield task["id"], task["data"][RECORD]

    def _page(self, project: str, fields: str, size: int, *filters: Mapping[str, Any]) -> Any:
        query = {
            "filters": {"conjunction": "and", "items": filters},
            "ordering": ["tasks:id"],
        }
        params = {
            "project": project,
            "page_size": size,
            "fields": "all",  # else annotations are missing without a warning
            "include": fields,
            "resolve_uri": "false",  # a text that looks like a file's address stays as it is
            "query": json.dumps(query),
        }
        return self.request("GET", "api/tasks/", params)

    # ── people

    def accounts(self) -> dict[int, str]:
        """User id → e-mail address of everyone on the server.

        Measured: the server lists a member who was removed with the address `Deleted`.
        """
        users = self.request("GET", "api/users/")
        with well_formed():
            emails = {int(user["id"]): str(user["email"]) for user in users}
        return {id: email for id, email in emails.items() if "@" in email}

    def users(self) -> dict[int, User]:
        """User id → user, of everyone on the server."""
        return {id: User(f"{self.identity}/{id}", email) for id, email in self.accounts().items()}

    @cached_property
    def identity(self) -> str:
        """What tells the server from others, whatever its address: when its team was made."""
        organizations = self.request("GET", "api/organizations/")
        with well_formed():
            facts = sorted((org["id"], str(org.get("created_at"))) for org in organizations)
        words = json.dumps(facts or self.url)
        return f"label_studio/{blake2b(words.encode(), digest_size=4).hexdigest()}"


def unreachable(url: str, error: Exception) -> BackendError:
    """The error for a fault below HTTP: an untrusted certificate, wrong TLS, or no server."""
    fault: BaseException | None = error
    while fault is not None and not isinstance(fault, ssl.SSLError):
        fault = fault.__cause__ or fault.__context__
    if isinstance(fault, ssl.SSLCertVerificationError):
        return BackendError(
            f"the certificate of {url} is not trusted: {fault.verify_message}",
            hint="if it is right, name its authority's certificate (PEM) in SSL_CERT_FILE",
        )
    if fault is not None:
        return BackendError(
            f"{url} does not speak TLS as it should ({fault.reason})",
            hint="check LABEL_STUDIO_URL: the port may expect http, not https",
        )
    return BackendUnavailable(
        f"{url} cannot be reached ({type(error).__name__})",
        hint="is it running? `curate server status` shows the embedded one",
    )


def where(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    """A filter on tasks; an operator that the server does not know matches nothing."""
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }


def where_records(ids: Sequence[str]) -> dict[str, Any]:
    """The filter for the tasks of these records."""
    return where(f"data.{RECORD}", "in_list", "List", list(ids))


def _date(header: str | None) -> datetime | None:
    """The time in the header `Date` of a response; None if there is none that can be read."""
    try:
        return parsedate_to_datetime(header or "").astimezone(UTC)
    except ValueError:
        return None


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def well_formed() -> Iterator[None]:
    """Raise BackendError if what is read inside lacks the expected fields or types."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BackendError(
            f"Label Studio sent half an answer ({type(error).__name__}: {error})",
            hint="is another version running? curate was written against 1.23",
        ) from None
