"""Answers the messages of one connection: who may do what before and after signing in.

asyncua takes a message outside a channel as one without security, a session without a certificate
as trusted, and a password whatever nonce it was sent with. What it leaves open is closed here, then
its services are used. It has no types, hence the ignores.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from asyncua import ua
from asyncua.common.connection import TransportLimits
from asyncua.common.utils import Buffer, ServiceError
from asyncua.crypto.security_policies import SecurityPolicy
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary
from asyncua.ua.uaerrors import UaError
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from runtime.servers import correlation
from runtime.servers.opcua import sign_in
from runtime.servers.opcua.channel import GRACE, NO_SECURITY, check_request, refused
from runtime.servers.opcua.services import Serving
from runtime.servers.opcua.session import Session, is_open

if TYPE_CHECKING:
    from runtime.servers.opcua.core import Core

MOST_CALLS = 10  # calls of one connection that wait for the scan
LEAST_BUFFER = 8_192  # bytes of a chunk that everybody has to take (Part 6, 7.1.2.3)
LONGEST_URL = 4_096  # bytes
NONCE = 32  # bytes at least, of a session

logger = structlog.get_logger()


def _request(service: str) -> ua.NodeId:
    return ua.NodeId(ua.Int32(getattr(ObjectIds, f"{service}Request_Encoding_DefaultBinary")))


_CALL, _CREATE, _ACTIVATE = map(_request, ("Call", "CreateSession", "ActivateSession"))
_DISCOVERY = frozenset(map(_request, ("GetEndpoints", "FindServers", "CloseSecureChannel")))
_WITHOUT_SESSION = _DISCOVERY | {_CREATE, _ACTIVATE}


class Processor(Serving):
    """One connection's messages."""

    iserver: Core

    def __init__(self, server: Core, transport: asyncio.Transport, limits: TransportLimits) -> None:
        super().__init__(server, transport, limits)
        self._calls: set[asyncio.Task[Any]] = set()
        self._greeted = False
        host, port = (self.name or ("", 0))[:2]
        self._host, self.where = str(host), f"{host}:{port}"

    @property
    def _policy(self) -> SecurityPolicy:
        return self._connection.security_policy

    async def process(self, header: Any, body: Any) -> Any:
        kind, opened = header.MessageType, self._connection.is_open()
        if (kind == ua.MessageType.Hello) == self._greeted:
            raise refused(StatusCodes.BadTcpMessageTypeInvalid)
        if kind == ua.MessageType.Hello:
            self._greet(body.copy())
        elif kind == ua.MessageType.SecureOpen:
            present = self._policy if opened else None
            self.iserver.channels.check(body.copy(header.body_size), present, self.where)
        elif not opened or self._is_expired():
            raise refused(StatusCodes.BadSecureChannelIdInvalid)
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
        except (UaError, ValueError, struct.error):
            status = StatusCodes.BadDecodingError
        except Exception as error:  # asyncua raises whatever a malformed request leads it to
            logger.warning("request failed", client=self.where, reason=repr(error)[:200])
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

    def _check_creator(self, asked: Any) -> None:
        """The session is for the application that opened the channel, and for no other."""
        peer = self._policy.peer_certificate or b"-"
        if not (asked.ClientCertificate or b"").startswith(peer):
            raise ServiceError(StatusCodes.BadCertificateInvalid)
        if asked.ClientDescription.ApplicationUri not in _uris(x509_from_der(peer)):  # type: ignore[no-untyped-call]
            raise ServiceError(StatusCodes.BadCertificateUriInvalid)
        if len(asked.ClientNonce or b"") < NONCE:
            raise ServiceError(StatusCodes.BadNonceInvalid)
        if not math.isfinite(asked.RequestedSessionTimeout or 0.0):
            raise ServiceError(StatusCodes.BadInvalidArgument)

    async def _activate(self, request: Any, seqhdr: Any, body: Any) -> None:
        """Sign in; on another connection than before, take the session over to it."""
        asked = struct_from_binary(ua.ActivateSessionParameters, body)
        session = self._to_activate(request.AuthenticationToken)
        policy, nonce = self._policy, session.nonce or b""
        try:
            challenge = (policy.host_certificate or b"") + nonce
            proof = asked.ClientSignature.Signature or b""
            policy.asymmetric_cryptography.verify(challenge, proof)  # type: ignore[no-untyped-call]
        except (InvalidSignature, ValueError):
            raise ServiceError(StatusCodes.BadApplicationSignatureInvalid) from None
        attempt = sign_in.Attempt(
            asked.UserIdentityToken, asked.UserTokenSignature, policy, nonce, self._host
        )
        try:
            user = await self.iserver.sign_in.user(attempt)
            if session.is_activated() and session.connection is not self and user != session.user:
                raise sign_in.Refusal(
                    user.name or "", StatusCodes.BadUserAccessDenied, "another user's session"
                )
        except sign_in.Refusal as refusal:
            self.iserver.refuse_sign_in(refusal, self.where)
            raise ServiceError(refusal.status) from None
        if not is_open(session):
            raise ServiceError(StatusCodes.BadSessionIdInvalid)
        self._take(session)
        response = ua.ActivateSessionResponse()
        response.Parameters = session.admit(user, len(asked.ClientSoftwareCertificates or ()))
        self.send_response(request.RequestHandle, seqhdr, response)  # type: ignore[no-untyped-call]

    def _to_activate(self, token: Any) -> Session:
        """The session of a token, if this channel may activate it (Part 4, 5.6.3)."""
        found = self.iserver.lookup_external_session(token)
        if not isinstance(found, Session) or not is_open(found):
            raise ServiceError(StatusCodes.BadSessionIdInvalid)
        if is_open(self.session) and self.session is not found:
            raise ServiceError(StatusCodes.BadTooManySessions)
        moves = found.connection is not self
        if found.application != self._policy.peer_certificate or (
            moves and not found.is_activated()
        ):
            raise ServiceError(StatusCodes.BadSecureChannelIdInvalid)
        return found

    def _take(self, session: Session) -> None:
        """Serve a session from here on, and its subscriptions."""
        if session.connection is self:
            return
        self.session, session.connection, session.name = session, self, self.name
        self._closing = False
        if self._session_watchdog_task is None or self._session_watchdog_task.done():
            self._session_watchdog_task = asyncio.create_task(self._session_watchdog_loop())  # type: ignore[no-untyped-call]
        for subscription in self.iserver.subscription_service.subscriptions.values():
            if subscription.session_id == session.session_id:
                subscription.pub_result_callback = self.forward_publish_response
                requests: Callable[[Any], Any] = self.get_publish_request
                subscription.pub_request_callback = requests

    async def close(self) -> None:
        if isinstance(self.session, Session):
            if self.session.connection is self:
                self.session.connection = None
            else:
                self.session = None  # it goes on over another connection
        await super().close()  # type: ignore[no-untyped-call]


def _uris(certificate: x509.Certificate) -> list[str]:
    """The application URIs that a certificate is for."""
    try:
        kind = x509.SubjectAlternativeName
        names = certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)
