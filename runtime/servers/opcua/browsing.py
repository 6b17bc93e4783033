"""Browsing: as asyncua does it, but quick, bounded, and with paths that need not name groups."""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.server.address_space import ViewService
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.address_space import AddressSpace
from runtime.servers.opcua.attributes import INDEX


class Browsing(ViewService):
    """The view services. Which reference type is a kind of which never changes, so it is kept."""

    def __init__(self, aspace: Standard, ours: AddressSpace) -> None:
        super().__init__(aspace)
        self._ours = ours
        self._suitable: dict[tuple[ua.NodeId, ua.NodeId, bool], bool] = {}

    def _browse(self, desc: ua.BrowseDescription) -> ua.BrowseResult:
        if desc.NodeId not in self._aspace:
            return ua.BrowseResult(ua.StatusCode(ua.UInt32(StatusCodes.BadNodeIdUnknown)))
        return super()._browse(desc)

    def _suitable_reftype(self, ref1: ua.NodeId, ref2: ua.NodeId, subtypes: bool) -> bool:
        key = (ref1, ref2, subtypes)
        suitable = self._suitable.get(key)
        if suitable is None:
            suitable = super()._suitable_reftype(ref1, ref2, subtypes)
            if ref1.NamespaceIndex == 0 and ref1 in self._aspace:  # not what clients make up
                self._suitable[key] = suitable
        return suitable

    def _translate_browsepath_to_nodeid(self, path: ua.BrowsePath) -> ua.BrowsePathResult:
        if not path.RelativePath.Elements:
            nothing = ua.StatusCode(ua.UInt32(StatusCodes.BadNothingToDo))
            return ua.BrowsePathResult(StatusCode=nothing)
        return super()._translate_browsepath_to_nodeid(path)

    def _find_elements_in_node(
        self, el: ua.RelativePathElement, nodeid: ua.NodeId
    ) -> list[ua.NodeId]:
        if nodeid.NamespaceIndex != INDEX or cast(bool, el.IsInverse):
            return super()._find_elements_in_node(el, nodeid)
        child = self._ours.child(nodeid, el.TargetName)
        if child is not None and self._suitable_reftype(
            el.ReferenceTypeId, child.ReferenceTypeId, cast(bool, el.IncludeSubtypes)
        ):
            return [child.NodeId]
        return []
