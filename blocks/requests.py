"""The requests that the scan admitted in this scan, for the laws that carry them out.

    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        if request.Result[r] == EXECUTED:
            ...

goes through them in the order of their arrival, row by row of the ring that the requests are in.
`Tag` of a request is the number of the tag to write, `Slot` its row, `Value` what to write.
"""

from __future__ import annotations

from runtime.layout import REQUESTS
from runtime.tags import Request, System

EXECUTED = Request.Result.number("executed")
REQUEST_PINS = (
    System.Requests,
    System.RequestsTaken,
    Request.Id,
    Request.Tag,
    Request.Slot,
    Request.Value,
    Request.Result,
)

__all__ = ["EXECUTED", "REQUESTS", "REQUEST_PINS"]
