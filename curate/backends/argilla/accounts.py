"""Accounts on an Argilla that is not ours: made by its API, as an owner may."""

from __future__ import annotations

from secrets import token_urlsafe

from curate.backends.argilla.client import Client, Conflict, well_formed
from curate.errors import BackendError
from curate.servers import Account
from curate.servers.argilla.server import login


class ArgillaAccounts:
    """The people of one server, as the key's owner may see and add them."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = Client(url, api_key)
        self.url = self._client.url

    def logins(self) -> tuple[str, ...]:
        """Return the user names of everyone with an account; nobody can tell their passwords."""
        answer = self._client.request("GET", "users")
        with well_formed():
            return tuple(sorted(str(user["username"]) for user in answer["items"]))

    def add(self, email: str, name: str) -> Account:
        """Make an annotator with a random password; return the account with its API key.

        `email` may be any user name. The first push to a project lets the person into it.
        """
        user = login(email)
        password = token_urlsafe(12)
        asked = {"username": user, "password": password, "role": "annotator"}
        try:
            made = self._client.request(
                "POST", "users", body={**asked, "first_name": name.strip()[:30] or user}
            )
        except Conflict:
            raise BackendError(
                f"{user} has an account on {self.url} already",
                hint="only the person knows the password; an owner can make another account",
            ) from None
        with well_formed():
            return Account(user, str(made["first_name"]), password, str(made["api_key"]))
