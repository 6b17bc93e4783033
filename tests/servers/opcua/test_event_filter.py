"""Event filters: what each operator makes of an event, and what of a filter is refused."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.server.address_space import AddressSpace
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua import standard_nodes
from runtime.servers.opcua.condition import OF_PROCESS
from runtime.servers.opcua.event import Event, flag, number, string, text
from runtime.servers.opcua.event_filter import MOST_ELEMENTS, EventFilter
from tests.servers.opcua.listening import element, field, literal

_Op = ua.FilterOperator
_UINT16, _TEXT, _NODE = ua.VariantType.UInt16, ua.VariantType.String, ua.VariantType.NodeId
EVENT = Event(
    OF_PROCESS,
    {
        "Severity": number(500, _UINT16),
        "Message": text("Pump 11 runs [hot]"),
        "SourceName": string("North"),
        "Retain": flag(True),
    },
)
SEVERITY, MISSING, RETAIN = field("Severity"), field("Quality"), field("Retain")
MESSAGE = field("Message")


@pytest.fixture(scope="module")
def aspace() -> AddressSpace:
    """OPC UA's own types."""
    space = AddressSpace()
    standard_nodes.fill(space)
    return space


def whole(value: int) -> ua.LiteralOperand:
    return literal(value, _UINT16)


def words(value: str) -> ua.LiteralOperand:
    return literal(value, _TEXT)


def type_named(name: str) -> ua.LiteralOperand:
    return literal(ua.NodeId(ua.Int32(getattr(ObjectIds, name))), _NODE)


def at(index: int) -> ua.ElementOperand:
    return ua.ElementOperand(ua.UInt32(index))


def read(aspace: AddressSpace, *where: ua.ContentFilterElement) -> EventFilter:
    wanted = ua.EventFilter(SelectClauses=[field("EventId")])
    wanted.WhereClause = ua.ContentFilter(list(where))
    return EventFilter(wanted, aspace)


TRUE = element(_Op.Equals, SEVERITY, whole(500))
FALSE = element(_Op.Equals, SEVERITY, whole(1))
NULL = element(_Op.Equals, MISSING, whole(1))
AND, OR, NOT = (
    element(_Op.And, at(1), at(2)),
    element(_Op.Or, at(1), at(2)),
    element(_Op.Not, at(1)),
)


@pytest.mark.parametrize(
    ("operator", "operands", "fits"),
    [
        (_Op.Equals, [SEVERITY, whole(500)], True),
        (_Op.Equals, [SEVERITY, whole(501)], False),
        (_Op.Equals, [MESSAGE, words("Pump 11 runs [hot]")], True),
        (_Op.IsNull, [MISSING], True),
        (_Op.IsNull, [SEVERITY], False),
        (_Op.GreaterThan, [SEVERITY, whole(499)], True),
        (_Op.GreaterThan, [SEVERITY, whole(500)], False),
        (_Op.LessThan, [SEVERITY, whole(501)], True),
        (_Op.LessThan, [SEVERITY, whole(500)], False),
        (_Op.GreaterThanOrEqual, [SEVERITY, whole(500)], True),
        (_Op.GreaterThanOrEqual, [SEVERITY, whole(501)], False),
        (_Op.LessThanOrEqual, [SEVERITY, whole(500)], True),
        (_Op.LessThanOrEqual, [SEVERITY, whole(499)], False),
        (_Op.GreaterThan, [SEVERITY, words("a")], False),
        (_Op.Between, [SEVERITY, whole(500), whole(600)], True),
        (_Op.Between, [SEVERITY, whole(501), whole(600)], False),
        (_Op.InList, [SEVERITY, whole(1), whole(500)], True),
        (_Op.InList, [SEVERITY, whole(1), whole(2)], False),
        (_Op.Like, [MESSAGE, words("Pump %")], True),
        (_Op.Like, [MESSAGE, words("Pump")], False),
        (_Op.Like, [MESSAGE, words("Pump 1_ runs%")], True),
        (_Op.Like, [MESSAGE, words("%[0-9] runs%")], True),
        (_Op.Like, [MESSAGE, words("%[^0-9] runs%")], False),
        (_Op.Like, [MESSAGE, words("%\\[hot\\]")], True),
        (_Op.Like, [MESSAGE, words("%[z-a]%")], False),
        (_Op.Like, [SEVERITY, words("%")], False),
        (_Op.OfType, [type_named("OffNormalAlarmType")], True),
        (_Op.OfType, [type_named("AlarmConditionType")], True),
        (_Op.OfType, [type_named("BaseEventType")], True),
        (_Op.OfType, [type_named("SystemOffNormalAlarmType")], False),
    ],
)
def test_an_operator_decides_whether_an_event_fits(
    aspace: AddressSpace, operator: ua.FilterOperator, operands: list[object], fits: bool
) -> None:
    wanted = read(aspace, element(operator, *operands))
    assert wanted.usable
    assert wanted.matches(EVENT) is fits


