"""A simulated plant, sample stations and a sample optimiser: the world outside the runtime."""
