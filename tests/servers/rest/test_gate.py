"""What every request passes: the token, this machine's name, no other site's page, no excess."""

from __future__ import annotations

import socket

import pytest

from tests.servers.modbus.station import Plant
from tests.servers.rest.site import JSON, Image, Site

STOPS = "/api/v1/emergency-stops"
ORDER = b'{"scope": "system"}'


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer ünsinn"},
        {"Authorization": "Basic b3BlcmF0b3I6"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", [STOPS, f"{STOPS}/77/clear"])
def test_a_change_needs_the_token(
    path: str, headers: dict[str, str], plant: Plant, site: Site
) -> None:
    refused = site.ask("POST", path, ORDER, **JSON, **headers)
    assert refused.status == 401
    assert refused.headers["Www-Authenticate"].startswith("Bearer ")
    assert "token" in refused.problem["detail"]
    assert plant.asked == []


def test_the_token_is_nowhere_in_what_is_served(image: Image, site: Site) -> None:
    for path in ("/", "/metrics", "/healthz", "/api/v1/config", "/api/v1/sessions"):
        assert site.token.encode() not in site.get(path).body
    refused = site.ask("POST", STOPS, ORDER, **JSON, Authorization="Bearer wrong")
    assert site.token.encode() not in refused.body


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_no_method_that_changes_is_open(method: str, image: Image, site: Site) -> None:
    assert site.ask(method, STOPS, ORDER, **JSON).status == 401
    known = {"Authorization": f"Bearer {site.token}", **JSON}
    refused = site.ask(method, STOPS, ORDER, **known)
    assert refused.status == 405
    assert "POST" in refused.headers["Allow"]
    assert refused.problem["errors"][0]["found"] == method


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=repr,
)
def test_a_page_of_another_site_changes_nothing(
    headers: dict[str, str], plant: Plant, site: Site
) -> None:
    refused = site.post("emergency-stops", {"scope": "system"}, **headers)
    assert refused.status == 403
    assert refused.problem["errors"][0]["what"] == "sent by another site"
    assert plant.asked == []


def test_our_own_page_may_stop(plant: Plant, site: Site) -> None:
    own = {"Origin": f"http://127.0.0.1:{site.port}", "Sec_Fetch_Site": "same-origin"}
    assert site.post("emergency-stops", {"scope": "system"}, **own).status == 201


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "192.0.2.1", "127.0.0.1.evil.example", "", "[::2]"],
)
def test_another_host_name_is_refused(host: str, image: Image, site: Site) -> None:
    refused = site.get("/api/v1/stations", Host=host)
    assert refused.status == 421
    assert refused.problem["errors"][0]["where"] == "header.Host"


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:1234", "127.0.0.1", "127.5.5.5:80", "[::1]", "[::1]:8080"]
)
def test_every_name_of_the_loopback_serves(host: str, image: Image, site: Site) -> None:
    assert site.get("/api/v1/stations", Host=host).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_change_is_asked_for_in_json(kind: str, plant: Plant, site: Site) -> None:
    refused = site.post("emergency-stops", {"scope": "system"}, Content_Type=kind)
    assert refused.status == 415
    assert refused.problem["errors"][0]["allowed"] == "application/json"


def test_a_body_that_is_too_large_is_refused(plant: Plant, site: Site) -> None:
    refused = site.post("emergency-stops", b" " * 70_000 + ORDER)
    assert refused.status == 413
    assert refused.problem["errors"][0]["allowed"] == "65536 bytes"


def test_a_header_that_is_too_large_is_refused(image: Image, site: Site) -> None:
    refused = site.get("/healthz", X_Much="x" * 20_000)
    assert refused.status == 431
    assert refused.problem["errors"][0]["where"] == "header"


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nA B: c\r\n\r\n"])
def test_what_is_no_http_is_answered_and_harms_nobody(
    sent: bytes, image: Image, site: Site
) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        connection.sendall(sent)
        reply = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b" 400 " in reply.splitlines()[0]
    assert b"application/problem+json" in reply
    assert site.get("/healthz").status == 200


def test_a_path_that_does_not_exist_points_to_the_description(image: Image, site: Site) -> None:
    refused = site.get("/api/v2/stations")
    assert refused.status == 404
    assert "/docs" in refused.problem["detail"]


def test_a_correlation_id_comes_back_and_a_strange_one_is_replaced(
    image: Image, site: Site
) -> None:
    assert site.get("/healthz", X_Correlation_Id="shift-7").headers["X-Correlation-Id"] == "shift-7"
    strange = site.get("/healthz", X_Correlation_Id='a"b').headers["X-Correlation-Id"]
    assert len(strange) == 36
    refused = site.get("/nothing", X_Correlation_Id="shift-8")
    assert refused.problem["correlation_id"] == "shift-8"
