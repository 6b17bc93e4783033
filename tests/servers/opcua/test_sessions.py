"""A session belongs to the application of its channel, whatever somebody claims."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from asyncua import ua

from runtime.security.certificates import Identity
from tests.processes import until
from tests.servers.opcua.attacking import PASSWORD, channel, create, raw
from tests.servers.opcua.serving import (
    Running,
    awaited,
    number,
    read,
    refused,
    station,
)
from tests.servers.opcua.test_connection import plain

Activation = Callable[[ua.ActivateSessionParameters], Awaitable[Any]]


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
    guarded: Running, neighbour: Identity, wishes: dict[str, Any], name: str
) -> None:
    before = guarded.server.core.sessions
    with channel(guarded, neighbour) as client, refused(name):
        create(client, **wishes)
    assert guarded.server.core.sessions == before


def test_a_session_can_not_be_taken_over_by_another_application_or_user(
    guarded: Running, neighbour: Identity
) -> None:
    with guarded.client("viewer-1", PASSWORD) as victim:
        token = victim.aio_obj.uaclient.protocol.authentication_token
        for identity, user, name in (
            (neighbour, "viewer-1", "BadSecureChannelIdInvalid"),
            (station(), "operator-1", "BadUserAccessDenied"),
        ):
            with channel(guarded, identity) as thief:
                thief.aio_obj.uaclient.protocol.authentication_token = token
                thief.aio_obj._server_nonce = victim.aio_obj._server_nonce
                with refused(name):
                    activation = thief.aio_obj.activate_session(user, PASSWORD)
                    awaited(thief, activation)
        assert number(read(victim, "System/Scan"))


def test_connections_that_do_not_sign_in_keep_nobody_out(guarded: Running) -> None:
    with ExitStack() as stack:
        for _ in range(3 * 16):
            stack.enter_context(plain(guarded))
        with guarded.client("operator", guarded.token) as client:
            assert number(read(client, "System/Scan"))
            assert guarded.server.clients <= 16
    until(lambda: guarded.server.clients == 0)


def test_a_proof_that_was_recorded_activates_no_other_session(
    guarded: Running, neighbour: Identity
) -> None:
    """The signature of an activation is over the nonce that the server has just given."""
    proofs: list[ua.SignatureData] = []
    for name in ("", "BadApplicationSignatureInvalid"):
        with channel(guarded, neighbour) as client:
            protocol = client.aio_obj.uaclient
            activate = protocol.activate_session

            async def recorded(
                asked: ua.ActivateSessionParameters, send: Activation = activate
            ) -> Any:
                proofs.append(asked.ClientSignature)
                asked.ClientSignature = proofs[0]
                return await send(asked)

            protocol.activate_session = recorded
            awaited(client, client.aio_obj.create_session())
            signing_in = client.aio_obj.activate_session("viewer-1", PASSWORD)
            if name:
                with refused(name):
                    awaited(client, signing_in)
            else:
                awaited(client, signing_in)


def test_the_proof_of_a_session_s_creation_activates_nothing(
    guarded: Running, neighbour: Identity
) -> None:
    """What the server signed for the client to see is no proof of the client's."""
    with channel(guarded, neighbour) as client:
        created = create(client)
        asked = ua.ActivateSessionParameters(ClientSignature=created.ServerSignature)
        with refused("BadApplicationSignatureInvalid"):
            awaited(client, client.aio_obj.uaclient.activate_session(asked))


def test_a_session_that_nobody_has_activated_goes_on_over_no_other_channel(
    guarded: Running, neighbour: Identity
) -> None:
    with channel(guarded, neighbour) as client, channel(guarded, neighbour) as other:
        awaited(client, client.aio_obj.create_session())
        token = client.aio_obj.uaclient.protocol.authentication_token
        other.aio_obj.uaclient.protocol.authentication_token = token
        other.aio_obj._server_nonce = client.aio_obj._server_nonce
        with refused("BadSecureChannelIdInvalid"):
            awaited(other, other.aio_obj.activate_session("viewer-1", PASSWORD))
        awaited(client, client.aio_obj.activate_session("viewer-1", PASSWORD))
        assert number(read(client, "System/Scan"))


def test_a_session_that_has_ended_is_activated_by_nobody(
    guarded: Running, neighbour: Identity
) -> None:
    with channel(guarded, neighbour) as client:
        awaited(client, client.aio_obj.create_session())
        awaited(client, client.aio_obj.activate_session("viewer-1", PASSWORD))
        awaited(client, raw(client, ua.CloseSessionRequest()))
        with refused("BadSessionIdInvalid"):
            awaited(client, client.aio_obj.activate_session("viewer-1", PASSWORD))
