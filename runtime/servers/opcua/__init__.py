"""OPC UA: the image as an address space, with units, ranges, status and time of every value."""
