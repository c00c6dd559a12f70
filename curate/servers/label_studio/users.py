"""The accounts in Label Studio's database, made with Label Studio's own classes.

To load them takes seconds, so a running server is asked to read the file of secrets again.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from typing import Any

PATH = "/curate/accounts"
"""Where a running server is asked to follow the file of secrets."""


def follow(request: Any) -> Any:
    """Follow the file of secrets, for whoever knows the curator's token in it.

    The answer is 204, or 404 to anybody else. The token of the database is not asked: it may be
    what has to be put back.
    """
    from django.http import HttpResponse

    secrets = json.loads(Path(os.environ["CURATE_SECRETS"]).read_text(encoding="utf-8"))
    expected = f"Token {secrets['curator']['token']}"
    offered = request.META.get("HTTP_AUTHORIZATION", "")
    if request.method != "POST" or not compare_digest(offered.encode(), expected.encode()):
        return HttpResponse(status=404)
    ensure(secrets)
    return HttpResponse(status=204)


def ensure(secrets: Mapping[str, Any]) -> None:
    """Create missing users, reset those whose token differs, and shut out those removed.

    The switch of tokens is put back: curate could not read an answer without its token.
    """
    from jwt_auth.models import JWTSettings

    _ensure(secrets["curator"], is_curator=True)
    for account in secrets["people"]:
        _ensure(account, is_curator=False)
    for email in secrets.get("removed", ()):
        _shut_out(email)
    JWTSettings.objects.update(legacy_api_tokens_enabled=True)


def _shut_out(email: str) -> None:
    """End an account as the server's own page does; the user's answers stay theirs."""
    from organizations.models import OrganizationMember
    from rest_framework.authtoken.models import Token
    from users.models import User

    for user in User.objects.filter(email=email, is_active=True):
        user.is_active = False
        user.set_unusable_password()
        user.save()
        Token.objects.filter(user=user).delete()
        for member in OrganizationMember.objects.filter(user=user, deleted_at__isnull=True):
            member.soft_delete()


def _ensure(account: Mapping[str, str], *, is_curator: bool) -> None:
    """Let an account log in with its password and call the API with its token.

    A person's name is not stored in the server: every account can list all others. A user whose
    address was changed on the server has the token already, and keeps the new address.
    """
    from organizations.models import Organization, OrganizationMember
    from rest_framework.authtoken.models import Token
    from users.models import User

    email, token = account["email"], account["token"]
    owners = Token.objects.filter(key=token)
    if owners.filter(user__email=email, user__first_name="") or owners.exclude(user__email=email):
        return
    user = User.objects.filter(email=email).first() or User.objects.create_user(email=email)
    user.username = email.partition("@")[0]
    user.first_name = user.last_name = ""
    user.is_staff = user.is_superuser = is_curator
    user.set_password(account["password"])
    organization = Organization.objects.first() or Organization.create_organization(
        created_by=user, title="curate", legacy_api_tokens_enabled=True
    )
    organization.add_user(user)
    OrganizationMember.objects.filter(user=user).update(deleted_at=None)
    user.is_active = True
    user.active_organization = organization
    user.save()
    Token.objects.filter(user=user).delete()
    Token.objects.create(user=user, key=token)
