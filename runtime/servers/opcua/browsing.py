"""Browsing: as asyncua does it, but quick, bounded, in parts, and with paths that need not name
groups.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.address_space import ViewService
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.address_space import AddressSpace
from runtime.servers.opcua.attributes import INDEX
from runtime.servers.opcua.continuations import Continuations, refusal
from runtime.servers.opcua.references import References

_FIELDS = [bit for bit in ua.BrowseResultMask if bit.value.bit_count() == 1]


class Browsing(ViewService):
    """The view services. Which reference type is a kind of which never changes, so it is kept."""

    def __init__(self, aspace: Standard, ours: AddressSpace) -> None:
        super().__init__(aspace)
        self._ours = ours
        self._suitable: dict[tuple[ua.NodeId, ua.NodeId, bool], bool] = {}

    def browse_in_parts(
        self, params: ua.BrowseParameters, rests: Continuations
    ) -> list[ua.BrowseResult]:
        """Browse; what is more than a client wants at once goes to the rests of its session."""
        if not params.View.ViewId.is_null():
            return [refusal(StatusCodes.BadViewIdUnknown) for _ in params.NodesToBrowse]
        most = int(params.RequestedMaxReferencesPerNode)
        return [self._begin(wanted, rests, most) for wanted in params.NodesToBrowse]

    def _begin(
        self, wanted: ua.BrowseDescription, rests: Continuations, most: int
    ) -> ua.BrowseResult:
        fault = self._fault(wanted)
        if fault:
            return refusal(fault)
        suitable = self._is_suitable_ref
        found = [one for one in self._aspace[wanted.NodeId].references if suitable(wanted, one)]
        return rests.begin(_masked(found, int(wanted.ResultMask)), most)

    def _fault(self, wanted: ua.BrowseDescription) -> int:
        """What is wrong with a wish; Good if nothing is."""
        kind = wanted.ReferenceTypeId
        if wanted.NodeId not in self._aspace:
            return StatusCodes.BadNodeIdUnknown
        if wanted.BrowseDirection not in (0, 1, 2):
            return StatusCodes.BadBrowseDirectionInvalid
        if not kind.is_null() and not self._is_reference_type(kind):
            return StatusCodes.BadReferenceTypeIdInvalid
        return StatusCodes.Good

    def _is_reference_type(self, kind: ua.NodeId) -> bool:
        found = self._aspace.read_attribute_value(kind, AttributeIds.NodeClass).Value
        return found is not None and found.Value == ua.NodeClass.ReferenceType

    def _suitable_reftype(self, ref1: ua.NodeId, ref2: ua.NodeId, subtypes: bool) -> bool:
        key = (ref1, ref2, subtypes)
        suitable = self._suitable.get(key)
        if suitable is None:
            suitable = super()._suitable_reftype(ref1, ref2, subtypes)
            if ref1.NamespaceIndex == 0 and ref1 in self._aspace:  # not what clients make up
                self._suitable[key] = suitable
        return suitable

    def _translate_browsepath_to_nodeid(self, path: ua.BrowsePath) -> ua.BrowsePathResult:
        fault = StatusCodes.Good
        if not path.RelativePath.Elements:
            fault = StatusCodes.BadNothingToDo
        elif path.StartingNode not in self._aspace:
            fault = StatusCodes.BadNodeIdUnknown
        elif not all(_is_named(element) for element in path.RelativePath.Elements):
            fault = StatusCodes.BadBrowseNameInvalid
        if fault:
            return ua.BrowsePathResult(StatusCode=ua.StatusCode(ua.UInt32(fault)))
        return super()._translate_browsepath_to_nodeid(path)

    def _find_elements_in_node(
        self, el: ua.RelativePathElement, nodeid: ua.NodeId
    ) -> list[ua.NodeId]:
        if nodeid.NamespaceIndex == INDEX and not cast(bool, el.IsInverse):
            child = self._ours.child(nodeid, el.TargetName)
            if child is not None and self._suitable_reftype(
                el.ReferenceTypeId, child.ReferenceTypeId, cast(bool, el.IncludeSubtypes)
            ):
                return [child.NodeId]
        return super()._find_elements_in_node(el, nodeid)


def _is_named(element: ua.RelativePathElement) -> bool:
    return bool(element.TargetName.Name)


def _masked(found: References, mask: int) -> References:
    """References with only those of their fields that are asked for."""
    left_out = [bit.name for bit in _FIELDS if not mask & bit]
    if not left_out:
        return found
    empty = ua.ReferenceDescription()
    nothing = {name: getattr(empty, name) for name in left_out}
    return [replace(one, **nothing) for one in found]
