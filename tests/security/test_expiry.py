"""When certificates end is known of all protocols, and what has been replaced counts no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from runtime.security.certificates import Identity, OwnCertificate, self_signed
from runtime.security.expiry import first_end, in_use
from runtime.security.trust import Trust

NOW = datetime.now(UTC)


def lasting(name: str, days: int) -> Identity:
    return self_signed(name, f"urn:{name}", (), NOW - timedelta(days=10), timedelta(days=10 + days))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Certificates of two protocols: ours, a client and an authority."""
    for protocol in ("modbus", "opcua"):
        OwnCertificate(tmp_path / protocol / "own.pem", protocol, f"urn:{protocol}", ())
    Trust(tmp_path / "opcua").add(lasting("client", 20).certificate)
    authorities = tmp_path / "modbus" / "authorities"
    authorities.mkdir()
    pem = lasting("authority", 40).certificate.public_bytes(Encoding.PEM)
    authorities.joinpath("site.pem").write_bytes(pem)
    return tmp_path


def test_certificates_of_all_protocols_are_found_with_what_they_are_for(folder: Path) -> None:
    assert [(found.protocol, found.use, found.name) for found in in_use(folder)] == [
        ("modbus", "own", "modbus"),
        ("modbus", "authority", "authority"),
        ("opcua", "own", "opcua"),
        ("opcua", "client", "client"),
    ]


def test_the_first_end_is_that_of_any_of_them(folder: Path) -> None:
    assert first_end(folder) == lasting("client", 20).certificate.not_valid_after_utc.timestamp()


def test_what_has_been_replaced_counts_no_more(folder: Path) -> None:
    Trust(folder / "opcua").add(lasting("client", 300).certificate)
    assert first_end(folder) == lasting("x", 40).certificate.not_valid_after_utc.timestamp()


def test_what_was_rejected_or_is_no_certificate_does_not_count(folder: Path) -> None:
    before = in_use(folder)
    Trust(folder / "opcua").keep(lasting("rejected", 1).certificate)
    folder.joinpath("opcua", "trusted", "notes.txt").write_text("not to be trusted")
    folder.joinpath("opcua", "own.pem").write_text("nor is this")
    assert in_use(folder) == [
        found for found in before if (found.protocol, found.use) != ("opcua", "own")
    ]


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    assert in_use(tmp_path / "none") == []
    assert first_end(tmp_path / "none") == 0.0
