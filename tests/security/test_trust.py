"""Whose certificate is trusted, and what is kept of the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from runtime.security.certificates import Identity, self_signed, thumbprint
from runtime.security.trust import MOST, Trust, Untrusted, file_name

NOW = datetime.now(UTC)
CLIENT = self_signed("Client", "urn:client", (), NOW)
AUTHORITY = rsa.generate_private_key(65537, 2048)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Plant CA")])


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trust:
    monkeypatch.setattr("runtime.security.trust.LOOKS", 0.0)
    return Trust(tmp_path)


def named(subject: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])


def issued(
    subject: str,
    ca: bool = False,
    serial: int = 7,
    key: rsa.RSAPrivateKey | None = None,
    by: tuple[x509.Name, rsa.RSAPrivateKey] = (NAME, AUTHORITY),
) -> x509.Certificate:
    """A certificate of the authority: its own, or of somebody with the client's key."""
    key = key or (AUTHORITY if ca else CLIENT.key)
    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(by[0])
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=10))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .sign(by[1], hashes.SHA256())
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def revoke(trust: Trust, serial: int) -> None:
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(NAME)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW).build()
        )
        .sign(AUTHORITY, hashes.SHA256())
    )
    (trust.authorities / "ca.crl").write_bytes(crl.public_bytes(Encoding.PEM))


def test_nobody_is_trusted_at_first_and_who_is_added_or_removed_is_so_at_once(trust: Trust) -> None:
    with pytest.raises(Untrusted, match="not in trusted"):
        trust.check(CLIENT.certificate)
    trust.add(CLIENT.certificate)
    trust.check(CLIENT.certificate)
    (trust.trusted / file_name(CLIENT.certificate)).unlink()
    with pytest.raises(Untrusted):
        trust.check(CLIENT.certificate)


def test_a_namesake_is_not_trusted(trust: Trust) -> None:
    trust.add(CLIENT.certificate)
    with pytest.raises(Untrusted):
        trust.check(self_signed("Client", "urn:client", (), NOW).certificate)


def test_an_authority_vouches_for_others_until_it_revokes_them(trust: Trust) -> None:
    (trust.authorities / "ca.pem").write_bytes(pem(issued("Plant CA", ca=True)))
    vouched = issued("Vouched for")
    trust.check(vouched)
    revoke(trust, 7)
    with pytest.raises(Untrusted, match="revoked"):
        trust.check(vouched)
    trust.check(issued("Another", serial=8))


def test_a_revoked_application_is_not_trusted_even_if_it_is_listed(trust: Trust) -> None:
    (trust.authorities / "ca.pem").write_bytes(pem(issued("Plant CA", ca=True)))
    listed = issued("Listed")
    trust.add(listed)
    trust.check(listed)
    revoke(trust, 7)
    with pytest.raises(Untrusted, match="revoked"):
        trust.check(listed)


def test_an_authority_that_was_revoked_by_its_own_vouches_for_nobody(trust: Trust) -> None:
    (trust.authorities / "root.pem").write_bytes(pem(issued("Plant CA", ca=True, serial=1)))
    between = self_signed("Site", "urn:site", (), NOW).key
    site = issued("Site CA", ca=True, serial=2, key=between)
    (trust.authorities / "site.pem").write_bytes(pem(site))
    vouched = issued("Vouched for", serial=9, by=(named("Site CA"), between))
    trust.check(vouched)
    revoke(trust, 2)
    with pytest.raises(Untrusted, match="revoked"):
        trust.check(vouched)


def test_a_trusted_application_vouches_for_nobody(trust: Trust) -> None:
    (trust.trusted / "ca.pem").write_bytes(pem(issued("Plant CA", ca=True)))
    with pytest.raises(Untrusted):
        trust.check(issued("Vouched for"))


@pytest.mark.parametrize("later", [timedelta(days=800), timedelta(days=-1)])
def test_a_certificate_counts_only_in_its_time(trust: Trust, later: timedelta) -> None:
    trust.add(CLIENT.certificate)
    with pytest.raises(Untrusted, match="valid from"):
        trust.check(CLIENT.certificate, NOW + later)


def test_a_weak_key_is_not_trusted_whatever_folder_it_lies_in(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.security.certificates.KEY_SIZE", 1024)
    weak = self_signed("Weak", "urn:weak", (), NOW).certificate
    trust.add(weak)
    with pytest.raises(Untrusted, match="found 1024 bits"):
        trust.check(weak)


def test_only_the_last_rejected_certificates_are_kept_and_not_all_of_a_flood(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [issued(f"Client {number}", serial=number + 1) for number in range(MOST + 5)]
    for certificate in many:
        trust.keep(certificate)
    assert len(list(trust.rejected.iterdir())) <= 11
    monkeypatch.setattr("runtime.security.trust.BURST", 1e9)
    trust._room = 1e9
    for certificate in many:
        trust.keep(certificate)
    kept = {file.name for file in trust.rejected.iterdir()}
    assert len(kept) == MOST
    assert file_name(many[-1]) in kept


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a\0b", "ä" * 30, ""])
def test_a_name_in_a_certificate_is_never_a_path(name: str) -> None:
    certificate = issued(name.replace("\0", " ") or " ")
    found = file_name(certificate)
    assert "/" not in found
    assert not found.startswith(".")
    assert len(found) < 80
    assert found.endswith(f"{thumbprint(certificate)[:16]}.der")


def test_what_is_no_certificate_is_passed_over(trust: Trust) -> None:
    (trust.trusted / "notes.txt").write_text("trust nobody")
    trust.add(CLIENT.certificate)
    trust.check(CLIENT.certificate)


def test_identity_is_kept_whole() -> None:
    assert isinstance(CLIENT, Identity)
    assert CLIENT.pem.startswith(b"-----BEGIN PRIVATE KEY")
