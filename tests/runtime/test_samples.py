"""The history: what is kept on change, what after a silence, and what its bytes say."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.layout import Columns, Layout
from runtime.samples import STORED, Sampler, Samples, decode, encode
from runtime.tag import Quality
from runtime.tags import Pump, Station
from tests.runtime.by_hand import SIZE

SILENCE = 600.0


@pytest.fixture
def columns() -> Columns:
    columns = Columns(Layout(SIZE))
    columns[Station.Configured][0] = True
    columns[Pump.Configured][[1, 4]] = True
    return columns


@pytest.fixture
def sampler(columns: Columns) -> Sampler:
    """One that has kept all there was at time 0."""
    sampler = Sampler(columns, SILENCE)
    sampler.take(0.0)
    return sampler


def taken(sampler: Sampler, now: float) -> dict[str, list[tuple[int, float, int]]]:
    """What is kept: by tag, rows with their values and qualities."""
    return {
        found.tag: [
            (int(row), float(value), int(quality))
            for row, value, quality in zip(found.rows, found.values, found.qualities, strict=True)
        ]
        for found in sampler.take(now)
    }


def test_at_first_every_stored_value_of_what_is_in_use_is_kept(columns: Columns) -> None:
    found = taken(Sampler(columns, SILENCE), 0.0)
    assert set(found) == {repr(tag) for tag in STORED}
    assert [row for row, _, _ in found["Pump.Setpoint"]] == [1, 4]
    assert [row for row, _, _ in found["Station.Level"]] == [0]


def test_a_value_is_kept_when_it_has_moved_by_its_deadband_since_it_was_kept(
    columns: Columns, sampler: Sampler
) -> None:
    kept = []
    for step in range(1, 11):
        columns[Pump.Setpoint][4] = step * 0.02
        kept += [value for _, value, _ in taken(sampler, 0.1 * step).get("Pump.Setpoint", [])]
    assert kept == pytest.approx([0.06, 0.12, 0.18])


@pytest.mark.parametrize(
    ("tag", "change"),
    [
        (Pump.Speed, 0.05),
        (Pump.Level, 0.005),
        (Pump.Power, 0.1),
        (Pump.Flow, 1.0),
        (Pump.Mode, 1.0),
        (Pump.Running, 1.0),
        (Pump.Limited, 4.0),
    ],
    ids=repr,
)
def test_each_kind_of_value_has_its_deadband_and_states_have_none(
    columns: Columns, sampler: Sampler, tag: object, change: float
) -> None:
    assert isinstance(tag, type(Pump.Speed))
    if tag.is_float:
        columns[tag][1] = 0.99 * change
        assert taken(sampler, 1.0) == {}
        columns[tag][1] = 1.01 * change
    else:
        columns[tag][1] = change
    assert [row for row, _, _ in taken(sampler, 1.0)[repr(tag)]] == [1]
    assert taken(sampler, 1.0) == {}


def test_a_change_of_quality_is_kept_with_the_value(columns: Columns, sampler: Sampler) -> None:
    columns[Pump.LevelQuality][4] = Quality.GOOD
    assert taken(sampler, 1.0) == {"Pump.Level": [(4, 0.0, Quality.GOOD)]}
    assert taken(sampler, 1.0) == {}


def test_what_becomes_no_number_is_kept_once_and_so_is_its_return(
    columns: Columns, sampler: Sampler
) -> None:
    columns[Pump.TargetLevel][1] = np.nan
    ((row, value, _),) = taken(sampler, 1.0)["Pump.TargetLevel"]
    assert row == 1
    assert np.isnan(value)
    assert taken(sampler, 2.0) == {}
    columns[Pump.TargetLevel][1] = 0.0
    assert [row for row, _, _ in taken(sampler, 3.0)["Pump.TargetLevel"]] == [1]


def test_no_value_is_silent_for_longer_than_the_silence(columns: Columns, sampler: Sampler) -> None:
    last = {(repr(Pump.Setpoint), row): 0.0 for row in (1, 4)}
    for now in np.arange(0.0, 4 * SILENCE, 1.0):
        for row, _, _ in taken(sampler, now).get("Pump.Setpoint", []):
            assert now - last[repr(Pump.Setpoint), row] <= SILENCE
            last[repr(Pump.Setpoint), row] = now
    assert min(last.values()) > 2 * SILENCE


def test_values_kept_together_at_first_are_not_repeated_together(columns: Columns) -> None:
    columns[Pump.Configured].fill(True)
    sampler = Sampler(columns, SILENCE)
    sampler.take(0.0)
    together = [len(taken(sampler, t).get("Pump.Mode", [])) for t in np.arange(1.0, SILENCE, 1.0)]
    assert sum(together) >= SIZE.pumps
    assert max(together) == 1


def test_of_a_pump_that_is_not_in_use_nothing_is_kept(columns: Columns, sampler: Sampler) -> None:
    columns[Pump.Setpoint][2] = 40.0
    assert taken(sampler, 1.0) == {}
    columns[Pump.Configured][2] = True
    assert taken(sampler, 2.0)["Pump.Setpoint"] == [(2, 40.0, Quality.GOOD)]


def test_samples_survive_the_way_through_bytes() -> None:
    samples = [
        Samples("Pump.Level", np.array([3, 5]), np.array([1.25, np.nan]), np.array([2, 0])),
        Samples("Station.Level", np.array([0]), np.array([-0.1]), np.array([1])),
    ]
    scan, utc, found = decode(encode(2**40, 1e9 + 0.125, samples))
    assert (scan, utc) == (2**40, 1e9 + 0.125)
    for before, after in zip(samples, found, strict=True):
        assert before.tag == after.tag
        np.testing.assert_array_equal(before.rows, after.rows)
        np.testing.assert_array_equal(before.values, after.values)
        np.testing.assert_array_equal(before.qualities, after.qualities)


@pytest.mark.parametrize(
    "data", [b"", b"\x02\0\0\0{}", b"\xff\0\0\0", b"\x02\0\0\0[]", b"abcdefgh"]
)
def test_bytes_that_are_no_samples_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(data)


def test_half_a_record_is_refused() -> None:
    whole = encode(1, 1.0, [Samples("Pump.Mode", np.arange(9), np.arange(9.0), np.arange(9))])
    with pytest.raises(ValueError, match="buffer"):
        decode(whole[:-1])
