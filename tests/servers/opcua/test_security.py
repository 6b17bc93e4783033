"""Attacks that the library's defaults let through, tried with raw clients: each is refused."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
)
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

from runtime.places import Places
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts, Word
from runtime.security.certificates import Identity, self_signed, thumbprint
from runtime.security.throttle import FREE
from runtime.security.trust import Trust
from runtime.servers.opcua.members import standard
from runtime.servers.opcua.references import node_id
from runtime.servers.opcua.sign_in import NONCE
from tests.servers.modbus.station import CAPACITY, Plant, until
from tests.servers.opcua.calling import called, text
from tests.servers.opcua.serving import (
    APPLICATION,
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

POLICIES = (
    SecurityPolicyBasic256Sha256,
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
)
PEOPLE: tuple[Word, ...] = ("viewer", "operator", "engineer", "administrator")
KEPT = passwords.hashed("correct horse")


def application(name: str, uri: str = APPLICATION) -> Identity:
    return self_signed(name, uri, (), datetime.now(UTC))


@pytest.fixture(scope="module")
def stranger() -> Identity:
    """An application that nobody trusts."""
    return application("Stranger")


@pytest.fixture(scope="module")
def neighbour(plant_places: Places) -> Identity:
    """A second application that is trusted."""
    identity = application("Neighbour")
    trusted(plant_places, identity)
    return identity


@pytest.fixture(scope="module")
def server(plant_places: Places, plant: Plant, neighbour: Identity) -> Iterator[Running]:
    """A server without anonymous access, and an account of each role."""
    accounts = Accounts(plant_places.accounts)
    accounts.begin(plant_places.token())
    for role in PEOPLE:
        accounts.put(f"{role}-1", Account(role=role, password=KEPT))
    running = Running(plant_places, CAPACITY, anonymous=False)
    yield running
    running.end()


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


def test_without_security_there_is_discovery_and_nothing_else(server: Running) -> None:
    with channel(server) as client:
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
    server: Running, plant_places: Places, stranger: Identity, policy: Any
) -> None:
    with refused("BadSecurityChecksFailed"), channel(server, stranger, policy):
        pass
    rejected = Trust(plant_places.certificates / "opcua").rejected
    mark = thumbprint(stranger.certificate)[:16]
    assert [file.name for file in rejected.glob(f"*{mark}*")] == [f"Stranger-{mark}.der"]


def test_a_refused_application_is_a_security_event(server: Running, stranger: Identity) -> None:
    before = len(refusals(server.spool, 0))
    with refused("BadSecurityChecksFailed"), channel(server, stranger):
        pass
    found = refusals(server.spool, before + 1)[before:]
    assert (found[0]["who"], found[0]["action"]) == ("Stranger", "open a channel")
    assert found[0]["where"].startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({"ClientCertificate": None}, "BadCertificateInvalid"),
        ({"ClientCertificate": b""}, "BadCertificateInvalid"),
        ({"ClientCertificate": station().der}, "BadCertificateInvalid"),
        ({"ClientCertificate": b"0" * 900}, "BadCertificateInvalid"),
        ({"ClientDescription": ua.ApplicationDescription()}, "BadCertificateUriInvalid"),
        ({"ClientNonce": b"short"}, "BadNonceInvalid"),
        ({"ClientNonce": None}, "BadNonceInvalid"),
        ({"RequestedSessionTimeout": ua.Duration(float("nan"))}, "BadInvalidArgument"),
    ],
)
def test_a_session_is_for_the_application_of_its_channel(
    server: Running, neighbour: Identity, wishes: dict[str, Any], name: str
) -> None:
    before = server.server.core.sessions
    with channel(server, neighbour) as client, refused(name):
        create(client, **wishes)
    assert server.server.core.sessions == before


def test_a_channel_that_only_signs_is_refused(server: Running, neighbour: Identity) -> None:
    client = server.unconnected(neighbour, SecurityPolicyBasic256Sha256)
    client.aio_obj.security_policy.Mode = ua.MessageSecurityMode.Sign
    awaited(client, client.aio_obj.connect_socket())
    awaited(client, client.aio_obj.send_hello())
    with refused("BadSecurityChecksFailed"):
        awaited(client, client.aio_obj.open_secure_channel())
    client.aio_obj.disconnect_socket()


def test_nobody_is_let_in_without_signing_in(server: Running) -> None:
    with refused("BadIdentityTokenRejected"), server.client():
        pass


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_carries_a_sign_in(server: Running, policy: Any) -> None:
    with server.client("operator", server.token, policy=policy) as client:
        assert number(read(client, "System/Scan"))


def test_a_password_that_was_recorded_is_worth_nothing(
    server: Running, neighbour: Identity
) -> None:
    sent: list[ua.ActivateSessionParameters] = []
    with channel(server, neighbour) as client:
        protocol = client.aio_obj.uaclient
        send = protocol.activate_session

        async def recorded(parameters: ua.ActivateSessionParameters) -> Any:
            sent.append(parameters)
            parameters.UserIdentityToken = sent[0].UserIdentityToken
            return await send(parameters)

        protocol.activate_session = recorded
        for name in ("", "BadUserAccessDenied"):
            awaited(client, client.aio_obj.create_session())
            signing_in = client.aio_obj.activate_session("operator", server.token)
            if name:
                with refused(name):
                    awaited(client, signing_in)
            else:
                awaited(client, signing_in)
                awaited(client, protocol.close_session(True))


def test_a_session_can_not_be_taken_over_by_another_application_or_user(
    server: Running, neighbour: Identity
) -> None:
    with server.client("viewer-1", "correct horse") as victim:
        token = victim.aio_obj.uaclient.protocol.authentication_token
        for identity, user, name in (
            (neighbour, "viewer-1", "BadSecureChannelIdInvalid"),
            (station(), "operator-1", "BadUserAccessDenied"),
        ):
            with channel(server, identity) as thief:
                thief.aio_obj.uaclient.protocol.authentication_token = token
                thief.aio_obj._server_nonce = victim.aio_obj._server_nonce
                with refused(name):
                    activation = thief.aio_obj.activate_session(user, "correct horse")
                    awaited(thief, activation)
        assert number(read(victim, "System/Scan"))


def test_who_guesses_waits_and_nobody_else_does(server: Running, neighbour: Identity) -> None:
    for _ in range(FREE):
        with refused("BadUserAccessDenied"), server.client("engineer-1", "guess"):
            pass
    with refused("BadUserAccessDenied"), server.client("engineer-1", "correct horse"):
        pass  # the right one, but now is not the time
    with server.client("engineer-1", "correct horse", neighbour) as client:
        assert number(read(client, "System/Scan"))
    with server.client("operator-1", "correct horse"):
        pass


def test_a_pinned_account_signs_in_from_its_application_alone(
    server: Running, plant_places: Places, neighbour: Identity
) -> None:
    pinned = (thumbprint(neighbour.certificate),)
    account = Account(role="viewer", password=KEPT, pinned=pinned)
    Accounts(plant_places.accounts).put("pinned", account)
    with server.client("pinned", "correct horse", neighbour) as client:
        assert number(read(client, "System/Scan"))
    with refused("BadUserAccessDenied"), server.client("pinned", "correct horse"):
        pass


def test_a_user_certificate_signs_in_as_its_account_if_its_key_is_there(
    server: Running, plant_places: Places
) -> None:
    anna, otto = application("Anna"), application("Otto")
    account = Account(role="operator", certificates=(thumbprint(anna.certificate),))
    Accounts(plant_places.accounts).put("anna", account)
    for certificate, key, name in (
        (anna, anna, ""),
        (anna, otto, "BadUserAccessDenied"),
        (otto, otto, "BadUserAccessDenied"),
    ):
        with channel(server, station()) as client:
            awaited(client, client.aio_obj.create_session())
            client.aio_obj.user_private_key = key.key
            activation = client.aio_obj.activate_session(certificate=certificate.certificate)
            if name:
                with refused(name):
                    awaited(client, activation)
            else:
                awaited(client, activation)
                assert server.server.core.sessions
                awaited(client, client.aio_obj.uaclient.close_session(True))


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_call_and_write_is_told_and_enforced(
    server: Running, plant: Plant, person: str
) -> None:
    controls = person in ("operator", "engineer")
    executable = ua.ReadValueId(
        node_id("North/11/SetEmergencyStop"), ua.IntegerId(AttributeIds.UserExecutable)
    )
    level = ua.ReadValueId(node_id("North/11/Setpoint"), ua.IntegerId(AttributeIds.UserAccessLevel))
    with server.client(f"{person}-1", "correct horse") as client:
        wanted = ua.ReadParameters(NodesToRead=[executable, level])
        told = awaited(client, client.aio_obj.uaclient.read(wanted))
        may, may_write = (value.Value.Value for value in told if value.Value)
        assert may is controls
        assert not may_write & ua.AccessLevel.CurrentWrite.mask
        asked = len(plant.asked)
        result = called(client, "North/11", "North/11/SetEmergencyStop", text("drill"))
        assert result.StatusCode.name == ("Good" if controls else "BadUserAccessDenied")
        assert len(plant.asked) == asked + controls
        if controls:
            assert plant.asked[-1].role.name == person.upper()
            called(client, "North/11", "North/11/ClearEmergencyStop", text("over"))


def test_a_refused_call_says_who_and_from_where(server: Running) -> None:
    before = len(refusals(server.spool, 0))
    with server.client("viewer-1", "correct horse") as client:
        called(client, "North/11", "North/11/SetEmergencyStop", text("smoke"))
    record = refusals(server.spool, before + 1)[before]
    assert (record["who"], record["role"]) == ("viewer-1", "VIEWER")
    assert record["where"].startswith("127.0.0.1:")
    assert record["details"]["problem"] == "BadUserAccessDenied"


def test_connections_that_do_not_sign_in_keep_nobody_out(server: Running) -> None:
    with ExitStack() as stack:
        for _ in range(3 * 16):
            stack.enter_context(plain(server))
        with server.client("operator", server.token) as client:
            assert number(read(client, "System/Scan"))
            assert server.server.clients <= 16
    until(lambda: server.server.clients == 0)


def additional(variant: bytes) -> bytes:
    """A GetEndpoints whose header has an extension object with this variant in it."""
    kind = standard(ObjectIds.LiteralOperand_Encoding_DefaultBinary)
    header = struct_to_binary(ua.RequestHeader())
    empty = len(struct_to_binary(ua.ExtensionObject()))
    body = nodeid_to_binary(kind) + b"\x01" + struct.pack("<i", len(variant)) + variant
    request = ua.NodeId(ua.Int32(ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary))
    return nodeid_to_binary(request) + header[:-empty] + body


BOMBS = {
    "array of values without bytes": b"\x80" + struct.pack("<i", 2**31 - 1),
    "array of texts that go back": b"\x8c" + struct.pack("<i", 8) + b"\xfb\xff\xff\xff" * 8,
    "text of negative length": b"\x0c" + struct.pack("<i", -1000),
    "dimensions of a million": b"\xc1" + struct.pack("<ibii", 1, 1, 1, 1_000_000),
    "variants in variants": b"\x18" * 20_000,
    "array of arrays": (b"\x98" + struct.pack("<i", 1)) * 4_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_message_that_announces_more_than_it_holds_costs_nothing(
    server: Running, bomb: str
) -> None:
    with channel(server) as client:
        protocol = client.aio_obj.uaclient.protocol
        sent = protocol._connection.message_to_binary(
            additional(BOMBS[bomb]), message_type=ua.MessageType.SecureMessage, request_id=99
        )
        awaited(client, _written(protocol, sent))
    with server.client("operator", server.token) as other:
        assert number(read(other, "System/Scan"))


async def _written(protocol: Any, data: bytes) -> None:
    protocol.transport.write(data)


def test_a_certificate_is_no_certificate_and_says_no_more_than_that(server: Running) -> None:
    policy = SecurityPolicyBasic256Sha256.URI.encode()
    for sender in (b"", b"x" * 100, b"\x30\x82\xff\xff" + b"\0" * 50, b"\x30" * 20_000):
        mark = hashlib.sha1(server.server.guard.channels.own.identity.der).digest()
        texts = b"".join(struct.pack("<i", len(part)) + part for part in (policy, sender, mark))
        with plain(server) as connection:
            connection.sendall(GREETING + message(b"OPN", b"\0\0\0\0" + texts + b"\0" * 256))
            words = last_words(connection)
            assert status_of(words[28:]) == "BadSecurityChecksFailed"
            assert words[28 + 16 :] == b"refused"


def test_a_new_certificate_is_taken_without_a_restart(
    server: Running, plant_places: Places
) -> None:
    own = server.server.guard.channels.own
    before = own.identity.certificate
    with server.client("operator", server.token) as early:
        own.path.unlink()
        server.server._looked = float("-inf")
        until(lambda: own.identity.certificate != before)
        with server.client("operator", server.token) as late:
            shown = late.aio_obj.security_policy.peer_certificate
            assert shown == own.identity.der
            assert number(read(late, "System/Scan"))
        assert number(read(early, "System/Scan"))
        awaited(early, early.aio_obj.open_secure_channel(renew=True))
        assert number(read(early, "System/Scan"))
