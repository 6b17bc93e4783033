"""How good this server is, and what state it is in: from the health of the scan and of the plan.

A redundant client chooses by ServiceLevel (Part 4, 6.6.2.4.2): 200 to 255 is healthy, 2 to 199
degraded, 1 has no data. Ours, the first that holds:

    1          the scan stands still, or has not begun: all values are Bad
    10         a function block failed: the outputs are at their safe values
    100        the database is lost: plans and feedback age
    101..199   some stations are in failsafe, without a plan in time: the more, the lower
    255        all is well

ServerStatus.State is CommunicationFault while the scan stands still, and Running else.
"""

from __future__ import annotations

import numpy as np
from asyncua import ua

from runtime.servers.mirror import View
from runtime.tags import Station, System

NO_DATA, FAULT, NO_DATABASE, LEAST_PLANNED, MOST_DEGRADED, FULL = 1, 10, 100, 101, 199, 255


def service_level(view: View) -> int:
    """The level of what the newest snapshot shows."""
    columns = view.columns
    if view.stale or not view.sequence:
        return NO_DATA
    if columns[System.Fault][0]:
        return FAULT
    if columns[System.DatabaseLost][0]:
        return NO_DATABASE
    configured = columns[Station.Configured]
    unplanned = int(np.logical_and(columns[Station.Failsafe], configured).sum())
    if not unplanned:
        return FULL
    planned = 1.0 - unplanned / int(configured.sum())
    return LEAST_PLANNED + int(planned * (MOST_DEGRADED - LEAST_PLANNED))


def server_state(level: int) -> ua.ServerState:
    return ua.ServerState.CommunicationFault if level == NO_DATA else ua.ServerState.Running
