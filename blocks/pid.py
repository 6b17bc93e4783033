"""PI-D in error form with everything that is not the integral in one offset: u = I + P + D + F.

With backward differences: the integral is integrated before the output is formed. Whatever shall
not move the output (a take-over, other parameters, part of a change of target) is put into the
integral; nothing else is needed for a bumpless transfer. Source: Åström and Hägglund, Advanced PID
Control, 2006, chapters 3 and 13.
"""

from __future__ import annotations

from runtime.compiled import compiled


@compiled
def beyond(error: float, deadband: float) -> float:
    """How far an error is outside the deadband; 0 inside."""
    if error > deadband:
        return error - deadband
    return error + deadband if error < -deadband else 0.0


@compiled
def part(elapsed: float, time: float) -> float:
    """The part of a time constant that a scan is, at most all of it."""
    return elapsed / time if time > elapsed else 1.0


@compiled
def offset(
    gain: float, error: float, derivative_time: float, slope: float, forward: float
) -> float:
    """P + D + F: gain in output per error, slope in error per s, forward in output."""
    return gain * error + gain * (derivative_time * slope) + forward
