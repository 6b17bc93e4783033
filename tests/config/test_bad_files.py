"""Every bad scan.yaml is answered with file, line, key, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigurationError, load

GOOD = "program: [limits: {without_level: stop}]\n"
BLOCKS = (
    "feedback, well_level, plan, watchdog, emergency_stop, run_times, level_guards, adaptation, "
    "direct_speed, staging, level_control, power_control, authority, duty, limits, supervision, "
    "alarms"
)
LIST = "a list of blocks, each a name or a name with its settings indented under it"
UNITS = "ms, s, min, h, d"


def refusal(folder: Path, content: str | bytes) -> list[str]:
    """The lines of the error, without the path of the file."""
    path = folder / "scan.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigurationError) as error:
        load(path, {})
    return str(error.value).replace(str(path), "scan.yaml").splitlines()


@pytest.mark.parametrize(
    ("added", "line"),
    [
        (
            "period: 20",
            "scan.yaml:2: period: found '20', allowed a duration from 10 ms to 60 s, "
            f"such as '100 ms' (a number needs its unit: {UNITS})",
        ),
        (
            "period: 61 s",
            "scan.yaml:2: period: found '61 s', allowed a duration from 10 ms to 60 s, "
            "such as '100 ms'",
        ),
        (
            "discovery: .nan",
            "scan.yaml:2: discovery: found '.nan', allowed a duration from 1 s to 1 h, "
            "such as '1 min'",
        ),
        (
            "discovery: [1 s]",
            "scan.yaml:2: discovery: found a list, allowed a duration from 1 s to 1 h, "
            "such as '1 min'",
        ),
        (
            "perod: 1 s",
            "scan.yaml:2: perod: found an unknown key, allowed alerts, audit, capacity, database, "
            "discovery, history, log, log_files, period, program, retention, servers, stations "
            "(did you mean 'period'?)",
        ),
        (
            "servers:\n  rest:\n    port: 502",
            "scan.yaml:4: servers.rest.port: found an unknown key, "
            "allowed connections, idle, listen",
        ),
        (
            "servers: {rest: {listen: 0.0.0.0:5020}}",
            "scan.yaml:2: servers.rest.listen: found '0.0.0.0:5020', allowed a loopback "
            "address with a port from 1 to 65535, such as '127.0.0.1:5020'",
        ),
        (
            "servers: {modbus: {operators: [10.1.0.0/16, 10.1.2.300]}}",
            "scan.yaml:2: servers.modbus.operators: found a list, allowed none, or a list of "
            "addresses and networks such as 10.1.2.0/24 (entry 2: '10.1.2.300' does not appear to "
            "be an IPv4 or IPv6 network)",
        ),
        (
            "servers: {modbus: {secure: {listen: 127.0.0.1:8080}}}",
            "scan.yaml:2: servers: found rest and modbus.secure at port 8080, allowed a port for "
            "each",
        ),
        (
            "servers:\n  opcua: {listen: 127.0.0.1:8080}",
            "scan.yaml:2: servers: found opcua and rest at port 8080, allowed a port for each",
        ),
        (
            "capacity: {pumps: 1e3}",
            "scan.yaml:2: capacity.pumps: found '1e3', allowed a whole number from 1 to 100000",
        ),
        (
            "capacity: 250",
            "scan.yaml:2: capacity: found '250', allowed a mapping of settings: pumps, stations",
        ),
        (
            "stations: [Nord, Süd/2]",
            "scan.yaml:2: stations: found a list, allowed all, or a list of different station "
            "ids (1 to 64 characters without '/') (entry 2 is none)",
        ),
        (
            "stations: [Nord, Nord]",
            "scan.yaml:2: stations: found a list, allowed all, or a list of different station "
            "ids (1 to 64 characters without '/') (entry 2 is there already)",
        ),
        ("log: loud", "scan.yaml:2: log: found 'loud', allowed debug, info, warning or error"),
        (
            "period: 1 s\nperiod: 2 s",
            "scan.yaml:3: period: found this key a second time (first in line 2), "
            "allowed each key once",
        ),
        (
            "log: &level info\ndatabase: *level",
            "scan.yaml:2: database: found an alias (*), allowed the value itself",
        ),
        (
            "log: !!python/name:os.system info",
            "scan.yaml:2: log: found the tag 'tag:yaml.org,2002:python/name:os.system', "
            "allowed a value without a tag",
        ),
        ("[a]: 1", "scan.yaml:2: found a list or mapping as key, allowed a name as key"),
    ],
)
def test_a_bad_setting(tmp_path: Path, added: str, line: str) -> None:
    assert line in refusal(tmp_path, GOOD + added)


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("", f"scan.yaml: program: found no block, allowed a list of blocks: {BLOCKS}"),
        ("program:", f"scan.yaml:1: program: found no block, allowed a list of blocks: {BLOCKS}"),
        ("program: plan", f"scan.yaml:1: program: found 'plan', allowed {LIST}"),
        ("program: {order: [plan]}", f"scan.yaml:1: program: found a mapping, allowed {LIST}"),
        ("program: [[plan]]", f"scan.yaml:1: program: found a list as an entry, allowed {LIST}"),
        (
            "program:\n- watchdog:\n  timeout: 20 min",
            f"scan.yaml:1: program: found watchdog, timeout in one entry, allowed {LIST}",
        ),
        (
            "program:\n- plan\n- wachdog: {timeout: 20 min}",
            f"scan.yaml:3: program: found the block 'wachdog', allowed {BLOCKS} "
            "(did you mean 'watchdog'?)",
        ),
        (
            "program:\n- plan\n- watchdog: 20 min",
            "scan.yaml:3: program.watchdog: found '20 min', allowed a mapping of settings:"
            " scada_timeout, timeout, without_scada",
        ),
        (
            "program:\n- duty: {horizon: 1 h}",
            "scan.yaml:2: program.duty.horizon: found an unknown key, allowed no settings",
        ),
        (
            "program:\n- plan\n- limits",
            "scan.yaml:3: program.limits.without_level: found nothing, "
            "allowed stop, default or hold",
        ),
        (
            "program: [plan]",
            "scan.yaml:1: program.limits.without_level: found nothing, "
            "allowed stop, default or hold",
        ),
        (
            "program:\n- limits: {without_level: off}",
            "scan.yaml:2: program.limits.without_level: found 'off', allowed stop, default or hold",
        ),
    ],
)
def test_a_bad_program(tmp_path: Path, program: str, line: str) -> None:
    assert line in refusal(tmp_path, program + "\nlog: info\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            "# nothing yet\n",
            "scan.yaml:1: found nothing, allowed a mapping of settings, such as 'period: 100 ms'",
        ),
        (
            "- period\n",
            "scan.yaml:1: found a list, allowed a mapping of settings, such as 'period: 100 ms'",
        ),
        (
            "a: b: c",
            "scan.yaml:1: found text that is not YAML (mapping values are not allowed here), "
            "allowed 'key: value' and '- item'",
        ),
        (
            "log: info\n\tperiod: 1 s\n",
            "scan.yaml:2: found a tab, allowed spaces for indentation",
        ),
        (
            b"log: info\nperiod: 1 \xb5s\n",
            "scan.yaml:2: found byte 0xb5, allowed text in UTF-8",
        ),
        (
            b"log: info\nperiod: \x01\n",
            "scan.yaml:2: found the character U+0001, allowed printable text",
        ),
        (
            "log: info\n---\nlog: info\n",
            "scan.yaml:2: found text that is not YAML (but found another document), "
            "allowed 'key: value' and '- item'",
        ),
        (
            "[" * 20_000,
            "scan.yaml: found mappings or lists nested too deeply, allowed settings",
        ),
        (
            b" " * 1_000_001,
            "scan.yaml: found more than 1 MB, allowed a YAML file of at most 1 MB",
        ),
    ],
)
def test_a_bad_file(tmp_path: Path, content: str | bytes, line: str) -> None:
    assert refusal(tmp_path, content) == [line]


def test_a_file_that_is_missing_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: found no file to read \(No such"):
        load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigurationError, match=r"found no file to read \(Is a directory\)"):
        load(tmp_path, {})


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = "period: 1\nlog: loud\nprogram:\n- plann\n- limits\nperiod: 2\nx: y\n"
    lines = [line.split(": found")[0] for line in refusal(tmp_path, content)]
    assert lines == [
        "scan.yaml:1: period",
        "scan.yaml:2: log",
        "scan.yaml:4: program",
        "scan.yaml:5: program.limits.without_level",
        "scan.yaml:6: period",
        "scan.yaml:7: x",
    ]


@given(st.text() | st.text("{}[]:,-&*!|>'\"%@`#? \n\tab1", max_size=40))
def test_any_text_is_a_configuration_or_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigurationError):
        load(path, {})
