"""Two stations with five pumps whose limits are easily met, and their plans and feedback.

Nothing here is a plant: speeds beyond the hard limit, levels at the trip level, power above the
maximum and switches to local control follow each other so quickly that records flow all the time.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg

from tools.simulate import sample
from tools.simulate.sites import Connection
from tools.simulate.stations import generate

WATCHDOG = (
    3.5  # s: plans come far more often than that, and a trial need not wait long for failsafe
)
TURN = 0.25  # s between new feedback
STATIONS: tuple[str, ...] = ("KW-NORD", "PW-HAFEN")

_NO_MINIMUM = """
UPDATE pump_safety_limits
SET max_starts_per_hour = 20, min_run_s = 0, min_off_s = 0, max_speed_change_hz_per_s = 40
"""
_GENTLE = "UPDATE pumps SET emergency_action = 'default'"
_PLANS = """
INSERT INTO pump_plans (pump_id, interval_start, interval_end, plan_version, target_speed_hz,
                        target_level_m, target_power_kw)
SELECT pump_id, now() - interval '1 s', now() + interval '1 h', %(version)s,
       %(speed)s, %(level)s, %(power)s
FROM pumps
"""
_SUPERSEDE = "UPDATE pump_plans SET status = 'superseded' WHERE status = 'active'"
_BEAT = """
INSERT INTO plan_heartbeats (station_id) SELECT station_id FROM pump_stations
ON CONFLICT (station_id) DO UPDATE SET beat_at = now()
"""
_FEEDBACK = """
INSERT INTO pump_feedback (pump_id, measured_at, actual_speed_hz, power_kw, flow_m3h,
                           wet_well_level_m, running, local_control)
VALUES (%s, clock_timestamp(), %s, %s, %s, %s, true, %s)
"""


def enter(connection: Connection) -> None:
    """Enter the equipment. Emergency stops lead to the default speed, so clearing needs no wait."""
    with connection.transaction():
        sample.enter(connection, generate(2, (3, 2), seed=1))
        connection.execute("UPDATE pump_stations SET watchdog_timeout_s = %s", [WATCHDOG])
        connection.execute(_NO_MINIMUM)
        connection.execute(_GENTLE)


class Plant(threading.Thread):
    """Writes plans, heartbeats and feedback, as often as the database takes them."""

    def __init__(self, dsn: Callable[[], str], seed: int = 1) -> None:
        super().__init__(name="plant", daemon=True)
        self._dsn = dsn
        self._dice = random.Random(seed)
        self._ending = threading.Event()
        self._turn = 0
        self.resting = threading.Event()  # set: no news, nothing but heartbeats and the same values

    def end(self) -> None:
        self._ending.set()
        self.join(5.0)

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                with psycopg.connect(
                    self._dsn(),
                    autocommit=True,
                    connect_timeout=2,
                    application_name="plant",
                    options="-c statement_timeout=2000",
                ) as connection:
                    while not self._ending.wait(TURN):
                        self._step(connection)
            except (psycopg.Error, OSError):
                self._ending.wait(TURN)

    def _step(self, connection: Connection) -> None:
        dice = self._dice
        if not self.resting.is_set():
            self._turn += 1
            if self._turn % 4 == 1:
                self._plan(connection)
        connection.execute(_BEAT)
        moving = not self.resting.is_set()
        rows = [
            (
                pump,
                dice.choice((30.0, 45.0)) if moving else 40.0,
                dice.choice((2.0, 500.0)) if moving else 2.0,
                100.0,
                dice.choice((1.2, 1.5, 2.0)) if moving else 1.5,
                moving and dice.random() < 0.2,
            )
            for pump in range(1, 6)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_FEEDBACK, rows)

    def _plan(self, connection: Connection) -> None:
        values = {
            "version": 1,
            "speed": self._dice.choice((10.0, 40.0, 70.0)),
            "level": 1.5,
            "power": self._dice.choice((3.0, 200.0)),
        }
        with connection.transaction():
            connection.execute(_SUPERSEDE)
            connection.execute(_PLANS, values)
