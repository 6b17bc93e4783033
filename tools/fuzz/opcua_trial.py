"""An OPC UA server under fire: it must not end, not hang, not ask the scan for anything.

Its memory must stay flat: in the second half, when all that is kept is there, it grows by no more
than chance. The same seed sends the same messages.
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
GROWTH = 2.0  # MB that a server may grow in the second half: what it holds differs by that
LEAK = 10.0  # bytes for each message of the second half that aren't told from such differences
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
    began, looks = time.monotonic(), []
    try:
        for part in range(1, PARTS + 1):
            fuzz.run(messages // PARTS)
            fuzz.mark()
            found.check()
            looks.append((found.memory, found.descriptors))
            _say(
                f"{part * (messages // PARTS):>9} messages  {found.memory:6.1f} MB"
                f"  {found.descriptors} descriptors  {fuzz.connections} connections"
            )
    finally:
        fuzz.close()
    _say(", ".join(f"{count} {kind}" for kind, count in sorted(fuzz.sent.items())))
    failures = found.failures()
    for line, count in failures.items():
        _say(f"{count} × {line}")
    grown, allowed = looks[-1][0] - looks[PARTS // 2 - 1][0], GROWTH + LEAK * messages / 2e6
    _say(
        f"{time.monotonic() - began:.0f} s; grown by {grown:.1f} MB in the second half,"
        f" allowed {allowed:.1f}"
    )
    if failures:
        raise Fallen("the server met what it did not expect")
    if grown > allowed:
        raise Fallen(f"grown by {grown:.1f} MB in the second half, allowed {allowed:.1f}")
    if looks[-1][1] - looks[0][1] > DESCRIPTORS:
        raise Fallen(f"{looks[-1][1]} descriptors are open, at first {looks[0][1]} were")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
