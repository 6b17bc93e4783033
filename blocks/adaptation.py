"""Adaptation: learns what each pump takes and moves at its speeds."""

from __future__ import annotations

from typing import TypeAlias

from blocks.arithmetic import clamp, distance, part, smaller
from blocks.block import Block, Pins
from blocks.curve import OUTSIDE, STEPS, at, place, value
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import FOREVER, Pump, System

GOOD = int(Quality.GOOD)
BAND = 0.5  # Hz, within which a speed is steady
SETTLED = 30.0  # s, after which power and flow belong to a steady speed
SURPRISE = 0.1  # of the hard maximum: what a measurement may at most differ by for the learning
HIGHEST = 1.5  # of the hard maximum: what is learned at most
DOUBTED = 0.1  # pace of the learning while supervision doubts what it learns from
MOST_POWER = Pump.ExpectedPower.high / HIGHEST
MOST_FLOW = Pump.ExpectedFlow.high / HIGHEST

Curve: TypeAlias = tuple[float, float, float, float, float]


@compiled
def _moved(curve: Curve, low: float, high: float, was_low: float, was_high: float) -> Curve:
    """The curve with its nodes at other speeds; 0 where there was none."""
    step = (high - low) / STEPS
    return (
        at(low, was_low, was_high, *curve),
        at(low + step, was_low, was_high, *curve),
        at(low + step * 2.0, was_low, was_high, *curve),
        at(low + step * 3.0, was_low, was_high, *curve),
        at(high, was_low, was_high, *curve),
    )


@compiled
def _node(
    node: float, ahead: float, measured: float, gap: float, cubic: bool, lesson: float, most: float
) -> float:
    """A node so many steps ahead of the place of a lesson.

    One that is not learned yet begins with what the affinity laws make of the measurement, P ~ s³
    and Q ~ s; `gap` is the share by which a step changes the speed.
    """
    near = 1.0 - distance(ahead, 0.0)
    if near <= 0.0:
        return node
    if node > 0.0:
        node += lesson * near
    else:
        ratio = 1.0 + ahead * gap
        node = measured * ratio * ratio * ratio if cubic else measured * ratio
    return clamp(node, 0.0, HIGHEST * most)


@compiled
def _taught(
    curve: Curve, at: float, measured: float, gap: float, cubic: bool, lesson: float, most: float
) -> Curve:
    """The curve after a lesson at a place on it."""
    return (
        _node(curve[0], 0.0 - at, measured, gap, cubic, lesson, most),
        _node(curve[1], 1.0 - at, measured, gap, cubic, lesson, most),
        _node(curve[2], 2.0 - at, measured, gap, cubic, lesson, most),
        _node(curve[3], 3.0 - at, measured, gap, cubic, lesson, most),
        _node(curve[4], 4.0 - at, measured, gap, cubic, lesson, most),
    )


@compiled
def _surprise(measured: float, expected: float, most: float) -> float:
    """How much more was measured than expected, within bounds; 0 where nothing was expected."""
    if expected <= 0.0:
        return 0.0
    return clamp(measured - expected, -SURPRISE * most, SURPRISE * most)


@compiled
def _pace(usual: float, share: float, doubted: bool) -> float:
    """How much of a surprise is learned at this share of the way between two nodes.

    Divided so that the line between them, not each node, moves by what is learned.
    """
    pace = usual * DOUBTED if doubted else usual
    return pace / (share * share + (1.0 - share) * (1.0 - share))


