"""Accounts on an Argilla server that curate does not run, made by its API with an owner's key."""

from __future__ import annotations

from secrets import token_urlsafe

from curate.backends.argilla.client import Client, Conflict, well_formed
from curate.errors import BackendError
from curate.servers import Account
from curate.servers.argilla.server import login


class ArgillaAccounts:
    """The accounts on one server, as the key's owner may see and add them."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = Client(url, api_key)
        self.url = self._client.url

    def logins(self) -> tuple[str, ...]:
        """The user names of all accounts, sorted; the server tells nobody their passwords."""
        answer = self._client.request("GET", "users")
        with well_formed():
            return tuple(sorted(str(user["username"]) for user in answer["items"]))

    def remove(self, login: str) -> None:
        """Raise BackendError: with a user, the server deletes the answers too."""
        raise BackendError(
            f"{self.url} would delete the answers of {login} with the account",
            hint="take the person out of the workspaces on its page, after a `curate pull`",
        )

    def add(self, email: str, name: str) -> Account:
        """Make an annotator with a random password; return the account with its API key.

        `email` may be any user name. The first push to a project admits the person to it. Raises
        BackendError if the user name is taken.
        """
        user = login(email)
        password = token_urlsafe(12)
        body = {"username": user, "password": password, "role": "annotator"}
        try:
            answer = self._client.request(
                "POST", "users", body={**body, "first_name": name.strip()[:30] or user}
            )
        except Conflict:
            raise BackendError(
                f"{user} has an account on {self.url} already",
                hint="only the person knows the password; an owner can make another account",
            ) from None
        with well_formed():
            return Account(user, str(answer["first_name"]), password, str(answer["api_key"]))
