"""Modbus/TCP Security: TLS with certificates on both sides (MB-TCP-Security V21).

What the server shows is made at first start and renewed in time, unless an authority of the
customer's gave it. Clients are taken whose certificate an authority vouches for that lies in
`authorities/` beside it (PEM). Their role is an extension of the certificate. Files may change
while the server runs: whoever connects next meets the new ones.

    certificates/modbus/own.pem           ours, with its key
    certificates/modbus/authorities/*.pem who vouches for clients
"""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from runtime.requests import Role
from runtime.security.certificates import OwnCertificate, common_name

ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
_UTF8STRING, _LONGEST = 0x0C, 0x7F  # of DER; a role is short
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2, all with forward secrecy

logger = structlog.get_logger()


class Security:
    """What the secure port needs, from the files as they are."""

    def __init__(self, folder: Path, host: str) -> None:
        name = socket.gethostname()
        hosts = {name, "localhost", *({host} - {"0.0.0.0", "::"})}
        self._authorities = folder / "authorities"
        self._authorities.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own = OwnCertificate(folder / "own.pem", "Calejo Modbus", f"urn:{name}:calejo", hosts)
        self._stamps: dict[Path, int] = {}
        self.context = self._build()

    def renew(self) -> None:
        """Look whether the files have changed; new connections get what is in them now."""
        changed = self._own.renew(datetime.now(UTC))
        if changed or self._stamps != self._look():
            try:
                self.context = self._build()
                logger.info("modbus security renewed", authorities=len(self._stamps))
            except (ssl.SSLError, OSError) as error:
                logger.error("modbus security not renewed", reason=str(error))

    def _look(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in sorted(self._authorities.glob("*.pem"))}

    def _build(self) -> ssl.SSLContext:
        self._stamps = self._look()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self._own.path)
        for path in self._stamps:
            context.load_verify_locations(path)
        return context


def identity(der: bytes) -> tuple[str, Role | None]:
    """The name in a client's certificate, and its role; None if it has none that there is."""
    certificate = x509.load_der_x509_certificate(der)
    return common_name(certificate) or "nameless", _role(certificate)


def _role(certificate: x509.Certificate) -> Role | None:
    try:
        extension = certificate.extensions.get_extension_for_oid(ROLE).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    value = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    if len(value) < 2 or value[0] != _UTF8STRING or not value[1] == len(value) - 2 <= _LONGEST:
        return None
    word = value[2:].decode("utf-8", "replace").upper()
    return Role[word] if word in Role.__members__ else None
