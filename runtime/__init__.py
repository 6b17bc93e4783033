"""The runtime: scan, image, processes and servers of the Calejo Control Adapter."""
