"""The bench measures the real program, and tells figures as they are."""

import json
import subprocess
import sys

import pytest

from tools.bench import bed
from tools.bench.figures import against, spread
from tools.bench.lateness import from_histogram

CYCLICTEST = """\
# /dev/cpu_dma_latency set to 0us
# Histogram
000000 000000
000020 000090
000030 000009
000040 000001
# Total: 000000100
# Min Latencies: 00020
# Avg Latencies: 00021
# Max Latencies: 123456
# Histogram Overflows: 00000
"""


def test_an_aim_is_met_or_missed_and_the_ratio_says_by_how_much() -> None:
    assert against(0.5, 1.0).split() == ["0.50", "×", "aim", "met"]
    assert against(3.0, 2.0).split() == ["1.50", "×", "aim", "MISSED"]


def test_a_spread_holds_the_middle_the_tail_and_the_worst() -> None:
    found = spread([number / 1000 for number in range(1001)])
    assert (found.p50, found.p99, found.most) == pytest.approx((0.5, 0.99, 1.0))


def test_the_histogram_of_cyclictest_is_read_with_what_lies_beyond_it() -> None:
    found = from_histogram(CYCLICTEST)
    assert (found.p50, found.p99) == pytest.approx((20e-6, 30e-6), rel=0.01)
    assert found.most == pytest.approx(0.123456)


@pytest.mark.parametrize("pumps", [10, 100, 1_000])
def test_the_sample_equipment_fills_the_capacity_and_is_accepted(pumps: int) -> None:
    config = bed.loaded(bed.settings(pumps))
    plant = bed.sample_equipment(config)
    assert len(plant.pumps) == pumps
    blocks = [(row.unit, row.base) for row in plant.stations]
    blocks += [(row.unit, row.base) for row in plant.pumps]
    assert len(set(blocks)) == len(blocks)


def test_scans_of_the_real_program_are_timed_with_their_events() -> None:
    command = [sys.executable, "-m", "tools.bench.execution", "100", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert len(found["times"]) == len(found["copies"]) == 5
    assert min(found["times"]) > 0.0
    assert found["events"] > 0.0
