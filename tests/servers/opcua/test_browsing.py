"""Browsing in parts, what a wish for references may say, and paths of names."""

from __future__ import annotations

from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.limits import MOST_BROWSED, MOST_BROWSES
from runtime.servers.opcua.references import node_id
from tests.servers.opcua.serving import awaited, refused

PUMP = node_id("North/11")


def browsed(client: Client, most: int = 0, **wish: Any) -> ua.BrowseResult:
    """The answer to a browse of one node, of a pump unless it says otherwise."""
    wanted = ua.BrowseDescription(
        NodeId=wish.pop("node", PUMP), ResultMask=ua.UInt32(wish.pop("mask", 63)), **wish
    )
    asked = ua.BrowseParameters(
        RequestedMaxReferencesPerNode=ua.Counter(most), NodesToBrowse=[wanted]
    )
    found: list[ua.BrowseResult] = awaited(client, client.aio_obj.uaclient.browse(asked))
    return found[0]


def gone_on(client: Client, *points: bytes | None, release: bool = False) -> list[ua.BrowseResult]:
    asked = ua.BrowseNextParameters(release, list(points))
    found: list[ua.BrowseResult] = awaited(client, client.aio_obj.uaclient.browse_next(asked))
    return found


def test_what_does_not_fit_is_continued(anonymous: Client) -> None:
    whole = browsed(anonymous).References
    part = browsed(anonymous, most=50)
    found, answers = list(part.References), 1
    while part.ContinuationPoint:
        assert len(part.References) == 50
        part = gone_on(anonymous, part.ContinuationPoint)[0]
        found += part.References
        answers += 1
    assert found == whole
    assert answers == 1 + len(whole) // 50


def test_a_continuation_point_is_good_for_one_step(anonymous: Client) -> None:
    point = browsed(anonymous, most=5).ContinuationPoint
    first, again = gone_on(anonymous, point, point)
    assert len(first.References) == 5
    assert again.StatusCode.name == "BadContinuationPointInvalid"
    assert gone_on(anonymous, first.ContinuationPoint, release=True)[0].References == []
    for unknown in (first.ContinuationPoint, b"made up", None):
        result = gone_on(anonymous, unknown)[0]
        assert result.StatusCode.name == "BadContinuationPointInvalid"


def test_only_so_many_rests_are_kept_until_some_are_released(anonymous: Client) -> None:
    points = [browsed(anonymous, most=1).ContinuationPoint for _ in range(MOST_BROWSES)]
    assert browsed(anonymous, most=1).StatusCode.name == "BadNoContinuationPoints"
    assert browsed(anonymous).StatusCode.is_good()  # needs none
    gone_on(anonymous, *points, release=True)
    last = browsed(anonymous, most=1)
    assert last.StatusCode.is_good()
    gone_on(anonymous, last.ContinuationPoint, release=True)


def test_one_answer_has_only_so_many_references(
    anonymous: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.servers.opcua.continuations.MOST_REFERENCES", 30)
    for most in (0, 31):
        part = browsed(anonymous, most)
        assert len(part.References) == 30
        gone_on(anonymous, part.ContinuationPoint, release=True)


@pytest.mark.parametrize("count", [0, MOST_BROWSED + 1])
def test_browse_next_is_bounded(anonymous: Client, count: int) -> None:
    with refused("BadTooManyOperations" if count else "BadNothingToDo"):
        gone_on(anonymous, *[b"?"] * count)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"node": node_id("North/99")}, "BadNodeIdUnknown"),
        ({"ReferenceTypeId": PUMP}, "BadReferenceTypeIdInvalid"),
        ({"ReferenceTypeId": standard(987654)}, "BadReferenceTypeIdInvalid"),
        ({"BrowseDirection": ua.BrowseDirection.Invalid}, "BadBrowseDirectionInvalid"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(
    anonymous: Client, wish: dict[str, Any], name: str
) -> None:
    assert browsed(anonymous, **wish).StatusCode.name == name


def test_there_are_no_views(anonymous: Client) -> None:
    view = ua.ViewDescription(ViewId=PUMP)
    asked = ua.BrowseParameters(View=view, NodesToBrowse=[ua.BrowseDescription(NodeId=PUMP)])
    result = awaited(anonymous, anonymous.aio_obj.uaclient.browse(asked))[0]
    assert result.StatusCode.name == "BadViewIdUnknown"


def test_only_the_fields_asked_for_are_told(anonymous: Client) -> None:
    names = ua.BrowseResultMask.BrowseName
    for found in browsed(anonymous, mask=names).References:
        assert found.NodeId
        assert found.BrowseName.Name
        assert found.DisplayName.Text is None
        assert found.TypeDefinition.is_null()


def step(kind: int, name: str, inverse: bool = False) -> ua.RelativePathElement:
    element = ua.RelativePathElement(standard(kind), TargetName=ua.QualifiedName.from_string(name))
    # asyncua's Boolean is a name for bool, which can't be made
    element.IsInverse, element.IncludeSubtypes = cast(Any, inverse), cast(Any, True)
    return element


@pytest.mark.parametrize(
    ("start", "names", "status"),
    [
        ("North/11", ["2:Setpoint", "0:EURange"], "Good"),
        ("North/11", ["2:Setpoint", "2:EURange"], "BadNoMatch"),
        ("North/11", ["0:NodeVersion"], "Good"),
        ("/", ["2:North", "2:11", "2:Setpoint"], "Good"),
        ("/", ["2:North", "2:12"], "BadNoMatch"),  # retired
        ("/StationType", ["2:<Pump>", "2:Setpoint"], "Good"),
        ("North/11", ["2:"], "BadBrowseNameInvalid"),
        ("North/11", [], "BadNothingToDo"),
        ("North/99", ["2:Setpoint"], "BadNodeIdUnknown"),
    ],
)
def test_a_path_of_names_leads_to_a_node(
    anonymous: Client, start: str, names: list[str], status: str
) -> None:
    elements = [step(ObjectIds.HierarchicalReferences, name) for name in names]
    path = ua.BrowsePath(node_id(start), ua.RelativePath(elements))
    service = anonymous.aio_obj.uaclient.translate_browsepaths_to_nodeids([path])
    result = awaited(anonymous, service)[0]
    assert result.StatusCode.name == status
    assert len(result.Targets) == (status == "Good")


def test_a_path_may_go_to_the_type_and_back_up(anonymous: Client) -> None:
    for kind, inverse, name, target in (
        (ObjectIds.HasTypeDefinition, False, "2:PumpType", "/PumpType"),
        (ObjectIds.HasComponent, True, "2:North", "North"),
    ):
        path = ua.BrowsePath(PUMP, ua.RelativePath([step(kind, name, inverse)]))
        service = anonymous.aio_obj.uaclient.translate_browsepaths_to_nodeids([path])
        found = awaited(anonymous, service)[0]
        assert [one.TargetId for one in found.Targets] == [node_id(target)]


def test_registering_nodes_keeps_their_ids_and_is_bounded(anonymous: Client) -> None:
    service = anonymous.aio_obj.uaclient
    assert awaited(anonymous, service.register_nodes([PUMP])) == [PUMP]
    awaited(anonymous, service.unregister_nodes([PUMP]))
    with refused("BadTooManyOperations"):
        awaited(anonymous, service.register_nodes([PUMP] * 2001))
