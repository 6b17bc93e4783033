"""The secure port: TLS between the socket and a connection, from the first octet on.

TLS runs in memory here, not in the event loop, so that a handshake that fails, or never ends, is
ours to end and to record, whatever the loop makes of it.

| state    | event                       | next   | action                                   |
|----------|-----------------------------|--------|------------------------------------------|
| entering | handshake done              | inside | role by certificate; connection made     |
| entering | handshake fails, or no time | closed | recorded as a refusal                    |
| inside   | octets                      | inside | decrypted for the connection             |
| inside   | end, or what is no TLS      | closed | the connection is lost                   |
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from runtime.servers.modbus.access import Client
from runtime.servers.modbus.connection import Connection
from runtime.servers.modbus.tls import identity

CHUNK = 1 << 16  # octets decrypted at a time


class SecureTransport(asyncio.Transport):
    """What a connection writes to: all but encryption is the socket's.

    `resumed` is called when reading goes on: what has come before the pause may still be encrypted.
    """

    def __init__(
        self, plain: asyncio.Transport, context: ssl.SSLContext, resumed: Callable[[], None]
    ) -> None:
        super().__init__()
        self.incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self._outgoing, server_side=True)
        self.plain = plain
        self.paused = False
        self._resumed = resumed
        for name in ("set_write_buffer_limits", "is_closing"):
            setattr(self, name, getattr(plain, name))
        self.get_write_buffer_size = plain.get_write_buffer_size  # type: ignore[method-assign]

    def pause_reading(self) -> None:
        self.paused = True
        self.plain.pause_reading()

    def resume_reading(self) -> None:
        self.paused = False
        self.plain.resume_reading()
        asyncio.get_running_loop().call_soon(self._resumed)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(data)
        while rest and not self.plain.is_closing():
            rest = rest[self.tls.write(rest) :]
        self.flush()

    def flush(self) -> None:
        """Send what TLS has to say."""
        if self._outgoing.pending and not self.plain.is_closing():
            self.plain.write(self._outgoing.read())

    def close(self) -> None:
        """Say that no more comes, and close."""
        with suppress(ssl.SSLError):
            self.tls.unwrap()
        self.flush()
        self.plain.close()

    def abort(self) -> None:
        self.plain.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.plain.get_extra_info(name, default)


class Guard(asyncio.Protocol):
    """One connection at the secure port. `refuse` ends it with its reason."""

    def __init__(
        self,
        client: Client,
        connection: Connection,
        left: Callable[[], None],
        refuse: Callable[[str], None],
    ) -> None:
        self._client = client
        self._connection = connection
        self._left = left  # the door: in, or away
        self._refuse = refuse
        self._inside = False

    def begin(self, plain: asyncio.Transport, context: ssl.SSLContext, patience: float) -> None:
        """Take a handshake that ends within `patience` s."""
        self._transport = SecureTransport(plain, context, self._decrypt)
        plain.set_protocol(self)
        loop = asyncio.get_running_loop()
        self._limit = loop.call_later(patience, self._fail, "no handshake in time")

    def data_received(self, data: bytes) -> None:
        self._transport.incoming.write(data)
        if not self._inside:
            try:
                self._transport.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._transport.flush()
                return
            except ssl.SSLError as error:
                self._transport.flush()  # the alert that says why
                self._fail(error.reason or str(error))
                return
            self._let_in()
        self._decrypt()
        self._transport.flush()

    def eof_received(self) -> None:
        """The other end has closed: so do we."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        if self._inside:
            self._connection.connection_lost(exc)
        else:
            self._left()

    def pause_writing(self) -> None:
        if self._inside:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        if self._inside:
            self._connection.resume_writing()

    def _let_in(self) -> None:
        self._limit.cancel()
        certificate = self._transport.tls.getpeercert(binary_form=True) or b""
        self._client.who, self._client.role = identity(certificate)
        self._inside = True
        self._left()
        self._connection.connection_made(self._transport)

    def _decrypt(self) -> None:
        while not self._transport.paused and not self._transport.is_closing():
            try:
                data = self._transport.tls.read(CHUNK)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLError:  # the end, or damage
                data = b""
            if not data:
                self._transport.plain.close()
                return
            self._connection.data_received(data)

    def _fail(self, reason: str) -> None:
        self._limit.cancel()
        self._refuse(f"TLS: {reason}")
        self._transport.plain.close()
