"""Answers the messages of one connection: who may do what before and after signing in.

asyncua takes a message outside a channel as one without security. What it leaves open is closed
here, then its services are used. It has no types, hence the ignores.
"""

from __future__ import annotations

import asyncio
import struct
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import Buffer, ServiceError
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary
from asyncua.ua.uaerrors import UaError

from runtime.servers import correlation
from runtime.servers.opcua import decoding
from runtime.servers.opcua.beginning import Beginning
from runtime.servers.opcua.channel import GRACE, NO_SECURITY, check_request, refused
from runtime.servers.opcua.limits import MOST_ELEMENTS, MOST_ELEMENTS_UNKNOWN
from runtime.servers.opcua.session import Session, is_open

if TYPE_CHECKING:
    from runtime.servers.opcua.core import Core

MOST_CALLS = 10  # calls of one connection that wait for the scan
LEAST_BUFFER = 8_192  # bytes of a chunk that everybody has to take (Part 6, 7.1.2.3)
LONGEST_URL = 4_096  # bytes
TOKEN = 4  # bytes: the id of the channel's token, before what is encrypted

logger = structlog.get_logger()


def _request(service: str) -> ua.NodeId:
    return ua.NodeId(ua.Int32(getattr(ObjectIds, f"{service}Request_Encoding_DefaultBinary")))


_CALL, _CREATE, _ACTIVATE = map(_request, ("Call", "CreateSession", "ActivateSession"))
_DISCOVERY = frozenset(map(_request, ("GetEndpoints", "FindServers", "CloseSecureChannel")))
_WITHOUT_SESSION = _DISCOVERY | {_CREATE, _ACTIVATE}


