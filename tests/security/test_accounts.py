"""Accounts: kept without passwords in clear, read again when they change, never half lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.requests import Role
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts, AccountsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


def test_the_first_account_is_an_operator_whose_password_is_nowhere_in_the_file(
    path: Path,
) -> None:
    Accounts(path).begin("0123456789abcdef")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "0123456789abcdef" not in path.read_text()
    found = Accounts(path).get("operator")
    assert found is not None
    assert found.rank is Role.OPERATOR
    assert found.password.startswith("$argon2id$")
    assert passwords.matches(found.password, "0123456789abcdef")
    Accounts(path).begin("another")  # there is a file: nothing changes
    assert Accounts(path).get("operator") == found


def test_a_change_is_seen_by_who_has_read_the_file_before(path: Path) -> None:
    server, command = Accounts(path), Accounts(path)
    assert server.get("anna") is None
    command.put("anna", Account(role="engineer"))
    assert server.get("anna") == Account(role="engineer")
    command.remove("anna")
    assert server.get("anna") is None
    with pytest.raises(AccountsError, match="'anna': found none"):
        command.remove("anna")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "EOF"),
        ('{"anna": {"role": "god"}}', "anna.role: Input should be 'viewer'"),
        ('{"anna": {"role": "viewer", "pinned": ["ab"]}}', "anna.pinned.0"),
        ('{"anna": {"role": "viewer", "admin": true}}', "anna.admin"),
    ],
)
def test_a_broken_file_is_told_and_what_was_known_stays_in_force(
    path: Path, text: str, said: str
) -> None:
    accounts = Accounts(path)
    accounts.put("anna", Account(role="viewer"))
    assert accounts.get("anna")
    path.write_text(text + "  ")
    assert accounts.get("anna") == Account(role="viewer")
    assert said in accounts.problem
    with pytest.raises(AccountsError):
        accounts.put("otto", Account(role="viewer"))
    assert path.read_text() == text + "  "


def test_a_file_that_others_may_write_is_not_believed(path: Path) -> None:
    Accounts(path).put("anna", Account(role="engineer"))
    path.chmod(0o622)
    accounts = Accounts(path)
    assert accounts.get("anna") is None
    assert "allowed mode 0600" in accounts.problem
    path.chmod(0o600)
    os.utime(path, (1, 1))
    assert accounts.get("anna")
    assert not accounts.problem


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ä", "a" * 65, "a\n"])
def test_names_are_plain(path: Path, name: str) -> None:
    with pytest.raises(AccountsError, match="user name"):
        Accounts(path).put(name, Account(role="viewer"))


def test_a_certificate_signs_in_as_one_account(path: Path) -> None:
    accounts = Accounts(path)
    mark = "ab" * 32
    accounts.put("anna", Account(role="engineer", certificates=(mark,)))
    assert accounts.of_certificate(mark) == ("anna", accounts.get("anna"))
    assert accounts.of_certificate("cd" * 32) is None
    with pytest.raises(AccountsError, match="already signs in as anna"):
        accounts.put("otto", Account(role="viewer", certificates=(mark,)))


@pytest.mark.parametrize("given", ["", "Secret", "secret ", "\ud800", "x" * 10_000])
def test_only_the_password_itself_matches(given: str) -> None:
    assert not passwords.matches(KEPT, given)


def test_the_password_matches_and_nothing_matches_none() -> None:
    assert passwords.matches(KEPT, "secret")
    assert not passwords.matches("", "")
    assert not passwords.matches("no hash", "secret")


KEPT = passwords.hashed("secret")
