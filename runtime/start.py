"""`calejo run` and `calejo demo`: everything checked, prepared, and handed to the supervisor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import config
from runtime import instance, log
from runtime.places import Places
from runtime.processes import Process, of_runtime
from runtime.program import ProgramError, problems
from runtime.supervisor import Supervisor


def checked(path: Path | None) -> config.Config:
    """The configuration, program included; ConfigurationError or ProgramError tells all faults."""
    configuration = config.load(path, os.environ)
    found = problems(configuration.program.order)
    if found:
        raise ProgramError("\n".join(found))
    return configuration


def run(further: Sequence[Process] = ()) -> None:
    """Run all processes, and `further` ones, until told to end."""
    configuration = checked(None)
    config.urls(configuration.alerts, os.environ)
    places = Places.from_environment(os.environ)
    if directory := configuration.log_files.directory:
        directory.mkdir(parents=True, exist_ok=True)
    log.configure("run", configuration.log, places.log_level("run"), configuration.log_files)
    with instance.taken(places):
        # A process that is restarted must not meet another configuration than the others have.
        snapshot = places.shared / "scan.yaml"
        shutil.copyfile(source(), snapshot)
        os.environ |= {"CALEJO_CONFIG": str(snapshot), "CALEJO_STATE": str(places.root)}
        places.token()
        Supervisor(places, [*of_runtime(configuration), *further]).run()


def source() -> Path:
    """The configuration file in use."""
    return Path(os.environ.get("CALEJO_CONFIG") or "scan.yaml")
