"""The command `calejo`, and the entry of the processes that it starts."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import structlog

import config
from runtime import log
from runtime.places import Places
from runtime.processes import MODULES, UNUSABLE


def main() -> None:
    """Run the command that was given."""
    if sys.argv[1:2] == ["process"]:
        work(sys.argv[2])
    else:
        # Only here: a process must not carry what the commands need.
        command_line = importlib.import_module("runtime.command_line")
        command_line.execute(sys.argv[1:])


def work(name: str) -> None:
    """Be one of the processes of a runtime, as the supervisor starts them."""
    try:
        configuration = config.load(None, os.environ)
    except config.ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(UNUSABLE)
    places = Places.from_environment(os.environ)
    log.configure(name, configuration.log, places.log_level(name), configuration.log_files)
    try:
        gc.disable()  # while modules are loaded there is no garbage, only much to look through
        process = importlib.import_module(MODULES[name])
        gc.enable()
        process.main(configuration, places)
    except Exception:
        structlog.get_logger().exception("process failed")
        sys.exit(1)


if __name__ == "__main__":
    main()
