"""The HTTP server: operator page, REST interface, metrics, health."""
