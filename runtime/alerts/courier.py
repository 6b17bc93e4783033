"""The courier: a process that hands messages to Apprise, one at a time, for one channel.

It reads a job as a line of JSON, and answers with a line: {"error": null} when the receiver has
taken the message. A receiver that hangs holds up this process alone, which whoever sent the job can
kill. Jobs come on stdin, so that no secret is in a command line or an environment.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyType
from apprise.plugins import NotifyBase

from runtime.alerts.secrecy import mask

PR_SET_PDEATHSIG = 1
SHORT = 300  # characters for a phone: two parts of an SMS
PAUSE = 0.2  # s between the receivers of one message; Apprise's own 5.5 s outlast an attempt
HEADER = "Idempotency-Key"
TYPES = {1: NotifyType.FAILURE, 2: NotifyType.WARNING}  # by priority, of what is in alarm
QUIET = {
    "cleared": NotifyType.SUCCESS,
    "digest-cleared": NotifyType.SUCCESS,
    "test": NotifyType.INFO,
    "heartbeat": NotifyType.INFO,
}


def main() -> None:
    """Deliver what comes on stdin until it is closed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        return  # who started it died before: the message is delivered by its successor
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # nobody else may write between the answers
    logging.disable(logging.DEBUG)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            error = deliver(job)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        if error is not None:
            error = mask(" ".join(error.split()), job["url"])
        print(json.dumps({"error": error}), file=answers, flush=True)


def plugin(url: str, patience: float = 0.0) -> NotifyBase | None:
    """What Apprise makes of a URL; None if it can make nothing of it."""
    asset = AppriseAsset(
        app_id="Calejo",
        app_desc="Calejo Control Adapter",
        secure_logging=True,
        storage_mode="memory",
        http_redirects=False,
        service_timeout=patience or None,
    )
    found = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None


def deliver(job: dict[str, Any]) -> str | None:
    """Deliver one message; why it was not taken, or None."""
    service = plugin(job["url"], job["patience"])
    if service is None:
        return "the URL of this channel is none that Apprise knows"
    service.request_rate_per_sec = min(service.request_rate_per_sec, PAUSE)
    _mark(service, job)
    phone = service.title_maxlen == 0
    sender = Apprise(asset=service.asset)
    sender.add(service)
    result = sender.notify(
        title="" if phone else job["title"],
        body=keyed(job["short"], job["key"], min(service.body_maxlen, SHORT))
        if phone
        else keyed(job["text"], job["key"]),
        notify_type=QUIET.get(job["fields"].get("event"))
        or TYPES.get(job["priority"], NotifyType.INFO),
        body_format="text",
        timeout=job["patience"],
        interpret_escapes=False,
    )
    if result:
        return None
    words = [entry.message for entry in result.logs()]
    return "; ".join(dict.fromkeys(words)) or f"not taken: {result.status.name.lower()}"


def _mark(service: NotifyBase, job: dict[str, Any]) -> None:
    """Put the key where a machine finds it: a header of HTTP or of a mail, fields of a body."""
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict):
        headers[HEADER] = job["key"]
    extras = getattr(service, "payload_extras", None)
    if isinstance(extras, dict):
        fields = job["fields"] | {"key": job["key"]}
        if not job["url"].startswith("json"):  # forms and XML know only text
            fields = {k: str(v) for k, v in fields.items() if isinstance(v, str | int | float)}
        extras.update(fields)


def keyed(text: str, key: str, limit: int | None = None) -> str:
    """A text with the key at its end; what is before it gives way to a limit."""
    end = f" [{key}]" if limit else f"\n\nMessage {key}: one with this number again is a repeat."
    room = len(text) if limit is None else limit - len(end)
    return (text if len(text) <= room else text[: room - 1] + "…") + end


if __name__ == "__main__":
    main()
