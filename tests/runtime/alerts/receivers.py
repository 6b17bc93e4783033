"""Receivers of alerts: real servers on this machine that behave as a test wants."""

from __future__ import annotations

import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PATIENCE = 60.0  # s that a test waits for a message
Answer = Callable[["Receiver"], int]


@dataclass
class Request:
    """What came in over HTTP."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """An HTTP server. `answers` are the status codes of the next requests; then it says 200.

    The answer 0 is none at all: the request hangs until the receiver is closed.
    """

    port: int = 0
    answers: list[int] = field(default_factory=list)
    taken: queue.Queue[Request] = field(default_factory=queue.Queue)
    seen: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, way: str = "json", path: str = "") -> str:
        return f"{way}://127.0.0.1:{self.port}{path}"

    def next(self, patience: float = PATIENCE) -> Request:
        """The next request that was answered with success."""
        return self.taken.get(timeout=patience)

    def keys(self) -> list[str]:
        """The key of each request that was taken so far."""
        return [one.headers["Idempotency-Key"] for one in self.seen]


@contextmanager
def http(*answers: int, port: int = 0) -> Iterator[Receiver]:
    """A receiver of webhooks."""
    receiver = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            request = Request(self.path, dict(self.headers), self.rfile.read(length))
            status = receiver.answers.pop(0) if receiver.answers else 200
            if not status:
                receiver.closing.wait()
                return
            if status == 200:
                receiver.seen.append(request)
                receiver.taken.put(request)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"messages": [{"status": "queued"}], "status": "ok"}')

        def log_message(self, form: str, *words: object) -> None:
            """Say nothing."""

    with _serving(Handler, port, receiver.closing) as receiver.port:
        yield receiver


@dataclass
class Gateway:
    """An SMS gateway that speaks JSON-RPC as SMSEagle's manual has it, to who shows its token.

    `answers` say how it takes the next requests that are in order: "error", "busy" (HTTP 503),
    "page" (of HTML, as from a proxy), "hang"; then "ok".
    """

    token: str
    port: int = 0
    answers: list[str] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)  # phone and text
    asked: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """What it does, and says: its refusals come with HTTP 200."""
        self.asked += 1
        if path != "/jsonrpc/sms":
            return 404, b"<html>Not found</html>"
        call = json.loads(body)
        wanted = call["params"]
        if wanted.get("access_token") != self.token:
            return 200, self._result(error_text="Invalid Access token", status="error")
        phone, text = str(wanted.get("to", "")), str(wanted.get("message", ""))
        if call.get("method") != "sms.send_sms" or not (phone.isdigit() and text):
            return 200, self._result(error_text="Wrong parameters", status="error")
        match self.answers.pop(0) if self.answers else "ok":
            case "error":
                return 200, self._result(error_text="Modem is not ready", status="error")
            case "busy":
                return 503, b"busy"
            case "page":
                return 200, b"<html>Sign in</html>"
            case "hang":
                self.closing.wait()
                return 200, b""
        self.sent.append((phone, text))
        if wanted.get("responsetype") != "extended":
            return 200, b'{"result": "OK; ID=%d"}' % len(self.sent)
        return 200, self._result(message_id=str(len(self.sent)), status="ok")

    def _result(self, **said: str) -> bytes:
        return json.dumps({"result": said}).encode()


@contextmanager
def gateway(token: str, *answers: str, context: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    """An SMS gateway, over TLS with a context."""
    box = Gateway(token, answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = box.answer(self.path, body)
            with suppress(OSError):  # who asked may have given up
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, form: str, *words: object) -> None:
            """Say nothing."""

    with _serving(Handler, 0, box.closing, context) as box.port:
        yield box


@contextmanager
def _serving(
    handler: type[BaseHTTPRequestHandler],
    port: int,
    closing: threading.Event,
    context: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """An HTTP server; its port. What hangs goes on when it closes."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What a mail server has taken."""

    port: int
    taken: queue.Queue[Message] = field(default_factory=queue.Queue)

    def next(self) -> Message:
        return self.taken.get(timeout=PATIENCE)


USER, PASSWORD = "plant", "open-sesame-77"


@contextmanager
def smtp(port: int, context: ssl.SSLContext) -> Iterator[Mailbox]:
    """A mail server that takes mail only over TLS from who signs in."""
    mailbox = Mailbox(port)

    class Handler:
        async def handle_DATA(  # noqa: N802
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            assert isinstance(envelope.content, bytes)
            mailbox.taken.put(message_from_bytes(envelope.content))
            return "250 taken"

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data == LoginPassword(
            USER.encode(), PASSWORD.encode()
        )
        return AuthResult(success=right, handled=False)

    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
