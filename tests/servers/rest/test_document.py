"""The description of the interface, and the pages: complete, valid, nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.servers.rest.application import FILES, PAGE
from runtime.tags import Pump, shown
from tests.servers.rest.site import Image, Site

ENDPOINTS = {
    "/api/v1/stations": {"get"},
    "/api/v1/stations/{station}": {"get"},
    "/api/v1/stations/{station}/pumps/{pump}": {"get"},
    "/api/v1/safety": {"get"},
    "/api/v1/safety/violations": {"get"},
    "/api/v1/emergency-stops": {"get", "post"},
    "/api/v1/emergency-stops/{stop}": {"get"},
    "/api/v1/emergency-stops/{stop}/clear": {"post"},
    "/api/v1/alarms": {"get"},
    "/api/v1/alarms/acknowledge": {"post"},
    "/api/v1/alarms/acknowledge-all": {"post"},
    "/api/v1/alarms/shelve": {"post"},
    "/api/v1/alarms/unshelve": {"post"},
    "/api/v1/alarms/out-of-service": {"post"},
    "/api/v1/alarms/return": {"post"},
    "/api/v1/alarms/reset": {"post"},
    "/api/v1/alerts": {"get"},
    "/api/v1/audit": {"get"},
    "/api/v1/trace/{identity}": {"get"},
    "/api/v1/config": {"get"},
    "/api/v1/sessions": {"get", "post"},
    "/api/v1/sessions/own": {"get"},
    "/api/v1/sessions/own/renew": {"post"},
    "/api/v1/sessions/own/end": {"post"},
    "/api/v1/sessions/own/password": {"post"},
    "/api/v1/users": {"get", "post"},
    "/api/v1/users/{user}/change": {"post"},
    "/api/v1/openapi.json": {"get"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}
PROTECTED = {
    *("/api/v1/audit", "/api/v1/trace/{identity}"),
    *("/api/v1/sessions", "/api/v1/sessions/own", "/api/v1/users"),
}


@pytest.fixture
def document(image: Image, site: Site) -> Any:
    return site.api("openapi.json").json


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found
        for below in value.values():
            yield from references(below)
    elif isinstance(value, list):
        for below in value:
            yield from references(below)


def test_every_endpoint_is_described(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert {path: set(told) for path, told in document["paths"].items()} == ENDPOINTS


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= schemas


def test_errors_are_described_as_problems(document: Any) -> None:
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            for code, response in told["responses"].items():
                if path in ("/healthz", "/readyz") and code == "503":
                    assert list(response["content"]) == ["application/json"], path
                elif code == "default" or int(code) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], path
            takes_token = method == "post" or path in PROTECTED
            if (method, path) == ("post", "/api/v1/sessions"):
                takes_token = False  # there one signs in
            assert bool(told["security"]) == takes_token, path


def test_what_is_described_as_protected_is_read_with_the_token_only(
    document: Any, site: Site
) -> None:
    known = {"Authorization": f"Bearer {site.token}"}
    for path, operations in document["paths"].items():
        if "get" in operations:
            refused = site.get(path.replace("{identity}", "1")).status == 401
            assert refused == bool(operations["get"]["security"]), path
            assert site.get(path.replace("{identity}", "1"), **known).status != 401, path


def test_the_audit_log_is_described_as_csv_too(document: Any) -> None:
    told = document["paths"]["/api/v1/audit"]["get"]["responses"]["200"]["content"]
    assert set(told) == {"application/json", "text/csv"}


def test_tags_are_described_from_their_declarations(document: Any) -> None:
    told = document["components"]["schemas"]["PumpState"]["properties"]["tags"]["properties"]
    assert list(told) == [tag.name for tag in shown(Pump)]
    assert told["Setpoint"]["description"] == Pump.Setpoint.doc
    assert told["Setpoint"]["properties"]["unit"] == {"const": "Hz"}


def test_the_document_is_valid(document: Any) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(document)


@pytest.mark.parametrize("path", FILES)
def test_pages_are_served_under_a_strict_policy(path: str, image: Image, site: Site) -> None:
    reply = site.get(path)
    assert reply.status == 200
    assert reply.body == (PAGE / FILES[path]).read_bytes()
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_need_nothing_from_outside_and_nothing_inline() -> None:
    for file in PAGE.iterdir():
        text = file.read_text()
        assert not re.search(r"(https?:)?//[a-z]", text.replace("// ", "")), file
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text), file
        for named in re.findall(r'(?:src|href)="(/[^"]*)"', text):
            assert named in FILES or named in ENDPOINTS, f"{file} names {named}"


def test_all_files_of_the_page_are_served() -> None:
    assert {file.name for file in PAGE.iterdir()} == set(FILES.values())


def test_the_configuration_is_shown_without_secrets(image: Image, site: Site) -> None:
    shown_ = site.api("config").json
    assert shown_["period"] == "100 ms"
    assert shown_["servers"]["rest"]["listen"] == "127.0.0.1:8080"


def test_with_the_token_one_is_the_emergency_account(image: Image, site: Site) -> None:
    known = {"Authorization": f"Bearer {site.token}"}
    (session,) = site.api("sessions", **known).json["sessions"]
    assert (session["kind"], session["role"]) == ("emergency account", "operator")
