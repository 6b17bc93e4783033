"""Every setting by environment variable, and secrets that never show."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from config import Address, ConfigurationError, load, secret
from config.environment import variables

DSN = "postgresql://calejo_runtime:geheim@db.example/calejo"
SMALLEST = "program:\n  - limits: {without_level: stop}\n"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "scan.yaml"
    path.write_text(SMALLEST)
    return path


def test_every_setting_has_a_variable_of_its_own() -> None:
    known = variables()
    assert len(set(known.values())) == len(known)
    assert known["CALEJO_PERIOD"] == ("period",)
    assert known["CALEJO_PROGRAM"] == ("program", "order")
    assert known["CALEJO_PROGRAM_WATCHDOG_TIMEOUT"] == ("program", "watchdog", "timeout")
    assert known["CALEJO_SERVERS_MODBUS_LISTEN"] == ("servers", "modbus", "listen")


def test_a_variable_stands_over_the_file(written: Path) -> None:
    written.write_text(SMALLEST + "period: 1 s\n")
    environ = {
        "CALEJO_PERIOD": "20 ms",
        "CALEJO_STATIONS": "Nord, Süd",
        "CALEJO_CAPACITY_PUMPS": "10",
        "CALEJO_PROGRAM_WATCHDOG_TIMEOUT": "5 min",
        "CALEJO_PROGRAM_LIMITS_WITHOUT_LEVEL": "hold",
        "CALEJO_SERVERS_REST_LISTEN": "[::1]:8081",
        "CALEJO_LOG": "debug",
    }
    config = load(written, environ)
    assert config.period == 0.02
    assert config.stations == ("Nord", "Süd")
    assert config.capacity.pumps == 10
    assert config.program.watchdog.timeout == 300.0
    assert config.program.limits.without_level == "hold"
    assert config.servers.rest.listen == Address("::1", 8081)
    assert str(config.servers.rest.listen) == "[::1]:8081"
    assert config.log == "debug"


def test_the_order_of_the_blocks_may_come_from_a_variable(written: Path) -> None:
    program = load(written, {"CALEJO_PROGRAM": "plan, limits"}).program
    assert (program.order, program.limits.without_level) == (("plan", "limits"), "stop")


def test_what_is_required_may_come_from_a_variable(written: Path) -> None:
    written.write_text("log: info\n")
    environ = {"CALEJO_PROGRAM": "limits", "CALEJO_PROGRAM_LIMITS_WITHOUT_LEVEL": "stop"}
    assert load(written, environ).program.order == ("limits",)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "CALEJO_PERIOD",
            "20",
            "CALEJO_PERIOD: period: found '20', allowed a duration from 10 ms to 60 s, "
            "such as '100 ms' (a number needs its unit: ms, s, min, h, d)",
        ),
        (
            "CALEJO_LOG",
            "",
            "CALEJO_LOG: log: found nothing, allowed debug, info, warning or error",
        ),
        (
            "CALEJO_PERIODE",
            "20 ms",
            "CALEJO_PERIODE: found a variable that sets nothing, allowed CALEJO_ and the path of "
            "a setting, such as CALEJO_PROGRAM_WATCHDOG_TIMEOUT (did you mean 'CALEJO_PERIOD'?)",
        ),
        (
            "CALEJO_PERIOD_FILE",
            "/run/secrets/period",
            "CALEJO_PERIOD_FILE: found a variable that sets nothing, allowed CALEJO_ and the path "
            "of a setting, such as CALEJO_PROGRAM_WATCHDOG_TIMEOUT (did you mean 'CALEJO_PERIOD'?)",
        ),
        (
            "CALEJO_DATABASE",
            "geheim",
            "CALEJO_DATABASE: found a text that is not shown because it may hold a secret, "
            "allowed a DSN such as 'postgresql://user:password@host/calejo'",
        ),
        (
            "CALEJO_DATABASE_FILE",
            "/nowhere/dsn",
            "CALEJO_DATABASE_FILE: found no file to read (No such file or directory), "
            "allowed a file with a DSN",
        ),
    ],
)
def test_a_bad_variable(written: Path, name: str, value: str, line: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(written, {name: value})
    assert str(error.value) == line


def test_a_bad_order_is_told_by_the_variable_it_came_from(written: Path) -> None:
    written.write_text(SMALLEST + "  - wotchdog: {timeout: 1 s}\n")
    with pytest.raises(ConfigurationError, match="CALEJO_PROGRAM: program: found the block 'plon'"):
        load(written, {"CALEJO_PROGRAM": "limits,plon"})


def test_unknown_settings_of_a_block_are_told_though_a_variable_sets_the_order(
    written: Path,
) -> None:
    written.write_text(SMALLEST + "  - wotchdog: {timeout: 1 s}\n")
    with pytest.raises(ConfigurationError, match=r"scan\.yaml:3: program\.wotchdog: found an unkn"):
        load(written, {"CALEJO_PROGRAM": "limits"})


def test_variables_of_others_are_left_alone(written: Path) -> None:
    environ = {
        "HOME": "/",
        "CALEJO_STATE": "/var/lib/calejo",
        "CALEJO_POSTGRES_BIN": "/usr/lib/postgresql/17/bin",
        "CALEJO_DATABASE_OWNER": DSN,
        "CALEJO_DATABASE_OWNER_FILE": "/run/secrets/owner",
    }
    assert load(written, environ) == load(written, {})


def test_bad_variables_are_told_with_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path / "none.yaml", {"CALEJO_PERIODE": "20 ms"})
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("dsn", [DSN, "host=db password=geheim", "embedded"])
def test_the_database_may_come_from_a_secret_file(written: Path, tmp_path: Path, dsn: str) -> None:
    file = tmp_path / "dsn"
    file.write_text(dsn + "\n")
    database = load(written, {"CALEJO_DATABASE_FILE": str(file)}).database
    held = database.get_secret_value() if isinstance(database, SecretStr) else database
    assert held == dsn


def test_two_sources_of_one_secret_are_refused(tmp_path: Path) -> None:
    environ = {"CALEJO_DATABASE_OWNER": DSN, "CALEJO_DATABASE_OWNER_FILE": str(tmp_path)}
    with pytest.raises(ConfigurationError, match="found CALEJO_DATABASE_OWNER as well"):
        secret("CALEJO_DATABASE_OWNER", environ)


def test_the_owner_needs_a_dsn() -> None:
    assert secret("CALEJO_DATABASE_OWNER", {}) is None
    held = secret("CALEJO_DATABASE_OWNER", {"CALEJO_DATABASE_OWNER": DSN})
    assert held is not None
    assert held.get_secret_value() == DSN
    with pytest.raises(ConfigurationError, match="allowed a DSN"):
        secret("CALEJO_DATABASE_OWNER", {"CALEJO_DATABASE_OWNER": "embedded"})


def test_a_dsn_does_not_show(written: Path) -> None:
    config = load(written, {"CALEJO_DATABASE": DSN})
    assert isinstance(config.database, SecretStr)
    assert config.database.get_secret_value() == DSN
    for shown in (repr(config), str(config), config.model_dump_json(), str(config.model_dump())):
        assert "geheim" not in shown


@pytest.mark.parametrize(
    "dsn",
    [
        DSN,
        "postgres://db/calejo?password=geheim",
        "postgres://db/calejo?sslPassword=geheim",
        "postgresql://u:geheim@[::1/x",
        "host=db user=u password=geheim",
        "host=db PASSWORD = 'geheim'",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(written: Path, dsn: str) -> None:
    written.write_text(f'{SMALLEST}database: "{dsn}"\n')
    with pytest.raises(ConfigurationError, match=r"scan\.yaml:3: database: found a password") as e:
        load(written, {})
    assert "geheim" not in "".join(traceback.format_exception(e.value))


@pytest.mark.parametrize(
    "added",
    [
        f"databse: {DSN}",
        f"period: {DSN}",
        f"stations: [{DSN}]",
        f"database: {{dsn: '{DSN}'}}",
        f"database: '{DSN}",
        f"database: *{DSN}",
        f"{DSN}",
        "database: geheim",
    ],
)
def test_a_misplaced_secret_is_not_repeated(written: Path, added: str) -> None:
    written.write_text(SMALLEST + added)
    with pytest.raises(ConfigurationError) as error:
        load(written, {})
    assert "geheim" not in "".join(traceback.format_exception(error.value))
