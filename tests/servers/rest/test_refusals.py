"""Changes that never reach the scan are recorded all the same, with who, what and why not."""

from __future__ import annotations

import socket

import pytest
from structlog.testing import capture_logs

from runtime.places import Places
from runtime.servers import refusals as rules
from runtime.servers.rest.listener import HEADERS
from tests.servers.modbus.station import Plant
from tests.servers.rest.site import JSON, Image, Site
from tests.servers.state import refusals

STOPS = "/api/v1/emergency-stops"
POST = f"POST {STOPS} HTTP/1.1\r\n".encode()


@pytest.mark.parametrize(
    ("body", "status", "target", "problem"),
    [
        ({"scope": "pump", "pump": 99}, 404, "99", "There is no pump 99"),
        ({"scope": "station", "station": "Nord"}, 404, "Nord", "There is no station 'Nord'"),
        ({"scope": "town"}, 422, "", "The request is not valid"),
        (b"{", 400, "", ""),
    ],
)
def test_an_order_that_names_nothing_is_recorded_with_what_was_asked(
    places: Places, image: Image, site: Site, body: object, status: int, target: str, problem: str
) -> None:
    data = body if isinstance(body, bytes) else {"reason": "drill", **body}  # type: ignore[dict-item]
    with capture_logs() as lines:
        assert site.post("emergency-stops", data, X_Correlation_Id="abc").status == status
        (found,) = refusals(places.spool / "rest.db", 1)
    (line,) = [line for line in lines if line["event"] == "request refused"]
    assert (line["correlation"], line["object"]) == ("abc", target)
    assert (found["source"], found["who"], found["role"]) == ("REST", "operator", "OPERATOR")
    assert (found["action"], found["object"]) == (f"POST {STOPS}", target)
    assert (found["where"], found["correlation"]) == ("127.0.0.1", "abc")
    assert found["details"]["status"] == status
    assert problem in found["details"]["problem"]
    if status == 404:
        assert found["why"] == "drill"


def test_a_wrong_token_is_recorded_without_the_token(
    places: Places, image: Image, site: Site
) -> None:
    assert site.ask("POST", STOPS, b"{}", Authorization="Bearer secret1", **JSON).status == 401
    (found,) = refusals(places.spool / "rest.db", 1)
    assert (found["who"], found["role"]) == ("unknown", None)
    assert "needs somebody who has signed in" in found["details"]["problem"]
    assert "secret1" not in str(found)


@pytest.mark.parametrize(
    ("sent", "status", "action", "problem"),
    [
        (b"nonsense\r\n\r\n", 400, "http request", "Bad Request: "),
        (b"GET / HTTP/1.1\r\nX: ".ljust(HEADERS, b"x"), 431, "http request", "exceeds max_header"),
        (
            b"%sX-Correlation-Id: abc\r\nContent-Length: 70000\r\n\r\n" % POST,
            413,
            f"POST {STOPS}",
            "exceeds max_body",
        ),
        (
            b"%sTransfer-Encoding: gzip\r\n\r\n" % POST,
            501,
            f"POST {STOPS}",
            "Transfer-Encoding",
        ),
    ],
    ids=["no HTTP", "header", "body", "encoding"],
)
def test_what_the_listener_itself_refuses_is_recorded_under_the_id_of_its_reply(
    places: Places, image: Image, site: Site, sent: bytes, status: int, action: str, problem: str
) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        connection.sendall(sent)
        reply = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    (found,) = refusals(places.spool / "rest.db", 1)
    assert (found["source"], found["who"], found["role"]) == ("REST", "unknown", None)
    assert (found["where"], found["action"]) == ("127.0.0.1", action)
    assert found["details"]["status"] == status
    assert problem in found["details"]["problem"]
    assert f"X-Correlation-Id: {found['correlation']}\r\n" in reply
    assert f'"correlation_id":"{found["correlation"]}"' in reply
    assert (found["correlation"] == "abc") == (status == 413)


def test_what_the_scan_itself_answers_is_no_second_record(
    places: Places, plant: Plant, site: Site
) -> None:
    assert site.stop(scope="pump", pump=11).status == 201
    assert site.get("/api/v1/nowhere").status == 404
    assert site.clear("77").status == 404
    (found,) = refusals(places.spool / "rest.db", 1)
    assert found["action"] == f"POST {STOPS}/77/clear"


def test_a_flood_of_refusals_is_counted_and_not_recorded_one_by_one(
    places: Places, image: Image, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "RATE", 0.0)
    for _ in range(rules.BURST + 10):
        assert site.ask("DELETE", STOPS).status == 401
    found = refusals(places.spool / "rest.db", rules.BURST)
    assert len(found) == rules.BURST
    monkeypatch.setattr(rules, "RATE", 1e6)
    site.ask("DELETE", STOPS)
    assert refusals(places.spool / "rest.db", rules.BURST + 1)[-1]["details"][
        "passed_over_before"
    ] == 10  # fmt: skip
