"""A pump station on the hydraulics of EPA SWMM, and the closed loop of controller and station.

The other plant of this project (tools/simulate) is our own physics. This one is not: what the level
does here was computed by an engine that knows nothing of us.
"""
