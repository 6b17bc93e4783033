"""Who is let into a channel: certificates and policies, tried with raw clients."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicyBasic256Sha256,
)

from runtime.places import Places
from runtime.security.certificates import Identity, thumbprint
from runtime.security.trust import Trust
from tests.servers.modbus.station import until
from tests.servers.opcua.attacking import POLICIES, application, channel, create, raw
from tests.servers.opcua.serving import (
    Running,
    awaited,
    number,
    read,
    refused,
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
