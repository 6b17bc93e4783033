"""Certificates: the one that a server shows, made at first start and renewed in time.

Key and certificate lie in one PEM file, so that a pair is replaced at once or not at all. One that
we have not made (an authority of the customer has) is used as it is, and never renewed by us.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_SIZE = 2048  # bits: what every OPC UA client takes; enough until 2030 (NIST SP 800-57)
VALID = timedelta(days=730)
RENEWED = timedelta(days=60)  # before its end
BACKDATED = timedelta(hours=1)  # clocks differ
OURS = "Calejo Control Adapter"  # the organisation in what we have signed ourselves
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class CertificateError(Exception):
    """A certificate or its key can't be used; the message says which, and why."""


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        return self.key_pem + self.certificate.public_bytes(Encoding.PEM)


def thumbprint(certificate: x509.Certificate) -> str:
    """What a certificate is known by: its SHA-256, in hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def common_name(certificate: x509.Certificate) -> str:
    """Whose it is, as it says itself."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def self_signed(
    name: str, uri: str, hosts: Collection[str], now: datetime, valid: timedelta = VALID
) -> Identity:
    """A new key with an application instance certificate as OPC UA Part 6 (6.2.2) asks for it."""
    key = rsa.generate_private_key(65537, KEY_SIZE)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, OURS),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )
    usages = {usage: usage in _USAGES[:4] or usage == "key_cert_sign" for usage in _USAGES}
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usages), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName([*_names(uri, hosts)]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    return Identity(key, builder.sign(key, hashes.SHA256()))


def _names(uri: str, hosts: Collection[str]) -> Iterator[x509.GeneralName]:
    yield x509.UniformResourceIdentifier(uri)
    for host in hosts:
        try:
            yield x509.IPAddress(ip_address(host))
        except ValueError:
            yield x509.DNSName(host)


def loaded(pem: bytes, where: object) -> Identity:
    """The identity in PEM text; the first certificate in it is the one of the key."""
    try:
        key = load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificates(pem)[0]
    except (ValueError, TypeError, IndexError) as error:
        raise CertificateError(
            f"{where}: found no private key with its certificate ({error}), allowed both in PEM,"
            " the key without a password"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateError(f"{where}: found a key that isn't an RSA key of its certificate")
    return Identity(key, certificate)


class OwnCertificate:
    """The identity of a server, in a file."""

    def __init__(self, path: Path, name: str, uri: str, hosts: Collection[str]) -> None:
        self.path = path
        self._name, self._uri, self._hosts = name, uri, hosts
        self._stamp = 0
        self.problem = ""  # why the file is not in use; the identity before stays
        self.identity = self._first()

    @property
    def expires(self) -> datetime:
        return self.identity.certificate.not_valid_after_utc

    def renew(self, now: datetime) -> bool:
        """Take what is new in the file, and make it new when it is time; whether it changed."""
        before = self.identity
        try:
            if self._stamp != self.path.stat().st_mtime_ns:
                self._load()
            if self._is_ours and (now > self.expires - RENEWED or not self._fits):
                self._make(now)
        except FileNotFoundError:
            self._make(now)
        except (CertificateError, OSError) as error:
            self.problem = str(error)
        return self.identity is not before

    def _first(self) -> Identity:
        with suppress(FileNotFoundError):
            self._load()
            if not self._is_ours or (self._fits and datetime.now(UTC) < self.expires - RENEWED):
                return self.identity
        self._make(datetime.now(UTC))
        return self.identity

    def _load(self) -> None:
        self._stamp = self.path.stat().st_mtime_ns  # before it is read: it may change meanwhile
        self.identity = loaded(self.path.read_bytes(), self.path)
        self.problem = ""

    def _make(self, now: datetime) -> None:
        made = self_signed(self._name, self._uri, self._hosts, now)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.path.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(made.pem)
        partial.replace(self.path)
        self.path.with_suffix(".der").write_bytes(made.der)  # for clients that want to trust it
        self._stamp, self.identity, self.problem = self.path.stat().st_mtime_ns, made, ""

    @property
    def _is_ours(self) -> bool:
        found = self.identity.certificate
        owners = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return found.issuer == found.subject and [owner.value for owner in owners] == [OURS]

    @property
    def _fits(self) -> bool:
        """Whether it names this server: host and address may have changed since it was made."""
        kind = x509.SubjectAlternativeName
        named = self.identity.certificate.extensions.get_extension_for_class(kind).value
        return set(named) >= set(_names(self._uri, self._hosts))
