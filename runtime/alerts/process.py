"""The process that brings alarms to people."""

from __future__ import annotations

import importlib
import os
import sys
import time

import structlog

import config
from config import Config
from runtime.ending import Ending
from runtime.places import Places
from runtime.processes import UNUSABLE
from runtime.progress import Progress, State

NAME = "alerts"
BEAT = 1.0  # s
NOBODY = "no channels: alarms are brought to nobody (`alerts` in scan.yaml)"


def main(configuration: Config, places: Places) -> None:
    """Deliver until told to end. Without channels it does nothing, and says so."""
    ending = Ending()
    progress = Progress(places.progress(NAME))
    try:
        urls = config.urls(configuration.alerts, os.environ)
    except config.ConfigurationError as error:
        progress.say(State.STARTING, str(error))
        structlog.get_logger().error("channels without a usable URL", problem=str(error))
        sys.exit(UNUSABLE)
    if urls:
        # Only here: without channels nothing of it is needed.
        service = importlib.import_module("runtime.alerts.service")
        service.serve(configuration, places, urls, ending, progress)
        return
    progress.say(State.GOOD, NOBODY)
    while not ending.asked:
        progress.beat()
        time.sleep(BEAT)
