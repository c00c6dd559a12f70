"""The client of an Argilla server: requests, faults translated once, records by pages.

The SDK connects and knows users, workspaces and datasets; its authenticated HTTP client carries
everything in bulk. Its `Settings` are not used: they read a file if a guideline happens to name
one, refuse questions called `index` or `count`, and have no place for the form's digest. Writing
a record through the SDK erases the parts that it does not send.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import UUID
from weakref import finalize

from curate.backends.loopback import is_loopback, without_certificates
from curate.backends.pace import TooLarge
from curate.errors import BackendError, BackendUnavailable, NotAllowed
from curate.extras import require
from curate.records import User, moment
from curate.servers.argilla.users import REMOVED

if TYPE_CHECKING:
    from argilla import Argilla
    from argilla import User as Member

T = TypeVar("T")

PAGE = 1000
"""The most records that the server gives at once."""

FIRST_PAGE = 200
PAGE_BYTES = 8_000_000
"""The size in bytes up to which pages grow: a record may hold an image of 5 MB."""

READINGS = 4
"""How often the records are read at most, if others add or delete some meanwhile."""

CONNECT, TIMEOUT = 10.0, 120.0
"""Seconds to wait for a connection, and for an answer."""

PAUSES = (0.2, 1.0)
"""Seconds before a request that reads is sent again, if the network broke it."""

BREAKS = ("RemoteProtocolError", "ReadError", "WriteError")
GATEWAY = (502, 503, 504)
"""What breaks a connection, by the names of httpx, and what a proxy says in the server's place."""

WRONG_ADDRESS = "is that the address of an Argilla? see ARGILLA_API_URL"


class NotFound(BackendError):
    """The server has no such thing."""


class Conflict(BackendError):
    """The server has that already."""


class Broken(BackendUnavailable):
    """The network broke a request, and the next one may come through."""


