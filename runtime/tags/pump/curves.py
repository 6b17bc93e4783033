"""What the runtime learns of a pump: its power and flow over its speed."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import HZ, INTERNAL, flow, memory, power, seconds


class Curves(Table):
    """Five nodes of each curve from CurveLow to CurveHigh, and what they expect now."""

    PowerCurve1 = power("Power learned at the lowest speed; 0 if none is.", retained=True)
    PowerCurve2 = power("Power learned a quarter of the way up; 0 if none is.", retained=True)
    PowerCurve3 = power("Power learned half way up; 0 if none is.", retained=True)
    PowerCurve4 = power("Power learned three quarters of the way up; 0 if none is.", retained=True)
    PowerCurve5 = power("Power learned at the highest speed; 0 if none is.", retained=True)
    FlowCurve1 = flow("Flow learned at the lowest speed; 0 if none is.", retained=True)
    FlowCurve2 = flow("Flow learned a quarter of the way up; 0 if none is.", retained=True)
    FlowCurve3 = flow("Flow learned half way up; 0 if none is.", retained=True)
    FlowCurve4 = flow("Flow learned three quarters of the way up; 0 if none is.", retained=True)
    FlowCurve5 = flow("Flow learned at the highest speed; 0 if none is.", retained=True)
    CurveLow = memory(
        "Speed of the lowest node of the curves.", unit=HZ, access=INTERNAL, retained=True
    )
    CurveHigh = memory(
        "Speed of the highest node of the curves.", unit=HZ, access=INTERNAL, retained=True
    )
    ExpectedPower = power("Power that the learned curve expects now; 0 if unknown.", register=50)
    ExpectedFlow = flow("Flow that the learned curve expects now; 0 if unknown.", register=52)
    SteadyTime = seconds("How long speed, setpoint and feedback have been steady.", access=INTERNAL)
    SteadySpeed = memory("Speed about which they are.", unit=HZ, access=INTERNAL)
