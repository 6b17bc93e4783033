"""An OPC UA server under fire: it must not end, not hang, not ask the scan for anything.

Its memory must stay flat. The same seed sends the same messages.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.security.trust import Trust
from tools.fuzz.opcua import Fuzz
from tools.fuzz.opcua_line import identity
from tools.fuzz.trial import Fallen, Target, target

PARTS = 10  # between which the server is looked at
GROWTH = 25.0  # MB that a server may grow after the first part: buffers, caches, fragmentation
DESCRIPTORS = 20  # that may be open at the end beyond those of the first part
SETTINGS = {"CALEJO_SERVERS_OPCUA_ANONYMOUS": "yes", "CALEJO_SERVERS_OPCUA_IDLE": "5 s"}


@contextmanager
def server() -> Iterator[Target]:
    """A server that trusts us, and lets anybody look whom it trusts."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    with target("opcua", SETTINGS) as found:
        Trust(found.places.certificates / "opcua").add(identity().certificate)
        yield found


def fire(found: Target, messages: int, seed: int) -> None:
    """Send the messages, in parts, and tell what became of the server; raises Fallen."""
    certificate = (found.places.certificates / "opcua" / "own.der").read_bytes()
    fuzz = Fuzz(found.port, certificate, seed)
    began, first = time.monotonic(), (0.0, 0)
    try:
        for part in range(PARTS):
            fuzz.run(messages // PARTS)
            fuzz.mark()
            found.check()
            _say(
                f"{(part + 1) * (messages // PARTS):>9} messages  {found.memory:6.1f} MB"
                f"  {found.descriptors} descriptors  {fuzz.connections} connections"
            )
            first = first if part else (found.memory, found.descriptors)
    finally:
        fuzz.close()
    took = time.monotonic() - began
    _say(", ".join(f"{count} {kind}" for kind, count in sorted(fuzz.sent.items())))
    _say(f"{took:.0f} s; grown by {found.memory - first[0]:.1f} MB since the first part")
    for line, count in found.failures().items():
        _say(f"{count} × {line}")
    if found.memory - first[0] > GROWTH:
        raise Fallen(f"grown by {found.memory - first[0]:.1f} MB, allowed {GROWTH}")
    if found.descriptors - first[1] > DESCRIPTORS:
        raise Fallen(f"{found.descriptors} descriptors are open, at first {first[1]} were")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
