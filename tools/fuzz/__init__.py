"""Malformed traffic against the real servers: `python -m tools.fuzz modbus|opcua --seed S`."""
