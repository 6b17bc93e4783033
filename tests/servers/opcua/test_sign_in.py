"""Users sign in by what only they have, over their own channel, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asyncua import ua

from runtime.places import Places
from runtime.security.accounts import Account, Accounts
from runtime.security.certificates import Identity, thumbprint
from runtime.security.throttle import FREE, Throttle
from tests.servers.opcua.attacking import (
    KEPT,
    PASSWORD,
    POLICIES,
    application,
    certified,
    channel,
)
from tests.servers.opcua.serving import (
    Running,
    awaited,
    number,
    read,
    refused,
    station,
)


def test_nobody_is_let_in_without_signing_in(guarded: Running) -> None:
    with refused("BadIdentityTokenRejected"), guarded.client():
        pass


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_carries_a_sign_in(guarded: Running, policy: Any) -> None:
    with guarded.client("operator", guarded.token, policy=policy) as client:
        assert number(read(client, "System/Scan"))


def test_a_password_that_was_recorded_is_worth_nothing(
    guarded: Running, neighbour: Identity
) -> None:
    sent: list[ua.ActivateSessionParameters] = []
    with channel(guarded, neighbour) as client:
        protocol = client.aio_obj.uaclient
        send = protocol.activate_session

        async def recorded(parameters: ua.ActivateSessionParameters) -> Any:
            sent.append(parameters)
            parameters.UserIdentityToken = sent[0].UserIdentityToken
            return await send(parameters)

        protocol.activate_session = recorded
        for name in ("", "BadUserAccessDenied"):
            awaited(client, client.aio_obj.create_session())
            signing_in = client.aio_obj.activate_session("operator", guarded.token)
            if name:
                with refused(name):
                    awaited(client, signing_in)
            else:
                awaited(client, signing_in)
                awaited(client, protocol.close_session(True))


def test_who_guesses_waits_and_nobody_else_does(guarded: Running, neighbour: Identity) -> None:
    for _ in range(FREE):
        with refused("BadUserAccessDenied"), guarded.client("engineer-1", "guess"):
            pass
    with refused("BadUserAccessDenied"), guarded.client("engineer-1", PASSWORD):
        pass  # the right one, but now is not the time
    with guarded.client("engineer-1", PASSWORD, neighbour) as client:
        assert number(read(client, "System/Scan"))
    with guarded.client("operator-1", PASSWORD):
        pass


def test_a_pinned_account_signs_in_from_its_application_alone(
    guarded: Running, plant_places: Places, neighbour: Identity
) -> None:
    pinned = (thumbprint(neighbour.certificate),)
    account = Account(role="viewer", password=KEPT, pinned=pinned)
    Accounts(plant_places.accounts).put("pinned", account)
    with guarded.client("pinned", PASSWORD, neighbour) as client:
        assert number(read(client, "System/Scan"))
    with refused("BadUserAccessDenied"), guarded.client("pinned", PASSWORD):
        pass


def test_a_user_certificate_signs_in_as_its_account_if_its_key_is_there(
    guarded: Running, plant_places: Places
) -> None:
    anna, otto = application("Anna"), application("Otto")
    account = Account(role="operator", certificates=(thumbprint(anna.certificate),))
    Accounts(plant_places.accounts).put("anna", account)
    for certificate, key, name in (
        (anna, anna, ""),
        (anna, otto, "BadUserAccessDenied"),
        (otto, otto, "BadUserAccessDenied"),
    ):
        with channel(guarded, station()) as client:
            awaited(client, client.aio_obj.create_session())
            client.aio_obj.user_private_key = key.key
            activation = client.aio_obj.activate_session(certificate=certificate.certificate)
            if name:
                with refused(name):
                    awaited(client, activation)
            else:
                awaited(client, activation)
                assert guarded.server.core.sessions
                awaited(client, client.aio_obj.uaclient.close_session(True))


OAEP_256 = "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256"
PKCS_1 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"


@pytest.mark.parametrize("algorithm", [None, "", PKCS_1, OAEP_256, "x" * 1000])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_password_counts_only_as_the_policy_encrypts_it(
    guarded: Running,
    neighbour: Identity,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: str | None,
    encrypted: bool,
) -> None:
    monkeypatch.setattr(guarded.server.guard.sign_in, "_throttle", Throttle())
    with channel(guarded, neighbour) as client:
        awaited(client, client.aio_obj.create_session())
        encrypt = client.aio_obj._encrypt_password

        def otherwise(password: str, policy: str) -> tuple[bytes, Any]:
            data, _ = encrypt(password, policy)
            return data if encrypted else password.encode(), algorithm

        client.aio_obj._encrypt_password = otherwise
        with refused("BadUserAccessDenied"):
            awaited(client, client.aio_obj.activate_session("operator", guarded.token))
        client.aio_obj._encrypt_password = encrypt
        awaited(client, client.aio_obj.activate_session("operator", guarded.token))


def test_an_account_without_a_password_takes_no_empty_one(
    guarded: Running, plant_places: Places, neighbour: Identity
) -> None:
    mark = thumbprint(application("Card").certificate)
    Accounts(plant_places.accounts).put("card", Account(role="operator", certificates=(mark,)))
    with refused("BadUserAccessDenied"), guarded.client("card", "", neighbour):
        pass


def test_a_user_certificate_counts_only_in_its_time(
    guarded: Running, plant_places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded.server.guard.sign_in, "_throttle", Throttle())
    late = certified("Late", ends=timedelta(hours=-1))
    account = Account(role="operator", certificates=(thumbprint(late.certificate),))
    Accounts(plant_places.accounts).put("late", account)
    with channel(guarded, station()) as client:
        awaited(client, client.aio_obj.create_session())
        client.aio_obj.user_private_key = late.key
        with refused("BadUserAccessDenied"):
            awaited(client, client.aio_obj.activate_session(certificate=late.certificate))
