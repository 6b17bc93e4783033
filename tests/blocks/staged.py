"""Staging by itself: level-controlled pumps whose drives obey at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocks.staging import Staging
from runtime.tag import Quality, Tag
from runtime.tags import Pump, Station
from tests.blocks.alone import Alone

# m, and exact in binary, so that a level can be exactly at a band
TARGET, DEADBAND, START_BAND, STOP_BAND = 1.25, 0.015625, 0.25, 0.5
LOW, HIGH = 25.0, 50.0  # Hz
UP, DOWN = 60.0, 90.0  # s
LEVEL_CONTROLLED, AUTO, BY_PLAN, FILLING = 1, 0, 1, 1


class Staged:
    """Three pumps of one station. All may run; none does.

    A pump that staging runs is at `speed` in the next scan.
    `deaf` are the pumps that don't start when they are told to.
    """

    def __init__(
        self,
        station_of: Sequence[int] = (0, 0, 0),
        alternate: str = "fixed",
        filling: bool = False,
    ) -> None:
        settings: dict[str, float | str] = {
            "alternate": alternate,
            "up_delay": UP,
            "down_delay": DOWN,
        }
        self.scan = Alone(Staging, 1.0, station_of, **settings)
        self.sign = -1.0 if filling else 1.0
        self.speed = 35.0
        self.deaf: set[int] = set()
        for tag, value in {
            Station.LevelQuality: Quality.GOOD,
            Station.FlowDirection: FILLING if filling else 0,
            Pump.ControlType: LEVEL_CONTROLLED,
            Pump.PlanActive: True,
            Pump.Mode: AUTO,
            Pump.Authority: BY_PLAN,
            Pump.RunningQuality: Quality.GOOD,
            Pump.Adopted: True,
            Pump.MaxRun: 1e9,
            Pump.TargetLevel: TARGET,
            Pump.LevelDeadband: DEADBAND,
            Pump.LevelStartBand: START_BAND,
            Pump.LevelStopBand: STOP_BAND,
            Pump.LowLimit: LOW,
            Pump.HighLimit: HIGH,
        }.items():
            self[tag][:] = value
        self.error(0.0)

    def __getitem__(self, tag: Tag) -> Any:
        return self.scan[tag]

    def error(self, error: float) -> None:
        """Put the level so far above the target of an emptying station, or below a filling one."""
        self[Station.Level][:] = TARGET + self.sign * error

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self.scan.step()
            self.drive()

    def drive(self) -> None:
        """What the rest of a scan does with the pumps that level control is in charge of."""
        for pump, (engaged, run) in enumerate(
            zip(self[Pump.LevelEngaged], self[Pump.LevelRun], strict=True)
        ):
            if engaged:
                self[Pump.Setpoint][pump] = self.speed if run else 0.0
                self[Pump.LevelOutput][pump] = self[Pump.Setpoint][pump]
            self[Pump.Turning][pump] = self[Pump.Setpoint][pump] > 0.0 and pump not in self.deaf

    @property
    def run(self) -> list[int]:
        """The pumps that are asked to run."""
        return [pump for pump, asked in enumerate(self[Pump.LevelRun]) if asked]

    @property
    def lead(self) -> int:
        return int(self[Station.LeadPump][0]) - 1


def running(pumps: Sequence[int], alternate: str = "fixed") -> Staged:
    """A station that runs these pumps at its target, as it found them."""
    staged = Staged(alternate=alternate)
    staged[Pump.Setpoint][list(pumps)] = staged.speed
    staged.step()
    assert staged.run == list(pumps)
    return staged
