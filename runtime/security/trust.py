"""Which certificates of clients are trusted, and what becomes of the others.

    trusted/      certificates of applications that may connect (DER or PEM)
    authorities/  certificates of authorities: whoever they vouch for may connect;
                  their revocation lists (*.crl) as well
    rejected/     what came and was not trusted, for review: the last MOST of them

Files may come and go while the server runs. Nothing is trusted by its name, only by what it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.security.certificates import common_name, thumbprint

LARGEST = 16 * 1024  # bytes of a certificate, or of a chain of them
LONGEST_CHAIN = 5  # authorities, one vouching for the next
MOST = 32  # rejected certificates that are kept
RATE = 1.0  # rejected certificates per s that are written, in the long run
BURST = 10.0
LOOKS = 1.0  # s between looks at the folders
KEY_SIZES = range(2048, 4097)  # bits (the limits of the policies, OPC UA Part 7)
_ISSUERS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class Untrusted(Exception):
    """A certificate is refused; the message says why, for us: the client is not told."""


class Trust:
    """The folders of trust."""

    def __init__(self, folder: Path) -> None:
        self.trusted, self.authorities = folder / "trusted", folder / "authorities"
        self.rejected = folder / "rejected"
        for each in (self.trusted, self.authorities, self.rejected):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._looked = float("-inf")
        self._stamp: tuple[object, ...] = ()
        self._known: frozenset[str] = frozenset()
        self._issuers: list[x509.Certificate] = []
        self._revoked: list[x509.CertificateRevocationList] = []
        self._room, self._counted = BURST, time.monotonic()

    def check(self, certificate: x509.Certificate, now: datetime | None = None) -> None:
        """Return if a client may connect with this certificate; raise Untrusted if not."""
        self._renew()
        check_form(certificate, now)
        issuer = self._issuer(certificate)
        self._check_revoked(certificate, issuer)
        if thumbprint(certificate) in self._known:
            return
        if issuer is None:
            raise Untrusted("not in trusted/, nor issued by one of authorities/")
        _check_time(issuer, now or datetime.now(UTC))

    def _issuer(self, certificate: x509.Certificate) -> x509.Certificate | None:
        return next((one for one in self._issuers if _issued(certificate, one)), None)

    def _check_revoked(
        self, certificate: x509.Certificate, issuer: x509.Certificate | None
    ) -> None:
        """Raise Untrusted if an authority has revoked it, or an authority in between."""
        for _ in range(LONGEST_CHAIN):
            if issuer is None:
                return
            for crl in self._revoked:
                if _is_of(crl, issuer) and crl.get_revoked_certificate_by_serial_number(
                    certificate.serial_number
                ):
                    raise Untrusted("revoked by its authority")
            if issuer.subject == issuer.issuer:
                return
            certificate, issuer = issuer, self._issuer(issuer)
        raise Untrusted(f"vouched for over more than {LONGEST_CHAIN} authorities")

    def add(self, certificate: x509.Certificate) -> None:
        """Let an application connect from now on."""
        path = self.trusted / file_name(certificate)
        path.write_bytes(certificate.public_bytes(Encoding.DER))

    def keep(self, certificate: x509.Certificate) -> None:
        """Put a certificate that was refused aside; not more often than a disk should write."""
        now = time.monotonic()
        self._room = min(BURST, self._room + (now - self._counted) * RATE)
        self._counted = now
        if self._room < 1.0:
            return
        self._room -= 1.0
        with suppress(OSError):  # a full disk: reviewing is a convenience
            self.rejected.joinpath(file_name(certificate)).write_bytes(
                certificate.public_bytes(Encoding.DER)
            )
            found = sorted(self.rejected.iterdir(), key=lambda file: file.stat().st_mtime_ns)
            for oldest in found[:-MOST]:
                oldest.unlink(missing_ok=True)

    def _renew(self) -> None:
        """Read the folders again if they have changed."""
        if time.monotonic() - self._looked < LOOKS:
            return
        self._looked = time.monotonic()
        files = [*_files(self.trusted), *_files(self.authorities)]
        stamp = tuple(files)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._known = frozenset(thumbprint(found) for _, found in certificates(self.trusted))
        self._issuers = [found for _, found in certificates(self.authorities) if _may_issue(found)]
        self._revoked = [*_revocations(self.authorities)]


def file_name(certificate: x509.Certificate) -> str:
    """A name that people recognise, and that no certificate can make into a path."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", common_name(certificate))[:40].strip("-.")
    return f"{words or 'unnamed'}-{thumbprint(certificate)[:16]}.der"


def certificates(folder: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    """The certificates in a folder; what is none is passed over."""
    for path, *_ in _files(folder):
        with suppress(ValueError, OSError):
            data = path.read_bytes()[: LARGEST * 2]
            pem = b"-----BEGIN" in data
            read = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
            yield path, read(data)


def _revocations(folder: Path) -> Iterator[x509.CertificateRevocationList]:
    for path in sorted(folder.glob("*.crl")):
        with suppress(ValueError, OSError):
            data = path.read_bytes()
            read = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
            yield read(data)


def _files(folder: Path) -> list[tuple[Path, int, int]]:
    found = []
    for path in sorted(folder.glob("*")):  # of no folder: nothing
        with suppress(OSError):
            stat = path.stat()
            found.append((path, stat.st_mtime_ns, stat.st_size))
    return found


def check_form(
    certificate: x509.Certificate, now: datetime | None = None, for_client: bool = True
) -> None:
    """Raise Untrusted unless it is what anybody may show at all, whoever vouches for it."""
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in KEY_SIZES:
        size = f"{key.key_size} bits" if isinstance(key, rsa.RSAPublicKey) else "no RSA key"
        raise Untrusted(f"found {size}, allowed RSA of {KEY_SIZES[0]} to {KEY_SIZES[-1]} bits")
    if not isinstance(certificate.signature_hash_algorithm, _HASHES):
        raise Untrusted("signed with a hash that is weaker than SHA-256")
    _check_time(certificate, now or datetime.now(UTC))
    with suppress(x509.ExtensionNotFound):
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        encrypts = usage.key_encipherment or usage.data_encipherment
        if not usage.digital_signature or (for_client and not encrypts):
            raise Untrusted("not for signing and encrypting")
    with suppress(x509.ExtensionNotFound):
        kind = x509.ExtendedKeyUsage
        if (
            ExtendedKeyUsageOID.CLIENT_AUTH
            not in certificate.extensions.get_extension_for_class(kind).value
        ):
            raise Untrusted("not for clients")


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= now <= ends:
        raise Untrusted(f"valid from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC")


def _may_issue(certificate: x509.Certificate) -> bool:
    with suppress(x509.ExtensionNotFound, ValueError):
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    return False


def _is_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not isinstance(key, _ISSUERS):
        return False
    return crl.is_signature_valid(key)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
