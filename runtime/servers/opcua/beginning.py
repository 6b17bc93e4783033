"""CreateSession and ActivateSession: for whom a session is, and who may go on with it.

asyncua takes a session without a certificate as trusted, and a password whatever nonce it was sent
with. Here a session belongs to the application whose certificate has opened its channel: no other
activates it, and who it is for is decided by `sign_in`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicy
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from runtime.servers.opcua import sign_in
from runtime.servers.opcua.services import Serving
from runtime.servers.opcua.session import Session, is_open

if TYPE_CHECKING:
    from runtime.servers.opcua.core import Core

NONCE = 32  # bytes at least, of a session


class Beginning(Serving):
    """A connection's part that begins sessions and takes them over."""

    iserver: Core
    where: str  # the address of the client
    _host: str

    @property
    def _policy(self) -> SecurityPolicy:
        return self._connection.security_policy

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


def _uris(certificate: x509.Certificate) -> list[str]:
    """The application URIs that a certificate is for."""
    try:
        kind = x509.SubjectAlternativeName
        names = certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)