class Processor(Beginning):
    """One connection's messages."""

    iserver: Core

    def __init__(self, server: Core, transport: asyncio.Transport, limits: TransportLimits) -> None:
        super().__init__(server, transport, limits)
        self._calls: set[asyncio.Task[Any]] = set()
        self._greeted = False
        host, port = (self.name or ("", 0))[:2]
        self._host, self.where = str(host), f"{host}:{port}"

    async def process(self, header: Any, body: Any) -> Any:
        kind, opened = header.MessageType, self._connection.is_open()
        if (kind == ua.MessageType.Hello) == self._greeted:
            raise refused(StatusCodes.BadTcpMessageTypeInvalid)
        signed_in = self.session is not None and self.session.is_activated()
        decoding.allow(MOST_ELEMENTS if signed_in else MOST_ELEMENTS_UNKNOWN)
        if kind == ua.MessageType.Hello:
            self._greet(body.copy())
        elif kind == ua.MessageType.SecureOpen:
            present = self._policy if opened else None
            self.iserver.channels.check(body.copy(header.body_size), present, self.where)
        elif not opened or self._is_expired():
            raise refused(StatusCodes.BadSecureChannelIdInvalid)
        elif not self._is_issued(int.from_bytes(body.copy(TOKEN).read(TOKEN), "little")):
            raise refused(StatusCodes.BadSecureChannelTokenUnknown)
        return await super().process(header, body)  # type: ignore[no-untyped-call]

    def _greet(self, body: Buffer) -> None:
        hello = struct_from_binary(ua.Hello, body)
        if min(hello.ReceiveBufferSize, hello.SendBufferSize) < LEAST_BUFFER:
            raise refused(StatusCodes.BadConnectionRejected)
        if len(hello.EndpointUrl or "") > LONGEST_URL:
            raise refused(StatusCodes.BadTcpEndpointUrlInvalid)
        self._greeted = True

    def _is_expired(self) -> bool:
        token = self._connection.security_token
        if token.RevisedLifetime == 0 or token.CreatedAt is None:
            return False
        life = timedelta(milliseconds=token.RevisedLifetime * GRACE)
        return bool(datetime.now(UTC) > token.CreatedAt + life)

    def _is_issued(self, token: int) -> bool:
        """Whether a token is one of this channel; asyncua takes 0 for one that is to come."""
        channel = self._connection
        return token != 0 and token in (
            channel.security_token.TokenId,
            channel.next_security_token.TokenId,
        )

    def open_secure_channel(self, algohdr: Any, seqhdr: Any, body: Any) -> None:
        """Open or renew the channel; the signature of the request has been verified."""
        request = struct_from_binary(ua.OpenSecureChannelRequest, body)
        asked, channel = request.Parameters, self._connection
        renews = asked.RequestType == ua.SecurityTokenRequestType.Renew
        if renews != channel.is_open():
            raise refused(StatusCodes.BadSecurityChecksFailed)
        if not renews:
            uri, sent = algohdr.SecurityPolicyURI, algohdr.SenderCertificate
            channel.select_policy(uri, None if uri == NO_SECURITY else sent, asked.SecurityMode)
        check_request(asked, self._policy)
        response = ua.OpenSecureChannelResponse()
        response.Parameters = channel.open(asked, self.iserver)
        handle = request.RequestHeader.RequestHandle
        self.send_response(handle, seqhdr, response, ua.MessageType.SecureOpen)  # type: ignore[no-untyped-call]

    async def process_message(self, seqhdr: Any, body: Any) -> Any:
        typeid = nodeid_from_binary(body)
        request = struct_from_binary(ua.RequestHeader, body)
        answer = self._answer(typeid, request, seqhdr, body)
        if typeid != _CALL or len(self._calls) >= MOST_CALLS:
            return await answer
        # A call waits for the scan. What else the client asks for, or is told, doesn't.
        call = asyncio.create_task(answer)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return True

    async def _answer(self, typeid: Any, request: Any, seqhdr: Any, body: Any) -> Any:
        """Do what is asked; what can't be done is answered with the reason's status."""
        try:
            return await self._process_message(typeid, request, seqhdr, body)
        except (ServiceError, ua.uaerrors.UaStatusCodeError) as error:
            status = error.code
        except (decoding.TooMuch, RecursionError):
            status = StatusCodes.BadEncodingLimitsExceeded
        except (UaError, ValueError, struct.error):
            status = StatusCodes.BadDecodingError
        except Exception as error:  # asyncua raises whatever a malformed request leads it to
            logger.warning("request failed", client=self.where, reason=_reason(error))
            status = StatusCodes.BadInternalError
        fault = ua.ServiceFault()
        fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(status))
        self.send_response(request.RequestHandle, seqhdr, fault)  # type: ignore[no-untyped-call]
        return True

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if self._policy.URI == NO_SECURITY and typeid not in _DISCOVERY:
            raise ServiceError(StatusCodes.BadSecurityPolicyRejected)
        if typeid == _ACTIVATE:
            with correlation.serving(requesthdr.AuditEntryId):
                await self._activate(requesthdr, seqhdr, body)
            return True
        if typeid == _CREATE:
            # asyncua forgets the first of two sessions, which then stays for good.
            if is_open(self.session):
                raise ServiceError(StatusCodes.BadTooManySessions)
            self._check_creator(struct_from_binary(ua.CreateSessionParameters, body.copy()))
        elif typeid not in _WITHOUT_SESSION:
            self._check_session(requesthdr)
        with correlation.serving(requesthdr.AuditEntryId):
            answer = await super()._process_message(typeid, requesthdr, seqhdr, body)
        if typeid == _CREATE and isinstance(self.session, Session):
            self.session.connection = self
            self.session.application = self._policy.peer_certificate or b""
        return answer

    def _check_session(self, request: Any) -> None:
        if self.session is None or request.AuthenticationToken != self.session.auth_token:
            raise ServiceError(StatusCodes.BadSessionIdInvalid)
        if isinstance(self.session, Session) and self.session.connection is not self:
            raise ServiceError(StatusCodes.BadSecureChannelIdInvalid)  # it goes on elsewhere

    async def close(self) -> None:
        if isinstance(self.session, Session):
            if self.session.connection is self:
                self.session.connection = None
            else:
                self.session = None  # it goes on over another connection
        await super().close()  # type: ignore[no-untyped-call]


def _reason(error: Exception) -> str:
    """What an error is, and where it was raised: that it could be is a fault of ours."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{repr(error)[:200]} in {place.name}, {Path(place.filename).name} {place.lineno}"
