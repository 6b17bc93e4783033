"""The certificate of a server: made at first start, renewed in time, reloaded while it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.security.certificates import RENEWED, VALID, OwnCertificate, loaded, self_signed

URI, HOSTS = "urn:machine:calejo", ("machine", "127.0.0.1")
NOW = datetime.now(UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "opcua" / "own.pem"


def own(path: Path, hosts: tuple[str, ...] = HOSTS) -> OwnCertificate:
    return OwnCertificate(path, "Calejo", URI, hosts)


def test_the_first_start_makes_a_certificate_that_names_the_application(path: Path) -> None:
    made = own(path).identity
    extensions = made.certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [URI]
    assert names.get_values_for_type(x509.DNSName) == ["machine"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in uses
    assert made.key.key_size == 2048
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_suffix(".der").read_bytes() == made.der


def test_a_later_start_finds_it(path: Path) -> None:
    assert own(path).identity.der == own(path).identity.der


def test_it_is_renewed_before_its_end_and_not_sooner(path: Path) -> None:
    found = own(path)
    before = found.identity
    assert not found.renew(NOW + VALID - RENEWED - timedelta(days=1))
    assert found.renew(NOW + VALID - RENEWED + timedelta(days=1))
    assert found.identity.der != before.der
    assert found.expires > before.certificate.not_valid_after_utc
    assert own(path).identity.der == found.identity.der


def test_it_is_made_anew_for_another_host(path: Path) -> None:
    before = own(path).identity
    assert own(path, ("other", "127.0.0.1")).identity.der != before.der


def test_one_of_a_customers_authority_is_taken_while_it_runs_and_never_renewed(path: Path) -> None:
    found = own(path)
    customers = self_signed("plant", "urn:other", (), NOW)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plant")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(customers.certificate.subject)
        .public_key(customers.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(customers.key, hashes.SHA256())
    )
    pem = customers.key_pem + certificate.public_bytes(Encoding.PEM)
    path.write_bytes(pem)
    assert found.renew(NOW)
    assert found.identity.certificate == certificate
    assert not found.renew(NOW + timedelta(days=30))
    assert path.read_bytes() == pem


@pytest.mark.parametrize("spoiled", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate_changes_nothing_and_is_told(
    path: Path, spoiled: bytes
) -> None:
    found = own(path)
    before = found.identity
    path.write_bytes(spoiled)
    assert not found.renew(NOW)
    assert found.identity is before
    assert "own.pem: found no private key with its certificate" in found.problem
    path.write_bytes(before.pem)
    found.renew(NOW)
    assert not found.problem


def test_a_key_of_another_certificate_is_refused() -> None:
    one, other = (self_signed(name, URI, (), NOW) for name in ("one", "other"))
    with pytest.raises(Exception, match="isn't an RSA key of its certificate"):
        loaded(one.key_pem + other.pem.partition(b"-----END PRIVATE KEY-----\n")[2], "own.pem")
