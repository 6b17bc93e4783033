"""A connection to an OPC UA server, byte by byte: what a client library would never send, too."""

from __future__ import annotations

import os
import socket
import struct
from datetime import UTC, datetime
from functools import cache
from typing import Any

from asyncua import ua
from asyncua.common.connection import MessageChunk, SecureConnection, TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256, SecurityPolicyNone
from asyncua.ua.ua_binary import header_from_binary, struct_from_binary, struct_to_binary
from asyncua.ua.uaerrors import UaError
from cryptography.exceptions import InvalidSignature

from runtime.security.certificates import Identity, self_signed

URI = "urn:calejo:fuzz"
PATIENCE = 20.0  # s for an answer; a server that takes longer hangs
NONCE = 32  # bytes
HELLO = struct.pack("<5Ii", 0, 65_535, 65_535, 0, 0, -1)
GREETING = b"HELF" + struct.pack("<I", len(HELLO) + 8) + HELLO


@cache
def identity() -> Identity:
    return self_signed("fuzz", URI, (), datetime.now(UTC))


class HungUp(Exception):
    """The server has closed the connection, or says what we can't read any more."""


class Line:
    """A connection. `token` is that of its session, if it has one."""

    def __init__(self, port: int, server: bytes | None, session: bool = False) -> None:
        """Open a channel: secured for the certificate `server`, without security if None."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.token = ua.NodeId()
        self._request = 0
        mode = ua.MessageSecurityMode.SignAndEncrypt
        self._policy: Any = SecurityPolicyNone()  # type: ignore[no-untyped-call]
        if server is not None:
            own = identity()
            self._policy = _policy(server, own.certificate, own.key, mode)
        self._channel = SecureConnection(self._policy, TransportLimits())
        self.send(GREETING)
        self._message()
        self._begin()
        if session:
            self._sign_in()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._socket.sendall(data)
        except OSError:
            raise HungUp from None

    def ask(self, body: bytes) -> int:
        """Send a request; its number."""
        self._request += 1
        self.send(self._channel.message_to_binary(body, request_id=self._request))
        return self._request

    def chunks(self, body: bytes) -> list[Any]:
        """A request in chunks that can be spoiled before they are signed."""
        self._request += 1
        token, size = self._channel.security_token, max(1, len(body) // 3)
        found: list[Any] = []
        for at in range(0, max(1, len(body)), size):
            found += MessageChunk.message_to_chunks(
                self._policy,
                body[at : at + size],
                65_535,
                channel_id=token.ChannelId,
                request_id=self._request,
                token_id=token.TokenId,
            )
        for chunk in found:
            self._channel._sequence_number += 1
            chunk.SequenceHeader.SequenceNumber = self._channel._sequence_number
            last = chunk is found[-1]
            chunk.MessageHeader.ChunkType = (
                ua.ChunkType.Single if last else ua.ChunkType.Intermediate
            )
        return found

    def answer(self, request: int) -> Buffer:
        """The answer to a request; what else comes is passed over."""
        while True:
            message = self._message()
            if message is not None and message.request_id() == request:
                found: Buffer = message.body()
                return found

    def _message(self) -> Any:
        head = self._bytes(8)
        size = int.from_bytes(head[4:8], "little")
        data = Buffer(head + self._bytes(size - 8))
        if head[:3] in (b"ACK", b"ERR"):
            if head[:3] == b"ERR":
                raise HungUp
            return None
        try:
            return self._channel.receive_from_header_and_body(header_from_binary(data), data)
        except (UaError, InvalidSignature):  # the token is another after what we have sent
            raise HungUp from None

    def _bytes(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self._socket.recv(count - len(data))
            except TimeoutError:
                raise
            except OSError:
                raise HungUp from None
            if not piece:
                raise HungUp
            data += piece
        return data

    def renewal(self) -> Any:
        """A request for a new token of the channel, as it should be."""
        request = ua.OpenSecureChannelRequest()
        request.Parameters.SecurityMode = self._policy.Mode
        request.Parameters.RequestType = ua.SecurityTokenRequestType.Renew
        request.Parameters.RequestedLifetime = 3_600_000
        request.Parameters.ClientNonce = os.urandom(self._policy.secure_channel_nonce_length)
        return request

    def ask_to_open(self, body: bytes) -> int:
        """Send an OpenSecureChannel, signed and encrypted as the policy wants it; its number."""
        kind: Any = ua.MessageType.SecureOpen
        self._request += 1
        self.send(self._channel.message_to_binary(body, kind, self._request))
        return self._request

    def open(self, request: Any) -> None:
        """Open or renew the channel, and use the new token."""
        asked = request.Parameters
        answer = self.answer(self.ask_to_open(struct_to_binary(request)))
        reply = struct_from_binary(ua.OpenSecureChannelResponse, answer)
        self._channel.set_channel(reply.Parameters, asked.RequestType, asked.ClientNonce)
        if asked.RequestType == ua.SecurityTokenRequestType.Renew:
            self._channel.revolve_tokens()

    def _begin(self) -> None:
        request = self.renewal()
        request.Parameters.RequestType = ua.SecurityTokenRequestType.Issue
        self.open(request)

    def _sign_in(self) -> None:
        """Anonymously: who may only look must not change anything, whatever he sends."""
        asked = ua.CreateSessionRequest()
        asked.Parameters.ClientDescription.ApplicationUri = ua.String(URI)
        asked.Parameters.ClientNonce = os.urandom(NONCE)
        asked.Parameters.ClientCertificate = identity().der
        asked.Parameters.RequestedSessionTimeout = ua.Duration(5_000.0)
        created = self._reply(asked, ua.CreateSessionResponse).Parameters
        self.token = created.AuthenticationToken
        activation = ua.ActivateSessionRequest()
        activation.RequestHeader.AuthenticationToken = self.token
        challenge = self._policy.peer_certificate + created.ServerNonce
        proof = activation.Parameters.ClientSignature
        proof.Signature = self._policy.asymmetric_cryptography.signature(challenge)
        proof.Algorithm = self._policy.AsymmetricSignatureURI
        activation.Parameters.UserIdentityToken = ua.AnonymousIdentityToken("anonymous")
        self._reply(activation, ua.ActivateSessionResponse)

    def _reply(self, request: Any, kind: type) -> Any:
        reply = self.answer(self.ask(struct_to_binary(request)))
        found: Any = struct_from_binary(kind, reply)
        if not found.ResponseHeader.ServiceResult.is_good():
            raise HungUp
        return found


def _policy(*parameters: Any) -> Any:
    create: Any = SecurityPolicyBasic256Sha256
    return create(*parameters)
