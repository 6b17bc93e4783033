"""The id of a request: the client's own if it is well-formed, else a new one."""

from __future__ import annotations

import re

import pytest

from runtime.requests import Role, Source
from runtime.servers import correlation
from runtime.servers.mirror import Asker

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize("given", ["shift-7", "a", "x" * 64, TRACE, "2026:11.23_4"])
def test_a_well_formed_id_is_the_client_s(given: str) -> None:
    assert correlation.of_headers(given, f"00-{TRACE}-{PARENT}-01") == given


@pytest.mark.parametrize("given", [None, "", "a b", 'a"b', "x" * 65, "\n", "ü"])
def test_without_one_the_trace_is(given: str | None) -> None:
    assert correlation.of_headers(given, f"00-{TRACE}-{PARENT}-01") == TRACE


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        TRACE,
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
    ],
)
def test_without_a_well_formed_one_it_is_new(parent: str | None) -> None:
    made = {correlation.of_headers(None, parent) for _ in range(10)}
    assert len(made) == 10
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in made)


def test_what_is_asked_while_a_request_is_served_goes_by_its_id() -> None:
    def asker() -> Asker:
        return Asker(Source.MODBUS, Role.OPERATOR, "anna", "", "here")

    assert asker().trace != asker().trace
    with correlation.serving():
        first = asker().trace
        assert asker().trace == first
    with correlation.serving():
        assert asker().trace != first
