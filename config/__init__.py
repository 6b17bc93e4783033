"""The configuration: scan.yaml and the environment, typed and checked."""
