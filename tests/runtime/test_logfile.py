"""Log files: no line is lost whoever renames the file, and none is kept for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.logfile import LogFile

DAY = 86_400.0
KILOBYTE = 1000.0

WRITER = """
import sys
from pathlib import Path
from runtime.logfile import LogFile
file = LogFile(Path(sys.argv[1]), "scan", 5000, 86400)
for number in range(2000):
    file.write(f"{sys.argv[2]} {number}\\n".encode())
"""


def lines(directory: Path) -> list[str]:
    return [line for path in directory.iterdir() for line in path.read_text().splitlines()]


def test_a_full_file_is_renamed_and_all_lines_are_kept_in_order(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "modbus", KILOBYTE, DAY)
    for number in range(500):
        file.write(b"%040d\n" % number)
    named = tmp_path / "modbus.log"
    assert named.stat().st_size <= KILOBYTE + 41
    renamed = sorted(path for path in tmp_path.iterdir() if path != named)
    kept = "".join(path.read_text() for path in [*renamed, named])
    assert [int(line) for line in kept.splitlines()] == list(range(500))
    assert all(KILOBYTE <= path.stat().st_size <= KILOBYTE + 41 for path in renamed)


def test_several_processes_that_write_to_one_file_lose_no_line(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(k)]) for k in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    written = [f"{k} {number}" for k in range(3) for number in range(2000)]
    assert sorted(lines(tmp_path)) == sorted(written)
    assert len(list(tmp_path.iterdir())) > 3


def test_a_file_that_another_program_renames_loses_no_line(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "scan", 1e9, DAY)
    ended = threading.Event()

    def write() -> None:
        for number in range(20_000):
            file.write(b"%d\n" % number)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    moved = 0
    while not ended.is_set():
        try:
            (tmp_path / "scan.log").rename(tmp_path / f"moved-{moved}")
            moved += 1
        except FileNotFoundError:
            continue
    writer.join()
    assert sorted(int(line) for line in lines(tmp_path)) == list(range(20_000))
    assert moved > 1


def test_renamed_files_are_removed_when_they_are_old_and_no_others(tmp_path: Path) -> None:
    others = ["modbus.log", "modbus-notes.txt", "opcua-20260101T000000.000000Z-1.log"]
    for name in ["modbus-20260101T000000.000000Z-1.log", *others]:
        path = tmp_path / name
        path.write_text("old\n")
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    (tmp_path / "modbus-20260102T000000.000000Z-1.log").write_text("young\n")
    LogFile(tmp_path, "modbus", KILOBYTE, DAY)
    assert {path.name for path in tmp_path.iterdir()} == {
        *others,
        "modbus-20260102T000000.000000Z-1.log",
    }


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_lines_go_to_stderr_while_the_disk_takes_none(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
import structlog
from config import LogFiles
from runtime import log
directory = Path(sys.argv[1])
(directory / "rest.log").symlink_to("/dev/full")
log.configure("rest", "info", None, LogFiles(directory=str(directory)))
structlog.get_logger().info("disk full")
(directory / "rest.log").unlink()
structlog.get_logger().info("on disk")
"""
    command = [sys.executable, "-P", "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert [json.loads(line)["event"] for line in lines(tmp_path)] == ["on disk"]
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["disk full"]