class Client:
    """One server and its key; every fault is raised as a BackendError without the key.

    Requests go to `bulk` if it is set: another address of the same server, where they do not keep
    people waiting.
    """

    def __init__(self, url: str, api_key: str, bulk: str = "") -> None:
        self.url = url.rstrip("/")
        self._target = (bulk or url).rstrip("/")
        self._key = api_key.strip()

    @cached_property
    def sdk(self) -> Argilla:
        """The SDK's client, made on first use: the import takes two seconds."""
        require("argilla", "the backend argilla")
        import httpx
        from argilla import Argilla

        if not self._key or not self._key.isascii() or not self._key.isprintable():
            raise NotAllowed(
                f"there is no key to {self.url}",
                hint="set ARGILLA_API_KEY; Argilla shows it under My settings",
            )
        if not _is_address(self._target):
            raise self._no_address()

        class Unvalidated(Argilla):  # type: ignore[misc]
            """Sends no first request: the SDK never closes a client whose first request fails."""

            def _validate_connection(self) -> None:
                pass

        timeout = httpx.Timeout(TIMEOUT, connect=CONNECT)
        with self.translated():
            route = _route(self._target)
            sdk = Unvalidated(self._target, self._key, timeout=timeout, retries=1, **route)
        finalize(self, sdk.http_client.close)
        return sdk

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """Send a request, once if it writes; return the JSON of the answer. Raises BackendError."""
        return self._request(method, path, params, body)[0]

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[Any, int]:
        """Send a request, once if it writes; return the JSON of the answer and its bytes."""
        for pause in PAUSES if method == "GET" else ():
            try:
                return self._sent(method, path, params, body)
            except Broken:
                time.sleep(pause)
        return self._sent(method, path, params, body)

    def _sent(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: Any
    ) -> tuple[Any, int]:
        """Send a request once. Raises Broken if another try may succeed."""
        with self.translated():
            response = self.sdk.http_client.request(
                method,
                f"/api/v1/{path}",
                params=dict(params or {}),
                content=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            )
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = None
        if response.status_code >= 300:
            raise self._fault(response.status_code, answer)
        if answer is None:
            raise BackendError(f"{self.url} does not answer in JSON", hint=WRONG_ADDRESS)
        return answer, len(response.content)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn every fault of the SDK and of HTTP into a BackendError."""
        import httpx
        from argilla._exceptions import ArgillaAPIError, ArgillaError
        from pydantic import ValidationError

        try:
            yield
        except ArgillaAPIError as error:
            raise self._fault(error.status_code, str(error).partition("Details: ")[2]) from None
        except ArgillaError as error:
            if type(error).__name__ != "ArgillaCredentialsError":
                raise BackendError(
                    f"{self.url}: {type(error).__name__}", hint=WRONG_ADDRESS
                ) from None
            raise self._fault(401, None) from None
        except httpx.TimeoutException:
            raise BackendUnavailable(
                f"{self.url} does not answer in time", hint="try again in a while"
            ) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise self._no_address() from None
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        except (ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise BackendError(
                f"{self.url} answers what the SDK cannot read ({type(error).__name__})",
                hint=WRONG_ADDRESS,
            ) from None

    def _no_address(self) -> BackendError:
        hint = "ARGILLA_API_URL is like http://127.0.0.1:6900"
        return BackendError(f"{self.url} is not an address", hint=hint)

    def _unreachable(self, error: Exception) -> BackendError:
        if "SSL" in str(error) or "CERTIFICATE" in str(error):
            return BackendError(
                f"{self.url} cannot be reached safely: {self._clean(str(error))}",
                hint="SSL_CERT_FILE names the authorities to trust; or is it http://, not https://?",
            )
        is_broken = type(error).__name__ in BREAKS
        return (Broken if is_broken else BackendUnavailable)(
            f"{self.url} cannot be reached ({type(error).__name__})",
            hint="is it running? `curate server status` shows the embedded one",
        )

    def _fault(self, status: int, body: Any) -> BackendError:
        reason = self._reason(body)
        if status == 401:
            return NotAllowed(
                f"{self.url} refuses the key",
                hint="ARGILLA_API_KEY holds the API key of an owner; Argilla shows it under My "
                "settings",
            )
        if status == 403:
            return NotAllowed(
                f"{self.url} does not allow that: {reason}",
                hint="ARGILLA_API_KEY must be the key of an owner",
            )
        if status == 404:
            return NotFound(f"{self.url} has no such thing: {reason}", hint=WRONG_ADDRESS)
        if status == 409:
            return Conflict(f"{self.url} has that already: {reason}", hint="try again")
        if status == 413:
            return TooLarge(
                f"{self.url} refuses so much at once (HTTP 413): {reason}",
                hint="a proxy before it limits the size of requests: raise that to 10 MB",
            )
        if status in (408, 425, 429) or status >= 500:
            return (Broken if status in GATEWAY else BackendUnavailable)(
                f"{self.url} cannot answer now (HTTP {status}): {reason}",
                hint="try again in a while",
            )
        hint = (
            WRONG_ADDRESS
            if status < 400
            else "is another version running? curate was written for 2.8"
        )
        return BackendError(f"{self.url} refuses (HTTP {status}): {reason}", hint=hint)

    def _reason(self, body: Any) -> str:
        """The reason that the server gave, shortened and without the key, even if it echoes it."""
        if not body:
            return "no reason given"
        reason = body.get("detail") or body if isinstance(body, dict) else body
        if not isinstance(reason, str):
            reason = json.dumps(reason, ensure_ascii=False, default=str)
        return self._clean(reason)

    def _clean(self, text: str) -> str:
        return " ".join(text.replace(self._key, "…").split())[:300]

    # ── datasets and people

    def dataset(self, key: str) -> Mapping[str, Any]:
        """The dataset with that key. Raises NotFound, also for a key of another kind of server."""
        try:
            id = UUID(key)
        except ValueError:
            raise NotFound(f"{key!r} is not a dataset of an Argilla") from None
        answer = self.request("GET", f"datasets/{id}")
        with well_formed():
            return {**answer}

    def rename(self, key: str, name: str) -> None:
        """Give a dataset a name; it keeps its own if another dataset has that one."""
        with suppress(Conflict):
            self.request("PATCH", f"datasets/{key}", body={"name": name})

    def users(self, workspace: UUID | None = None) -> list[Member]:
        """Everyone on the server, or the members of a workspace; nobody who was removed."""
        with self.translated():
            users = self.sdk.api.users
            members = users.list_by_workspace_id(workspace) if workspace else users.list()
            return [member for member in members if member.last_name != REMOVED]

    # ── records

    def records(
        self, dataset: str, keep: Callable[[Mapping[str, Any]], T], *, responses: bool
    ) -> list[T]:
        """Read every record once; return what `keep` makes of each, in the order of the pages.

        Pages differ by position alone. If records were deleted meanwhile, or the pages do not add
        up, everything is read again by pages of another size. Raises BackendUnavailable after
        READINGS tries.
        """
        for reading in range(READINGS):
            first = FIRST_PAGE - 7 * reading
            results = self._read(dataset, keep, responses=responses, first=first)
            if results is not None:
                return results
            time.sleep(0.5)
        raise BackendUnavailable(
            f"the records on {self.url} change faster than they can be read",
            hint="try again when nobody deletes records",
        )

    def _read(
        self,
        dataset: str,
        keep: Callable[[Mapping[str, Any]], T],
        *,
        responses: bool,
        first: int,
    ) -> list[T] | None:
        """Read every record, `first` of them on the first page; None if the pages do not add up."""
        path, size = f"datasets/{dataset}/records", min(first, PAGE)
        include = {"include": "responses"} if responses else {}
        results: list[T] = []
        ids: set[str] = set()
        offset = total = 0

        def fetch() -> Future[tuple[Any, int]]:
            params = {"offset": offset, "limit": size, **include}
            return ahead.submit(self._request, "GET", path, params)

        with ThreadPoolExecutor(1) as ahead:  # the server makes the next page while we read one
            page = fetch()
            while True:
                answer, length = page.result()
                with well_formed():
                    items, previous, total = answer["items"], total, answer["total"]
                    if total < previous:
                        return None
                    offset += len(items)
                    last = offset >= total or not items
                    if not last:
                        size = max(1, min(PAGE, 5 * size, size * PAGE_BYTES // (length + 1)))
                        page = fetch()
                    ids.update(item["id"] for item in items)
                    results.extend(keep(item) for item in items)
                if last:
                    return results if len(ids) == len(results) == total else None

    def count_records(self, dataset: str) -> int:
        """The number of records in a dataset."""
        page = self.request("GET", f"datasets/{dataset}/records", {"limit": 1})
        with well_formed():
            return int(page["total"])


def known_user(member: Member) -> User:
    """A user as the SDK has it; ids are unique on all servers."""
    return User(f"argilla/{member.id}", str(member.username))


def external_id(record: Mapping[str, Any]) -> str:
    """Our id of a record, or `record …` if somebody else put it there.

    Answers to such a record are pulled too, and rejected by that name.
    """
    return str(record["external_id"] or f"record {record['id']}")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _route(url: str) -> dict[str, Any]:
    """HTTP options with the environment's proxy, which the SDK ignores; none for this machine."""
    if is_loopback(url):
        context = without_certificates(url)
        return {"trust_env": False, **({"verify": context} if context else {})}
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy.startswith("http") or proxy_bypass(parts.netloc):
        return {}
    return {"proxy": proxy}


@contextmanager
def well_formed() -> Iterator[None]:
    """Raise BackendError if what is read inside lacks the expected fields or types."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BackendError(
            f"Argilla sent half an answer ({type(error).__name__}: {error})",
            hint="is another version running? curate was written for 2.8",
        ) from None


def time_of(at: str) -> str:
    """The server's time in ISO 8601 with its zone and six digits; without a zone it is UTC."""
    time = moment(at)
    assert time is not None
    return time.isoformat(timespec="microseconds")
