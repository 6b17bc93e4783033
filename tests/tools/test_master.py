"""The plant's Modbus master against a server of a few lines."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.tools.slave import Slave
from tools.simulate.addresses import parse
from tools.simulate.master import Address, Master


@pytest.fixture
def slave() -> Iterator[Slave]:
    slave = Slave()
    yield slave
    slave.end()


def test_many_values_are_read_in_one_go(slave: Slave) -> None:
    addresses = [Address(1 + n % 7, 100 * n) for n in range(200)]
    slave.values = {(at.unit, at.register): n / 4 for n, at in enumerate(addresses)}
    with closing(Master("127.0.0.1", slave.port)) as master:
        assert master.read(addresses) == [n / 4 for n in range(200)]


def test_an_exception_is_no_value(slave: Slave) -> None:
    slave.values = {(1, 100): 42.5}
    with closing(Master("127.0.0.1", slave.port)) as master:
        assert master.read([Address(1, 200), Address(1, 100)]) == [None, 42.5]


def test_a_server_that_went_away_is_an_error_and_one_that_came_back_is_read_again() -> None:
    first = Slave()
    first.values = {(1, 100): 42.5}
    master = Master("127.0.0.1", first.port, timeout=1.0)
    assert master.read([Address(1, 100)]) == [42.5]
    first.end()
    master.close()
    with pytest.raises(OSError, match="refused"):
        master.read([Address(1, 100)])
    second = Slave(first.port)
    second.values = {(1, 100): 43.5}
    assert master.read([Address(1, 100)]) == [43.5]
    master.close()
    second.end()


def test_the_list_of_tags_says_where_setpoints_lie() -> None:
    row = {"station": "N", "pump": "7", "tag": "Setpoint", "unit_id": "1", "address": "100"}
    rows = [
        row | {"type": "float32"},
        row | {"type": "int16", "address": "160"},
        row | {"type": "float32", "tag": "ManualSetpoint", "address": "104"},
        row | {"type": "float32", "tag": "Setpoint", "pump": ""},
    ]
    assert parse(rows) == {7: Address(1, 100)}
