"""Event filters: which events an item wants, and which fields of them (Part 4, 7.4 and 7.22.3).

A filter is read once, when the item is made: what makes no sense is refused then, element by
element, and each event is judged by functions that were put together from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.event import CONDITION_ID, Event
from runtime.servers.opcua.filter_operators import COUNTS, OPERATORS, Operand, plain

MOST_ELEMENTS = 500  # of one filter; clients list types one by one
MOST_FIELDS = 500
SUBTYPE = ua.NodeId(ua.Int32(ObjectIds.HasSubtype))


class FilterFault(Exception):
    """An element, or one of its operands, can't be used."""

    def __init__(self, status: int, operand: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.operand = operand


class EventFilter:
    """A filter that was read. `faults` is what is wrong with it, None if it can be used."""

    def __init__(self, wanted: ua.EventFilter, aspace: Standard) -> None:
        self._aspace = aspace
        self.selects = [_status_of(clause) for clause in wanted.SelectClauses or []]
        self.paths = [_path(clause) for clause in wanted.SelectClauses or []]
        self._elements: Sequence[ua.ContentFilterElement] = wanted.WhereClause.Elements or []
        self._statuses: list[FilterFault | None] = [None] * len(self._elements)
        self._judges = [self._read(index) for index in range(len(self._elements))]

    @property
    def usable(self) -> bool:
        bounded = len(self.paths) <= MOST_FIELDS and len(self._elements) <= MOST_ELEMENTS
        return bool(self.paths) and bounded and not any(self._statuses)

    def result(self) -> ua.EventFilterResult:
        """What the client is told of each clause and element."""
        elements = []
        for element, fault in zip(self._elements, self._statuses, strict=True):
            operands = [ua.StatusCode()] * len(element.FilterOperands or [])
            if fault is not None and fault.operand is not None:
                operands[fault.operand] = ua.StatusCode(ua.UInt32(fault.status))
            status = fault.status if fault else StatusCodes.Good
            elements.append(
                ua.ContentFilterElementResult(ua.StatusCode(ua.UInt32(status)), operands)
            )
        return ua.EventFilterResult(
            [ua.StatusCode(ua.UInt32(status)) for status in self.selects],
            [],
            ua.ContentFilterResult(elements),
        )

    @property
    def takes_all(self) -> bool:
        """Whether there is no where clause."""
        return not self._judges

    def matches(self, event: Event) -> bool:
        return not self._judges or self._judges[0](event) is True

    def _read(self, index: int) -> Operand:
        try:
            return self._element(index)
        except FilterFault as fault:
            self._statuses[index] = fault
            return lambda event: None

    def _element(self, index: int) -> Operand:
        element = self._elements[index]
        given = element.FilterOperands or []
        operator = element.FilterOperator
        if operator not in COUNTS:
            raise FilterFault(StatusCodes.BadFilterOperatorUnsupported)
        least, most = COUNTS[operator]
        if not least <= len(given) <= most:
            raise FilterFault(StatusCodes.BadFilterOperandCountMismatch)
        operands = [self._operand(index, place, one) for place, one in enumerate(given)]
        if operator is ua.FilterOperator.OfType:
            return self._of_type(given[0])
        return OPERATORS[operator](*operands)

    def _operand(self, index: int, place: int, operand: object) -> Operand:
        match operand:
            case ua.LiteralOperand():
                literal = plain(operand.Value)
                return lambda event: literal
            case ua.ElementOperand():
                target = int(operand.Index)
                if not index < target < len(self._elements):  # forward only, so never a circle
                    raise FilterFault(StatusCodes.BadFilterOperandInvalid, place)
                return lambda event: self._judges[target](event)
            case ua.SimpleAttributeOperand():
                if _status_of(operand) != StatusCodes.Good:
                    raise FilterFault(_status_of(operand), place)
                path = _path(operand)
                return lambda event: plain(event.fields.get(path))
        raise FilterFault(StatusCodes.BadFilterOperandInvalid, place)

    def _of_type(self, operand: object) -> Operand:
        kind = operand.Value.Value if isinstance(operand, ua.LiteralOperand) else None
        if not isinstance(kind, ua.NodeId):
            raise FilterFault(StatusCodes.BadFilterOperandInvalid, 0)
        if kind not in self._aspace:
            raise FilterFault(StatusCodes.BadNodeIdUnknown, 0)
        known: dict[ua.NodeId, bool] = {}

        def judge(event: Event) -> bool:
            found = known.get(event.kind)
            if found is None:
                found = known[event.kind] = is_a(self._aspace, event.kind, kind)
            return found

        return judge


def is_a(aspace: Standard, kind: ua.NodeId, wanted: ua.NodeId) -> bool:
    """Whether a type is another one, or a subtype of it."""
    found: ua.NodeId | None = kind
    while found is not None and found != wanted:
        node = aspace.get(found)
        above = node.references if node is not None else []
        found = next(
            (r.NodeId for r in above if r.ReferenceTypeId == SUBTYPE and not r.IsForward), None
        )
    return found is not None


def _path(clause: ua.SimpleAttributeOperand) -> str:
    names = [str(name.Name) for name in clause.BrowsePath or []]
    return "/".join(names) if names else CONDITION_ID


def _status_of(clause: ua.SimpleAttributeOperand) -> int:
    wanted = AttributeIds.Value if clause.BrowsePath else AttributeIds.NodeId
    return StatusCodes.Good if clause.AttributeId == wanted else StatusCodes.BadAttributeIdInvalid