@compiled
def _learn(system: Pins, pump: Pins, learning_time: float) -> None:
    elapsed = system.Elapsed[0]
    usual = part(elapsed, learning_time)
    for p in range(len(pump.Turning)):
        low, high, speed = pump.LowLimit[p], pump.HighLimit[p], pump.Speed[p]
        power = (
            pump.PowerCurve1[p],
            pump.PowerCurve2[p],
            pump.PowerCurve3[p],
            pump.PowerCurve4[p],
            pump.PowerCurve5[p],
        )
        flow = (
            pump.FlowCurve1[p],
            pump.FlowCurve2[p],
            pump.FlowCurve3[p],
            pump.FlowCurve4[p],
            pump.FlowCurve5[p],
        )
        moved = low < high and (low != pump.CurveLow[p] or high != pump.CurveHigh[p])
        if moved:
            power = _moved(power, low, high, pump.CurveLow[p], pump.CurveHigh[p])
            flow = _moved(flow, low, high, pump.CurveLow[p], pump.CurveHigh[p])
            pump.CurveLow[p], pump.CurveHigh[p] = low, high

        known = pump.Turning[p] and pump.SpeedQuality[p] == GOOD
        steps = place(speed, low, high) if known else OUTSIDE
        pump.ExpectedPower[p] = value(steps, *power)
        pump.ExpectedFlow[p] = value(steps, *flow)

        steady = steps >= 0.0 and speed > BAND and pump.RunningQuality[p] == GOOD
        steady = steady and distance(speed, pump.Setpoint[p]) <= BAND
        if steady and distance(speed, pump.SteadySpeed[p]) <= BAND:
            pump.SteadyTime[p] = smaller(pump.SteadyTime[p] + elapsed, FOREVER)
        else:
            pump.SteadyTime[p], pump.SteadySpeed[p] = 0.0, speed
        if pump.SteadyTime[p] >= SETTLED:
            pace = _pace(usual, steps - int(steps), pump.PowerDeviates[p] or pump.NoFlow[p])
            gap = (high - low) / STEPS / speed
            if pump.PowerQuality[p] == GOOD and pump.Power[p] > 0.0:
                most = smaller(pump.HardMaxPower[p], MOST_POWER)
                lesson = pace * _surprise(pump.Power[p], pump.ExpectedPower[p], most)
                power = _taught(power, steps, pump.Power[p], gap, True, lesson, most)
            if pump.FlowQuality[p] == GOOD and pump.Flow[p] > 0.0:
                most = smaller(pump.HardMaxFlow[p], MOST_FLOW)
                lesson = pace * _surprise(pump.Flow[p], pump.ExpectedFlow[p], most)
                flow = _taught(flow, steps, pump.Flow[p], gap, False, lesson, most)
        elif not moved:
            continue
        pump.PowerCurve1[p], pump.PowerCurve2[p], pump.PowerCurve3[p] = power[0], power[1], power[2]
        pump.PowerCurve4[p], pump.PowerCurve5[p] = power[3], power[4]
        pump.FlowCurve1[p], pump.FlowCurve2[p], pump.FlowCurve3[p] = flow[0], flow[1], flow[2]
        pump.FlowCurve4[p], pump.FlowCurve5[p] = flow[3], flow[4]


class Adaptation(Block):
    """Learns power and flow of each pump, as they are measured, at five speeds from LowLimit to
    HighLimit; between these the curve is straight (`blocks/curve.py`).

    It learns while the pump has been steady for 30 s: turning, running and speed Good, the speed
    within 0.5 Hz of the setpoint and of where it was, and within its limits. From a Good
    measurement m > 0, a share w of the way from node a to node b, it learns

        r = m − expected, held within ± a tenth of the hard maximum
        g = Δt / learning_time / (w² + (1 − w)²)
        a ← a + r · (1 − w) · g,  b ← b + r · w · g

    (normalised least mean squares), at a tenth of that pace while PowerDeviates or NoFlow is set,
    so that a fault is not soon taken for what is to be expected. So a lie of any size moves a node
    by at most an eighth of the hard maximum in a learning time, and none is ever above 1.5 times
    that maximum. A node of which nothing is known begins with what the affinity laws make of the
    measurement, P ~ s³ and Q ~ s: wrong with static head, but near.

    ExpectedPower and ExpectedFlow are the curves' values at the measured speed before this scan's
    lesson; 0 while the pump stands, its speed is not Good, or a node on either side is not learned.
    When limits change, the nodes move along the curve to their new speeds.

    The curves hold for whatever else was running and wherever the level stood: what a change of
    these makes is learned as its mean.
    """

    reads = (
        System.Elapsed,
        Pump.Turning,
        Pump.RunningQuality,
        Pump.Speed,
        Pump.SpeedQuality,
        Pump.Power,
        Pump.PowerQuality,
        Pump.Flow,
        Pump.FlowQuality,
        Pump.HardMaxPower,
        Pump.HardMaxFlow,
    )
    previous = (Pump.Setpoint, Pump.LowLimit, Pump.HighLimit, Pump.PowerDeviates, Pump.NoFlow)
    writes = (
        *(Pump.PowerCurve1, Pump.PowerCurve2, Pump.PowerCurve3),
        *(Pump.PowerCurve4, Pump.PowerCurve5),
        *(Pump.FlowCurve1, Pump.FlowCurve2, Pump.FlowCurve3),
        *(Pump.FlowCurve4, Pump.FlowCurve5),
        Pump.ExpectedPower,
        Pump.ExpectedFlow,
        Pump.CurveLow,
        Pump.CurveHigh,
        Pump.SteadyTime,
        Pump.SteadySpeed,
    )
    law = staticmethod(_learn)

    def __init__(self, columns: Columns, learning_time: float = 1800.0) -> None:
        super().__init__(columns, learning_time)
