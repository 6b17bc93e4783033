"""Kills and freezes the processes of a runtime at random, and finds out what was lost by it."""
