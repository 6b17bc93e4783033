"""When certificates end: of all protocols, from the folders that they lie in.

    certificates/<protocol>/own.pem        what the server shows
    certificates/<protocol>/authorities/   who vouches for clients
    certificates/<protocol>/trusted/       clients

A certificate that another one in the same folder outlives, of the same subject and names, has been
replaced: it may lie there until somebody takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from runtime.security.certificates import common_name, thumbprint
from runtime.security.trust import certificates

USES = {"own.pem": "own", "authorities": "authority", "trusted": "client"}


@dataclass(frozen=True)
class InUse:
    """A certificate that something depends on; `end` is in s since 1970."""

    protocol: str
    use: str
    name: str
    thumbprint: str
    end: float


def in_use(folder: Path) -> list[InUse]:
    """The certificates in use, below the folder of all protocols."""
    found = []
    for protocol in sorted(folder.glob("*/")):
        for place, use in USES.items():
            latest: dict[bytes, x509.Certificate] = {}
            for certificate in _read(protocol / place):
                with suppress(ValueError):
                    whose = _whose(certificate)
                    latest[whose] = _later(certificate, latest.get(whose))
            found += [_in_use(protocol.name, use, certificate) for certificate in latest.values()]
    return found


def first_end(folder: Path) -> float:
    """When the first of them ends, in s since 1970; 0 if there is none."""
    return min((found.end for found in in_use(folder)), default=0.0)


def _in_use(protocol: str, use: str, certificate: x509.Certificate) -> InUse:
    end = certificate.not_valid_after_utc.timestamp()
    return InUse(protocol, use, common_name(certificate), thumbprint(certificate), end)


def _read(place: Path) -> Iterable[x509.Certificate]:
    with suppress(OSError, ValueError):
        if place.is_dir():
            return [found for _, found in certificates(place)]
        return x509.load_pem_x509_certificates(place.read_bytes())[:1]
    return []


def _whose(certificate: x509.Certificate) -> bytes:
    """What stays when a certificate is renewed."""
    whose = certificate.subject.public_bytes()
    with suppress(x509.ExtensionNotFound):
        kind = x509.SubjectAlternativeName
        whose += certificate.extensions.get_extension_for_class(kind).value.public_bytes()
    return whose


def _later(one: x509.Certificate, other: x509.Certificate | None) -> x509.Certificate:
    if other is not None and other.not_valid_after_utc > one.not_valid_after_utc:
        return other
    return one
