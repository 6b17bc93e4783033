"""Raw clients: channels and sessions as an attacker opens them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
)
from asyncua.sync import Client
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.security import passwords
from runtime.security.accounts import Word
from runtime.security.certificates import Identity, self_signed
from runtime.servers.opcua.sign_in import NONCE
from tests.servers.opcua.serving import (
    APPLICATION,
    Running,
    awaited,
)

POLICIES = (
    SecurityPolicyBasic256Sha256,
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
)
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
PEOPLE: tuple[Word, ...] = ("viewer", "operator", "engineer", "administrator")
PASSWORD = "correct horse"  # of everybody but the first operator
KEPT = passwords.hashed(PASSWORD)


def application(name: str, uri: str = APPLICATION) -> Identity:
    return self_signed(name, uri, (), datetime.now(UTC))


@contextmanager
def channel(
    server: Running, identity: Identity | None = None, policy: Any = SecurityPolicyBasic256Sha256
) -> Iterator[Client]:
    """A client with an open channel and no session; without an identity, without security."""
    client = server.unconnected(identity, policy)
    asynchronous = client.aio_obj
    awaited(client, asynchronous.connect_socket())
    try:
        awaited(client, asynchronous.send_hello())
        awaited(client, asynchronous.open_secure_channel())
        yield client
    finally:
        asynchronous.disconnect_socket()


def create(client: Client, **wishes: Any) -> Any:
    """CreateSession with other parameters than a client would send."""
    own: Any = client.aio_obj.security_policy.host_certificate
    parameters: dict[str, Any] = {
        "ClientNonce": b"x" * NONCE,
        "ClientCertificate": own,
        "ClientDescription": ua.ApplicationDescription(ApplicationUri=ua.String(APPLICATION)),
        "RequestedSessionTimeout": ua.Duration(60_000.0),
    }
    asked = ua.CreateSessionParameters(**(parameters | wishes))
    return awaited(client, client.aio_obj.uaclient.create_session(asked))


def raw(client: Client, request: Any) -> Awaitable[Any]:
    answer: Awaitable[Any] = client.aio_obj.uaclient.protocol.send_request(request)
    return answer


async def written(client: Client, data: bytes) -> None:
    """Bytes as no client would send them."""
    client.aio_obj.uaclient.protocol.transport.write(data)


def certified(
    name: str,
    begins: timedelta = timedelta(days=-1),
    ends: timedelta = timedelta(days=1),
    usages: frozenset[str] = frozenset({"digital_signature", "key_encipherment"}),
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    by: tuple[str, rsa.RSAPrivateKey] | None = None,
) -> Identity:
    """A certificate with anything in it: signed by itself, or by an authority of a name and key."""
    key = rsa.generate_private_key(65537, 2048)
    issuer, signer = by or (name, key)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(names[1], names[0], key.public_key(), 7, now + begins, now + ends)
        .add_extension(x509.KeyUsage(**{each: each in usages for each in USAGES}), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(APPLICATION)]),
            critical=False,
        )
    )
    return Identity(key, builder.sign(signer, hashes.SHA256()))
