"""A station of three pumps as an EPA SWMM model: a well with an overflow weir, a force main.

The pumps are of SWMM's type 5, the only one that obeys the affinity laws (flow with the speed, head
with its square). There are no control rules, and no startup and shutoff depths, because either
overrides what a controller sets.

The main is one short pipe with a loss coefficient that stands for the friction of 800 m and its
fittings. SWMM would store 10 m³ in the slot over a full pipe of that length, and let them flow on
for minutes after the pumps; its other method for full pipes (EXTRAN) does not always converge.

A pump alone moves 21 l/s at 60 % speed, 49 at 80 % and 71 at full speed, two 115, three 141; below
54 %, the dead-head speed, it moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.simulate.hydraulics import Pumps
from tools.simulate.swmm.weather import Weather

PUMPS = 3
WELL, WEIR = "WELL", "WEIR"
HEADER, HEADER_INVERT = "HEADER", 1.5
CURVE_POINTS = 40


@dataclass(frozen=True)
class Station:
    """m, m², l/s, Hz. Levels are above the floor of the well."""

    area: float = 12.0
    crest: float = 3.5
    first_level: float = 1.2
    head: float = 17.97  # m at no flow and full speed
    curve: float = 0.002015  # m/(l/s)²: H = head − curve·Q²
    best_flow: float = 60.0  # l/s at full speed
    best_efficiency: float = 0.72
    delivery: float = 6.5  # level into which the main delivers
    main_diameter: float = 0.3
    main_loss: float = 65.0  # head lost over velocity head
    nominal: float = 50.0  # Hz
    ramp: float = 5.0  # Hz/s

    def pumps(self) -> Pumps:
        """The pumps in the terms of our own hydraulics, for their power."""
        same = np.ones(PUMPS)
        return Pumps(
            station=np.zeros(PUMPS, np.int64),
            head=same * self.head,
            curve=same * self.curve * 1e6,
            best_flow=same * self.best_flow / 1000.0,
            best_efficiency=same * self.best_efficiency,
            nominal=same * self.nominal,
            ramp=same * self.ramp,
        )

    def model(self, weather: Weather, hours: float) -> str:
        """The text of the SWMM model, which runs an hour longer than it is asked to."""
        time, flow = weather.inflow(hours + 1.0)
        flows = np.linspace(np.sqrt(self.head / self.curve), 0.0, CURVE_POINTS)
        return _MODEL.format(
            end_day=1 + int((hours + 1.0) // 24),
            end_hour=int((hours + 1.0) % 24),
            area=self.area,
            crest=self.crest,
            depth=self.crest + 1.0,
            first_level=self.first_level,
            outlet=self.delivery - self.main_diameter,
            delivery=self.delivery,
            diameter=self.main_diameter,
            loss=self.main_loss,
            filled=self.delivery - HEADER_INVERT,
            pumps="".join(f"P{n + 1} {WELL} {HEADER} HQ OFF 0 0\n" for n in range(PUMPS)),
            curve=_points("HQ", "PUMP5", self.head - self.curve * flows**2, flows),
            inflow=_points("INFLOW", "", time, flow),
        )


def _points(name: str, kind: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """A curve or a time series: its kind stands in the first line only."""
    return "".join(
        f"{name} {kind if number == 0 else ''} {at:.5f} {value:.5f}\n"
        for number, (at, value) in enumerate(zip(x.tolist(), y.tolist(), strict=True))
    )


# MIN_SURFAREA: with the 1.2 m² that SWMM gives each node the header would be a surge tank.
_MODEL = """\
[TITLE]
Triplex pump station

[OPTIONS]
FLOW_UNITS           LPS
FLOW_ROUTING         DYNWAVE
LINK_OFFSETS         DEPTH
START_DATE           01/01/2026
START_TIME           00:00:00
REPORT_START_DATE    01/01/2026
REPORT_START_TIME    00:00:00
END_DATE             01/{end_day:02d}/2026
END_TIME             {end_hour:02d}:00:00
REPORT_STEP          01:00:00
ROUTING_STEP         1
VARIABLE_STEP        0
INERTIAL_DAMPING     PARTIAL
FORCE_MAIN_EQUATION  D-W
SURCHARGE_METHOD     SLOT
MIN_SURFAREA         0.02
MAX_TRIALS           8
HEAD_TOLERANCE       0.0015
THREADS              1

[REPORT]
INPUT     NO
CONTROLS  NO
NODES     NONE
LINKS     NONE

[STORAGE]
;;     invert depth   initial        area = A0·depth^A1 + A2
WELL   0      {depth} {first_level}  FUNCTIONAL 0 0 {area}

[JUNCTIONS]
;;     invert depth initial surcharge ponded
HEADER 1.5    0.3   {filled} 200      0

[OUTFALLS]
WORKS  {outlet} FIXED {delivery} NO
RIVER  {crest} FREE NO

[CONDUITS]
;;     from   to    length   n    offsets flow
MAIN   HEADER WORKS 20       0.01 0 0     0 0

[LOSSES]
;;     inlet outlet average
MAIN   0     0      {loss}

[WEIRS]
WEIR   WELL RIVER TRANSVERSE {crest} 1.8 NO

[PUMPS]
{pumps}
[XSECTIONS]
MAIN   FORCE_MAIN {diameter} 0.4 0 0
WEIR   RECT_OPEN 0.8 4 0 0

[CURVES]
{curve}
[INFLOWS]
WELL   FLOW INFLOW FLOW 1.0 1.0

[TIMESERIES]
{inflow}"""
