"""Accounts on a Label Studio server that curate does not run, made through its invite link.

Users made by the API alone cannot log in. So curate fills in the sign-up page for the person; the
password can be changed later.
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
    """The accounts on one server, as the key's owner may see and add them."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = Client(url, api_key)
        self.url = self._client.url

    def logins(self) -> tuple[str, ...]:
        """The e-mail addresses of all accounts, sorted; the server tells nobody their passwords."""
        return tuple(sorted(self._client.accounts().values()))

    def add(self, email: str, name: str) -> Account:
        """Make an account with a random password; return it with its token.

        Raises BackendError if the account exists, or if the page cannot be filled in: the hint is
        then the link with which the person can sign up.
        """
        email = checked_email(email)
        if email in (login.lower() for login in self.logins()):
            raise BackendError(
                f"{email} has an account on {self.url} already",
                hint="only the person knows the password; an administrator can set a new one",
            )
        link, password = self.invite(), token_urlsafe(12)
        with self._page(link) as page:
            self._sign_up(page, link, email, password)
            return Account(email, name[:30], password, self._token(page))

    def remove(self, login: str) -> None:
        """End a person's membership; their answers stay. Raises BackendError if there is none."""
        users = {email.lower(): user for user, email in self._client.accounts().items()}
        if login.strip().lower() not in users:
            raise BackendError(
                f"{self.url} has no account {login}", hint="see `curate server accounts list`"
            )
        me = self._client.request("GET", "api/current-user/whoami")
        with well_formed():
            organization = int(me["active_organization"])
        member = f"memberships/{users[login.strip().lower()]}/"
        self._client.request("DELETE", f"api/organizations/{organization}/{member}")

    def invite(self) -> str:
        """The link with which people sign up; anyone who has it can use it."""
        answer = self._client.request("GET", "api/invite")
        with well_formed():
            return urljoin(f"{self.url}/", str(answer["invite_url"]).lstrip("/"))

    @contextmanager
    def _page(self, link: str) -> Iterator[httpx.Client]:
        """Yield an HTTP client in place of a browser; its faults name the link for the person."""
        import httpx

        try:
            with http_client(link if link.startswith("https:") else self.url) as page:
                yield page
        except httpx.HTTPStatusError as error:
            raise self._refusal(f"HTTP {error.response.status_code}", link) from None
        except httpx.HTTPError as error:
            raise self._refusal(unreachable(self.url, error).message, link) from None
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusal(f"half an answer ({type(error).__name__})", link) from None

    def _sign_up(self, page: httpx.Client, link: str, email: str, password: str) -> None:
        """Fill in the sign-up page; `page` is then logged in as the person."""
        page.get(link).raise_for_status()
        token = page.cookies.get("csrftoken") or ""
        form = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        answer = page.post(link, data=form, headers={"Referer": link})
        if not answer.is_redirect:  # the same page again, with the reason
            raise self._refusal(_complaint(answer), link)
        me = page.get(f"{self.url}/api/current-user/whoami").raise_for_status().json()
        if me["email"].lower() != email:
            raise self._refusal(f"it answers as {me['email']}", link)

    def _token(self, page: httpx.Client) -> str:
        """A token of the new account that the server takes, or "".

        The account exists by now, so a fault here must not lose its password. The person's name is
        not sent: everyone with an account on the server can list all others.
        """
        import httpx

        user = f"{self.url}/api/current-user"
        with suppress(httpx.HTTPError, ValueError, KeyError, TypeError), http_client(user) as other:
            token = page.get(f"{user}/token").raise_for_status().json()["token"]
            headers = {"Authorization": f"Token {token}"}
            if not other.get(f"{user}/whoami", headers=headers).is_success:  # legacy tokens are off
                answer = page.post(f"{self.url}/api/token/").raise_for_status().json()
                return str(answer["token"])
            return str(token)
        return ""

    def _refusal(self, why: str, link: str) -> BackendError:
        return BackendError(
            f"{self.url} did not sign the person up: {why}",
            hint=f"send the person this link, and nobody else: {link}",
        )


def _complaint(answer: httpx.Response) -> str:
    """The reason that the sign-up page gives, or the HTTP status."""
    match = search(r'class="field_errors"[^>]*>\s*<li>([^<]*)', answer.text)
    return unescape(match[1]).strip() if match else f"HTTP {answer.status_code}"
