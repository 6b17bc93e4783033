"""What engineers run beside the runtime: simulation and measurement. Nothing imports this."""