@pytest.mark.parametrize(
    ("joined", "operands", "fits"),
    [
        (AND, (TRUE, TRUE), True),
        (AND, (TRUE, FALSE), False),
        (AND, (TRUE, NULL), False),
        (OR, (FALSE, TRUE), True),
        (OR, (NULL, TRUE), True),
        (OR, (FALSE, NULL), False),
        (NOT, (FALSE,), True),
        (NOT, (TRUE,), False),
        (NOT, (NULL,), False),
    ],
)
def test_elements_are_joined_in_a_logic_of_three_values(
    aspace: AddressSpace,
    joined: ua.ContentFilterElement,
    operands: tuple[ua.ContentFilterElement, ...],
    fits: bool,
) -> None:
    assert read(aspace, joined, *operands).matches(EVENT) is fits


def test_what_is_false_with_nothing_is_not_unknown(aspace: AddressSpace) -> None:
    assert read(aspace, NOT, element(_Op.And, at(2), at(3)), FALSE, NULL).matches(EVENT)
    assert not read(aspace, NOT, element(_Op.And, at(2), at(3)), TRUE, NULL).matches(EVENT)


@pytest.mark.parametrize(
    ("operator", "mask", "made"),
    [(_Op.BitwiseAnd, 0b1_0000, 16), (_Op.BitwiseOr, 0b1, 501)],
)
def test_bits_are_combined(
    aspace: AddressSpace, operator: ua.FilterOperator, mask: int, made: int
) -> None:
    compared = element(_Op.Equals, at(1), whole(made))
    assert read(aspace, compared, element(operator, SEVERITY, whole(mask))).matches(EVENT)
    assert not read(aspace, compared, element(operator, MESSAGE, whole(mask))).matches(EVENT)


@pytest.mark.parametrize(
    ("where", "status"),
    [
        (element(_Op.Cast, SEVERITY, whole(1)), "BadFilterOperatorUnsupported"),
        (element(_Op.InView, whole(1)), "BadFilterOperatorUnsupported"),
        (element(_Op.Equals, SEVERITY), "BadFilterOperandCountMismatch"),
        (element(_Op.Not), "BadFilterOperandCountMismatch"),
        (element(_Op.Between, SEVERITY, whole(1)), "BadFilterOperandCountMismatch"),
        (element(_Op.Not, at(0)), "BadFilterOperandInvalid"),
        (element(_Op.Not, at(9)), "BadFilterOperandInvalid"),
        (element(_Op.OfType, words("AlarmConditionType")), "BadFilterOperandInvalid"),
        (element(_Op.OfType, literal(ua.NodeId(ua.String("none")), _NODE)), "BadNodeIdUnknown"),
    ],
)
def test_an_element_that_makes_no_sense_is_refused_with_its_reason(
    aspace: AddressSpace, where: ua.ContentFilterElement, status: str
) -> None:
    wanted = read(aspace, where)
    assert not wanted.usable
    assert wanted.result().WhereClauseResult.ElementResults[0].StatusCode.name == status


def test_a_filter_needs_fields_and_has_an_end(aspace: AddressSpace) -> None:
    assert not EventFilter(ua.EventFilter(), aspace).usable
    assert not read(aspace, *[TRUE] * (MOST_ELEMENTS + 1)).usable


def test_a_field_that_cannot_be_is_refused_alone(aspace: AddressSpace) -> None:
    odd = field("Severity")
    odd.AttributeId = ua.IntegerId(AttributeIds.DisplayName)
    wanted = EventFilter(ua.EventFilter(SelectClauses=[field("Message"), odd]), aspace)
    told = [status.name for status in wanted.result().SelectClauseResults]
    assert told == ["Good", "BadAttributeIdInvalid"]
