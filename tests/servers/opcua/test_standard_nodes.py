"""OPC UA's own nodes are what asyncua would have made of their descriptions."""

from __future__ import annotations

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData, NodeManagementService
from asyncua.server.standard_address_space import standard_address_space

from runtime.servers.opcua import standard_nodes


def references(node: NodeData) -> list[ua.ReferenceDescription]:
    """What a node refers to, in an order of its own: asyncua's is that of its files."""
    return sorted(
        node.references,
        key=lambda one: (one.ReferenceTypeId.Identifier, one.NodeId.Identifier, one.IsForward),
    )


def test_every_node_becomes_what_asyncua_makes_of_it() -> None:
    theirs, ours = AddressSpace(), AddressSpace()
    standard_address_space.fill_address_space(NodeManagementService(theirs))  # type: ignore[no-untyped-call]
    standard_nodes.fill(ours)
    assert set(ours.keys()) == set(theirs.keys())
    for nodeid, expected in theirs._nodes.items():
        node = ours[nodeid]
        assert {number: entry.value for number, entry in node.attributes.items()} == {
            number: entry.value for number, entry in expected.attributes.items()
        }
        assert references(node) == references(expected)
