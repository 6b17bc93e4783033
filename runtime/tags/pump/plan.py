"""What the optimiser plans for a pump, as received and as it holds now."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import HZ, KW, M3H, M, S, flag, flow, incoming, level, power, speed


class PlanInputs(Table):
    """The current interval of the plan and the next."""

    PlanStart = incoming("Start of the current or latest plan interval.", unit=S)
    PlanEnd = incoming("End of that interval; not after the start if there is none.", unit=S)
    PlanSpeed = incoming("Speed that the interval asks for; NaN if none.", unit=HZ)
    PlanLevel = incoming("Level that the interval asks for; NaN if none.", unit=M)
    PlanPower = incoming("Power that the interval asks for; NaN if none.", unit=KW)
    PlanFlow = incoming("Flow that the interval asks for; NaN if none.", unit=M3H)
    NextStart = incoming("Start of the plan interval after that.", unit=S)
    NextEnd = incoming("End of that interval; not after the start if there is none.", unit=S)
    NextSpeed = incoming("Speed that the next interval asks for.", unit=HZ)
    NextLevel = incoming("Level that the next interval asks for.", unit=M)
    NextPower = incoming("Power that the next interval asks for.", unit=KW)
    NextFlow = incoming("Flow that the next interval asks for.", unit=M3H)


class PlanTargets(Table):
    """What the plan asks for in this scan."""

    PlanActive = flag("A plan interval covers this scan.", stored=True, register=3)
    TargetSpeed = speed("Speed that the plan asks for.", stored=True, register=10)
    TargetLevel = level("Level that the plan asks for.", stored=True, register=12)
    TargetPower = power("Power that the plan asks for.", stored=True, register=14)
    TargetFlow = flow("Flow that the plan asks for.", stored=True, register=16)
