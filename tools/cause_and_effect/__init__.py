"""Cause and effect: what the program does for every cause, found out by executing it."""
