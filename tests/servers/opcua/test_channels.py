"""Who is let into a channel: certificates and policies, tried with raw clients."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.client.ua_client import UASocketState
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256, SecurityPolicyNone
from asyncua.sync import Client
from asyncua.ua.ua_binary import struct_to_binary
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.places import Places
from runtime.security.certificates import Identity, thumbprint
from runtime.security.trust import Trust
from tests.processes import until
from tests.servers.opcua.attacking import (
    POLICIES,
    application,
    certified,
    channel,
    create,
    raw,
    written,
)
from tests.servers.opcua.serving import (
    Running,
    awaited,
    number,
    read,
    refused,
    station,
    trusted,
)
from tests.servers.opcua.test_connection import GREETING, last_words, message, plain, status_of
from tests.servers.state import refusals


@pytest.fixture(scope="module")
def stranger() -> Identity:
    """An application that nobody trusts."""
    return application("Stranger")


def test_without_security_there_is_discovery_and_nothing_else(guarded: Running) -> None:
    with channel(guarded) as client:
        found = awaited(client, client.aio_obj.get_endpoints())
        assert len(found) == len(POLICIES)
        assert len(awaited(client, client.aio_obj.find_servers())) == 1
        with refused("BadSecurityPolicyRejected"):
            create(client)
        for request in (ua.ReadRequest(), ua.CallRequest(), ua.ActivateSessionRequest()):
            with refused("BadSecurityPolicyRejected"):
                awaited(client, raw(client, request))


@pytest.mark.parametrize("policy", POLICIES)
def test_who_is_not_trusted_gets_no_channel_and_lands_among_the_rejected(
    guarded: Running, plant_places: Places, stranger: Identity, policy: Any
) -> None:
    with refused("BadSecurityChecksFailed"), channel(guarded, stranger, policy):
        pass
    rejected = Trust(plant_places.certificates / "opcua").rejected
    mark = thumbprint(stranger.certificate)[:16]
    assert [file.name for file in rejected.glob(f"*{mark}*")] == [f"Stranger-{mark}.der"]


def test_a_refused_application_is_a_security_event(guarded: Running, stranger: Identity) -> None:
    before = len(refusals(guarded.spool, 0))
    with refused("BadSecurityChecksFailed"), channel(guarded, stranger):
        pass
    found = refusals(guarded.spool, before + 1)[before:]
    assert (found[0]["who"], found[0]["action"]) == ("Stranger", "open a channel")
    assert found[0]["where"].startswith("127.0.0.1:")


def test_a_channel_that_only_signs_is_refused(guarded: Running, neighbour: Identity) -> None:
    client = guarded.unconnected(neighbour, SecurityPolicyBasic256Sha256)
    client.aio_obj.security_policy.Mode = ua.MessageSecurityMode.Sign
    awaited(client, client.aio_obj.connect_socket())
    awaited(client, client.aio_obj.send_hello())
    with refused("BadSecurityChecksFailed"):
        awaited(client, client.aio_obj.open_secure_channel())
    client.aio_obj.disconnect_socket()


def test_a_certificate_is_no_certificate_and_says_no_more_than_that(guarded: Running) -> None:
    policy = SecurityPolicyBasic256Sha256.URI.encode()
    for sender in (b"", b"x" * 100, b"\x30\x82\xff\xff" + b"\0" * 50, b"\x30" * 20_000):
        mark = hashlib.sha1(guarded.server.guard.channels.own.identity.der).digest()
        texts = b"".join(struct.pack("<i", len(part)) + part for part in (policy, sender, mark))
        with plain(guarded) as connection:
            connection.sendall(GREETING + message(b"OPN", b"\0\0\0\0" + texts + b"\0" * 256))
            words = last_words(connection)
            assert status_of(words[28:]) == "BadSecurityChecksFailed"
            assert words[28 + 16 :] == b"refused"


def test_a_new_certificate_is_taken_without_a_restart(
    guarded: Running, plant_places: Places
) -> None:
    own = guarded.server.guard.channels.own
    before = own.identity.certificate
    with guarded.client("operator", guarded.token) as early:
        own.path.unlink()
        guarded.server._looked = float("-inf")
        until(lambda: own.identity.certificate != before)
        with guarded.client("operator", guarded.token) as late:
            shown = late.aio_obj.security_policy.peer_certificate
            assert shown == own.identity.der
            assert number(read(late, "System/Scan"))
        assert number(read(early, "System/Scan"))
        awaited(early, early.aio_obj.open_secure_channel(renew=True))
        assert number(read(early, "System/Scan"))


def test_no_service_but_discovery_is_open_without_security(guarded: Running) -> None:
    discovery = ("GetEndpointsRequest", "FindServersRequest", "CloseSecureChannelRequest")
    services = [
        getattr(ua, name)
        for name in sorted(vars(ua))
        if name.endswith("Request") and name not in (*discovery, "OpenSecureChannelRequest")
    ]
    requests = [each for each in services if hasattr(each(), "RequestHeader")]
    assert len(requests) > 30
    with channel(guarded) as client:
        for request in requests:
            with refused("BadSecurityPolicyRejected"):
                awaited(client, raw(client, request()))


UNFIT = {
    "expired": certified("Late", ends=timedelta(hours=-1)),
    "not yet valid": certified("Early", begins=timedelta(hours=1)),
    "not for signing": certified("Mute", usages=frozenset({"key_encipherment"})),
    "not for encrypting": certified("Open", usages=frozenset({"digital_signature"})),
    "not for clients": certified("Server", purpose=ExtendedKeyUsageOID.SERVER_AUTH),
}


@pytest.mark.parametrize("fault", UNFIT)
def test_a_certificate_that_does_not_fit_opens_nothing_although_it_is_trusted(
    guarded: Running, plant_places: Places, fault: str
) -> None:
    trusted(plant_places, UNFIT[fault])
    with refused("BadSecurityChecksFailed"), channel(guarded, UNFIT[fault]):
        pass


def test_who_brings_an_authority_along_is_not_trusted_for_it(guarded: Running) -> None:
    authority = certified("Own CA", usages=frozenset({"key_cert_sign"}))
    client = guarded.unconnected(
        certified("Vouched for", by=("Own CA", authority.key)), SecurityPolicyBasic256Sha256
    )
    client.aio_obj.security_policy.host_certificate_chain = [authority.der]
    awaited(client, client.aio_obj.connect_socket())
    awaited(client, client.aio_obj.send_hello())
    with refused("BadSecurityChecksFailed"):
        awaited(client, client.aio_obj.open_secure_channel())
    client.aio_obj.disconnect_socket()


@pytest.mark.parametrize("policy", ["Basic128Rsa15", "Basic256", "none", "", "Basic256Sha256 "])
def test_policies_that_are_broken_or_none_open_nothing(guarded: Running, policy: str) -> None:
    uri = f"http://opcfoundation.org/UA/SecurityPolicy#{policy}".encode()
    texts = b"".join(struct.pack("<i", len(part)) + part for part in (uri, station().der, b""))
    with plain(guarded) as connection:
        connection.sendall(GREETING + message(b"OPN", b"\0\0\0\0" + texts + b"\0" * 256))
        assert status_of(last_words(connection)[28:]) == "BadSecurityPolicyRejected"


def test_a_channel_is_never_renewed_with_less_security(
    guarded: Running, neighbour: Identity
) -> None:
    with channel(guarded, neighbour) as client:
        request = ua.OpenSecureChannelRequest()
        request.Parameters.RequestType = ua.SecurityTokenRequestType.Renew
        request.Parameters.SecurityMode = ua.MessageSecurityMode.None_
        unsecured = SecureConnection(SecurityPolicyNone(), TransportLimits())  # type: ignore[no-untyped-call]
        opens = cast(ua.MessageType, ua.MessageType.SecureOpen)
        sent = unsecured.message_to_binary(struct_to_binary(request), opens, 99)
        with hung_up(guarded, client):
            awaited(client, written(client, sent))


def test_a_message_that_was_recorded_ends_the_connection_when_it_comes_again(
    guarded: Running, neighbour: Identity
) -> None:
    with channel(guarded, neighbour) as client:
        connection = client.aio_obj.uaclient.protocol._connection
        body = struct_to_binary(ua.GetEndpointsRequest())
        sent = connection.message_to_binary(body, request_id=99)
        with hung_up(guarded, client):
            awaited(client, written(client, sent + sent))


def test_a_token_that_was_never_issued_ends_the_connection(
    guarded: Running, neighbour: Identity
) -> None:
    for token in (0, 1, 99):
        with channel(guarded, neighbour) as client:
            connection = client.aio_obj.uaclient.protocol._connection
            connection.security_token.TokenId = ua.IntegerId(token)
            sent = connection.message_to_binary(
                struct_to_binary(ua.GetEndpointsRequest()), request_id=99
            )
            with hung_up(guarded, client):
                awaited(client, written(client, sent))


@contextmanager
def hung_up(server: Running, client: Client) -> Iterator[None]:
    """What is done inside makes the server hang up."""
    assert client.aio_obj.uaclient.protocol.state is UASocketState.OPEN
    yield
    until(lambda: client.aio_obj.uaclient.protocol.state is not UASocketState.OPEN)
