"""Attacks the tests of the blocks: seeds plausible faults, one by one, and looks for survivors."""
