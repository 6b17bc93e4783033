"""The commands of `calejo`: what they print, and how they fail."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.equipment import Equipment, PumpEntry, StationEntry
from tests.calejo import ROOT, Calejo
from tests.conftest import Database
from tests.processes import is_alive, until

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
needs_mounts = pytest.mark.skipif(
    subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0,
    reason="no user namespace may be made here, so no file system can be mounted",
)


@pytest.fixture
def calejo(tmp_path: Path) -> Iterator[Calejo]:
    command = Calejo(tmp_path / "state")
    yield command
    command.clean_up()


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line in which a command said why it can't be executed."""
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_help_lists_the_commands_for_people_and_no_others(calejo: Calejo) -> None:
    done = calejo("--help")
    for command in ("run", "demo", "check", "migrate", "status", "tags", "trace"):
        assert f"    {command} " in done.stdout
    assert "--format {csv,markdown,json}" in calejo("tags", "--help").stdout
    assert "process NAME" not in done.stdout


def test_check_says_valid_and_sums_up(calejo: Calejo) -> None:
    done = calejo("check", str(ROOT / "scan.yaml"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{ROOT / 'scan.yaml'}: valid\n")
    assert f"127.0.0.1:{calejo.ports['modbus']}" in done.stdout


def test_check_warns_of_what_the_equipment_last_in_force_makes_of_it(calejo: Calejo) -> None:
    levels = {"DryRunLevel": 0.5, "StopLevel": 0.7, "RestartLevel": 1.0, "StartLevel": 2.5}
    levels |= {"AllRunLevel": 3.5, "HardMinLevel": 0.4, "HardMaxLevel": 4.0}
    limits = {"HardMaxFlow": 300.0, "MaxStartsPerHour": 10.0}
    north = {"FlowDirection": 0.0, "WatchdogTimeout": 1200.0, "WellArea": 12.0}
    station = StationEntry(0, "North", "", "UTC", 1, 0, True, north)
    pump = PumpEntry(0, 1, "North", "", 1, 100, True, levels | limits)
    calejo.state.mkdir()
    Equipment(1, (station,), (pump,)).save(calejo.places.equipment)
    done = calejo("check")
    assert done.returncode == 0
    *_, line = done.stdout.splitlines()
    assert line.startswith("  warning   station North: watchdog_timeout_s 1200 outlasts the well")
    calejo.places.equipment.write_text("{")
    done = calejo("check")
    assert done.returncode == 0
    assert f"  warning   equipment list {calejo.places.equipment}: not readable" in done.stdout


def test_check_tells_all_errors_at_once(calejo: Calejo, tmp_path: Path) -> None:
    wrong = tmp_path / "scan.yaml"
    text = (ROOT / "scan.yaml").read_text()
    wrong.write_text(text.replace("period: 100 ms", "period: 1 h\nperiode: 1 s"))
    done = calejo("check", str(wrong), CALEJO_LOG="loud")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for part in (f"{wrong}:3: period: ", f"{wrong}:4: periode: ", "CALEJO_LOG: "):
        assert part in done.stderr


def test_check_names_missing_blocks_and_unwritten_tags(calejo: Calejo, tmp_path: Path) -> None:
    wrong = tmp_path / "scan.yaml"
    lines = (ROOT / "scan.yaml").read_text().splitlines()
    wrong.write_text("\n".join(line for line in lines if "- authority" not in line))
    done = calejo("check", str(wrong))
    assert done.returncode == 1
    assert "the safety block 'authority' is missing" in done.stderr
    assert "block 'limits' reads Pump.Authority, which only the missing block" in done.stderr


def test_run_refuses_a_wrong_configuration_before_anything_starts(calejo: Calejo) -> None:
    line = refusal(calejo("run", CALEJO_PERIOD="0 ms"))
    assert line.startswith("CALEJO_PERIOD: period: found '0 ms', allowed ")
    assert not calejo.state.exists()


def test_a_file_in_place_of_the_state_directory_is_refused(calejo: Calejo) -> None:
    calejo.state.write_text("")
    line = refusal(calejo("run"))
    assert line.startswith(f"calejo: state directory {calejo.state}: File exists")


def test_a_state_directory_of_a_newer_version_is_refused_untouched(calejo: Calejo) -> None:
    calejo.state.mkdir()
    (calejo.state / "version").write_text("2\n")
    line = refusal(calejo("run"))
    assert "its version file says '2', this program knows versions up to 1" in line
    assert [path.name for path in calejo.state.iterdir()] == ["version"]


def mounted(calejo: Calejo, options: str, script: str = "true") -> tuple[str, ...]:
    """A command prefix under which a small file system is mounted as the state directory."""
    calejo.state.mkdir()
    mount = f'mount -t tmpfs -o {options} none {calejo.state} && {script} && exec "$@"'
    return (*NAMESPACE, "sh", "-c", mount, "sh")


@needs_mounts
def test_a_read_only_state_directory_is_refused(calejo: Calejo) -> None:
    under = mounted(calejo, "ro,size=8k")
    line = refusal(calejo("run", under=under))
    assert line.startswith(f"calejo: state directory {calejo.state}: Read-only file system")
    assert "set CALEJO_STATE" in line


@needs_mounts
def test_a_state_directory_on_a_full_disk_is_refused(calejo: Calejo) -> None:
    under = mounted(calejo, "size=8k", f"head -c 8192 /dev/zero > {calejo.state}/filler")
    line = refusal(calejo("run", under=under))
    assert line.startswith(f"calejo: state directory {calejo.state}: No space left on device")


def test_status_says_that_nothing_runs(calejo: Calejo) -> None:
    done = calejo("status")
    assert done.returncode == 1
    assert done.stdout == (f"nothing runs with state directory {calejo.state} (see CALEJO_STATE)\n")


def test_migrate_needs_the_owner_of_a_database_by_dsn(calejo: Calejo) -> None:
    line = refusal(calejo("migrate", CALEJO_DATABASE="postgresql://calejo_runtime@host/calejo"))
    assert line.startswith("CALEJO_DATABASE_OWNER: found nothing, allowed a DSN")


def test_migrate_tells_that_a_database_does_not_answer(calejo: Calejo, tmp_path: Path) -> None:
    dsn = f"host={tmp_path} user=calejo_owner dbname=calejo"
    done = calejo("migrate", CALEJO_DATABASE_OWNER=dsn)
    assert done.returncode == 1
    assert done.stderr.startswith("calejo: cannot migrate: ")
    assert "Traceback" not in done.stderr


def test_migrate_as_the_owner_finds_nothing_to_do_twice(calejo: Calejo, database: Database) -> None:
    done = calejo("migrate", CALEJO_DATABASE_OWNER=database.owner)
    assert (done.returncode, done.stdout) == (0, "the schema is up to date\n")


def test_migrate_brings_up_the_embedded_database_of_a_runtime_that_does_not_run(
    calejo: Calejo,
) -> None:
    done = calejo("migrate")
    assert done.returncode == 0, done.stderr
    assert "migrated: 001_equipment.sql\n" in done.stdout
    assert calejo("migrate").stdout == "the schema is up to date\n"
    assert calejo.processes() == []
    assert not calejo.places.shared.exists()


def test_a_busy_port_fails_the_start_with_its_setting_and_leaves_nothing(calejo: Calejo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", calejo.ports["modbus"]))
        taken.listen()
        done = calejo("run")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("calejo: modbus: servers.modbus.listen: can't listen at 127.0.0.1 port")
    assert calejo.processes() == []
    assert not calejo.places.shared.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_no_process_and_no_shared_memory(
    calejo: Calejo, number: signal.Signals
) -> None:
    calejo.start("run")
    for name in ("standby", "recorder", "postgres", "modbus", "rest"):
        calejo.health(name)
    until(lambda: calejo("status").returncode == 0, what=lambda: calejo("status").stdout)
    assert calejo.end(number) == 0
    assert calejo.processes() == []
    assert not calejo.places.shared.exists()


def test_a_second_runtime_in_the_same_state_directory_is_refused(calejo: Calejo) -> None:
    calejo.start("run")
    calejo.health("standby")
    assert calejo.process is not None
    assert f"in use by process {calejo.process.pid}" in refusal(calejo("run"))
    assert calejo("status").returncode == 0


def test_after_a_power_cut_the_next_start_works(calejo: Calejo) -> None:
    calejo.start("run")
    for name in ("standby", "postgres", "modbus"):
        calejo.health(name)
    until(lambda: calejo("status").returncode == 0)  # the scan has published
    calejo.kill_everything()
    calejo.start("run")
    for name in ("scan", "standby", "recorder", "postgres", "modbus", "rest"):
        calejo.health(name)
    assert '"start":"warm"' in calejo.log.read_text()
    assert calejo("status").returncode == 0


def test_killed_processes_come_back_while_the_others_stay(calejo: Calejo) -> None:
    calejo.start("run")
    names = ("scan", "recorder", "postgres", "modbus", "rest")
    before = {name: calejo.health(name).pid for name in names}
    before["standby"] = calejo.health("standby", but=before["scan"]).pid
    for name in ("modbus", "postgres", "recorder", "rest"):
        os.kill(before[name], signal.SIGKILL)
        assert calejo.health(name, but=before[name]).pid
    os.kill(before["scan"], signal.SIGKILL)
    assert calejo.health("scan", but=before["scan"]).pid == before["standby"]
    calejo.health("standby", but=before["standby"])
    assert calejo("status").returncode == 0


def test_a_killed_supervisor_leaves_no_process(calejo: Calejo) -> None:
    calejo.start("run")
    pids = [calejo.health(name).pid for name in ("standby", "postgres", "modbus")]
    calejo.end(signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)) and not calejo.processes())
