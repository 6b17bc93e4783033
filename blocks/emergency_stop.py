"""Emergency stop: latches of pump, station and system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blocks.arithmetic import row
from blocks.block import Block, Pins
from blocks.requests import EXECUTED, REQUEST_PINS, REQUESTS
from runtime.compiled import compiled
from runtime.tags import NUMBER, Pump, Station, System

OF_SYSTEM, OF_STATION, OF_PUMP = (NUMBER[table.EmergencyStop] for table in (System, Station, Pump))


@compiled
def _write(
    latch: NDArray[np.bool_], stop: NDArray[np.uint64], slot: int, value: float, identity: int
) -> None:
    if value == 0.0:
        latch[slot] = False
        stop[slot] = 0
    elif not latch[slot]:
        latch[slot] = True
        stop[slot] = identity


@compiled
def _latch(system: Pins, station: Pins, pump: Pins, request: Pins) -> None:
    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        if request.Result[r] != EXECUTED:
            continue
        slot, value, identity = request.Slot[r], request.Value[r], request.Id[r]
        if request.Tag[r] == OF_SYSTEM:
            _write(system.EmergencyStop, system.EmergencyStopId, slot, value, identity)
        elif request.Tag[r] == OF_STATION:
            _write(station.EmergencyStop, station.EmergencyStopId, slot, value, identity)
        elif request.Tag[r] == OF_PUMP:
            _write(pump.EmergencyStop, pump.EmergencyStopId, slot, value, identity)

    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.EmergencyStop))
        stopped = pump.EmergencyStop[p] or station.EmergencyStop[s] or system.EmergencyStop[0]
        pump.Stopped[p] = stopped


class EmergencyStop(Block):
    """Latches emergency stops; three kinds, each for itself: pump, station, system.

    | state   | event                             | next    | action                               |
    |---------|-----------------------------------|---------|--------------------------------------|
    | clear   | request EmergencyStop := 1        | latched | EmergencyStopId := id of the request |
    | latched | request EmergencyStop := 1        | latched | none: the first id stays |
    | latched | request := 0, naming the id       | clear   | EmergencyStopId := 0 |
    | any     | restart of scan, runtime, machine | same    | the latches are retained |

    The scan admits a request to clear only if it names the stop that is in force, and only when the
    stop has done its work: no pump of its scope whose EmergencyAction is to stop is still reported
    running, other than by its local controller. A pump is Stopped while its own latch, its
    station's or the system's is set; what that means for its setpoint is `authority`'s to say.
    Clearing starts nothing by itself: the setpoint comes back through start rules and rate limit.
    This is a software stop; the hardwired one (ISO 13850) stays the plant's.
    """

    reads = (*REQUEST_PINS, Pump.Station)
    writes = (
        System.EmergencyStop,
        System.EmergencyStopId,
        Station.EmergencyStop,
        Station.EmergencyStopId,
        Pump.EmergencyStop,
        Pump.EmergencyStopId,
        Pump.Stopped,
    )
    law = staticmethod(_latch)
