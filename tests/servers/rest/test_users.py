"""Users over HTTP: administrators add, change, lock and retire them, and control nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.places import Places
from runtime.requests import Role
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts
from runtime.servers.rest.identity import Identities, Known
from tests.servers.rest.site import Image, Site
from tests.servers.state import state

NEW = {"user": "anna", "role": "operator", "password": "staple on a grey lamp"}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with state(tmp_path_factory.mktemp("users")) as places:
        Image(places).publish()
        yield places


@pytest.fixture(scope="module")
def site(places: Places) -> Iterator[Site]:
    site = Site(places)
    try:
        yield site
    finally:
        site.end()


@pytest.fixture(autouse=True)
def administrator(monkeypatch: pytest.MonkeyPatch, places: Places) -> Accounts:
    """Who asks is Ada, an administrator, and but for Otto there is nobody yet."""
    monkeypatch.setattr(Identities, "of", lambda *_: Known("Ada", Role.ADMINISTRATOR))
    places.accounts.unlink(missing_ok=True)
    accounts = Accounts(places.accounts)
    accounts.put("otto", Account(role="viewer", password="$argon2id$"))
    return accounts


def test_a_user_is_added_with_a_password_that_he_has_to_change(
    site: Site, administrator: Accounts
) -> None:
    added = site.post("users", NEW)
    assert added.status == 201, added.body
    assert added.json["initial"] is True
    account = administrator.get("anna")
    assert account is not None
    assert passwords.matches(account.password, NEW["password"])
    shown = site.api("users")
    assert [user["user"] for user in shown.json["users"]] == ["anna", "otto"]
    assert b"argon2" not in shown.body


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"user": "OTTO"}, 409, "exists or has existed"),
        ({"user": "a b"}, 409, "user name"),
        ({"role": "god"}, 422, "body.role"),
        ({"password": "short"}, 422, "found 5 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_and_shows_no_password(
    site: Site, administrator: Accounts, more: dict[str, Any], status: int, said: str
) -> None:
    refused = site.post("users", NEW | more)
    assert refused.status == status
    assert said in refused.problem["detail"]
    assert (NEW | more)["password"] not in refused.body.decode()
    assert [name for name, _ in administrator] == ["otto"]


def test_a_user_is_moved_locked_and_retired_for_good(site: Site, administrator: Accounts) -> None:
    path = "users/otto/change"
    assert site.post(path, {"role": "engineer"}).json["role"] == "engineer"
    assert site.post(path, {"locked": True}).json["locked"] is True
    retired = site.post(path, {"retired": True})
    assert retired.json["retired"] is True
    account = administrator.get("otto")
    assert account is not None
    assert account.password == ""
    assert site.post(path, {"locked": False}).status == 409
    assert site.post("users", NEW | {"user": "otto"}).status == 409


def test_nobody_changes_himself_or_who_is_not_there(site: Site, administrator: Accounts) -> None:
    administrator.put("Ada", Account(role="administrator"))
    assert site.post("users/Ada/change", {"role": "engineer"}).status == 409
    missing = site.post("users/nobody/change", {"locked": True})
    assert missing.status == 404
    assert "otto" in missing.problem["errors"][0]["allowed"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ENGINEER])
def test_only_administrators_see_or_change_users(
    site: Site, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr(Identities, "of", lambda *_: Known("Eve", role))
    assert site.api("users").status == 403
    assert site.post("users", NEW).status == 403
    assert site.post("users/otto/change", {"role": "administrator"}).status == 403
