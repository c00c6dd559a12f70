"""Talking to an Argilla server: the SDK's client, faults translated once, records by pages.

The SDK connects and knows users, workspaces and datasets; its authenticated HTTP client carries
everything in bulk. Its `Settings` are left alone: they read a file if a guideline happens to name
one, refuse questions called `index` or `count`, and have no place for the form's digest. Writing
records through the SDK wipes what it does not send.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import UUID
from weakref import finalize

from curate.backends.pace import TooLarge
from curate.errors import BackendError, BackendUnavailable, NotAllowed
from curate.records import moment

if TYPE_CHECKING:
    from argilla import Argilla, User

T = TypeVar("T")

PAGE = 1000
"""How many records the server gives at once at most."""

FIRST_PAGE = 200
PAGE_BYTES = 8_000_000
"""How large a page may become: a record may hold an image of 5 MB."""

READINGS = 4
"""How often the records are read again while others add or delete some."""

CONNECT, TIMEOUT = 10.0, 120.0

NOT_ONE = "is that the address of an Argilla? see ARGILLA_API_URL"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotFound(BackendError):
    """The server has no such thing."""


class Conflict(BackendError):
    """The server has that already."""


class Client:
    """One server and the key to it; every fault leaves as a BackendError without the key.

    What is asked goes to `bulk`, if given: the same server, where people do not wait for it.
    """

    def __init__(self, url: str, api_key: str, bulk: str = "") -> None:
        self.url = url.rstrip("/")
        self._to = (bulk or url).rstrip("/")
        self._key = api_key.strip()

    @cached_property
    def sdk(self) -> Argilla:
        """The SDK's client, made when it is first needed: the import takes two seconds."""
        import httpx
        from argilla import Argilla

        if not self._key or not self._key.isascii() or not self._key.isprintable():
            raise NotAllowed(
                f"there is no key to {self.url}",
                hint="set ARGILLA_API_KEY; Argilla shows it under My settings",
            )
        if not _is_address(self._to):
            raise self._no_address()

        class Unasked(Argilla):  # type: ignore[misc]
            """Asks nothing yet: the SDK never closes a client whose first question fails."""

            def _validate_connection(self) -> None:
                pass

        timeout = httpx.Timeout(TIMEOUT, connect=CONNECT)
        with self.translated():
            sdk = Unasked(self._to, self._key, timeout=timeout, retries=1, **_route(self._to))
        finalize(self, sdk.http_client.close)
        return sdk

    def request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """Return the JSON that the server answers; each request is sent once."""
        return self._request(method, path, params, body)[0]

    def _request(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[Any, int]:
        """Return what the server answers, and how many bytes that was."""
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
            raise BackendError(f"{self.url} does not answer in JSON", hint=NOT_ONE)
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
                raise BackendError(f"{self.url}: {type(error).__name__}", hint=NOT_ONE) from None
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
                hint=NOT_ONE,
            ) from None

    def _no_address(self) -> BackendError:
        hint = "ARGILLA_API_URL is like http://127.0.0.1:6900"
        return BackendError(f"{self.url} is no address", hint=hint)

    def _unreachable(self, error: Exception) -> BackendError:
        if "SSL" in str(error) or "CERTIFICATE" in str(error):
            return BackendError(
                f"{self.url} cannot be reached safely: {self._clean(str(error))}",
                hint="SSL_CERT_FILE names the authorities to trust; or is it http://, not https://?",
            )
        return BackendUnavailable(
            f"{self.url} cannot be reached ({type(error).__name__})",
            hint="is it running? `curate server status` tells of the embedded one",
        )

    def _fault(self, status: int, body: Any) -> BackendError:
        said = self._said(body)
        if status == 401:
            return NotAllowed(
                f"{self.url} refuses the key",
                hint="ARGILLA_API_KEY holds the API key of an owner; Argilla shows it under My "
                "settings",
            )
        if status == 403:
            return NotAllowed(
                f"{self.url} does not allow that: {said}",
                hint="ARGILLA_API_KEY must be the key of an owner",
            )
        if status == 404:
            return NotFound(f"{self.url} has no such thing: {said}", hint=NOT_ONE)
        if status == 409:
            return Conflict(f"{self.url} has that already: {said}", hint="try again")
        if status == 413:
            return TooLarge(
                f"{self.url} refuses so much at once (HTTP 413): {said}",
                hint="a proxy before it limits the size of requests: raise that to 10 MB",
            )
        if status in (408, 425, 429) or status >= 500:
            return BackendUnavailable(
                f"{self.url} cannot answer now (HTTP {status}): {said}", hint="try again in a while"
            )
        hint = NOT_ONE if status < 400 else "is another version running? curate was written for 2.8"
        return BackendError(f"{self.url} refuses (HTTP {status}): {said}", hint=hint)

    def _said(self, body: Any) -> str:
        """Return what the server said, short, and without the key whatever it echoes."""
        if not body:
            return "no reason given"
        said = body.get("detail") or body if isinstance(body, dict) else body
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)
        return self._clean(text)

    def _clean(self, text: str) -> str:
        return " ".join(text.replace(self._key, "…").split())[:300]

    # ── datasets and people

    def dataset(self, key: str) -> Mapping[str, Any]:
        """Return a dataset. Raises NotFound, also for the key of another kind of server."""
        try:
            id = UUID(key)
        except ValueError:
            raise NotFound(f"{key!r} is no dataset of an Argilla") from None
        found = self.request("GET", f"datasets/{id}")
        with well_formed():
            return {**found}

    def users(self, workspace: UUID | None = None) -> list[User]:
        """Return everyone on the server, or the members of a workspace."""
        with self.translated():
            users = self.sdk.api.users
            return list(users.list_by_workspace_id(workspace) if workspace else users.list())

    # ── records

    def records(
        self, dataset: str, keep: Callable[[Mapping[str, Any]], T], *, responses: bool
    ) -> list[T]:
        """Return what is kept of every record: all of them, each once, in the order they came.

        Pages are told apart by position alone. If records were deleted meanwhile, or the pages do
        not add up, everything is read again, by other pages.
        """
        for reading in range(READINGS):
            kept = self._read(dataset, keep, responses=responses, first=FIRST_PAGE - 7 * reading)
            if kept is not None:
                return kept
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
        """Return what is kept of every record, or None if the pages do not add up."""
        path, size = f"datasets/{dataset}/records", min(first, PAGE)
        include = {"include": "responses"} if responses else {}
        kept: list[T] = []
        seen: set[str] = set()
        offset = total = 0

        def fetch() -> Future[tuple[Any, int]]:
            params = {"offset": offset, "limit": size, **include}
            return ahead.submit(self._request, "GET", path, params)

        with ThreadPoolExecutor(1) as ahead:  # while we read a page the server makes the next
            page = fetch()
            while True:
                answer, length = page.result()
                with well_formed():
                    items, before, total = answer["items"], total, answer["total"]
                    if total < before:
                        return None
                    offset += len(items)
                    last = offset >= total or not items
                    if not last:
                        size = max(1, min(PAGE, 5 * size, size * PAGE_BYTES // (length + 1)))
                        page = fetch()
                    seen.update(item["id"] for item in items)
                    kept.extend(keep(item) for item in items)
                if last:
                    return kept if len(seen) == len(kept) == total else None

    def count_records(self, dataset: str) -> int:
        """Return how many records there are."""
        page = self.request("GET", f"datasets/{dataset}/records", {"limit": 1})
        with well_formed():
            return int(page["total"])


def external_id(record: Mapping[str, Any]) -> str:
    """Return our id of a record; one that somebody else put there gets an id of its own.

    So what people answered there comes home and is rejected by name.
    """
    return str(record["external_id"] or f"record {record['id']}")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _route(url: str) -> dict[str, Any]:
    """Return the proxy to take: the environment's, which the SDK ignores; none to this machine."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme, "")
    if parts.hostname in LOOPBACK:
        return {"trust_env": False}
    if not proxy.startswith("http") or proxy_bypass(parts.netloc):
        return {}
    return {"proxy": proxy}


@contextmanager
def well_formed() -> Iterator[None]:
    """Refuse half an answer: what is read in here must have the fields and types expected."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BackendError(
            f"Argilla sent half an answer ({type(error).__name__}: {error})",
            hint="is another version running? curate was written for 2.8",
        ) from None


def time_of(at: str) -> str:
    """Return a time with its zone and all six digits; the server's are UTC without saying so."""
    time = moment(at)
    assert time is not None
    return time.isoformat(timespec="microseconds")
