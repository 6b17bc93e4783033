"""Services of a session that asyncua does not have, or does not bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer, ServiceError
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

from runtime.servers.opcua.session import Session

READ = ua.NodeId(ua.Int32(ObjectIds.ReadRequest_Encoding_DefaultBinary))
EMPTY = bytes(4)  # an array of nothing


class Serving(UaProcessor):
    """Answers what is named in SERVICES; all else is asyncua's."""

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        serve = SERVICES.get(typeid)
        if serve is None and typeid != READ:
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
        if serve is None:
            await self._read(session, requesthdr, seqhdr, body)
        else:
            self.send_response(requesthdr.RequestHandle, seqhdr, serve(session, body))  # type: ignore[no-untyped-call]
        return True

    async def _read(self, session: Session, requesthdr: Any, seqhdr: Any, body: Any) -> None:
        response = ua.ReadResponse()
        response.ResponseHeader.RequestHandle = requesthdr.RequestHandle
        asked = bytes(body.read(len(body)))
        results = session.read_prepared(asked)
        if results is None:
            response.Results = await session.read(
                struct_from_binary(ua.ReadParameters, Buffer(asked))
            )
            message = struct_to_binary(response)
        else:
            # Without results, a message ends with two empty arrays: of results and diagnostics.
            message = struct_to_binary(response)[: -2 * len(EMPTY)] + results + EMPTY
        whole = self._connection.message_to_binary(message, request_id=seqhdr.RequestId)
        self._transport.write(whole)


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
