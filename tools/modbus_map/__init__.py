"""The Modbus map, as a page for those who connect a SCADA system."""
