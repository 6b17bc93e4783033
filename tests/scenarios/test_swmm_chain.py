"""The whole chain on EPA SWMM: from rows of feedback to what a Modbus client reads, in a storm."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.conftest import Database
from tools.simulate.swmm.chain import chained
from tools.simulate.swmm.lockstep import Case, simulate
from tools.simulate.swmm.runs import run
from tools.simulate.swmm.scores import score
from tools.simulate.swmm.weather import Storm, Weather

HOURS = 3.0
STORM = Weather(storms=(Storm(95.0, 0.5, 0.8),))


def test_the_whole_chain_does_in_a_storm_what_the_program_does_alone(
    database: Database, tmp_path: Path
) -> None:
    case = Case(STORM, HOURS)
    with chained(case, database.dsn, tmp_path / "state") as remote:
        course = simulate(case, remote)
    alone = run(case)
    assert course.refused == 0
    assert score(course).overflow == 0.0
    # Setpoints travel as 32-bit numbers, and the difference comes back by the level.
    assert np.abs(course.setpoint - alone.setpoint).max() < 1e-3
