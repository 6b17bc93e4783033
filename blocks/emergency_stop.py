"""Emergency stop: latches of pump, station and system."""

from __future__ import annotations

import numpy as np

from blocks.block import NUMBER, REQUEST_PINS, Block, Requests, scratch
from runtime.layout import Columns
from runtime.tags import Pump, Station, System


class EmergencyStop(Block):
    """Latches emergency stops; three kinds, each for itself: pump, station, system.

    | state   | event                             | next    | action                               |
    |---------|-----------------------------------|---------|--------------------------------------|
    | clear   | request EmergencyStop := 1        | latched | EmergencyStopId := id of the request |
    | latched | request EmergencyStop := 1        | latched | none: the first id stays |
    | latched | request := 0, naming the id       | clear   | EmergencyStopId := 0 |
    | any     | restart of scan, runtime, machine | same    | the latches are retained |

    The scan admits a request to clear only if it names the stop that is in force. A pump is Stopped
    while its own latch, its station's or the system's is set; what that means for its setpoint is
    `authority`'s to say. Clearing starts nothing by itself: the setpoint comes back through start
    rules and rate limit. This is a software stop; the hardwired one (ISO 13850) stays the plant's.
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

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.requests = Requests(self)
        self.latches = {
            NUMBER[table.EmergencyStop]: (
                self.flag(table.EmergencyStop),
                self.number(table.EmergencyStopId),
            )
            for table in (System, Station, Pump)
        }
        self.system = self.flag(System.EmergencyStop)
        self.station = self.flag(Station.EmergencyStop)
        self.pump = self.flag(Pump.EmergencyStop)
        self.station_of = self.number(Pump.Station)
        self.stopped = self.flag(Pump.Stopped)
        self.by_station = scratch(self.pump, "?")

    def execute(self) -> None:
        for tag, slot, value, identity in self.requests.admitted():
            if tag in self.latches:
                latch, identities = self.latches[tag]
                if not value:
                    latch[slot] = False
                    identities[slot] = 0
                elif not latch[slot]:
                    latch[slot] = True
                    identities[slot] = identity
        np.take(self.station, self.station_of, out=self.by_station, mode="clip")
        np.logical_or(self.pump, self.by_station, out=self.stopped)
        np.logical_or(self.stopped, self.system, out=self.stopped)
