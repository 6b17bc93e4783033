"""Processes die and freeze at random; nothing is lost. The long run is `python -m tools.kill`."""

from __future__ import annotations

import pytest

from tools.kill.course import course
from tools.kill.strikes import Struck
from tools.kill.trial import attempt
from tools.kill.verdict import Verdict
from tools.kill.watch import Gap, Seen
from tools.rig.ledger import Findings
from tools.rig.operators import Told

PERIOD = 0.1


def verdict(
    gap: Gap | None = None, stalls: int = 0, excused: tuple[tuple[float, float], ...] = ()
) -> Verdict:
    seen = Seen(gaps=[gap] if gap else [])
    struck = Struck(excused=list(excused))
    return Verdict(1.0, PERIOD, struck, seen, Told(), Findings(), stalls)


def test_a_course_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert course(60.0, seed=3) == course(60.0, seed=3) != course(60.0, seed=4)


@pytest.mark.timeout(240)
def test_a_short_course_loses_no_period_no_stop_no_record_and_tears_no_image() -> None:
    found = attempt(12.0, seed=7)
    print("\n".join(found.lines()))  # noqa: T201
    assert found.faults == []
    assert found.seen.snapshots > 0
    assert found.found.edges > 0


@pytest.mark.parametrize(
    ("gap", "stalls", "excused", "is_fault"),
    [
        (Gap(7, 5.0, 5.1, lead_changed=False, missed=0), 0, (), False),
        (Gap(7, 5.0, 5.2, lead_changed=False, missed=0), 0, (), True),
        (Gap(7, 5.0, 5.2, lead_changed=False, missed=1), 0, (), False),  # the watcher was late
        (Gap(7, 5.0, 5.2, lead_changed=False, missed=0), 1, (), False),  # the machine stood still
        (Gap(7, 5.0, 5.2, lead_changed=False, missed=0), 0, ((5.1, 5.15),), False),  # frozen
        (Gap(7, 5.0, 5.109, lead_changed=True, missed=0), 0, (), False),
        (Gap(7, 5.0, 5.3, lead_changed=True, missed=0), 0, (), True),
    ],
)
def test_a_gap_between_scans_is_a_fault_unless_something_explains_it(
    gap: Gap, stalls: int, excused: tuple[tuple[float, float], ...], is_fault: bool
) -> None:
    assert bool(verdict(gap, stalls, excused).faults) == is_fault
