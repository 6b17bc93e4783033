"""What nobody may do, whoever they say they are: the holes of the library's defaults are closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds

from runtime.servers.opcua.limits import MOST_BROWSED, MOST_READ
from runtime.servers.opcua.members import standard
from runtime.servers.opcua.references import OBJECTS, node_id
from tests.servers.opcua.serving import Running, awaited, node, number, read, refused
from tests.servers.opcua.subscribing import subscribed

OTHERS = ("admin", "Admin", "Operator", "root", "operator ")


@pytest.mark.parametrize("user", OTHERS)
def test_there_is_no_administrator_and_nobody_else(server: Running, user: str) -> None:
    for password in ("", "admin", server.token):
        with refused("BadUserAccessDenied"), server.client(user, password):
            pass


@pytest.mark.parametrize("password", ["", "0" * 32, "pässword"])
def test_the_operator_needs_the_token(server: Running, password: str) -> None:
    assert password != server.token
    with refused("BadUserAccessDenied"), server.client("operator", password):
        pass


@contextmanager
def role(server: Running, name: str) -> Iterator[Client]:
    with server.client(name, server.token if name else "") as client:
        yield client


@pytest.mark.parametrize(
    ("user", "name"), [("", "BadUserAccessDenied"), ("operator", "BadNotWritable")]
)
def test_no_write_is_taken_and_each_is_answered(server: Running, user: str, name: str) -> None:
    good = ua.DataValue(ua.Variant(50.0, ua.VariantType.Double))
    bad = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.status_codes.StatusCodes.Bad)))
    nan = ua.DataValue(ua.Variant(float("nan"), ua.VariantType.Double))
    array = ua.DataValue(ua.Variant([1.0, 2.0], ua.VariantType.Double))
    text = ua.DataValue(ua.Variant("fast", ua.VariantType.String))
    setpoint, speed = node_id("North/11/Setpoint"), node_id("North/11/ManualSetpoint")
    value = AttributeIds.Value
    writes = [
        *((setpoint, value, wrong, name) for wrong in (good, bad, nan, array, text)),
        (speed, value, good, name),
        (setpoint, AttributeIds.DisplayName, text, name),
        (setpoint, AttributeIds.AccessLevel, good, name),
        (setpoint, AttributeIds.Executable, good, "BadAttributeIdInvalid"),
        (setpoint, 4711, good, "BadAttributeIdInvalid"),
        (node_id("North/11/Setpoint/EURange"), value, good, name),
        (node_id("North/11/Nothing"), value, good, "BadNodeIdUnknown"),
        (standard(2267), value, ua.DataValue(ua.Variant(0, ua.VariantType.Byte)), name),
        (OBJECTS, AttributeIds.BrowseName, text, name),
    ]
    with role(server, user) as client:
        before = number(read(client, "North/11/Setpoint"))
        wanted = ua.WriteParameters(
            [
                ua.WriteValue(target, ua.IntegerId(which), "", new)
                for target, which, new, _ in writes
            ]
        )
        results = awaited(client, client.aio_obj.uaclient.write(wanted))
        assert [result.name for result in results] == [name for *_, name in writes]
        assert number(read(client, "North/11/Setpoint")) == before
        assert client.get_node("i=2267").read_value() == 255


def test_a_write_that_is_refused_is_told_to_no_subscriber(server: Running) -> None:
    fast = ua.DataValue(ua.Variant(50.0, ua.VariantType.Double))
    wrong = ua.WriteValue(node_id("North/11/Setpoint"), ua.IntegerId(AttributeIds.Value), "", fast)
    with role(server, "operator") as client, subscribed(client) as (told, subscription):
        subscription.subscribe_data_change(node(client, "North/11/Setpoint"))
        told.next()
        wanted = ua.WriteParameters([wrong])
        awaited(client, client.aio_obj.uaclient.write(wanted))
        subscription.subscribe_data_change(node(client, "North/13/Setpoint"))
        assert told.next()[0] == "North/13/Setpoint"  # what came after it: nothing before


@pytest.mark.parametrize("user", ["", "operator"])
def test_nodes_can_be_neither_added_nor_deleted(server: Running, user: str) -> None:
    with role(server, user) as client:
        session = client.aio_obj.uaclient
        added = ua.AddNodesItem(
            ParentNodeId=OBJECTS,
            BrowseName=ua.QualifiedName("Mine", 2),
            NodeClass=ua.NodeClass.Object,
        )
        pump = node_id("North/11")
        for coroutine in (
            session.add_nodes([added]),
            session.delete_nodes(ua.DeleteNodesParameters([ua.DeleteNodesItem(pump)])),
            session.add_references([ua.AddReferencesItem(pump)]),
            session.delete_references([ua.DeleteReferencesItem(pump)]),
            session.history_read(ua.HistoryReadParameters()),
        ):
            with refused("BadServiceUnsupported"):
                awaited(client, coroutine)
        assert node(client, "North/11").read_browse_name().Name == "11"


def test_this_is_no_discovery_server(anonymous: Client) -> None:
    with refused("BadServiceUnsupported"):
        awaited(anonymous, anonymous.aio_obj.uaclient.register_server(ua.RegisteredServer()))
    assert len(anonymous.find_servers()) == 1


def test_endpoints_sign_and_encrypt_and_say_who_may_sign_in(server: Running) -> None:
    with server.client() as client:
        endpoints = client.get_endpoints()
    names = [str(endpoint.SecurityPolicyUri).partition("#")[2] for endpoint in endpoints]
    assert names == ["Aes128_Sha256_RsaOaep", "Basic256Sha256", "Aes256_Sha256_RsaPss"]
    for endpoint in endpoints:
        assert endpoint.EndpointUrl == server.url
        assert endpoint.SecurityMode is ua.MessageSecurityMode.SignAndEncrypt
        assert endpoint.Server.ApplicationType is ua.ApplicationType.Server
        tokens = {token.TokenType: token.SecurityPolicyUri for token in endpoint.UserIdentityTokens}
        assert tokens == {
            ua.UserTokenType.Anonymous: None,
            ua.UserTokenType.UserName: endpoint.SecurityPolicyUri,
            ua.UserTokenType.Certificate: endpoint.SecurityPolicyUri,
        }


@pytest.mark.parametrize("count", [0, MOST_READ + 1])
def test_a_call_of_a_service_is_bounded(anonymous: Client, count: int) -> None:
    name = "BadTooManyOperations" if count else "BadNothingToDo"
    session = anonymous.aio_obj.uaclient
    target = node_id("System/Scan")
    value = ua.IntegerId(AttributeIds.Value)
    for coroutine in (
        session.read(ua.ReadParameters(NodesToRead=[ua.ReadValueId(target, value)] * count)),
        session.write(ua.WriteParameters([ua.WriteValue(target, value)] * count)),
        session.browse(ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription()] * count)),
        session.translate_browsepaths_to_nodeids([ua.BrowsePath(target)] * count),
        session.call([ua.CallMethodRequest(target, target)] * count),
    ):
        with refused(name):
            awaited(anonymous, coroutine)
    limits = "Server_ServerCapabilities_OperationLimits_MaxNodesPer"
    for service, most in (("Read", MOST_READ), ("Browse", MOST_BROWSED)):
        number_of = standard(getattr(ua.object_ids.ObjectIds, limits + service))
        assert anonymous.get_node(number_of).read_value() == most
