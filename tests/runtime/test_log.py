"""What the logs of a process look like, and that they never stop it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

HEADER = """
import logging, os, structlog
from runtime import log
log.configure("modbus", "info")
logger = structlog.get_logger()

def warn_into(descriptor):
    stderr = os.dup(2)
    os.dup2(descriptor, 2)
    logger.warning("unheard")
    os.dup2(stderr, 2)
"""


def lines_of(program: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", HEADER + program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_json_and_names_process_level_and_time() -> None:
    (line,) = lines_of("logger.info('listening', port=5020)")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "listening", "port": 5020, "process": "modbus", "level": "info"}


def test_a_level_in_the_file_counts_from_the_next_line_on_until_it_is_removed() -> None:
    lines = lines_of("""
import tempfile
from pathlib import Path
level = Path(tempfile.mkdtemp()) / "level"
log.configure("modbus", "info", level)
logger.debug("before")
level.write_text("debug\\n")
logger.debug("after")
level.write_text("error\\n")
logger.warning("dropped")
logger.exception("kept")
level.write_text("nonsense\\n")
logger.debug("dropped")
logger.info("as configured")
level.unlink()
logger.debug("dropped")
logger.info("as configured")
""")
    events = [line["event"] for line in lines]
    assert events == ["after", "kept", "as configured", "as configured"]


def test_lines_inside_a_request_carry_its_correlation_id() -> None:
    lines = lines_of("""
with log.correlated(4711):
    logger.info("inside")
logger.info("outside")
""")
    assert [line.get("correlation") for line in lines] == ["4711", None]


def test_an_exception_is_logged_with_its_traceback_in_one_line() -> None:
    (line,) = lines_of("""
try:
    raise OSError("the disk is gone")
except OSError:
    logger.exception("not saved")
""")
    assert "Traceback" in line["exception"]
    assert "the disk is gone" in line["exception"]


def test_warnings_of_libraries_arrive_in_the_same_form_and_their_chatter_does_not() -> None:
    lines = lines_of("""
logging.getLogger("asyncua.server").info("chatter")
logging.getLogger("asyncua.server").warning("session %s lost", 3)
""")
    assert [(line["event"], line["logger"], line["level"]) for line in lines] == [
        ("session 3 lost", "asyncua.server", "warning")
    ]


def test_values_that_json_does_not_know_are_written_as_text() -> None:
    (line,) = lines_of("logger.info('seen', who={1})")
    assert line["who"] == "{1}"


def test_a_process_survives_that_nobody_reads_its_log() -> None:
    lines = lines_of("""
reading, writing = os.pipe()
os.close(reading)
warn_into(writing)
logger.warning("heard")
""")
    assert [line["event"] for line in lines] == ["heard"]


def test_a_process_is_not_held_up_by_who_does_not_read_its_log() -> None:
    lines = lines_of("""
reading, writing = os.pipe()
os.set_blocking(writing, False)
try:
    while True:
        os.write(writing, bytes(4096))
except BlockingIOError:
    os.set_blocking(writing, True)
warn_into(writing)
logger.warning("heard")
""")
    assert [line["event"] for line in lines] == ["heard"]


def test_what_a_command_logs_stays_out_of_its_report() -> None:
    program = "from runtime import log; import structlog\nlog.beside_reports()\nprint('report')\n"
    program += "structlog.get_logger().warning('by the way')"
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "report\n"
    assert "by the way" in done.stderr
