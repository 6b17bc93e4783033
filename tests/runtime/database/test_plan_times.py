"""How old a station's newest plan is, whatever the database's clock does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from runtime.database.plan_times import PlanTimes
from tests.runtime.database.conftest import SettableClock
from tests.runtime.database.rows import PLAN, enter_equipment, insert

Connection = psycopg.Connection[tuple[object, ...]]
HOUR = timedelta(hours=1)


@pytest.fixture
def plan(owner: Connection) -> Callable[[timedelta], int]:
    """Writes a plan that bears a time so long before now; its id."""
    enter_equipment(owner)

    def write(age: timedelta) -> int:
        insert(owner, "pump_plans", PLAN | {"created_at": datetime.now(UTC) - age,
                                            "status": "superseded"})  # fmt: skip
        row = owner.execute("SELECT max(plan_id) FROM pump_plans").fetchone()
        assert row is not None
        return int(str(row[0]))

    return write


def age(times: PlanTimes) -> float:
    return time.monotonic() - times.snapshot()["North"]


def test_the_newest_of_all_plans_counts(
    owner: Connection, plan: Callable[[timedelta], int]
) -> None:
    plan(2 * HOUR)
    plan(HOUR)
    times = PlanTimes({})
    times.read_all(owner)
    assert age(times) == pytest.approx(3600, abs=5)


def test_an_inserted_plan_that_bears_an_older_time_is_no_news(
    owner: Connection, plan: Callable[[timedelta], int]
) -> None:
    plan(HOUR)
    times = PlanTimes({})
    times.read_all(owner)
    late = plan(2 * HOUR)
    times.read_changed(owner, late, late, inserted=True)
    assert age(times) == pytest.approx(3600, abs=5)


def test_after_the_clock_was_set_back_a_changed_old_plan_is_not_new(
    owner: Connection, plan: Callable[[timedelta], int], clock: SettableClock
) -> None:
    old = plan(HOUR)
    with psycopg.connect(clock.dsn, autocommit=True) as connection:
        times = PlanTimes({})
        times.read_all(connection)
        clock.set_by(-timedelta(minutes=50))
        times.read_changed(connection, old, old, inserted=False)
        times.read_all(connection)
    assert age(times) == pytest.approx(3600, abs=5)


def test_plans_from_the_future_are_no_news_for_a_process_that_goes_on_from_another(
    owner: Connection, plan: Callable[[timedelta], int]
) -> None:
    plan(-HOUR)
    went_on = PlanTimes({"North": time.monotonic() - 500})
    went_on.read_all(owner)
    assert age(went_on) == pytest.approx(500, abs=5)
    began = PlanTimes({})
    began.read_all(owner)
    assert age(began) == pytest.approx(0, abs=5)


def test_a_heartbeat_counts_once(owner: Connection) -> None:
    enter_equipment(owner)
    beat = {"station_id": "North", "beat_at": datetime.now(UTC) - timedelta(minutes=5)}
    insert(owner, "plan_heartbeats", beat)
    times = PlanTimes({})
    times.read_heartbeats(owner)
    assert age(times) == pytest.approx(300, abs=5)
    times.read_heartbeats(owner)
    assert not times.changed
    owner.execute("UPDATE plan_heartbeats SET beat_at = now() + interval '1 year'")
    times.read_heartbeats(owner)
    assert age(times) == pytest.approx(0, abs=5)
    assert not times.changed
