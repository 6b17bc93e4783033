"""Services of a session that asyncua does not have, or does not bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary

from runtime.servers.opcua.session import Session


class Serving(UaProcessor):
    """Answers what is named in SERVICES; all else is asyncua's."""

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        serve = SERVICES.get(typeid)
        if serve is None:
            return await super()._process_message(  # type: ignore[no-untyped-call]
                typeid, requesthdr, seqhdr, body
            )
        session = self.session
        if not isinstance(session, Session):
            raise ServiceError(StatusCodes.BadSessionIdInvalid)
        if not session.is_activated():
            raise ServiceError(StatusCodes.BadSessionNotActivated)
        rules: Any = self._connection.security_policy.permissions
        if rules is not None and not rules.check_validity(session.user, typeid, body):
            raise ServiceError(StatusCodes.BadUserAccessDenied)
        self.session_last_activity = time.monotonic()
        session.touch()
        self.send_response(requesthdr.RequestHandle, seqhdr, serve(session, body))  # type: ignore[no-untyped-call]
        return True


def _browse_next(session: Session, body: Any) -> ua.BrowseNextResponse:
    asked = struct_from_binary(ua.BrowseNextParameters, body)
    response = ua.BrowseNextResponse()
    response.Parameters.Results = session.go_on_browsing(asked)
    return response


def _register(session: Session, body: Any) -> ua.RegisterNodesResponse:
    asked = struct_from_binary(ua.RegisterNodesParameters, body)
    response = ua.RegisterNodesResponse()
    response.Parameters.RegisteredNodeIds = session.register(asked.NodesToRegister)
    return response


def _unregister(session: Session, body: Any) -> ua.UnregisterNodesResponse:
    session.register(struct_from_binary(ua.UnregisterNodesParameters, body).NodesToUnregister)
    return ua.UnregisterNodesResponse()


def _set_triggering(session: Session, body: Any) -> ua.SetTriggeringResponse:
    asked = struct_from_binary(ua.SetTriggeringParameters, body)
    return ua.SetTriggeringResponse(Parameters=session.set_triggering(asked))


SERVICES: dict[ua.NodeId, Callable[[Session, Any], Any]] = {
    ua.NodeId(ua.Int32(number)): serve
    for number, serve in (
        (ObjectIds.BrowseNextRequest_Encoding_DefaultBinary, _browse_next),
        (ObjectIds.RegisterNodesRequest_Encoding_DefaultBinary, _register),
        (ObjectIds.UnregisterNodesRequest_Encoding_DefaultBinary, _unregister),
        (ObjectIds.SetTriggeringRequest_Encoding_DefaultBinary, _set_triggering),
    )
}
