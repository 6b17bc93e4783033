"""Modbus TCP: SCADA reads the image by registers and asks for changes by writing them."""
