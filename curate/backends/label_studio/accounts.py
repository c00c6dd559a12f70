"""Accounts on a Label Studio that is not ours: made through the invite link, as people do it.

The API alone makes users who cannot log in. So the sign-up page is filled in for the person, who
may change the password later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import unescape
from re import search
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from curate.backends.label_studio.client import Client, http_client, unreachable, well_formed
from curate.errors import BackendError
from curate.servers import Account
from curate.servers.running import checked_email

if TYPE_CHECKING:
    import httpx


class LabelStudioAccounts:
    """The people of one server, as the key's owner may see and invite them."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = Client(url, api_key)
        self.url = self._client.url

    def logins(self) -> tuple[str, ...]:
        """Return the e-mails of everyone with an account; nobody can tell their passwords."""
        return tuple(sorted(self._client.accounts().values()))

    def add(self, email: str, name: str) -> Account:
        """Make an account with a random password; return it with its token.

        Raises BackendError if there is one already, or if the page cannot be filled in: then the
        hint is the link with which the person can do that.
        """
        email = checked_email(email)
        if email in (known.lower() for known in self.logins()):
            raise BackendError(
                f"{email} has an account on {self.url} already",
                hint="only the person knows the password; an administrator can set a new one",
            )
        link, password = self.invite(), token_urlsafe(12)
        with self._page(link) as page:
            self._sign_up(page, link, email, password)
            return Account(email, name[:30], password, self._token(page))

    def invite(self) -> str:
        """Return the link with which people sign up; whoever has it can."""
        answer = self._client.request("GET", "api/invite")
        with well_formed():
            return urljoin(f"{self.url}/", str(answer["invite_url"]).lstrip("/"))

    @contextmanager
    def _page(self, link: str) -> Iterator[httpx.Client]:
        """Yield a browser, as it were: its faults name the link for the person."""
        import httpx

        try:
            with http_client(self.url) as page:
                yield page
        except httpx.HTTPStatusError as error:
            raise self._refusal(f"HTTP {error.response.status_code}", link) from None
        except httpx.HTTPError as error:
            raise self._refusal(unreachable(self.url, error).message, link) from None
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusal(f"half an answer ({type(error).__name__})", link) from None

    def _sign_up(self, page: httpx.Client, link: str, email: str, password: str) -> None:
        """Fill in the page; the person is then logged in there."""
        page.get(link).raise_for_status()
        token = page.cookies.get("csrftoken") or ""
        form = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        answer = page.post(link, data=form, headers={"Referer": link})
        if not answer.is_redirect:  # the page again, with what is wrong
            raise self._refusal(_complaint(answer), link)
        me = page.get(f"{self.url}/api/current-user/whoami").raise_for_status().json()
        if me["email"].lower() != email:
            raise self._refusal(f"it answers as {me['email']}", link)

    def _token(self, page: httpx.Client) -> str:
        """Return a token of the new account's that the server takes, or "".

        The account is there: what fails here must not lose its password. The person's name stays
        at home: whoever has an account on the server can list all others.
        """
        import httpx

        here = f"{self.url}/api/current-user"
        with suppress(httpx.HTTPError, ValueError, KeyError, TypeError), http_client(here) as other:
            token = page.get(f"{here}/token").raise_for_status().json()["token"]
            known = {"Authorization": f"Token {token}"}
            if not other.get(f"{here}/whoami", headers=known).is_success:  # legacy tokens are off
                made = page.post(f"{self.url}/api/token/").raise_for_status().json()
                return str(made["token"])
            return str(token)
        return ""

    def _refusal(self, why: str, link: str) -> BackendError:
        return BackendError(
            f"{self.url} did not sign the person up: {why}",
            hint=f"send the person this link, and nobody else: {link}",
        )


def _complaint(answer: httpx.Response) -> str:
    """Return what the sign-up page finds wrong, or the status."""
    found = search(r'class="field_errors"[^>]*>\s*<li>([^<]*)', answer.text)
    return unescape(found[1]).strip() if found else f"HTTP {answer.status_code}"
