"""`calejo users` and `calejo certs`, as somebody types them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.command_line import execute
from runtime.places import Places
from runtime.security import passwords
from runtime.security.accounts import Accounts
from runtime.security.certificates import loaded, self_signed, thumbprint
from runtime.security.trust import Trust
from tests.servers.state import state


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    with state(tmp_path) as places:
        monkeypatch.setenv("CALEJO_STATE", str(places.root))
        yield places


def typed(monkeypatch: pytest.MonkeyPatch, password: str, *words: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    execute(words)


def test_an_account_is_added_changed_pinned_and_removed(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trust, accounts = Trust(places.certificates / "opcua"), Accounts(places.accounts)
    client = self_signed("HMI", "urn:hmi", (), datetime.now(UTC)).certificate
    trust.add(client)
    typed(monkeypatch, "correct horse battery", "users", "add", "anna", "--role", "engineer")
    typed(monkeypatch, "staple battery horse", "users", "password", "anna", "--keep")
    execute(["users", "pin", "anna", thumbprint(client)[:12]])
    found = accounts.get("anna")
    assert found is not None
    assert found.pinned == (thumbprint(client),)
    assert passwords.matches(found.password, "staple battery horse")
    assert not found.initial
    execute(["users"])
    told = capsys.readouterr().out
    assert "anna" in told
    assert "engineer" in told
    assert "only from" in told
    execute(["users", "pin", "anna"])
    assert accounts.get("anna") != found
    execute(["users", "role", "anna", "viewer"])
    for act in ("lock", "retire"):
        execute(["users", act, "anna"])
        found = accounts.get("anna")
        assert found is not None
        assert not found.open
    for words in (["add", "Anna", "--role", "viewer"], ["unlock", "anna"]):
        with pytest.raises(SystemExit, match=r"exist|retired"):
            typed(monkeypatch, "staple battery horse", "users", *words)


@pytest.mark.parametrize(
    ("password", "words", "said"),
    [
        ("short", ["add", "anna", "--role", "viewer"], "found 5 characters"),
        ("anna anna anna 2026", ["add", "anna", "--role", "viewer"], "tried first"),
        ("x" * 200, ["add", "anna", "--role", "viewer"], "found 200 characters"),
        ("correct horse battery", ["add", "an na", "--role", "viewer"], "user name"),
        ("correct horse battery", ["password", "otto"], "'otto': found none"),
        ("", ["pin", "otto", "ab"], "allowed the first digits"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    places: Places, monkeypatch: pytest.MonkeyPatch, password: str, words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match=said):
        typed(monkeypatch, password, "users", *words)
    assert not places.accounts.exists()


def test_a_rejected_application_is_trusted_and_rejected_again(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = Trust(places.certificates / "opcua")
    client = self_signed("UaExpert", "urn:expert", (), datetime.now(UTC)).certificate
    trust.keep(client)
    execute(["certs"])
    assert f"{thumbprint(client)[:16]}  valid until" in capsys.readouterr().out
    execute(["certs", "trust", thumbprint(client)[:8]])
    Trust(places.certificates / "opcua").check(client)
    execute(["certs", "reject", thumbprint(client)[:8]])
    assert not list(trust.trusted.iterdir())
    with pytest.raises(SystemExit, match="found 0 such certificates"):
        execute(["certs", "trust", "abcdef012345"])


def test_a_client_gets_a_key_that_is_trusted(places: Places, tmp_path: Path) -> None:
    execute(["certs", "client", str(tmp_path / "hmi")])
    key, certificate = (tmp_path / name for name in ("hmi.key.pem", "hmi.pem"))
    assert key.stat().st_mode & 0o777 == 0o600
    made = loaded(key.read_bytes() + certificate.read_bytes(), "hmi")
    Trust(places.certificates / "opcua").check(made.certificate)
    assert (tmp_path / "hmi.der").read_bytes() == made.der
