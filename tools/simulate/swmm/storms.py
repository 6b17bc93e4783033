"""Weathers to prove a control with: all within what the three pumps move, 141 l/s."""

from __future__ import annotations

from tools.simulate.swmm.weather import Storm, Weather

CAPACITY = 141.0  # l/s
WEATHERS: dict[str, Weather] = {
    "dry": Weather(storms=(), seed=1),
    "storm": Weather(storms=(Storm(90.0, 14.0, 1.5),), seed=1),
    "cloudburst": Weather(storms=(Storm(100.0, 17.0, 0.6, 1.5),), seed=2),
    "front": Weather(storms=(Storm(70.0, 8.0, 5.0, 1.2),), seed=3),
    "night storm": Weather(storms=(Storm(105.0, 26.0, 1.0),), seed=4),
    "two storms": Weather(storms=(Storm(80.0, 10.0, 1.0), Storm(75.0, 16.0, 0.8)), seed=5),
    "wet days": Weather(dry=30.0, storms=(Storm(80.0, 20.0, 2.0),), seed=6),
}
