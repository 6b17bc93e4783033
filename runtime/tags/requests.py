"""What operators asked lately, with the scan's answers."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, memory


class Request(Table):
    """The latest operator requests with the scan's answers: a ring of rows."""

    Id = memory("Identity of the request.", dtype="u8", access=INTERNAL)
    TakenAt = memory(
        "Scan that took the request; 0 if the row is empty.", dtype="u8", access=INTERNAL
    )
    Tag = memory("Number of the tag to write.", dtype="u2", access=INTERNAL)
    Slot = memory("Row to write.", dtype="u4", access=INTERNAL)
    Value = memory("Value to write.", access=INTERNAL)
    Reference = memory(
        "Emergency stop to clear, or for how long to shelve (s).", dtype="u8", access=INTERNAL
    )
    Role = memory("Role of who asks.", dtype="u1", access=INTERNAL)
    Source = memory("Protocol that it came by.", dtype="u1", access=INTERNAL)
    Deadline = memory("Scan clock after which it must not be executed.", access=INTERNAL)
    Result = memory(
        "The scan's answer.",
        dtype="u1",
        access=INTERNAL,
        states={
            0: "pending",
            1: "executed",
            2: "no such pump or station",
            3: "value out of range",
            4: "no such emergency stop",
            5: "too late",
            6: "not writable",
            7: "its cause is still there",
            8: "not possible in the state of the alarm",
            9: "not allowed to this role",
            10: "asked together with what is refused",
        },
    )
