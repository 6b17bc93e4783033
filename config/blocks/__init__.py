"""The settings of each block, with their defaults, ranges and descriptions."""
