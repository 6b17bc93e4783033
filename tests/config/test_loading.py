"""What a right scan.yaml becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config import Address, Config, load
from config.document import read

SCAN_YAML = Path(__file__).parents[2] / "scan.yaml"
SMALLEST = "program:\n  - limits: {without_level: stop}\n"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "scan.yaml"


def test_the_scan_yaml_of_the_project_is_right() -> None:
    config = load(SCAN_YAML, {})
    assert config.period == 0.1
    assert config.stations == ()
    assert (config.capacity.stations, config.capacity.pumps) == (250, 1000)
    assert config.program.feedback.max_age == 30.0
    assert config.program.watchdog.timeout == 1200.0
    assert config.program.level_control.deadband == 0.02
    assert config.program.limits.without_level == "default"
    assert (config.program.supervision.tolerance, config.program.supervision.delay) == (2.0, 15.0)
    assert config.servers.modbus.listen == Address("127.0.0.1", 5020)
    assert config.servers.opcua.listen == Address("127.0.0.1", 4840)
    assert config.servers.rest.listen == Address("127.0.0.1", 8080)
    assert config.database == "embedded"


def test_what_the_scan_yaml_of_the_project_says_is_the_default_but_for_the_limits(
    written: Path,
) -> None:
    order = ", ".join(load(SCAN_YAML, {}).program.order)
    written.write_text(f"program: [{order}]".replace("limits", "limits: {without_level: default}"))
    assert load(written, {}) == load(SCAN_YAML, {})


def test_blocks_keep_the_order_and_number_in_which_they_stand(written: Path) -> None:
    written.write_text("program: [plan, limits: {without_level: hold}, feedback, plan]")
    assert load(written, {}).program.order == ("plan", "limits", "feedback", "plan")


def test_settings_may_stand_under_their_block_or_behind_it(written: Path) -> None:
    written.write_text(
        "program:\n- limits:\n    without_level: stop\n- watchdog: {timeout: 5 min}\n- plan:\n"
    )
    program = load(written, {}).program
    assert (program.limits.without_level, program.watchdog.timeout) == ("stop", 300.0)


def test_stations_are_texts_however_they_look(written: Path) -> None:
    written.write_text(SMALLEST + "stations: [Nord, 007, no, 1e3, ' Süd ']\n")
    assert load(written, {}).stations == ("Nord", "007", "no", "1e3", "Süd")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(written: Path) -> None:
    written.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert load(written, {}).program.limits.without_level == "stop"


def test_a_dsn_without_password_may_stand_in_the_file(written: Path) -> None:
    written.write_text(SMALLEST + "database: postgresql://calejo_runtime@db/calejo\n")
    database = load(written, {}).database
    assert isinstance(database, SecretStr)
    assert database.get_secret_value() == "postgresql://calejo_runtime@db/calejo"


def test_the_file_is_found_by_variable_or_where_we_are(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.write_text(SMALLEST)
    elsewhere = written.with_name("other.yaml")
    elsewhere.write_text(SMALLEST + "period: 1 s\n")
    monkeypatch.chdir(written.parent)
    assert load(None, {}).period == 0.1
    assert load(None, {"CALEJO_CONFIG": str(elsewhere)}).period == 1.0
    assert load(written, {"CALEJO_CONFIG": str(elsewhere)}).period == 0.1


def test_a_configuration_written_out_is_read_as_the_same() -> None:
    config = load(SCAN_YAML, {})
    assert Config.model_validate(config.model_dump(mode="json")) == config
    assert {"plan": {"bridge": "0 s"}} in config.model_dump(mode="json")["program"]


def test_a_configuration_does_not_change_once_it_is_loaded() -> None:
    config = load(SCAN_YAML, {})
    with pytest.raises(ValidationError, match="frozen"):
        config.period = 1.0


def test_each_value_of_a_document_knows_its_line(written: Path) -> None:
    written.write_text("a: 1\nb:\n  - c: {d: 2}\n  - e\n")
    document = read(written)
    assert document.tree == {"a": "1", "b": [{"c": {"d": "2"}}, "e"]}
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", "d"): 3,
        ("b", "e"): 4,
    }
